// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
package import CMATestDevice

/// What comparisons and reports need of a result file: a few numbers of each round, not its bins.
package struct ResultSummary: Equatable, Sendable {
  /// The file that it was read from.
  package var name: String
  /// Whether the measurement reached its end.
  package var isComplete: Bool
  /// The cause of an end before the last round, as the name of a signal; `nil` where nothing ended it.
  package var endedBy: String?
  /// The version of the program that measured; empty where the file does not tell.
  package var program = ""
  /// When the measurement began, in UTC; empty where the file does not tell.
  package var time = ""
  package var seed: UInt64?
  package var profile: String?
  /// Free pages of the area when the measurement began; `nil` where nothing tells.
  package var freePages: UInt64?
  /// The allocation that ended the measurement by its time; `nil` where none did.
  package var slow: SlowSummary?
  /// The name of the area that was measured.
  package var area: String
  /// The size of the area in pages.
  package var areaPages: UInt64
  /// The size of a page in bytes.
  package var pageSize: UInt64
  /// What the machine was, as `kernel` or `init_on_alloc`, in the order of the file.
  package var environment: [Fact]
  package var cells: [CellSummary]

  /// A property of the machine.
  package struct Fact: Equatable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package init(
    name: String, isComplete: Bool = true, area: String, areaPages: UInt64, pageSize: UInt64,
    environment: [Fact] = [], cells: [CellSummary]
  ) {
    self.name = name
    self.isComplete = isComplete
    self.area = area
    self.areaPages = areaPages
    self.pageSize = pageSize
    self.environment = environment
    self.cells = cells
  }
}

/// The rounds of one cell.
package struct CellSummary: Equatable, Sendable {
  package var settings: CellSettings
  package var rounds: [RoundSummary]
  /// The times of all rounds together; `nil` where the reader did not ask for them.
  package var times: PooledTimes?

  package init(settings: CellSettings, rounds: [RoundSummary], times: PooledTimes? = nil) {
    self.settings = settings
    self.rounds = rounds
    self.times = times
  }

  /// All requests of all rounds.
  package var requests: UInt64 { allocated + failed }
  package var allocated: UInt64 { rounds.reduce(0) { $0 + $1.allocated } }
  package var failed: UInt64 { rounds.reduce(0) { $0 + $1.failed } }

  /// One number for each round in which there was an allocation.
  package func values(of quantity: Quantity) -> [Double] {
    rounds.compactMap { round in round.times?[quantity] }
  }
}

/// The times of a cell's rounds, put together.
package struct PooledTimes: Equatable, Sendable {
  /// Of allocations that succeeded.
  package var allocations = Histogram()
  /// Of the same, since their intended start; empty without an interval.
  package var responses = Histogram()
  /// Of allocations that failed.
  package var failures = Histogram()
  package var releases = Histogram()

  package init() {}
}

/// An allocation that took longer than the user allows.
package struct SlowSummary: Equatable, Sendable {
  /// The number of its cell, from 0, and of its round, from 1.
  package var cell: UInt64 = 0
  package var round: UInt64 = 0
  package var nanoseconds: UInt64 = 0
  /// What the kernel told of that allocation alone; `nil` where it does not tell.
  package var retries: UInt64?
  package var migrated: UInt64?
  package var inTheWay: String?

  package init() {}
}

/// One round of one cell.
package struct RoundSummary: Equatable, Sendable {
  package var allocated: UInt64
  package var failed: UInt64
  /// Of the allocations that succeeded; `nil` where none did.
  package var times: Times?
  /// What a comparison does not need; `nil` where the reader did not ask for it.
  package var details: RoundDetails?

  /// What a round's times come to, in ns.
  package struct Times: Equatable, Sendable {
    /// Of the allocations.
    package var p50: Double
    package var p99: Double
    package var max: Double
    /// The median of the releases; `nil` where there was none.
    package var release: Double?
    /// Both medians together: an allocation, and the release of its block.
    package var pair: Double? { release.map { p50 + $0 } }

    package init(p50: Double, p99: Double, max: Double, release: Double? = nil) {
      self.p50 = p50
      self.p99 = p99
      self.max = max
      self.release = release
    }

    package init?(_ allocations: Histogram, releases: Histogram) {
      guard let p50 = allocations.quantile(0.5), let p99 = allocations.quantile(0.99) else {
        return nil
      }
      self.init(
        p50: p50, p99: p99, max: Double(allocations.largest), release: releases.quantile(0.5))
    }

    package subscript(quantity: Quantity) -> Double? {
      switch quantity {
      case .p50: p50
      case .p99: p99
      case .max: max
      case .release: release
      case .pair: pair
      }
    }
  }

  package init(allocated: UInt64, failed: UInt64, times: Times?, details: RoundDetails? = nil) {
    self.allocated = allocated
    self.failed = failed
    self.times = times
    self.details = details
  }
}

/// What is compared of a round's times: quantiles of its allocations, the median of its releases, or that
/// and the median of its allocations together.
package enum Quantity: String, CaseIterable, Sendable {
  case p50, p99, max, release, pair
}
