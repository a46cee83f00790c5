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
  private func code(_ arguments: [String], on host: FakeHost) throws -> CInt {
    try outcome(of: arguments, on: host).code
  }

  @Test func runReportsEachCaseAndLeavesTheMachineAsItWas() throws {
    let host = try FakeHost()
    let told = try outcome(of: ["run", "--seed", "5", "--format", "ktap"], on: host)
    #expect(told.code == 0 && told.errors.isEmpty)
    let report = try KTAPReport(parsing: told.output)
    #expect(report.results.map(\.name) == TestCase.all.map(\.name))
    #expect(
      told.output.contains(", seed 5\n# area simulated\n# 0 of its 2048 pages are others'"))
    #expect(host.kernel.usedPages == 0)
    #expect(host.steps == ["lock", "load", "open", "unload"])
  }

  @Test func runThatFindsAFaultFails() throws {
    let host = try FakeHost(SimulatedKernel(.wrongRelease))
    let told = try outcome(of: ["run", "--filter", "foreign-page"], on: host)
    #expect(told.code == CommandStatus.failed.rawValue)
    #expect(told.output.contains("FAIL  foreign-page  "))
  }

  @Test func listNeedsNoDevice() throws {
    let host = try FakeHost()
    let told = try outcome(of: ["run", "--list", "--filter", "zero"], on: host)
    #expect(told.code == 0 && told.output == "zero  a block of no pages is refused\n")
    #expect(host.steps.isEmpty)
  }

  @Test func timeThatIsUpIsAFailedRun() throws {
    let kernel = SimulatedKernel()
    kernel.distortsCounters = { _ in usleep(1_100_000) }
    let host = try FakeHost(kernel)
    let told = try outcome(of: ["run", "--timeout", "1", "--filter", "release-order"], on: host)
    #expect(told.code == CommandStatus.failed.rawValue)
    #expect(told.output.contains("the time for the run was up"))
    #expect(host.kernel.usedPages == 0 && host.steps.last == "unload")
  }

  @Test func readerThatGoesAwayEndsTheRun() throws {
    let host = try FakeHost()
    let told = try outcome(of: ["run"], on: host, to: RecordedOutput(failingAfter: 2))
    #expect(told.code == CommandStatus.cannotWrite.rawValue)
    #expect(told.output.split(separator: "\n").count == 3)
    #expect(host.kernel.usedPages == 0 && host.steps.last == "unload")
  }

  @Test func tableAndObjectHaveEveryArea() throws {
    let kernel = SimulatedKernel(areas: [
      SimulatedArea("reserved", base: 0x4_0000, pages: 512),
      SimulatedArea(nil, base: 0x8_0000, pages: 256, others: [0..<16]),
    ])
    let table = try outcome(of: ["areas"], on: FakeHost(kernel)).output
    #expect(table.contains("\n0      reserved*  ") && table.contains("\n1      area 1     "))
    let json = try outcome(of: ["areas", "--json", "--area", "1"], on: FakeHost(kernel)).output
    #expect(json.contains("\"largest_block_pages\": 240") && !json.contains("reserved"))
  }

  @Test func failureIsJSONOnStandardOutputWhereThatIsAskedFor() throws {
    let host = try FakeHost()
    host.holders = [7]
    let told = try outcome(of: ["areas", "--json"], on: host)
    #expect(told.output.contains("\"kind\": \"device-busy\""))
    #expect(try outcome(of: ["areas"], on: host).output.isEmpty)
  }

  @Test func waitingIsTold() throws {
    let host = try FakeHost()
    host.holders = [7, nil]
    let told = try outcome(of: ["areas", "--wait"], on: host)
    #expect(told.code == 0)
    #expect(
      told.errors
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

  @Test func moduleThatGivesNoBlockIsToBeLoadedWithAHigherLimit() throws {
    let kernel = SimulatedKernel()
    kernel.limits.handles = 0
    let told = try outcome(of: ["areas", "--largest", "--json"], on: FakeHost(kernel))
    #expect(told.code == CommandStatus.deviceRefused.rawValue)
    #expect(told.output.contains("the module's max_handles is too low"))
    #expect(told.output.contains("\"remedy\": \"load the module with higher limits: cmatest(4)\""))
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
    let report = try outcome(of: ["run", "--format", "ktap"], on: host).output
    #expect(report.contains("ok 1 device # SKIP no module: build it"))
    #expect(try code(["areas"], on: host) == CommandStatus.noDevice.rawValue)
  }

  @Test func areaThatWasNotActivatedIsASkippedRun() throws {
    let host = try FakeHost(
      SimulatedKernel(areas: [SimulatedArea("reserved", base: 0x4_0000, pages: 0)]))
    #expect(try code(["run"], on: host) == CommandStatus.skipped.rawValue)
    let listing = try outcome(of: ["areas", "--largest"], on: host)
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
