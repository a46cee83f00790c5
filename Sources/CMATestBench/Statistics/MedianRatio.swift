// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc

/// The ratio of two samples' medians, with its bootstrap interval (Efron, 1979; percentiles).
///
/// No sample is drawn. A resample's median is one of the sample's numbers, or the mean of two, with
/// a probability that depends on their places alone; so the bootstrap's distribution is computed,
/// and the same samples always give the same interval.
package struct MedianRatio: Equatable, Sendable {
  /// The second sample's median divided by the first one's.
  package var ratio: Double
  package var bounds: ClosedRange<Double>

  /// Finds the ratio and its interval; `nil` where a sample is empty or has a number that is not
  /// positive.
  package init?(of second: [Double], to first: [Double], confidence: Double = 0.95) {
    guard let below = first.median, let above = second.median,
      first.allSatisfy({ $0 > 0 }), second.allSatisfy({ $0 > 0 })
    else { return nil }
    ratio = above / below
    let distributions = (Resampled(first), Resampled(second))
    let tail = (1 - confidence) / 2
    let low = Self.quantile(tail, distributions)
    bounds = low...max(low, Self.quantile(1 - tail, distributions))
  }

  /// The smallest ratio that a share `q` of all pairs of resamples does not exceed.
  private static func quantile(_ q: Double, _ pair: (Resampled, Resampled)) -> Double {
    let (first, second) = pair
    guard let smallest = first.values.first, let largest = first.values.last,
      let least = second.values.first, let most = second.values.last
    else { return .nan }
    // Bisection of the logarithm, to seven digits.
    var (low, high) = (log(least / largest) - 1e-9, log(most / smallest) + 1e-9)
    while high - low > 1e-7 {
      let middle = (low + high) / 2
      if share(of: second, to: first, notAbove: exp(middle)) >= q {
        high = middle
      } else {
        low = middle
      }
    }
    return exp(high)
  }

  /// The probability that a resample's ratio is `limit` at most. Both lists are sorted, so one pass
  /// over both is enough.
  private static func share(of second: Resampled, to first: Resampled, notAbove limit: Double)
    -> Double
  {
    var sum = 0.0
    var below = 0.0
    var place = 0
    for (value, weight) in zip(first.values, first.weights) {
      while place < second.values.count, second.values[place] <= limit * value {
        below += second.weights[place]
        place += 1
      }
      sum += weight * below
    }
    return sum
  }
}

/// What the median of a resample can be, in rising order, and how probable each is.
private struct Resampled {
  var values: [Double] = []
  var weights: [Double] = []

  init(_ sample: [Double]) {
    let sorted = sample.sorted()
    var all: [(value: Double, weight: Double)] = []
    for place in MedianPlaces.of(sorted.count) {
      all.append(((sorted[place.low] + sorted[place.high]) / 2, place.weight))
    }
    all.sort { $0.value < $1.value }
    for (value, weight) in all {
      if value == values.last {
        weights[weights.count - 1] += weight
      } else {
        values.append(value)
        weights.append(weight)
      }
    }
  }
}

/// Which two of a sorted sample's numbers the median of a resample lies between, the same number
/// twice among them, and how probable that is.
private struct MedianPlaces {
  var low: Int
  var high: Int
  var weight: Double

  static func of(_ n: Int) -> [MedianPlaces] {
    // At least `k` of n draws are one of the `i` smallest.
    func reaches(_ k: Int, _ i: Int) -> Double {
      Binomial.atLeast(k, of: n, p: Double(i) / Double(n))
    }
    if n % 2 == 1 {
      let k = n / 2 + 1
      return (0..<n).map { i in
        MedianPlaces(low: i, high: i, weight: reaches(k, i + 1) - reaches(k, i))
      }
    }
    let k = n / 2
    // The k-th of the draws is number i and the next one is number j: k draws are of the i smallest
    // and one of them at least is i; the others are of those from j on, one of them at least j.
    func power(_ share: Int) -> Double { pow(Double(share) / Double(n), Double(k)) }
    let ways = exp(logChoose(Double(n), Double(k)))
    var places: [MedianPlaces] = []
    for i in 0..<n {
      var alone = reaches(k, i + 1) - reaches(k, i)
      let lower = power(i + 1) - power(i)
      for j in i + 1..<max(n, i + 1) {
        let weight = ways * lower * (power(n - j) - power(n - j - 1))
        alone -= weight
        if weight > 1e-15 { places.append(MedianPlaces(low: i, high: j, weight: weight)) }
      }
      places.append(MedianPlaces(low: i, high: i, weight: max(0, alone)))
    }
    return places
  }
}
