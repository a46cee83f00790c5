// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
package import CMATestDevice

/// What a result has of a round beside the quantiles that are compared.
package struct RoundDetails: Equatable, Sendable {
  package var number: UInt64 = 0
  package var elapsed: UInt64 = 0
  /// Releases that the kernel refused.
  package var refused: UInt64 = 0
  package var switches: UInt64 = 0
  package var moves: UInt64 = 0
  /// What the kernel told of the round; `nil` where it does not tell.
  package var retries: UInt64?
  package var withoutHole: UInt64?
  package var migrated: UInt64?
  package var unmigrated: UInt64?
  /// The pages of the area that the load had filled; `nil` where there is no load, or nothing tells.
  package var filled: UInt64?
  /// Why a request failed after the round, and who was in the way; `nil` where none failed.
  package var inTheWay: String?
  package var allocations: Spread?
  /// Since the intended start; `nil` without an interval.
  package var responses: Spread?
  package var failures: Spread?
  package var releases: Spread?
  package var slices: [SliceSummary] = []

  package init() {}

  /// How times are distributed, in ns.
  package struct Spread: Equatable, Sendable {
    package var least: UInt64
    package var mean: Double
    package var p50: Double
    package var p90: Double
    package var p99: Double
    package var p999: Double
    package var most: UInt64

    /// Sums up a histogram; `nil` of an empty one.
    package init?(_ times: Histogram) {
      guard let mean = times.mean, let p50 = times.quantile(0.5), let p90 = times.quantile(0.9),
        let p99 = times.quantile(0.99), let p999 = times.quantile(0.999)
      else { return nil }
      least = times.smallest
      self.mean = mean
      self.p50 = p50
      self.p90 = p90
      self.p99 = p99
      self.p999 = p999
      most = times.largest
    }
  }
}

/// A piece of a round, for what changes over hours.
package struct SliceSummary: Equatable, Sendable {
  /// When the piece ended, in ns since the measurement began.
  package var time: UInt64
  package var allocated: UInt64
  package var failed: UInt64
  /// Quantiles of the allocations that succeeded, in ns; `nil` where none did.
  package var p50: Double?
  package var p99: Double?
  package var largest: UInt64?
  /// Free pages of the area when the piece ended; `nil` where nothing tells.
  package var freePages: UInt64?

  package init(
    time: UInt64, allocated: UInt64 = 0, failed: UInt64 = 0, p50: Double? = nil,
    p99: Double? = nil, largest: UInt64? = nil, freePages: UInt64? = nil
  ) {
    self.time = time
    self.allocated = allocated
    self.failed = failed
    self.p50 = p50
    self.p99 = p99
    self.largest = largest
    self.freePages = freePages
  }
}
