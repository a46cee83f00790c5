// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// Reads JSON (RFC 8259) from its beginning to its end, a value at a time, without keeping any.
///
/// Results of measurements have millions of numbers, of which a reader wants sums; a decoder that
/// makes values of all of them takes ten times the memory of the text and several times as long.
/// Each method reads one value and ends behind it.
public struct JSONReader {
  private let bytes: [UInt8]
  private var place = 0
  private var depth = 0

  /// Deeper values than this are refused, since each level takes some of the stack.
  private static let deepest = 64

  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }
}

/// Why a text cannot be read.
public struct JSONReadFailure: Error, Equatable, Sendable {
  /// How many bytes are before the fault.
  public var offset: Int
  /// What the text has to have there, as `a number`.
  public var expected: String

  public init(offset: Int, expected: String) {
    self.offset = offset
    self.expected = expected
  }
}

extension JSONReader {
  /// Reads an object: calls `member` with each key, which must read its value.
  public mutating func object(
    _ member: (String, inout JSONReader) throws(JSONReadFailure) -> Void
  ) throws(JSONReadFailure) {
    try elements("{", "}", "an object") { (reader) throws(JSONReadFailure) in
      let key = try reader.string()
      try reader.expect(":", "a colon")
      try member(key, &reader)
    }
  }

  /// Reads an array: calls `element` for each of its values, which it must read.
  public mutating func array(
    _ element: (inout JSONReader) throws(JSONReadFailure) -> Void
  ) throws(JSONReadFailure) {
    try elements("[", "]", "an array", element)
  }

  private mutating func elements(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ name: String,
    _ element: (inout JSONReader) throws(JSONReadFailure) -> Void
  ) throws(JSONReadFailure) {
    try expect(open, name)
    guard depth < Self.deepest else { throw failure("less depth") }
    depth += 1
    defer { depth -= 1 }
    if take(close) { return }
    repeat { try element(&self) } while take(",")
    try expect(close, "a comma or the end of \(name)")
  }

  /// Reads a string.
  public mutating func string() throws(JSONReadFailure) -> String {
    try expect("\"", "a string")
    let start = place
    while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
      if bytes[place] == UInt8(ascii: "\\") {
        place = start
        return try escapedString()
      }
      if bytes[place] < 0x20 { throw failure("no control character") }
      place += 1
    }
    guard place < bytes.count else { throw failure("the end of a string") }
    place += 1
    return try text(bytes[start..<place - 1])
  }

  private func text(_ part: ArraySlice<UInt8>) throws(JSONReadFailure) -> String {
    guard let text = String(validating: part, as: UTF8.self) else {
      throw failure("UTF-8")
    }
    return text
  }

  private mutating func escapedString() throws(JSONReadFailure) -> String {
    var result: [UInt8] = []
    while place < bytes.count, bytes[place] >= 0x20 {
      let byte = bytes[place]
      place += 1
      switch byte {
      case UInt8(ascii: "\""): return try text(result[...])
      case UInt8(ascii: "\\"): result += try String(escape()).utf8
      default: result.append(byte)
      }
    }
    throw failure("the end of a string")
  }

  private mutating func escape() throws(JSONReadFailure) -> Unicode.Scalar {
    guard place < bytes.count else { throw failure("the end of a string") }
    place += 1
    switch Unicode.Scalar(bytes[place - 1]) {
    case "\"": return "\""
    case "\\": return "\\"
    case "/": return "/"
    case "b": return "\u{8}"
    case "f": return "\u{C}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "u":
      let unit = try codeUnit()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      guard unit < 0xDC00, take(exactly: "\\"), take(exactly: "u") else {
        throw failure("a pair of surrogates")
      }
      let low = try codeUnit()
      guard 0xDC00..<0xE000 ~= low,
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      else { throw failure("a pair of surrogates") }
      return scalar
    default:
      place -= 1
      throw failure("an escape of JSON")
    }
  }

  private mutating func codeUnit() throws(JSONReadFailure) -> UInt32 {
    guard place + 4 <= bytes.count,
      let value = UInt64(hexadecimal: bytes[place..<place + 4])
    else { throw failure("four hexadecimal digits") }
    place += 4
    return UInt32(value)
  }

  /// Reads a whole number from 0 to `UInt64.max`.
  public mutating func unsigned() throws(JSONReadFailure) -> UInt64 {
    skipSpace()
    let start = place
    var value: UInt64 = 0
    while place < bytes.count, 0x30...0x39 ~= bytes[place] {
      let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tenfold.addingReportingOverflow(UInt64(bytes[place] - 0x30))
      if overflow || carry { throw failure("a number below 2^64") }
      value = sum
      place += 1
    }
    let isWhole = place == bytes.count || !".eE".utf8.contains(bytes[place])
    guard place > start, isWhole, place == start + 1 || bytes[start] != UInt8(ascii: "0") else {
      place = start
      throw failure("a whole number that is not negative")
    }
    return value
  }

  /// Reads any number.
  public mutating func number() throws(JSONReadFailure) -> Double {
    skipSpace()
    let start = place
    try passNumber()
    guard let value = Double(String(decoding: bytes[start..<place], as: UTF8.self)), value.isFinite
    else {
      place = start
      throw failure("a number")
    }
    return value
  }

  /// Passes over a number, in the form that RFC 8259 gives it, without making one of it.
  private mutating func passNumber() throws(JSONReadFailure) {
    skipSpace()
    let start = place
    _ = take(exactly: "-")
    let first = place
    var isNumber = passDigits()
    if place > first + 1, bytes[first] == UInt8(ascii: "0") { isNumber = false }
    if isNumber, take(exactly: ".") { isNumber = passDigits() }
    if isNumber, take(exactly: "e") || take(exactly: "E") {
      if !take(exactly: "+") { _ = take(exactly: "-") }
      isNumber = passDigits()
    }
    if !isNumber {
      place = start
      throw failure("a number")
    }
  }

  /// Passes over digits; returns whether there was one.
  private mutating func passDigits() -> Bool {
    let start = place
    while place < bytes.count, 0x30...0x39 ~= bytes[place] { place += 1 }
    return place > start
  }

  /// Reads `true` or `false`.
  public mutating func bool() throws(JSONReadFailure) -> Bool {
    if takeWord("true") { return true }
    if takeWord("false") { return false }
    throw failure("true or false")
  }

  /// Reads `null` if it is the next value.
  public mutating func takeNull() -> Bool { takeWord("null") }

  /// Reads a string, a number or a word as text; drops an object, an array or `null`.
  public mutating func scalarText() throws(JSONReadFailure) -> String? {
    skipSpace()
    guard place < bytes.count else { throw failure("a value") }
    switch Unicode.Scalar(bytes[place]) {
    case "\"": return try string()
    case "{", "[", "n":
      try skip()
      return nil
    default:
      let start = place
      try skip()
      return String(decoding: bytes[start..<place], as: UTF8.self)
    }
  }

  /// Reads a value of any kind and drops it.
  public mutating func skip() throws(JSONReadFailure) {
    skipSpace()
    guard place < bytes.count else { throw failure("a value") }
    switch Unicode.Scalar(bytes[place]) {
    case "{": try object { (_, reader) throws(JSONReadFailure) in try reader.skip() }
    case "[": try array { (reader) throws(JSONReadFailure) in try reader.skip() }
    case "\"": _ = try string()
    case "t", "f": _ = try bool()
    case "n": if !takeNull() { throw failure("null") }
    default:
      let start = place
      try passNumber()
      // Only one that is written so can be too large.
      if place - start > 300 || bytes[start..<place].contains(where: { $0 | 0x20 == 0x65 }) {
        place = start
        _ = try number()
      }
    }
  }

  /// Checks that nothing follows the value that was read.
  public mutating func end() throws(JSONReadFailure) {
    skipSpace()
    if place < bytes.count { throw failure("the end of the text") }
  }

  private func failure(_ expected: String) -> JSONReadFailure {
    JSONReadFailure(offset: place, expected: expected)
  }

  private mutating func skipSpace() {
    while place < bytes.count {
      switch bytes[place] {
      case 0x20, 0x0A, 0x0D, 0x09: place += 1
      default: return
      }
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    return take(exactly: character)
  }

  private mutating func take(exactly character: Unicode.Scalar) -> Bool {
    guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar, _ name: String)
    throws(JSONReadFailure)
  {
    if !take(character) { throw failure(name) }
  }

  private mutating func takeWord(_ word: StaticString) -> Bool {
    skipSpace()
    let end = place + word.utf8CodeUnitCount
    guard end <= bytes.count else { return false }
    for (offset, byte) in bytes[place..<end].enumerated() where byte != word.utf8Start[offset] {
      return false
    }
    place = end
    return true
  }
}
