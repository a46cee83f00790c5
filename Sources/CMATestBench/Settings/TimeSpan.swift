// SPDX-License-Identifier: GPL-2.0-or-later

/// A span of time as people write it: a number and its unit, as in `10ms`, `1.5s` or `72h`.
package struct TimeSpan: Equatable, Sendable {
  package var nanoseconds: UInt64

  /// The units, the smallest first, with their nanoseconds.
  private static let units: [(name: String, nanoseconds: Double)] = [
    ("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("min", 60e9), ("h", 3600e9),
    ("d", 86_400e9),
  ]

  package init(nanoseconds: UInt64) {
    self.nanoseconds = nanoseconds
  }

  /// Reads a time.
  ///
  /// - Parameter text: a number above 0 with a unit, from a nanosecond to 10000 days; nil is returned for
  ///   anything else.
  package init?(parsing text: some StringProtocol) {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text[digits.endIndex...]
    guard let number = Double(digits), number > 0,
      let scale = Self.units.first(where: { $0.name == unit })?.nanoseconds
    else { return nil }
    let product = (number * scale).rounded()
    guard product >= 1, product <= 86_400e9 * 10_000 else { return nil }
    nanoseconds = UInt64(product)
  }

  /// The forms that a time can have, for messages.
  package static let forms = "a number and one of ns, us, ms, s, min, h and d, as 10ms"

  /// The time in the largest unit of which there is at least one, as `1.5 h`.
  package var words: String {
    let number = Double(nanoseconds)
    let unit = Self.units.last { number >= $0.nanoseconds } ?? Self.units[0]
    let tenths = (number / unit.nanoseconds * 10).rounded()
    let text =
      tenths.truncatingRemainder(dividingBy: 10) == 0 ? "\(Int(tenths / 10))" : "\(tenths / 10)"
    return "\(text) \(unit.name)"
  }
}
