// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc

/// A line through points by the median of the slopes of all pairs (Theil, 1950; Sen, 1968), which a few
/// points far off do not move.
package struct TheilSen: Equatable, Sendable {
  package var slope: Double
  /// The median of `y` less the slope times the median of `x`.
  package var intercept: Double
  /// The interval of 95 % of the slope, by the variance of Kendall's S.
  package var bounds: ClosedRange<Double>

  /// Whether the slope is not 0, by its interval.
  package var isSure: Bool { !bounds.contains(0) }

  /// Finds the line; `nil` of less than three points, or where all have one place.
  ///
  /// The cost is the square of the number of points.
  package init?(_ x: [Double], _ y: [Double]) {
    guard x.count == y.count, x.count > 2, let middle = x.median, let height = y.median else {
      return nil
    }
    var slopes: [Double] = []
    slopes.reserveCapacity(x.count * (x.count - 1) / 2)
    for second in 1..<x.count {
      for first in 0..<second where x[first] != x[second] {
        slopes.append((y[second] - y[first]) / (x[second] - x[first]))
      }
    }
    guard !slopes.isEmpty else { return nil }
    slopes.sort()
    let half = slopes.count / 2
    slope = slopes.count % 2 == 1 ? slopes[half] : (slopes[half - 1] + slopes[half]) / 2
    intercept = height - slope * middle
    // The normal quantile times the standard deviation of S, in places among the slopes.
    let reach = 1.959964 * Self.variance(x, y).squareRoot()
    let low = Int(((Double(slopes.count) - reach) / 2).rounded())
    let high = Int(((Double(slopes.count) + reach) / 2).rounded())
    bounds = slopes[max(0, low - 1)]...slopes[min(slopes.count - 1, high)]
  }

  /// The variance of Kendall's S, less what equal numbers take.
  private static func variance(_ x: [Double], _ y: [Double]) -> Double {
    func term(_ n: Double) -> Double { n * (n - 1) * (2 * n + 5) }
    var sum = term(Double(x.count))
    for numbers in [x, y] {
      for count in repeats(numbers) { sum -= term(Double(count)) }
    }
    return max(0, sum) / 18
  }

  private static func repeats(_ numbers: [Double]) -> [Int] {
    var counts: [Double: Int] = [:]
    for number in numbers { counts[number, default: 0] += 1 }
    return counts.values.filter { $0 > 1 }
  }
}
