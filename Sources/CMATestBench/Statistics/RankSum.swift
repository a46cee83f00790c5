// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc

/// The Mann-Whitney U test (Mann and Whitney, 1947): whether one of two samples tends to be larger.
///
/// Each sample has one number for each run, since the times within a run depend on each other.
package struct RankSum: Equatable, Sendable {
  /// In how many pairs the number of the first sample is the larger one; a tie counts one half.
  package var u: Double

  /// The probability that samples of one distribution differ as much, in either direction.
  package var p: Double

  /// Tests two samples; `nil` where one of them is empty.
  ///
  /// Without ties the probability is exact. With ties it is that of the normal distribution, with
  /// the variance that the ties leave and a correction for continuity.
  package init?(_ first: [Double], _ second: [Double]) {
    guard !first.isEmpty, !second.isEmpty else { return nil }
    let ranks = Ranks(first, second)
    let (n, m) = (Double(first.count), Double(second.count))
    u = ranks.sumOfFirst - n * (n + 1) / 2
    let larger = max(u, n * m - u)
    if ranks.tied == 0, first.count * second.count <= Self.largestExact {
      p = min(1, 2 * Self.exactTail(first.count, second.count, from: Int(larger)))
    } else {
      let total = n + m
      let variance = n * m / 12 * (total + 1 - ranks.tied / (total * (total - 1)))
      // All numbers are the same one: nothing differs.
      p = variance > 0 ? erfc(max(0, larger - n * m / 2 - 0.5) / (2 * variance).squareRoot()) : 1
      p = min(1, p)
    }
  }

  /// Beyond this many pairs the normal distribution is right to three digits at any level of use.
  private static let largestExact = 900

  /// The probability of `from` or more, in the distribution of U for samples without ties.
  private static func exactTail(_ n: Int, _ m: Int, from: Int) -> Double {
    // The numbers of arrangements are the coefficients of the Gaussian binomial coefficient
    // (n + m over n): the product of (1 - q^(m + i)) / (1 - q^i) for i from 1 to n.
    var counts = [Double](repeating: 0, count: n * m + 1)
    counts[0] = 1
    for i in 1...n {
      for place in stride(from: n * m, through: m + i, by: -1) {
        counts[place] -= counts[place - m - i]
      }
      for place in stride(from: i, through: n * m, by: 1) {
        counts[place] += counts[place - i]
      }
    }
    // The lower tail, which is as large and has the smaller errors of rounding.
    let tail = counts[...(n * m - from)].reduce(0, +)
    return tail / counts.reduce(0, +)
  }
}

/// The ranks of two samples put together; equal numbers share the mean of their ranks.
private struct Ranks {
  var sumOfFirst = 0.0
  /// The sum of t³ - t over the groups of t equal numbers.
  var tied = 0.0

  init(_ first: [Double], _ second: [Double]) {
    var all: [(value: Double, isFirst: Bool)] = first.map { ($0, true) }
    all += second.map { ($0, false) }
    all.sort { $0.value < $1.value }
    var start = 0
    while start < all.count {
      var end = start
      var ofFirst = 0.0
      while end < all.count, all[end].value == all[start].value {
        if all[end].isFirst { ofFirst += 1 }
        end += 1
      }
      sumOfFirst += ofFirst * Double(start + 1 + end) / 2
      let size = Double(end - start)
      tied += size * size * size - size
      start = end
    }
  }
}
