// SPDX-License-Identifier: GPL-2.0-or-later

/// The parameters of the module that are numbers, as the kernel reads them. (`kernel/params.c`,
/// `lib/kstrtox.c`)
public enum ModuleParameter {
  /// Returns the width of a parameter in bits; nil for a parameter that the module does not have.
  public static func width(of name: String) -> Int? {
    switch name {
    case "alloc_count", "max_pages": 64
    case "alloc_align", "ledger", "max_handles": 32
    default: KernelSymbol.allCases.contains { $0.parameter == name } ? 64 : nil
    }
  }

  /// Reads a value: decimal, `0x…` hexadecimal or `0…` octal, with nothing behind it but a newline.
  ///
  /// - Parameters:
  ///   - text: what follows the `=`; nil where there is none.
  ///   - width: of the parameter, in bits.
  /// - Returns: the number.
  /// - Throws: why the kernel refuses it, as words that follow the value.
  public static func number(_ text: String?, width: Int) throws(ParameterRefusal) -> UInt64 {
    guard let text else { throw .noValue }
    var digits = Array(text.utf8)[...]
    if digits.first == UInt8(ascii: "-") { throw .negative }
    if digits.first == UInt8(ascii: "+") { digits.removeFirst() }
    if digits.last == .newline { digits.removeLast() }
    var radix: UInt64 = 10
    if digits.first == UInt8(ascii: "0") {
      radix = 8
      let second = digits.dropFirst()
      if second.first.map({ $0 | 0x20 }) == UInt8(ascii: "x"),
        let third = second.dropFirst().first, UInt64(hexadecimal: CollectionOfOne(third)) != nil
      {
        radix = 16
        digits = digits.dropFirst(2)
      }
    }
    guard !digits.isEmpty else { throw .noNumber }
    var value: UInt64 = 0
    for byte in digits {
      guard let digit = UInt64(hexadecimal: CollectionOfOne(byte)), digit < radix else {
        throw .noNumber
      }
      let (product, high) = value.multipliedReportingOverflow(by: radix)
      let (sum, carry) = product.addingReportingOverflow(digit)
      if high || carry { throw .tooLarge(width: width) }
      value = sum
    }
    guard width == 64 || value >> UInt64(width) == 0 else { throw .tooLarge(width: width) }
    return value
  }
}

/// A reason for which the kernel refuses the value of a parameter.
public enum ParameterRefusal: Error, Equatable, Sendable {
  case noValue
  case noNumber
  case negative
  case tooLarge(width: Int)

  /// A phrase without a subject.
  public var message: String {
    switch self {
    case .noValue: "has no value: remove the blanks around '=', or give a value"
    case .noNumber: "is not a number: give digits alone, without a suffix or a comment"
    case .negative: "is negative"
    case .tooLarge(let width): "does not fit into \(width) bits"
    }
  }
}
