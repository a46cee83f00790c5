// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import CMATestReport
import CMATestSuite
import Testing

/// Which pages others have in an area of 512.
struct Others: Sendable, CustomTestStringConvertible {
  let name: String
  let ranges: [Range<Int>]
  var free: Int { 512 - ranges.reduce(0) { $0 + $1.count } }

  var testDescription: String { name }

  static let all: [Others] = counts.flatMap(free) + patterns

  private static let counts = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 33, 63, 64, 100, 255, 511]

  private static func free(_ free: Int) -> [Others] {
    let middle = (512 - free) / 2
    return [
      Others(name: "the last \(free) are free", ranges: [0..<512 - free]),
      Others(name: "the first \(free) are free", ranges: [free..<512]),
      Others(name: "\(free) in the middle are free", ranges: [0..<middle, middle + free..<512]),
    ]
  }

  private static let patterns: [Others] = [
    Others(name: "every second is free", ranges: (0..<256).map { 2 * $0..<2 * $0 + 1 }),
    Others(name: "every 16th is free", ranges: (0..<32).map { 16 * $0..<16 * $0 + 15 }),
    Others(name: "every 16th is taken", ranges: (0..<32).map { 16 * $0..<16 * $0 + 1 }),
  ]
}

@Suite struct FullAreaTests {
  private static let needNoPage: Set<String> = ["zero", "foreign-page"]

  @Test(arguments: Others.all) func nothingFailsAndWhatPassesWasGivenPages(_ others: Others) throws
  {
    for knowsAvailable in [true, false] {
      // Without counters, what is known of others is what the module itself has held since its load.
      let area = SimulatedArea("reserved", base: 0x4_0000, pages: 512, loaded: others.ranges)
      for test in TestCase.all {
        let kernel = SimulatedKernel(areas: [area], knowsAvailable: knowsAvailable)
        let result = try run(kernel, filter: test.name)
        let outcome = result.cases[0].outcome
        switch outcome {
        case .failed(let reason): Issue.record("\(test.name) failed: \(reason)")
        case .notRun: Issue.record("\(test.name) was not run")
        case .skipped(let reason): #expect(!reason.isEmpty)
        case .passed:
          #expect(kernel.givenPages > 0 || Self.needNoPage.contains(test.name), "\(test.name)")
          for metric in result.cases[0].metrics
          where ["pages", "blocks", "largest_pages"].contains(metric.name) {
            #expect(metric.value > 0, "\(test.name): \(metric.name)")
          }
        }
        #expect(kernel.usedPages == 512 - others.free, "\(test.name)")
      }
    }
  }

  /// A driver, or the pool of the kernel for atomic DMA, on a kernel without CONFIG_CMA_SYSFS.
  @Test(arguments: [0, 96, 511]) func whatNoCounterTellsOfIsNoFaultEither(_ unknown: Int) throws {
    let area = SimulatedArea(
      "reserved", base: 0x4_0000, pages: 512, others: [0..<unknown], loaded: [unknown..<512])
    let result = try run(SimulatedKernel(areas: [area], knowsAvailable: false))
    for test in result.cases where !Self.needNoPage.contains(test.name) {
      #expect(test.outcome.word == "skip", "\(test.name)")
    }
  }

  @Test func fullAreaSkipsAllThatNeedsAPageAndSaysWhoHasIt() throws {
    let area = SimulatedArea("reserved", base: 0x4_0000, pages: 512, others: [0..<512])
    let result = try run(SimulatedKernel(areas: [area]))
    for test in result.cases where !Self.needNoPage.contains(test.name) {
      #expect(test.outcome.word == "skip", "\(test.name)")
    }
    #expect(result.passed == Self.needNoPage.count)
    var text = ""
    ReportFormat.text.reporter { text += $0 }.runBegan(
      result.facts, cases: TestCase.all.map(\.title))
    #expect(text.contains("512 of its 512 pages are others'\n"))
  }
}

/// What no kernel says, or a damaged module: a report comes all the same. A trap ends the tests.
@Suite struct NonsenseTests {
  private static let extremes: [UInt64] = [0, 1, 63, 4095, 1 << 31, 1 << 52, 1 << 63, .max]

  private func report(_ kernel: SimulatedKernel) throws {
    for test in TestCase.all where !test.name.hasPrefix("movable") && test.name != "pinned-page" {
      let result: RunResult
      do {
        result = try run(kernel, filter: test.name)
      } catch {
        // What cannot be an area is said before the first case.
        continue
      }
      #expect(result.cases.count == 1)
      for format in ReportFormat.allCases {
        var text = ""
        let reporter = format.reporter { text += $0 }
        reporter.runBegan(result.facts, cases: [test.title])
        reporter.caseEnded(1, result.cases[0])
        reporter.runEnded(result)
        #expect(text.contains(test.name))
      }
    }
  }

  private func smallKernel(_ pages: Int = 64) -> SimulatedKernel {
    SimulatedKernel(areas: [SimulatedArea("reserved", base: 0x4_0000, pages: pages)])
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 63]) func areaOfAnySizeHasAReport(_ pages: Int)
    throws
  {
    try report(smallKernel(pages))
  }

  @Test(arguments: extremes) func whateverTheModuleSaysOfItself(_ value: UInt64) throws {
    let fields: [WritableKeyPath<DeviceInformation, UInt64>] = [
      \.pageSize, \.maxCount, \.maxHandles, \.maxPages, \.fileHandles, \.heldPages,
      \.totalPages, \.freePages,
    ]
    for field in fields {
      let kernel = smallKernel()
      kernel.distorts = { $0[keyPath: field] = value }
      try report(kernel)
    }
    let kernel = smallKernel()
    kernel.distorts = { $0.maxOrder = UInt32(truncatingIfNeeded: value) }
    try report(kernel)
  }

  @Test(arguments: extremes) func whateverTheModuleSaysOfTheArea(_ value: UInt64) throws {
    for field in [\AreaInformation.base, \.size] {
      let kernel = smallKernel()
      kernel.distortsArea = { $0[keyPath: field] = value }
      try report(kernel)
    }
    let kernel = smallKernel()
    kernel.distortsArea = { $0.heldPages = value }
    try report(kernel)
  }

  @Test(arguments: extremes) func whateverTheKernelCounts(_ value: UInt64) throws {
    let fields: [WritableKeyPath<Counters, UInt64?>] = [
      \.statisticsFree, \.allocated, \.failed, \.released, \.available, \.total,
    ]
    for field in fields {
      let kernel = smallKernel()
      kernel.distortsCounters = { $0[keyPath: field] = value }
      try report(kernel)
    }
    let kernel = smallKernel()
    kernel.distortsCounters = { $0.free = value }
    try report(kernel)
  }
}
