// SPDX-License-Identifier: GPL-2.0-or-later

import ArgumentParser
import CMATestCore
import CMATestDevice
import CMATestReport
import CMATestSuite
import CMATestSystem
import Glibc
import Testing

@testable import cma_test

@Suite struct DeviceCommandTests {
  /// What a command does on a machine.
  private struct Outcome {
    var code: CInt
    var output: String
    var errors: String
  }

  private func outcome(
    _ arguments: [String], on host: FakeHost, to recorded: RecordedOutput = RecordedOutput()
  ) throws -> Outcome {
    var errors = ""
    var code: CInt = 0
    do {
      let command = try CMATest.parseAsRoot(arguments)
      let device = try #require(command as? any DeviceCommand)
      try device.run(printing: recorded.output(), on: host) { errors += $0 }
    } catch let failure as OutputFailure {
      // The program itself ends with the status of this one: see `CMATest.main`.
      #expect(failure.code == EPIPE)
      code = CommandStatus.cannotWrite.rawValue
    } catch {
      code = CMATest.exitCode(for: error).rawValue
    }
    return Outcome(code: code, output: recorded.text, errors: errors)
  }

  private func code(_ arguments: [String], on host: FakeHost) throws -> CInt {
    try outcome(arguments, on: host).code
  }

  @Test func runReportsEachCaseAndLeavesTheMachineAsItWas() throws {
    let host = try FakeHost()
    let outcome = try outcome(["run", "--seed", "5", "--format", "ktap"], on: host)
    #expect(outcome.code == 0 && outcome.errors.isEmpty)
    let report = try KTAPReport(parsing: outcome.output)
    #expect(report.results.map(\.name) == TestCase.all.map(\.name))
    #expect(
      outcome.output.contains(", seed 5\n# area simulated\n# 0 of its 2048 pages are others'"))
    #expect(host.kernel.usedPages == 0)
    #expect(host.steps == ["lock", "load", "open", "unload"])
  }

  @Test func runThatFindsAFaultFails() throws {
    let host = try FakeHost(SimulatedKernel(.wrongRelease))
    let outcome = try outcome(["run", "--filter", "foreign-page"], on: host)
    #expect(outcome.code == CommandStatus.failed.rawValue)
    #expect(outcome.output.contains("FAIL  foreign-page  "))
  }

  @Test func listNeedsNoDevice() throws {
    let host = try FakeHost()
    let outcome = try outcome(["run", "--list", "--filter", "zero"], on: host)
    #expect(outcome.code == 0 && outcome.output == "zero  a block of no pages is refused\n")
    #expect(host.steps.isEmpty)
  }

  @Test func timeThatIsUpIsAFailedRun() throws {
    let kernel = SimulatedKernel()
    kernel.distortsCounters = { _ in usleep(1_100_000) }
    let host = try FakeHost(kernel)
    let outcome = try outcome(["run", "--timeout", "1", "--filter", "release-order"], on: host)
    #expect(outcome.code == CommandStatus.failed.rawValue)
    #expect(outcome.output.contains("the time for the run was up"))
    #expect(host.kernel.usedPages == 0 && host.steps.last == "unload")
  }

  @Test func readerThatGoesAwayEndsTheRun() throws {
    let host = try FakeHost()
    let outcome = try outcome(["run"], on: host, to: RecordedOutput(failingAfter: 2))
    #expect(outcome.code == CommandStatus.cannotWrite.rawValue)
    #expect(outcome.output.split(separator: "\n").count == 3)
    #expect(host.kernel.usedPages == 0 && host.steps.last == "unload")
  }

  @Test func tableAndObjectHaveEveryArea() throws {
    let kernel = SimulatedKernel(areas: [
      SimulatedArea("reserved", base: 0x4_0000, pages: 512),
      SimulatedArea(nil, base: 0x8_0000, pages: 256, others: [0..<16]),
    ])
    let table = try outcome(["areas"], on: FakeHost(kernel)).output
    #expect(table.contains("\n0      reserved*  ") && table.contains("\n1      area 1     "))
    let json = try outcome(["areas", "--json", "--area", "1"], on: FakeHost(kernel)).output
    #expect(json.contains("\"largest_block_pages\": 240") && !json.contains("reserved"))
  }

  @Test func failureIsJSONOnStandardOutputWhereThatIsAskedFor() throws {
    let host = try FakeHost()
    host.holders = [7]
    let outcome = try outcome(["areas", "--json"], on: host)
    #expect(outcome.output.contains("\"kind\": \"device-busy\""))
    #expect(try self.outcome(["areas"], on: host).output.isEmpty)
  }

  @Test func waitingIsTold() throws {
    let host = try FakeHost()
    host.holders = [7, nil]
    let outcome = try outcome(["areas", "--wait"], on: host)
    #expect(outcome.code == 0)
    #expect(
      outcome.errors
        == "cma-test areas: waiting: process 7 (cma-test run --seed 5) has the device\n")
  }

  @Test func moduleIsNotLoadedWithNoLoad() throws {
    let host = try FakeHost()
    #expect(try code(["areas", "--no-load"], on: host) == 0)
    #expect(host.steps == ["look", "lock", "look", "open", "unload"])
  }

  @Test func listingTouchesNoArea() throws {
    let kernel = SimulatedKernel()
    #expect(try code(["areas"], on: FakeHost(kernel)) == 0)
    #expect(kernel.givenPages == 0)
    #expect(try code(["areas", "--largest", "--json"], on: FakeHost(kernel)) == 0)
    #expect(kernel.givenPages == SimulatedKernel.pageCount + 1)
  }

  @Test(arguments: [["areas"], ["areas", "--json"], ["run"], ["run", "--format", "junit"]])
  func deviceInUseHasItsOwnCode(_ arguments: [String]) throws {
    let host = try FakeHost()
    host.holders = [7]
    #expect(try code(arguments, on: host) == CommandStatus.deviceBusy.rawValue)
  }

  @Test func whatCannotBeLoadedIsASkippedRunAndAFailedListing() throws {
    let host = try FakeHost()
    host.loadFailure = .notLoaded(
      Explanation(.moduleMissing, kind: "cannot-load", message: "no module", remedy: "build it"))
    #expect(try code(["run"], on: host) == CommandStatus.skipped.rawValue)
    #expect(try code(["run", "--autopkgtest"], on: host) == 77)
    let report = try outcome(["run", "--format", "ktap"], on: host).output
    #expect(report.contains("ok 1 device # SKIP no module: build it"))
    #expect(try code(["areas"], on: host) == CommandStatus.noDevice.rawValue)
  }

  @Test func areaThatWasNotActivatedIsASkippedRun() throws {
    let host = try FakeHost(
      SimulatedKernel(areas: [SimulatedArea("reserved", base: 0x4_0000, pages: 0)]))
    #expect(try code(["run"], on: host) == CommandStatus.skipped.rawValue)
    let listing = try outcome(["areas", "--largest"], on: host)
    #expect(listing.code == 0 && listing.output.contains("  not activated  "))
    #expect(listing.errors.contains("could not activate it: dmesg"))
    #expect(host.kernel.givenPages == 0)
  }

  @Test func unknownAreaIsAUsageErrorAndTheModuleGoes() throws {
    for command in ["run", "areas"] {
      let host = try FakeHost()
      #expect(
        try code([command, "--area", "nonsense"], on: host)
          == CommandStatus.usage.rawValue)
      #expect(host.steps.last == "unload")
    }
  }
}
