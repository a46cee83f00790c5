// SPDX-License-Identifier: GPL-2.0-or-later

/// Whether requests fail more often in one of two results than in the other, where each has several rounds.
///
/// Fisher's test takes requests for independent. Failures often come in groups instead: one page that stays in
/// use makes all requests of a round fail. Rounds of one result then differ by more than chance lets them, and
/// the counts are divided by how much more (Rao and Scott, 1992). What is left is the number of independent
/// requests that would tell as much.
package struct FailureRates: Equatable, Sendable {
  /// A round's requests, and how many of them failed.
  package struct Round: Equatable, Sendable {
    package var failed: UInt64
    package var requests: UInt64

    package init(failed: UInt64, requests: UInt64) {
      self.failed = failed
      self.requests = requests
    }
  }

  /// How many times as much the rounds of a result differ as independent requests would; 1 at least.
  package var dispersion: Double
  /// The probability that results of one distribution differ as much, in either direction.
  package var p: Double

  package init(_ before: [Round], _ after: [Round]) {
    let sides = [before, after].map { rounds in rounds.filter { $0.requests > 0 } }
    var (squares, freedom) = (0.0, 0)
    for rounds in sides {
      let share = Self.share(rounds)
      // All rounds of a result in which all, or no, requests fail are alike.
      guard rounds.count > 1, share > 0, share < 1 else { continue }
      for round in rounds {
        let expected = Double(round.requests) * share
        let distance = Double(round.failed) - expected
        squares += distance * distance / (expected * (1 - share))
      }
      freedom += rounds.count - 1
    }
    let dispersion = freedom > 0 ? max(1, squares / Double(freedom)) : 1
    let counts = sides.map { rounds in
      (Self.sum(rounds, \.failed), Self.sum(rounds, \.requests))
    }.map { failed, all in
      (failed: Self.divided(failed, by: dispersion), all: Self.divided(all, by: dispersion))
    }
    self.dispersion = dispersion
    p = FisherExact.p(
      failed: (counts[0].failed, counts[1].failed), of: (counts[0].all, counts[1].all))
  }

  private static func sum(_ rounds: [Round], _ count: (Round) -> UInt64) -> UInt64 {
    rounds.reduce(0) { $0 + count($1) }
  }

  private static func share(_ rounds: [Round]) -> Double {
    let requests = sum(rounds, \.requests)
    return requests == 0 ? 0 : Double(sum(rounds, \.failed)) / Double(requests)
  }

  /// Both counts of a side are rounded in the same way, so that no more fail than there are.
  private static func divided(_ count: UInt64, by dispersion: Double) -> UInt64 {
    dispersion == 1 ? count : UInt64((Double(count) / dispersion).rounded())
  }
}

extension CellSummary {
  /// The requests of each round, and how many of them failed.
  var shares: [FailureRates.Round] {
    rounds.map { FailureRates.Round(failed: $0.failed, requests: $0.allocated + $0.failed) }
  }
}
