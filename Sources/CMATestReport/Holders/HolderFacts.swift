// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore

/// What files of `cma-test map` and `cma-test explain` tell beside their answers.
package struct HolderFacts: Hashable, Sendable {
  /// The version of the program.
  package var program: String
  /// The release of the kernel.
  package var kernel: String
  /// The name of the machine; nil where it has none.
  package var host: String?
  /// When the area was looked at, in UTC.
  package var time: String

  package init(program: String = packageVersion, kernel: String, host: String?, time: String) {
    self.program = program
    self.kernel = kernel
    self.host = host
    self.time = time
  }
}

extension HolderFacts {
  /// The version of the formats that are read and written here.
  static let schema: UInt64 = 1

  /// Refuses a file without a version of its format, and one of a later version.
  static func check(_ schema: UInt64?, _ name: String) throws(ResultFailure) {
    guard let schema else { throw .foreign(name: name) }
    guard schema <= Self.schema else { throw .newer(name: name, version: schema) }
  }

  /// The keys with which each file begins.
  func members(format: String) -> [JSON.Member] {
    [
      JSON.Member("schema", .int(Int64(Self.schema))),
      JSON.Member("ok", true),
      JSON.Member("format", .string(format)),
      JSON.Member("program", .string(program)),
      JSON.Member("kernel", .string(kernel)),
      JSON.Member("host", JSON(host)),
      JSON.Member("time", .string(time)),
    ]
  }

  /// Reads the value of a key; false where it is none of these.
  mutating func take(_ key: String, _ reader: inout JSONReader) throws(JSONReadFailure) -> Bool {
    switch key {
    case "program": program = try reader.string()
    case "kernel": kernel = try reader.string()
    case "host": host = reader.takeNull() ? nil : try reader.string()
    case "time": time = try reader.string()
    default: return false
    }
    return true
  }
}

/// Reads the object that a file is.
///
/// - Parameters:
///   - bytes: The text of the file.
///   - name: The file's name, for failures.
///   - body: Reads the value of a key.
/// - Throws: Why the text is no such object.
func readMembers(
  of bytes: [UInt8], _ name: String,
  _ body: (String, inout JSONReader) throws(JSONReadFailure) -> Void
) throws(ResultFailure) {
  do throws(JSONReadFailure) {
    var reader = JSONReader(bytes)
    try reader.object(body)
    try reader.end()
  } catch {
    throw .unreadable(name: name, error)
  }
}

/// The value of the key `format`, which says what a file is.
func resultFormat(of bytes: [UInt8]) -> String? {
  var format: String?
  var reader = JSONReader(bytes)
  do throws(JSONReadFailure) {
    try reader.object { (key, reader) throws(JSONReadFailure) in
      guard key == "format" else { return try reader.skip() }
      format = try reader.string()
      // Nothing behind it is read: a file may be long.
      throw JSONReadFailure(offset: 0, expected: "the format alone")
    }
  } catch {
    return format
  }
  return format
}
