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
  /// The round in pieces of about half a minute, for what changes over hours.
  package var slices: [BenchSlice] = []

  package init() {}
}

/// A piece of a round.
package struct BenchSlice: Equatable, Sendable {
  /// When the piece ended, in ns since the measurement began.
  package var time: UInt64
  package var allocated: UInt64
  package var failed: UInt64
  /// Quantiles of the allocations that succeeded, in ns; nil where none did.
  package var p50: Double?
  package var p99: Double?
  package var largest: UInt64?
  /// Free pages of the area when the piece ended; nil where nothing tells.
  package var freePages: UInt64?

  /// Sums up a piece.
  package init(_ measured: Measurement, time: UInt64, freePages: UInt64?) {
    let times = measured.allocations
    self.time = time
    self.freePages = freePages
    allocated = times.count
    failed = measured.failures.count
    p50 = times.quantile(0.5)
    p99 = times.quantile(0.99)
    largest = times.count > 0 ? times.largest : nil
  }
}
