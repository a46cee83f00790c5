// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import CMATestReport
import CMATestSuite
import CMATestSystem
import Testing

/// Machines on which programs have pages of CMA, take more and give some back while the suite counts those that
/// are free.
@Suite struct BusyAreaTests {
  /// Makes a kernel.
  ///
  /// - Parameters:
  ///   - knowsAvailable: false for a kernel without CONFIG_CMA_SYSFS.
  ///   - change: the pages that others have at one more look.
  /// - Returns: the kernel.
  private func kernel(
    knowsAvailable: Bool = true, _ change: @escaping (Int) -> UInt64
  ) -> FaultyKernel {
    let kernel = FaultyKernel(SimulatedKernel(knowsAvailable: knowsAvailable))
    var looks = 0
    func taken() -> UInt64 {
      looks += 1
      return change(looks)
    }
    kernel.on.counters = { counters throws(SystemFailure) in
      let pages = taken()
      counters.free -= pages
      if let free = counters.statisticsFree { counters.statisticsFree = free - pages }
    }
    kernel.on.information = { information throws(DeviceFailure) in
      information.freePages -= taken()
    }
    return kernel
  }

  private func outcome(of name: String, _ kernel: FaultyKernel) throws -> Outcome {
    try run(kernel, filter: name).cases[0].outcome
  }

  @Test func countsThatOthersChangeAllTheTimeAreNoFault() throws {
    let outcome = try outcome(of: "accounting", kernel { UInt64($0 * 7 % 100) })
    #expect(outcome.reason?.hasPrefix("others take pages of CMA, and give them back") == true)
    #expect(outcome.word == "skip")
  }

  @Test func programThatGrowsOnceIsNoFault() throws {
    for name in ["accounting", "owner-killed"] {
      #expect(try outcome(of: name, kernel { $0 > 3 ? 100 : 0 }) == .passed, "\(name)")
    }
  }

  @Test func processIsKilledBesideOthersThatTakeAndGivePages() throws {
    // Only the first look sees none of them.
    let change: (Int) -> UInt64 = { $0 == 1 ? 0 : 100 + UInt64($0 % 2) * 500 }
    #expect(try outcome(of: "owner-killed", kernel(change)) == .passed)
    #expect(try outcome(of: "owner-killed", kernel(knowsAvailable: false, change)).word != "fail")
  }

  @Test func lostPagesAreAFaultAllTheSame() throws {
    // Each look finds less, and not for what others do: nothing changes while the suite only looks.
    let kernel = FaultyKernel()
    kernel.on.counters = { counters throws(SystemFailure) in
      counters.free -= UInt64(kernel.releases)
    }
    for name in ["accounting", "owner-killed"] {
      #expect(try outcome(of: name, kernel).word == "fail", "\(name)")
    }
  }
}
