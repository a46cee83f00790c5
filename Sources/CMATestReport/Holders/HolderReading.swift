// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench
internal import CMATestCore

/// A result of `cma-test map` or `cma-test explain` that was read from a file.
package enum HolderResult: Sendable {
  case map(MapSummary)
  case explanation(ExplanationSummary)

  /// Reads a file of either command; nil for one of something else.
  ///
  /// - Parameters:
  ///   - bytes: All of the file.
  ///   - name: Its name, for failures.
  /// - Throws: Why the file cannot be used.
  package init?(reading bytes: [UInt8], name: String) throws(ResultFailure) {
    switch resultFormat(of: bytes) {
    case MapSummary.format: self = .map(try MapSummary(reading: bytes, name: name))
    case ExplanationSummary.format:
      self = .explanation(try ExplanationSummary(reading: bytes, name: name))
    default: return nil
    }
  }
}

/// A result and the file that has it.
package struct NamedHolderResult: Sendable {
  /// The file's name.
  package var name: String
  package var result: HolderResult

  package init(name: String, result: HolderResult) {
    self.name = name
    self.result = result
  }
}

/// A holder as a file has it: its words, and how much it has.
struct HolderSummary: Hashable {
  /// In one line.
  var words = ""
  /// When its first block was allocated; nil for what is no block, or an older one.
  var since: String?
  var isFree = false
  /// nil where that depends.
  var canMove: Bool?
  var pages: UInt64 = 0
  var pieces: UInt64 = 0

  /// The holder with the time of its first block.
  var line: String { since.map { "\(words), since \($0)" } ?? words }
}

extension HolderSummary {
  /// Longer words are cut: paths have up to 4096 bytes.
  private static let longest = 300

  init(_ reader: inout JSONReader) throws(JSONReadFailure) {
    try reader.object { (key, reader) throws(JSONReadFailure) in
      switch key {
      case "kind": isFree = try reader.string() == "free"
      case "words": words = label(printable(try reader.string()), Self.longest)
      case "movable": canMove = reader.takeNull() ? nil : try reader.bool()
      case "pages": pages = try reader.unsigned()
      case "pieces": pieces = try reader.unsigned()
      case "block" where !reader.takeNull():
        try reader.object { (key, reader) throws(JSONReadFailure) in
          guard key == "time", !reader.takeNull() else { return try Self.pass(key, &reader) }
          since = label(printable(try reader.string()), 40)
        }
      case "block": break
      default: try reader.skip()
      }
    }
  }

  /// Passes over a value; that of `time` is `null`, and has been read.
  private static func pass(_ key: String, _ reader: inout JSONReader) throws(JSONReadFailure) {
    if key != "time" { try reader.skip() }
  }
}

/// Holders of which the first are kept, and the others summed up.
struct HolderList: Hashable {
  /// The holders that are kept.
  static let most = 20

  private(set) var first: [HolderSummary] = []
  private(set) var others: UInt64 = 0
  private(set) var pagesOfOthers: UInt64 = 0
  private(set) var piecesOfOthers: UInt64 = 0

  init() {}

  /// Reads a list; what is free is no holder.
  init(_ reader: inout JSONReader) throws(JSONReadFailure) {
    try reader.array { (reader) throws(JSONReadFailure) in
      let holder = try HolderSummary(&reader)
      if holder.isFree { return }
      if first.count < Self.most { return first.append(holder) }
      others += 1
      pagesOfOthers = pagesOfOthers.clampedSum(holder.pages)
      piecesOfOthers = piecesOfOthers.clampedSum(holder.pieces)
    }
  }
}

/// Lines of a file, of which as many are kept as people read.
func readLines(_ reader: inout JSONReader) throws(JSONReadFailure) -> [String] {
  let (most, longest) = (20, 1000)
  var lines: [String] = []
  try reader.array { (reader) throws(JSONReadFailure) in
    let line = try reader.string()
    if lines.count < most { lines.append(label(printable(line), longest)) }
  }
  return lines
}
