// SPDX-License-Identifier: GPL-2.0-or-later

import ArgumentParser
import CMATestDevice
import CMATestReport
import CMATestSuite
import Testing

@testable import cma_test

/// A module that was loaded by hand, with what the kernel exports alone: the areas besides the default one are
/// not known.
@Suite struct UnlistedAreaTests {
  private func host(others: UInt64) throws -> FakeHost {
    let kernel = SimulatedKernel()
    kernel.distorts = {
      $0.hasAllAreas = false
      $0.totalPages += others
    }
    return try FakeHost(kernel)
  }

  @Test func areasThatAreNotListedAreTold() throws {
    let told = try outcome(of: ["areas"], on: host(others: 8192))
    #expect(told.code == 0)
    #expect(
      told.errors
        == "cma-test areas: 32 MiB more are reserved for CMA in areas that the module does not know: it "
        + "was loaded without the address of cma_for_each_area: rmmod cmatest, then repeat the command, "
        + "which loads the module with all addresses\n")
    let json = try outcome(of: ["areas", "--json"], on: host(others: 8192)).output
    #expect(json.contains("\"complete\": false"))
  }

  @Test func whatIsInTheAreaThatIsListedNeedsNoWord() throws {
    let told = try outcome(of: ["areas", "--json"], on: host(others: 0))
    #expect(told.errors.isEmpty && told.output.contains("\"complete\": true"))
  }

  @Test(arguments: ["areas", "run"]) func areaThatIsNotKnownMayBeThere(_ command: String) throws {
    let host = try host(others: 8192)
    do {
      let parsed = try CMATest.parseAsRoot([command, "--area", "camera"])
      let device = try #require(parsed as? any DeviceCommand)
      try device.run(printing: RecordedOutput().output(), on: host) { _ in }
      Issue.record("the area was found")
    } catch {
      let message = CMATest.message(for: error)
      #expect(
        message.contains("there is no area 'camera' here: the areas are 0 (simulated); 32 MiB more")
      )
    }
    // What is known is chosen as ever.
    #expect(try outcome(of: [command, "--area", "0"], on: self.host(others: 8192)).code == 0)
  }
}
