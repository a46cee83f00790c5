// SPDX-License-Identifier: GPL-2.0-or-later

extension UInt64 {
  /// - Parameter digits: 1 to 16 hexadecimal digits of either case, without a prefix; else nil.
  public init?(hexadecimal digits: some Collection<UInt8>) {
    guard !digits.isEmpty, digits.count <= 16 else { return nil }
    var value: UInt64 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit & 0x0F)
      case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
        value = value << 4 | UInt64(digit & 0x0F) + 9
      default: return nil
      }
    }
    self = value
  }

  /// The value as the kernel's `simple_strtoul` reads it back: `0x` and lower-case digits.
  ///
  /// `String(_:radix:)` looks up types at run time, which costs a boot more than these few digits.
  public var hexadecimal: String {
    var text = "0x"
    var shift = self == 0 ? 0 : (UInt64.bitWidth - 1 - leadingZeroBitCount) / 4 * 4
    while true {
      text.unicodeScalars.append(UInt8(truncatingIfNeeded: self >> shift).lowHexadecimalDigit)
      if shift == 0 { return text }
      shift -= 4
    }
  }
}

extension UInt8 {
  /// The digit of the low four bits.
  var lowHexadecimalDigit: Unicode.Scalar {
    let value = self & 0x0F
    return Unicode.Scalar(value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10)
  }
}
