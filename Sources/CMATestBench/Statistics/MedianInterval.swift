// SPDX-License-Identifier: GPL-2.0-or-later

/// The median of a sample with an interval that holds the distribution's own.
package struct MedianInterval: Equatable, Sendable {
  package var median: Double

  /// The bounds, both of them numbers of the sample; `nil` where the sample is too small for the
  /// confidence: 6 numbers are needed for 95 %.
  package var bounds: ClosedRange<Double>?

  /// Finds the median and its interval; `nil` where the sample is empty.
  ///
  /// The interval lies between two order statistics: the k-th number from either end, where fewer
  /// than k of n numbers lie on one side of the true median with the probability of the binomial
  /// distribution (David and Nagaraja, "Order Statistics", 7.1). No shape is assumed.
  package init?(_ sample: [Double], confidence: Double = 0.95) {
    guard let median = sample.median else { return nil }
    self.median = median
    let sorted = sample.sorted()
    let n = sorted.count
    var k = 0
    // The chance that at most k - 1 of n numbers lie below the median.
    while k < n / 2, 2 * Binomial.atLeast(n - k, of: n, p: 0.5) <= 1 - confidence { k += 1 }
    if k > 0 { bounds = sorted[k - 1]...sorted[n - k] }
  }
}

extension [Double] {
  /// The median, the mean of the two middle numbers where their count is even; `nil` of none.
  package var median: Double? {
    guard !isEmpty else { return nil }
    let sorted = self.sorted()
    let middle = count / 2
    return count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
