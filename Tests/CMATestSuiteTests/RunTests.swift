// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestDevice
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
    #expect(result.cases.count == cases(matching: "[!c]*").count)
    #expect(result.failed == 0 && result.notRun > 0)
    let firstNotRun = result.cases.firstIndex { $0.outcome.word == "not-run" } ?? 0
    #expect(result.cases[..<firstNotRun].allSatisfy { $0.outcome == .passed })
    #expect(result.cases[firstNotRun].outcome == .notRun("interrupted by SIGINT"))
    #expect(result.exitCode(forAutopkgtest: false) == .interrupted)
  }

  @Test func timeThatIsUpFailsTheCaseThatWasRunning() throws {
    let kernel = SimulatedKernel()
    let ending = Ending(deadline: 100_000, now: { kernel.now }, signal: { nil })
    let result = try run(kernel, ending: ending)
    #expect(kernel.usedPages == 0)
    #expect(result.endedBy == "timeout" && result.failed == 1 && result.notRun > 0)
    #expect(
      result.cases.first { $0.outcome.word == "fail" }?.outcome.reason?.contains("time") == true)
    #expect(result.exitCode(forAutopkgtest: true) == .failed)
  }

  @Test func signalsHaveTheExitCodesOfAShell() {
    var result = RunResult(facts: RunFacts(version: "", kernel: "", seed: 0, time: ""))
    #expect(result.exitCode(forAutopkgtest: false) == .skipped)
    #expect(result.exitCode(forAutopkgtest: true) == .skippedForAutopkgtest)
    result.endedBy = "SIGTERM"
    #expect(result.exitCode(forAutopkgtest: true) == .terminated)
    result.endedBy = "SIGHUP"
    #expect(result.exitCode(forAutopkgtest: true) == .hungUp)
  }
}

@Suite struct SkippedRunTests {
  @Test func eachCaseSaysWhyNoneCanRun() {
    let facts = RunFacts(version: "1.0", kernel: "x", seed: 1, time: "")
    let runner = Runner(
      facts: facts, ending: Ending(deadline: nil, now: { 0 }, signal: { nil }), observers: [])
    let result = runner.skip(allCases, because: "no module")
    #expect(result.cases.allSatisfy { $0.outcome == .skipped("no module") })
    #expect(result.exitCode(forAutopkgtest: false) == .skipped)
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

@Suite struct AreaTests {
  private func survey(_ kernel: SimulatedKernel) throws -> AreaSurvey {
    try AreaSurvey.survey(
      kernel.area(0), kernel.information(), on: kernel,
      ending: Ending(deadline: nil, now: { 0 }, signal: { nil }))
  }

  @Test func largestBlockIsFoundAndGivenBack() throws {
    let kernel = SimulatedKernel(others: 500..<700)
    let survey = try survey(kernel)
    #expect(survey.largest == UInt64(SimulatedKernel.pageCount - 700))
    #expect(survey.free == UInt64(SimulatedKernel.pageCount - 200))
    #expect(kernel.usedPages == 200)
  }

  @Test func tableHasALineForEachArea() throws {
    #expect(
      AreaReport.text([try survey(SimulatedKernel())]) == """
        NAME        BASE        SIZE   FREE   LARGEST  ALLOCATED  FAILED
        simulated*  0x40000000  8 MiB  8 MiB  8 MiB    0 bytes    0 bytes

        """)
  }

  @Test func whatIsNotToldIsAQuestionMarkAndNull() throws {
    let survey = try survey(SimulatedKernel(knowsPlaces: false))
    #expect(AreaReport.text([survey]).contains("simulated*  ?     8 MiB"))
    #expect(AreaReport.json([survey], kernel: "x").text.contains("\"base\": null"))
  }
}
