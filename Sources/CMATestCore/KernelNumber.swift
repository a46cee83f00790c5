// SPDX-License-Identifier: GPL-2.0-or-later

/// A number with an optional suffix, as the kernel's `memparse()` reads it (lib/cmdline.c,
/// lib/kstrtox.c): decimal, `0x` hexadecimal or `0` octal, then at most one of K M G T P E, of
/// either case, for 2^10 to 2^60.
struct KernelNumber: Equatable {
  /// The value; all ones where it does not fit, as newer kernels have it.
  var value: UInt64 = 0
  /// Whether 64 bits did not suffice: then older kernels take something else.
  var overflows = false
  /// Whether there was a digit at all: without one the kernel takes 0.
  var hasDigits = false
  /// The bytes read, suffix and all.
  var length = 0

  /// - Parameter text: the number, and whatever follows it.
  init(prefixOf text: some Collection<UInt8>) {
    let text = Array(text)
    let radix = Self.radix(text)
    if radix == 16 { length = 2 }
    while length < text.count, let digit = Self.digit(text[length]), digit < radix {
      hasDigits = true
      length += 1
      append(digit, radix)
    }
    guard hasDigits, length < text.count, let shift = Self.shift(text[length]) else { return }
    length += 1
    guard (value << shift) >> shift == value else {
      value = .max
      overflows = true
      return
    }
    value <<= shift
  }

  private mutating func append(_ digit: UInt64, _ radix: UInt64) {
    let (product, high) = value.multipliedReportingOverflow(by: radix)
    let (sum, carry) = product.addingReportingOverflow(digit)
    overflows = overflows || high || carry
    value = overflows ? .max : sum
  }

  private static func radix(_ text: [UInt8]) -> UInt64 {
    guard text.first == UInt8(ascii: "0") else { return 10 }
    guard text.count > 2, text[1] | 0x20 == UInt8(ascii: "x"), digit(text[2]) != nil else {
      return 8
    }
    return 16
  }

  private static func digit(_ byte: UInt8) -> UInt64? {
    UInt64(hexadecimal: CollectionOfOne(byte))
  }

  private static func shift(_ byte: UInt8) -> UInt64? {
    switch byte | 0x20 {
    case UInt8(ascii: "k"): 10
    case UInt8(ascii: "m"): 20
    case UInt8(ascii: "g"): 30
    case UInt8(ascii: "t"): 40
    case UInt8(ascii: "p"): 50
    case UInt8(ascii: "e"): 60
    default: nil
    }
  }
}
