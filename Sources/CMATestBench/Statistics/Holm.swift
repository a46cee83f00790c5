// SPDX-License-Identifier: GPL-2.0-or-later

/// Holm's correction for many tests (Holm, 1979).
package enum Holm {
  /// Returns the probabilities of tests, each adjusted so that of all those below a level, the
  /// chance that any is there by accident is that level at most.
  package static func adjusted(_ probabilities: [Double]) -> [Double] {
    let order = probabilities.indices.sorted { probabilities[$0] < probabilities[$1] }
    var result = probabilities
    var largest = 0.0
    for (place, index) in order.enumerated() {
      largest = max(largest, min(1, probabilities[index] * Double(probabilities.count - place)))
      result[index] = largest
    }
    return result
  }
}
