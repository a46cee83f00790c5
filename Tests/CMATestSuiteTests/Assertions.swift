// SPDX-License-Identifier: GPL-2.0-or-later

import Foundation
import TestSupport

/// A place in the sources of the suite that fails a case: `expect(…)`, `.failed(…)`, and each counter
/// that `accounting` compares.
struct Assertion: Hashable, CustomStringConvertible {
  var file: String
  var line: Int
  /// The expression that makes the message.
  var message: String

  var description: String { "\(file):\(line): \(message)" }

  /// Whether a reason may be this assertion's: all of its words are there, in their order, and
  /// anything where the source has a value. Nil where the source has no words.
  func matches(_ reason: String) -> Bool? {
    guard let pattern else { return nil }
    return reason.wholeMatch(of: pattern) != nil
  }

  private var pattern: Regex<Substring>? {
    var pattern = ""
    var hasWords = false
    var rest = message[...]
    while let open = rest.firstIndex(of: "\"") {
      // A value before the first words, or between two strings.
      if !rest[..<open].allSatisfy({ $0.isWhitespace || $0 == "+" }) { pattern += ".*" }
      rest = rest[rest.index(after: open)...]
      while let character = rest.popFirst(), character != "\"" {
        if character == "\\", rest.first == "(" {
          rest = rest.dropFirst(balanced(rest).count)
          pattern += ".*"
        } else {
          hasWords = hasWords || character.isLetter
          pattern += NSRegularExpression.escapedPattern(for: String(character))
        }
      }
    }
    if !rest.allSatisfy(\.isWhitespace) { pattern += ".*" }
    guard hasWords, let regex = try? Regex(pattern, as: Substring.self) else { return nil }
    return regex.dotMatchesNewlines()
  }

  /// All of them, from the sources.
  static func all() throws -> [Assertion] {
    try sourceFiles(below: "Sources/CMATestSuite").filter { $0.hasSuffix(".swift") }.sorted()
      .flatMap { try found(in: $0) }
  }

  private static func found(in file: String) throws -> [Assertion] {
    let text = try sourceFile(file)
    var assertions: [Assertion] = []
    for call in [".failed(", "expect(", "tooFull(", "counter(", "information("] {
      var start = text.startIndex
      while let range = text.range(of: call, range: start..<text.endIndex) {
        start = range.upperBound
        let before = text[..<range.lowerBound]
        guard before.last?.isLetter != true, !before.hasSuffix("func ") else { continue }
        let inner = balanced(text[text.index(before: range.upperBound)...]).dropFirst().dropLast()
        guard let message = message(of: call, topLevelParts(inner), in: file) else { continue }
        assertions.append(
          Assertion(file: file, line: before.count { $0 == "\n" } + 1, message: message))
      }
    }
    return assertions
  }

  /// - Returns: the expression of the message; nil for a call that fails nothing.
  private static func message(
    of call: String, _ arguments: [String], in file: String
  ) -> String? {
    guard let first = arguments.first, let last = arguments.last else { return nil }
    switch (call, arguments.count) {
    // A pattern of a switch, what the runner makes of a failure, and `expect` itself.
    case (".failed(", _) where first.hasPrefix("let ") || ["reason", "message()"].contains(first):
      return nil
    // `tooFull` itself makes its message from one of these.
    case (".failed(", _) where first == "message" && file.hasSuffix("CaseRun+Area.swift"):
      return nil
    case (".failed(", 1), ("expect(", 2): return last
    // Of an area that nobody else has a part of, this is a failure; its words are more.
    case ("tooFull(", 1) where first.hasPrefix("\""):
      return first.dropLast() + ": \\(occupancy)\""
    // A counter, by its name: all that changed wrongly are in one reason.
    case (_, 3...) where first.hasPrefix("\""):
      return "\"\\(others)" + first.dropFirst().dropLast() + " changed by \\(found)\""
    default: return nil
    }
  }

  /// What is between the parentheses that the text begins with, and these; strings are skipped.
  private static func balanced(_ text: Substring) -> Substring {
    var depth = 0
    var index = text.startIndex
    var strings: [Int] = []
    while index < text.endIndex {
      let character = text[index]
      if let opened = strings.last, opened == depth {
        // In a string: only its end, and a value in it, count.
        if character == "\\" {
          index = text.index(after: index)
          if text[index] == "(" { depth += 1 }
        } else if character == "\"" {
          strings.removeLast()
        }
      } else if character == "\"" {
        strings.append(depth)
      } else if character == "(" {
        depth += 1
      } else if character == ")" {
        depth -= 1
        if depth == 0 { return text[...index] }
      }
      index = text.index(after: index)
    }
    return text
  }

  private func balanced(_ text: Substring) -> Substring { Self.balanced(text) }

  /// The arguments of a call.
  private static func topLevelParts(_ text: Substring) -> [String] {
    var parts = [""]
    var rest = text
    var isInString = false
    while let character = rest.first {
      if character == "\"" { isInString.toggle() }
      if isInString, character == "\\" {
        rest = rest.dropFirst()
        parts[parts.count - 1] += "\\"
        let value = rest.first == "(" ? balanced(rest) : rest.prefix(1)
        parts[parts.count - 1] += value
        rest = rest.dropFirst(value.count)
      } else if !isInString, "([{".contains(character) {
        let value = character == "(" ? balanced(rest) : rest.prefix(1)
        parts[parts.count - 1] += value
        rest = rest.dropFirst(value.count)
      } else {
        if !isInString, character == "," {
          parts.append("")
        } else {
          parts[parts.count - 1].append(character)
        }
        rest = rest.dropFirst()
      }
    }
    return parts.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.filter { !$0.isEmpty }
  }
}
