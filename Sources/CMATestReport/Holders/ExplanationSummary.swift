// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestDevice
internal import CMATestHolders

/// What reports need of an explanation that was read from a file.
package struct ExplanationSummary: Hashable, Sendable {
  package private(set) var facts = HolderFacts(program: "", kernel: "unknown", host: nil, time: "")
  /// The name of the area, in one line.
  private(set) var title = ""
  /// The blocks that were asked for, as the user wrote them.
  private(set) var wanted = ""
  private(set) var fits = false
  /// The answer in one sentence.
  private(set) var sentence = ""
  /// Why a block was refused, in a few words; nil where all fit.
  private(set) var cause: String?
  private(set) var inTheWay = HolderList()
  /// The next steps, each in a sentence.
  private(set) var advice: [String] = []
  /// The command that reserves a larger area; nil where none is known to do.
  private(set) var reserve: String?
  private(set) var notes: [String] = []

  /// The value of `format` in every explanation.
  static let format = "cma-test explain"
}

extension ExplanationSummary {
  private static let longest = 1000

  /// The parts that every file has.
  private struct Head {
    var schema: UInt64?
    var fits: Bool?
    var name: String?
    var index: UInt64 = 0
    var hasFailure = false
  }

  /// Reads what `AreaExplanation.json` writes.
  ///
  /// - Parameters:
  ///   - bytes: The text of the file.
  ///   - name: The file's name, for failures.
  /// - Throws: Why the text is no explanation that can be used.
  init(reading bytes: [UInt8], name: String) throws(ResultFailure) {
    var head = Head()
    try readMembers(of: bytes, name) { (key, reader) throws(JSONReadFailure) in
      try read(key, &reader, into: &head)
    }
    try HolderFacts.check(head.schema, name)
    guard let fits = head.fits, !sentence.isEmpty, fits != head.hasFailure else {
      throw .inconsistent(name: name, what: "it does not say whether the blocks fit, and why not")
    }
    self.fits = fits
    title = areaTitle(head.name.map { label($0, 100) }, UInt32(clamping: head.index))
    wanted = label(wanted, 200)
  }

  private mutating func read(
    _ key: String, _ reader: inout JSONReader, into head: inout Head
  ) throws(JSONReadFailure) {
    if try facts.take(key, &reader) { return }
    switch key {
    case "schema": head.schema = try reader.unsigned()
    case "area":
      try reader.object { (key, reader) throws(JSONReadFailure) in
        switch key {
        case "name": head.name = try reader.string()
        case "index": head.index = try reader.unsigned()
        default: try reader.skip()
        }
      }
    case "fits": head.fits = try reader.bool()
    case "summary": sentence = label(printable(try reader.string()), Self.longest)
    case "requests":
      try reader.array { (reader) throws(JSONReadFailure) in
        try reader.object { (key, reader) throws(JSONReadFailure) in
          guard key == "request" else { return try reader.skip() }
          let text = printable(try reader.string())
          if wanted.utf8.count < Self.longest { wanted += wanted.isEmpty ? text : " " + text }
        }
      }
    case "failure" where !reader.takeNull():
      head.hasFailure = true
      cause = try readFailure(&reader)
    case "failure": break
    case "advice": advice = try readLines(&reader)
    case "reserve":
      reserve = reader.takeNull() ? nil : label(printable(try reader.string()), Self.longest)
    case "notes": notes = try readLines(&reader)
    default: try reader.skip()
    }
  }

  /// Reads why it failed; returns the cause in a few words.
  private mutating func readFailure(
    _ reader: inout JSONReader
  ) throws(JSONReadFailure) -> String {
    var cause = ""
    try reader.object { (key, reader) throws(JSONReadFailure) in
      switch key {
      case "cause": cause = try reader.string()
      case "in_the_way": inTheWay = try HolderList(&reader)
      default: try reader.skip()
      }
    }
    return Witness.Cause(rawValue: cause)?.words ?? label(printable(cause), 80)
  }
}
