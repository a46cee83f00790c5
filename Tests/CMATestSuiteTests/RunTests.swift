// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestDevice
import CMATestReport
import CMATestSuite
import Testing

@Suite struct EndingTests {
  private final class Calls: @unchecked Sendable {
    var count = 0
  }

  /// Ends a run at the nth look at the signals. One thread looks.
  private func interrupted(at look: Int, _ kernel: SimulatedKernel) throws -> RunResult {
    let calls = Calls()
    let ending = Ending(
      deadline: nil, now: { 0 },
      signal: {
        calls.count += 1
        return calls.count >= look ? "SIGINT" : nil
      })
    return try run(kernel, filter: "[!c]*", ending: ending)
  }

  @Test(arguments: [1, 2, 17, 100, 333, 700])
  func signalEndsTheRunWithAllGivenBackAndAPartialResult(_ look: Int) throws {
    let kernel = SimulatedKernel()
    let result = try interrupted(at: look, kernel)
    #expect(kernel.usedPages == 0)
    #expect(result.endedBy == "SIGINT")
    #expect(result.cases.count == TestCase.all(matching: "[!c]*").count)
    #expect(result.failed == 0 && result.notRun > 0)
    let firstNotRun = result.cases.firstIndex { $0.outcome.word == "not-run" } ?? 0
    #expect(result.cases[..<firstNotRun].allSatisfy { $0.outcome == .passed })
    #expect(result.cases[firstNotRun].outcome == .notRun("interrupted by SIGINT"))
    #expect(result.exitStatus(forAutopkgtest: false) == .interrupted)
  }

  @Test func timeThatIsUpFailsTheCaseThatWasRunning() throws {
    let kernel = SimulatedKernel()
    let ending = Ending(deadline: 100_000, now: { kernel.now }, signal: { nil })
    let result = try run(kernel, ending: ending)
    #expect(kernel.usedPages == 0)
    #expect(result.endedBy == "timeout" && result.failed == 1 && result.notRun > 0)
    #expect(
      result.cases.first { $0.outcome.word == "fail" }?.outcome.reason?.contains("time") == true)
    #expect(result.exitStatus(forAutopkgtest: true) == .failed)
  }

  @Test func signalsHaveTheExitCodesOfAShell() {
    var result = RunResult(facts: RunFacts(version: "", kernel: "", seed: 0, time: ""))
    #expect(result.exitStatus(forAutopkgtest: false) == .skipped)
    #expect(result.exitStatus(forAutopkgtest: true) == .skippedForAutopkgtest)
    result.endedBy = "SIGTERM"
    #expect(result.exitStatus(forAutopkgtest: true) == .terminated)
    result.endedBy = "SIGHUP"
    #expect(result.exitStatus(forAutopkgtest: true) == .hungUp)
  }
}

@Suite struct RefusedRunTests {
  private func runner(_ observers: [any RunObserver] = []) -> Runner {
    Runner(
      facts: RunFacts(version: "1.0", kernel: "x", seed: 1, time: ""),
      ending: Ending(deadline: nil, now: { 0 }, signal: { nil }), observers: observers)
  }

  @Test func reasonIsSaidOnce() {
    let result = runner().refuse(because: "no module")
    #expect(result.cases.map(\.outcome) == [.skipped("no module")])
    #expect(result.exitStatus(forAutopkgtest: false) == .skipped)
    #expect(result.exitStatus(forAutopkgtest: true) == .skippedForAutopkgtest)
  }

  @Test(arguments: ReportFormat.allCases)
  func everyFormHasTheReasonOnce(_ format: ReportFormat) {
    for isError in [false, true] {
      var text = ""
      _ = runner([format.reporter { text += $0 }]).refuse(because: "no module", isError: isError)
      #expect(text.split(separator: "no module", omittingEmptySubsequences: false).count == 2)
    }
  }

  @Test func deviceThatIsInUseIsAnErrorForContinuousIntegration() {
    var text = ""
    _ = runner([ReportFormat.junit.reporter { text += $0 }])
      .refuse(because: "process 7 has the device", isError: true)
    #expect(text.contains("errors=\"1\"") && text.contains("<error message=\"process 7 has"))
  }
}

@Suite struct OwnershipTests {
  private let kernel = SimulatedKernel()

  @Test func blockGoesBackWithItsOwner() throws {
    do {
      let block = try Allocation(BlockRequest(area: 0, count: 3), from: kernel)
      #expect(kernel.usedPages == 3 && block.block.count == 3)
    }
    #expect(kernel.usedPages == 0)
  }

  @Test func releasedBlockIsNotReleasedAgain() throws {
    let block = try Allocation(BlockRequest(area: 0, count: 3), from: kernel)
    let other = try Allocation(BlockRequest(area: 0, count: 2), from: kernel)
    #expect(try block.release().isAccepted)
    #expect(kernel.usedPages == 2)
    _ = consume other
    #expect(kernel.usedPages == 0)
  }

  @Test func manyBlocksGoBackWithTheirOwner() throws {
    do {
      var blocks = Allocations(from: kernel)
      for _ in 0..<5 { try blocks.allocate(BlockRequest(area: 0, count: 4)) }
      _ = try blocks.release(at: 2)
      #expect(kernel.usedPages == 16 && blocks.pageCount == 16)
    }
    #expect(kernel.usedPages == 0)
  }
}
