// SPDX-License-Identifier: GPL-2.0-or-later

/// A file that a shell sources, as far as it is more than assignments.
struct ShellScript {
  let file: String
  private let lines: [String]

  init(_ text: [UInt8], file: String) {
    self.file = file
    lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// Returns the lines of the file with those numbers, counted from 1.
  func text(of range: ClosedRange<Int>) -> String {
    lines.dropFirst(range.lowerBound - 1).prefix(range.count).joined(separator: "\n")
  }

  /// Returns whether anything but an assignment may set a variable: another file, or an assignment
  /// that is made under a condition, in a loop or by a program.
  func maySet(_ name: String) -> Bool {
    var depth = 0
    for line in lines {
      let words = line.split { " \t\r;".contains($0) }
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      if Self.sources(line) { return true }
      if Self.openers.contains(first) || Self.closers.contains(first) {
        depth += words.count(where: Self.openers.contains)
        depth -= words.count(where: Self.closers.contains)
      }
      guard line.contains(name) else { continue }
      // An assignment, perhaps of this variable, which is read as such.
      let isAssignment = first == "export" || first.contains("=")
      if depth > 0 || !isAssignment { return true }
    }
    return false
  }

  /// Whether a line has the shell read another file or text.
  private static func sources(_ line: String) -> Bool {
    line.split { ";&|".contains($0) }.contains { command in
      command.split { " \t".contains($0) }.first.map(sourcing.contains) ?? false
    }
  }

  private static let sourcing: Set<Substring> = [".", "source", "eval"]
  private static let openers: Set<Substring> = [
    "if", "case", "for", "while", "until", "select", "{", "(",
  ]
  private static let closers: Set<Substring> = ["fi", "esac", "done", "}", ")"]
}
