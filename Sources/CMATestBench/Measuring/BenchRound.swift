// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
package import CMATestDevice

/// What one round of one cell came to.
package struct BenchRound: Equatable, Sendable {
  /// All of it together.
  package var measured = Measurement()
  /// The pages of the area that the load had filled when the round began; nil where there is no load, or
  /// nothing tells.
  package var filledPages: UInt64?
  /// Why a request fails as the last ones of the round did, and who is in the way; nil where none failed, or
  /// one more request did not.
  package var inTheWay: String?
  /// The round in pieces of about half a minute, for what changes over hours.
  package var slices: [SliceSummary] = []

  package init() {}
}

extension SliceSummary {
  /// Sums up a piece of a round.
  package init(_ measured: Measurement, time: UInt64, freePages: UInt64?) {
    let times = measured.allocations
    self.init(
      time: time, allocated: times.count, failed: measured.failures.count,
      p50: times.quantile(0.5), p99: times.quantile(0.99),
      largest: times.count > 0 ? times.largest : nil, freePages: freePages)
  }
}
