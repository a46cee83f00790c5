// SPDX-License-Identifier: GPL-2.0-or-later

/// What a comparison says of one cell.
package struct CellComparison: Equatable, Sendable {
  package var settings: CellSettings
  /// The rounds of either result.
  package var rounds: (before: Int, after: Int)
  /// Those of them with a time of what decides: in the others nothing was allocated.
  package var timed: (before: Int, after: Int)
  /// The requests of either result, and how many of these failed.
  package var requests: (before: UInt64, after: UInt64)
  package var failed: (before: UInt64, after: UInt64)
  /// How the times of allocations differ; without entries where one result has no allocation.
  package var changes: [Quantity: Change]
  /// The probability of such times, and of such failures, if nothing differs, adjusted for all
  /// tests of the comparison. `nil` where nothing is to be tested.
  package var timeP: Double?
  package var failureP: Double?
  /// The smallest change that counts, as a share.
  package var threshold: Double
  /// How much rounds differ, as a share; `nil` where there are too few to tell.
  package var noise: Double?
  package var verdict: Verdict

  package enum Verdict: Equatable, Sendable {
    /// Allocations take longer, and more than the threshold.
    case slower
    /// A larger share of requests fails.
    case failsMore
    /// Allocations are faster, or a smaller share of requests fails.
    case better
    /// No difference, in so many rounds that one would probably have been found.
    case same
    /// A difference may be there or not.
    case notKnown(Reason)

    package var isRegression: Bool { self == .slower || self == .failsMore }
  }

  package enum Reason: Equatable, Sendable {
    /// The rounds differ so much that this many of them are needed.
    case tooFewRounds(needed: Int)
    /// Neither result has two rounds with a time, so how much rounds differ is not known; no fewer than this
    /// do in any case.
    case noSpread(fewest: Int)
    /// One of the results has no allocation.
    case nothingAllocated
    /// The times are 0, so that no ratio exists.
    case noTime
  }

  package static func == (first: CellComparison, second: CellComparison) -> Bool {
    first.settings == second.settings && first.verdict == second.verdict
      && first.rounds == second.rounds && first.timed == second.timed
      && first.requests == second.requests
      && first.failed == second.failed && first.changes == second.changes
      && first.timeP == second.timeP && first.failureP == second.failureP
  }
}
