// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestDevice
import CMATestReport
import CMATestSuite
import TestSupport
import Testing

/// Runs the suite on a simulated kernel.
///
/// - Parameters:
///   - kernel: which.
///   - index: of the area.
///   - filter: as of the command.
///   - seed: of the run.
///   - ending: what ends it before its last case.
///   - observers: what follows it.
/// - Returns: the result.
/// - Throws: nothing that the simulation does.
func run(
  _ kernel: some TestedKernel & DeviceFile, in index: UInt32 = 0, filter: String? = nil,
  seed: UInt32 = 1,
  ending: Ending = Ending(deadline: nil, now: { 0 }, signal: { nil }),
  observers: [any RunObserver] = []
) throws -> RunResult {
  let information = try kernel.information()
  var areas: [AreaInformation] = []
  for index in 0..<information.areas { areas.append(try kernel.area(index)) }
  let area = try AreaUnderTest(areas[Int(index)], among: areas, information, on: kernel)
  var facts = RunFacts(
    version: "1.0", kernel: kernel.release, area: area.title, pages: area.pages,
    pageSize: area.pageSize, seed: seed, time: "2026-11-22T12:00:00Z")
  facts.occupancy = try Occupancy.read(of: area, on: kernel)
  return Runner(facts: facts, ending: ending, observers: observers)
    .run(TestCase.all(matching: filter), in: area, on: kernel)
}

@Suite struct SuiteTests {
  @Test(arguments: [1, 2, 4_294_967_295] as [UInt32])
  func aRightAllocatorPassesAndGetsAllBack(_ seed: UInt32) throws {
    let kernel = SimulatedKernel()
    let result = try run(kernel, seed: seed)
    for test in result.cases { #expect(test.outcome == .passed, "\(test.name)") }
    #expect(kernel.usedPages == 0)
    #expect(result.exitStatus(forAutopkgtest: false) == .success)
  }

  @Test(arguments: [0..<32, 100..<228, 2000..<2048, 1000..<1001])
  func whatOthersHaveIsNotAskedFor(_ others: Range<Int>) throws {
    for knowsAvailable in [true, false] {
      let result = try run(SimulatedKernel(knowsAvailable: knowsAvailable, others: others))
      for test in result.cases { #expect(test.outcome == .passed, "\(test.name)") }
    }
  }

  @Test func sameSeedMakesTheSameRun() throws {
    func metrics(_ seed: UInt32) throws -> [[Metric]] {
      // Threads take turns as they like.
      try run(SimulatedKernel(), seed: seed).cases.filter { $0.name != "concurrency" }
        .map(\.metrics)
    }
    #expect(try metrics(7) == metrics(7))
    #expect(try metrics(7) != metrics(8))
  }

  @Test func whatTheKernelDoesNotTellIsSkippedWithItsReason() throws {
    let result = try run(SimulatedKernel(knowsPlaces: false))
    let skipped = result.cases.filter { $0.outcome.word == "skip" }.map(\.name)
    #expect(
      skipped == ["inside-area", "movable-anonymous", "movable-page-cache", "pinned-page"])
    #expect(result.failed == 0)
    #expect(
      result.cases.allSatisfy { $0.outcome.word != "skip" || $0.outcome.reason?.isEmpty == false })
  }

  /// What is free beside a page of others joins the hole of the block next to it.
  @Test(arguments: [0..<1, SimulatedKernel.pageCount - 1..<SimulatedKernel.pageCount])
  func aPageOfOthersAtTheEdgeFailsNoCaseWhereThePlaceOfTheAreaIsNotKnown(
    _ others: Range<Int>
  ) throws {
    let kernel = SimulatedKernel(others: others)
    kernel.distortsArea = { $0.base = nil }
    #expect(try run(kernel).failed == 0)
  }

  @Test func theReasonIsThatAnAreaMayBeSeveralRanges() throws {
    let kernel = SimulatedKernel()
    kernel.distortsArea = {
      $0.base = nil
      $0.mayHaveRanges = true
    }
    let result = try run(kernel)
    let inside = try #require(result.cases.first { $0.name == "inside-area" })
    #expect(inside.outcome.word == "skip")
    #expect(inside.outcome.reason?.hasSuffix("may be several ranges") == true)
    #expect(result.failed == 0)
  }

  @Test func namesAndPurposesAreFitForEveryReport() {
    #expect(Set(TestCase.all.map(\.name)).count == TestCase.all.count)
    for test in TestCase.all {
      #expect(test.name.allSatisfy { $0.isLowercase || $0 == "-" })
      #expect(!test.purpose.isEmpty && test.purpose.count <= 72)
    }
  }

  @Test func everyCaseOfTheSourcesIsInTheList() throws {
    let cases = try sourceFiles(below: "Sources/CMATestSuite/Cases").reduce(0) { count, file in
      try count + sourceFile(file).matches(of: /static let \w+ = TestCase\(/).count
    }
    #expect(cases == TestCase.all.count)
  }

  @Test func filterIsAGlob() {
    #expect(
      TestCase.all(matching: "*-page").map(\.name) == [
        "single-page", "foreign-page", "pinned-page",
      ])
    #expect(TestCase.all(matching: "zero").count == 1)
    #expect(TestCase.all(matching: "nothing*").isEmpty)
    #expect(TestCase.all(matching: nil).count == TestCase.all.count)
  }
}

/// A fault, the case that is for it, and those that cannot but see it too.
struct Finding: Sendable, CustomTestStringConvertible {
  var fault: Fault
  var finder: String
  var others: Set<String> = []

  init(_ fault: Fault, _ finder: String, _ others: Set<String> = []) {
    self.fault = fault
    self.finder = finder
    self.others = others
  }

  var testDescription: String { fault.rawValue }
}

@Suite struct FaultTests {
  /// Whoever fills blocks reads back what a fill spoiled; whoever asks for all of the area misses
  /// the page that is lost.
  private static let fillers: Set<String> = [
    "release-order", "concurrency", "movable-anonymous", "movable-page-cache",
  ]
  static let findings = [
    Finding(
      .leak, "accounting",
      ["every-order", "odd-counts", "contiguity", "exhaust", "release-order", "owner-killed"]),
    Finding(
      .misalign, "alignment",
      ["every-order", "odd-counts", "contiguity", "exhaust", "fragmentation", "accounting"]),
    Finding(.overlap, "patterns", fillers),
    Finding(.wrongRelease, "foreign-page"),
    Finding(.corrupt, "patterns", fillers),
    Finding(.staleAccounting, "accounting", ["owner-killed"]),
    Finding(.givesZeroPages, "zero"),
    Finding(.givesTooMuch, "too-large"),
    Finding(.releasesTwice, "release-twice"),
    Finding(.keepsBlocksOfTheDead, "owner-killed"),
    Finding(.leavesTheArea, "inside-area", ["exhaust", "fragmentation"]),
    Finding(.mixesZones, "contiguity"),
    Finding(.movesPinnedPages, "pinned-page"),
    Finding(.neverForgetsAPin, "pinned-page"),
    Finding(.harmsWhatItMoves, "movable-anonymous", ["movable-page-cache", "pinned-page"]),
    Finding(.neverMoves, "movable-anonymous", ["movable-page-cache"]),
    Finding(.neverJoinsHoles, "fragmentation", ["every-order", "odd-counts", "contiguity"]),
    Finding(.refusesOddCounts, "odd-counts", ["contiguity", "patterns"]),
    Finding(.refusesLargeOrders, "every-order", ["alignment"]),
    Finding(.miscountsReleases, "accounting"),
    Finding(.showsOtherBits, "exhaust", ["fragmentation"]),
    Finding(.showsAnotherHole, "exhaust", ["fragmentation"]),
  ]

  @Test(arguments: findings)
  func eachFaultFailsItsCaseAndNoneThatIsNotConcerned(_ finding: Finding) throws {
    let result = try run(SimulatedKernel(finding.fault))
    let found = Set(result.cases.filter { $0.outcome.word == "fail" }.map(\.name))
    #expect(found.contains(finding.finder))
    #expect(found == finding.others.union([finding.finder]))
    #expect(result.exitStatus(forAutopkgtest: true) == .failed)
  }

  @Test func everyFaultIsTried() {
    #expect(Set(Self.findings.map(\.fault)) == Set(Fault.allCases))
  }
}
