// SPDX-License-Identifier: GPL-2.0-or-later

/// A share of requests with the interval that holds the true share.
package struct ShareInterval: Equatable, Sendable {
  package var share: Double
  package var bounds: ClosedRange<Double>

  /// Finds Wilson's score interval of 95 % (Wilson, 1927), which is right for shares of 0 and 1 too;
  /// `nil` of no requests.
  package init?(_ part: UInt64, of all: UInt64) {
    guard all > 0, part <= all else { return nil }
    let n = Double(all)
    let z = 1.959964
    share = Double(part) / n
    let middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    let half =
      z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    bounds = max(0, middle - half)...min(1, middle + half)
  }
}
