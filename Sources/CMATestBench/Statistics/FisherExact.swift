// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc

/// Fisher's exact test of two shares (Fisher, 1934): whether requests fail more often in one of two
/// results than in the other.
package enum FisherExact {
  /// Returns the probability that shares of one distribution differ as much, in either direction:
  /// of all tables with the same sums, those that are not more likely than the one seen.
  ///
  /// The cost grows with the square root of the counts, which may be those of a soak of days.
  ///
  /// - Parameters:
  ///   - failed: The failed requests of either result.
  ///   - all: All requests of either result, none of them less than the failed ones.
  /// - Returns: The probability.
  package static func p(failed: (UInt64, UInt64), of all: (UInt64, UInt64)) -> Double {
    let table = Table(
      first: Double(all.0), second: Double(all.1), failed: Double(failed.0) + Double(failed.1))
    let seen = Double(failed.0)
    guard table.least < table.most else { return 1 }
    // Tables that are as likely but for rounding count too, as in R and SciPy.
    let limit = table.logProbability(seen) + 1e-7
    let mode = table.mode
    var sum = 0.0
    // Both sides fall off from the mode, so on either side one place divides the tables.
    if let place = table.last(upTo: mode, notAbove: limit) {
      sum += table.tail(from: place, step: -1)
    }
    if let place = table.first(from: mode + 1, notAbove: limit) {
      sum += table.tail(from: place, step: 1)
    }
    return min(1, sum)
  }

  /// The hypergeometric distribution: how many of the failed requests belong to the first result.
  private struct Table {
    var first: Double
    var second: Double
    var failed: Double

    var least: Double { max(0, failed - second) }
    var most: Double { min(failed, first) }
    var mode: Double {
      min(most, max(least, ((failed + 1) * (first + 1) / (first + second + 2)).rounded(.down)))
    }

    func logProbability(_ k: Double) -> Double {
      logChoose(first, k) + logChoose(second, failed - k) - logChoose(first + second, failed)
    }

    /// The largest table up to `end` that is not more likely than `limit` says.
    func last(upTo end: Double, notAbove limit: Double) -> Double? {
      guard logProbability(least) <= limit else { return nil }
      var (low, high) = (least, end)
      while low < high {
        let middle = ((low + high + 1) / 2).rounded(.down)
        if logProbability(middle) <= limit { low = middle } else { high = middle - 1 }
      }
      return low
    }

    /// The smallest table from `start` on that is not more likely than `limit` says.
    func first(from start: Double, notAbove limit: Double) -> Double? {
      guard start <= most, logProbability(most) <= limit else { return nil }
      var (low, high) = (start, most)
      while low < high {
        let middle = ((low + high) / 2).rounded(.down)
        if logProbability(middle) <= limit { high = middle } else { low = middle + 1 }
      }
      return low
    }

    /// The probability of `k` and of all tables beyond, away from the mode.
    func tail(from k: Double, step: Double) -> Double {
      var term = exp(logProbability(k))
      var sum = term
      var k = k
      while term > sum * 1e-17 {
        // The quotient of neighbours, without logarithms.
        if step > 0 {
          guard k < most else { break }
          term *= (first - k) * (failed - k) / ((k + 1) * (second - failed + k + 1))
        } else {
          guard k > least else { break }
          term *= k * (second - failed + k) / ((first - k + 1) * (failed - k + 1))
        }
        k += step
        sum += term
      }
      return sum
    }
  }
}

/// The logarithm of the number of ways to choose `k` of `n`.
func logChoose(_ n: Double, _ k: Double) -> Double {
  // log(n!) loses digits where n is large; the difference of two such loses all of them.
  lgammaDifference(n, k) - logGamma(k + 1)
}

/// log(n!) - log((n - k)!).
private func lgammaDifference(_ n: Double, _ k: Double) -> Double {
  logGamma(n + 1) - logGamma(n - k + 1)
}

/// The logarithm of the gamma function, without the global variable that C's lgamma() writes.
private func logGamma(_ x: Double) -> Double {
  var sign: Int32 = 0
  return lgamma_r(x, &sign)
}
