// SPDX-License-Identifier: GPL-2.0-or-later

/// A line of a file of modprobe.d(5), so that a message can name the file; libkmod tells what
/// modprobe makes of all files. (`kmod_config_parse` in `libkmod-config.c`)
public struct ModprobeStatement: Equatable, Sendable {
  /// The statement's first word, as `options` or `install`.
  public var keyword: String
  /// A module's name, an alias or a pattern, with `_` for each `-`.
  public var subject: String
  /// The text after the subject.
  public var rest: String
  /// The number of the statement's first line.
  public var line: Int

  /// - Parameter text: the file; a backslash before the newline continues a line.
  /// - Returns: its statements, in their order.
  public static func all(in text: [UInt8]) -> [ModprobeStatement] {
    var statements: [ModprobeStatement] = []
    var joined: [UInt8] = []
    var first = 1
    for (index, line) in text.split(separator: .newline, omittingEmptySubsequences: false)
      .enumerated()
    {
      if line.last == UInt8(ascii: "\\") {
        joined += line.dropLast()
        continue
      }
      joined += line
      if joined.first != UInt8(ascii: "#") {
        let fields = joined.split(maxSplits: 2) { $0 == .space || $0 == .tab }
          .map { String(decoding: $0, as: UTF8.self) }
        if fields.count > 1 {
          statements.append(
            ModprobeStatement(
              keyword: fields[0], subject: normalized(fields[1]),
              rest: fields.count > 2 ? fields[2] : "", line: first))
        }
      }
      joined = []
      first = index + 2
    }
    return statements
  }

  /// Returns a name with `_` for each `-`, but for those between brackets, where it is a range.
  private static func normalized(_ name: String) -> String {
    var isRange = false
    return String(
      name.map { letter in
        if letter == "[" { isRange = true }
        if letter == "]" { isRange = false }
        return letter == "-" && !isRange ? "_" : letter
      })
  }
}
