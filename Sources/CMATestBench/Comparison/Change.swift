// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc

/// How one quantity of a cell differs between two results.
package struct Change: Equatable, Sendable {
  /// One number for each round of either result, in ns.
  private var samples: (before: [Double], after: [Double])
  /// The medians over the rounds of either result, in ns.
  package var before: Double
  package var after: Double

  /// `after` divided by `before`.
  package var ratio: Double { after / before }

  /// Compares two samples; `nil` where one of them is empty or has a time of 0.
  package init?(_ before: [Double], _ after: [Double]) {
    guard let first = before.median, let second = after.median,
      before.allSatisfy({ $0 > 0 }), after.allSatisfy({ $0 > 0 })
    else { return nil }
    samples = (before, after)
    self.before = first
    self.after = second
  }

  /// Returns the probability of such samples if nothing differs, by the Mann-Whitney test.
  package func p() -> Double? { RankSum(samples.before, samples.after)?.p }

  /// Returns the ratio with its bootstrap interval of 95 %; `nil` where a sample has one number, which does
  /// not tell how much others would differ.
  package func interval() -> MedianRatio? {
    guard min(samples.before.count, samples.after.count) > 1 else { return nil }
    return MedianRatio(of: samples.after, to: samples.before)
  }

  package static func == (first: Change, second: Change) -> Bool {
    first.samples == second.samples
  }
}

/// How much the rounds of one result differ from each other.
package enum Noise {
  /// Returns the standard deviation of the logarithms of two samples, each around its own mean: 0.05
  /// where rounds differ by 5 %. `nil` where neither has two numbers.
  package static func relative(_ samples: [Double]...) -> Double? {
    var (squares, freedom) = (0.0, 0)
    for sample in samples where sample.count > 1 {
      let logs = sample.map { log($0) }
      let mean = logs.reduce(0, +) / Double(logs.count)
      squares += logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      freedom += logs.count - 1
    }
    return freedom > 0 ? (squares / Double(freedom)).squareRoot() : nil
  }

  /// Returns how far the median of a sample can be from another one of the same distribution, as a
  /// share: the upper end of the bootstrap interval of 68 % (one standard deviation) of the sample's
  /// ratio to itself, less 1.
  package static func spread(of sample: [Double]) -> Double? {
    MedianRatio(of: sample, to: sample, confidence: 0.68).map { $0.bounds.upperBound - 1 }
  }

  /// Returns how many rounds of either result the Mann-Whitney test needs to find a change, four times
  /// of five (Noether, 1987: n = (z₁ + z₂)² / 6 (P - ½)² for two samples of n numbers).
  ///
  /// - Parameters:
  ///   - share: The change to be found, as 0.1 for 10 %.
  ///   - noise: The standard deviation of the rounds, as a share.
  ///   - level: The chance of a false alarm that is accepted.
  /// - Returns: How many rounds; `mostRounds` where that many do not do.
  package static func roundsNeeded(toFind share: Double, noise: Double, level: Double) -> Int {
    let fewest = fewestRounds(level: level)
    guard noise > 0, share > 0 else { return fewest }
    // How often a number of the shifted distribution is the larger one of a pair.
    let larger = Normal.below(log1p(share) / (noise * 2.0.squareRoot()))
    let z = Normal.quantile(1 - level / 2) + Normal.quantile(0.8)
    let needed = z * z / (6 * (larger - 0.5) * (larger - 0.5))
    guard needed < Double(mostRounds) else { return mostRounds }
    return max(fewest, Int(needed.rounded(.up)))
  }

  /// More rounds than this are not counted.
  package static let mostRounds = 1_000_000

  /// The fewest rounds of either result with which any samples at all are significant.
  package static func fewestRounds(level: Double) -> Int {
    var n = 2
    // The two most extreme of all arrangements.
    while n < 100, 2 * exp(-logChoose(Double(2 * n), Double(n))) > level { n += 1 }
    return n
  }
}

/// The normal distribution.
private enum Normal {
  static func below(_ z: Double) -> Double { erfc(-z / 2.0.squareRoot()) / 2 }

  static func quantile(_ p: Double) -> Double {
    var (low, high) = (-40.0, 40.0)
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if below(middle) < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
