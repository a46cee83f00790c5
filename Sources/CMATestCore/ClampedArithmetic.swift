// SPDX-License-Identifier: GPL-2.0-or-later

/// Arithmetic on numbers that come from outside: a result that would overflow is the nearest number
/// instead, where Swift's own operators end the program.
extension UInt64 {
  package func clampedSum(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// The difference, 0 where the other is more.
  package func clampedDifference(_ other: UInt64) -> UInt64 {
    self > other ? self - other : 0
  }

  package func clampedProduct(_ other: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
