// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc

/// The binomial distribution.
package enum Binomial {
  /// Returns the probability of `least` or more successes in `n` trials, each of probability `p`.
  package static func atLeast(_ least: Int, of n: Int, p: Double) -> Double {
    if least <= 0 { return 1 }
    if least > n || p <= 0 { return 0 }
    if p >= 1 { return 1 }
    var sum = 0.0
    for k in least...n {
      sum += exp(
        logChoose(Double(n), Double(k)) + Double(k) * log(p) + Double(n - k) * log1p(-p))
    }
    return min(1, sum)
  }
}
