// SPDX-License-Identifier: GPL-2.0-or-later

/// A strict reader of KTAP version 1 with a flat plan (`Documentation/dev-tools/ktap.rst`): what
/// kunit.py takes nested, and a line parser as LAVA's takes line by line, both take this.
struct KTAPReport {
  struct Result: Equatable {
    var isOK: Bool
    var name: String
    var skip: String?
    var error: String?
  }

  struct Malformed: Error {
    var line: Substring
    var why: String
  }

  private(set) var results: [Result] = []
  private(set) var comments: [String] = []
  var totals: String? {
    comments.last { $0.hasPrefix("Totals: ") }.map { String($0.dropFirst("Totals: ".count)) }
  }

  /// - Parameter text: the whole report.
  /// - Throws: the first line that is not as it must be.
  init(parsing text: String) throws {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
    guard lines.popLast() == "" else { throw Malformed(line: "", why: "the last line has no end") }
    guard lines.popFirst() == "KTAP version 1" else {
      throw Malformed(line: lines.first ?? "", why: "the version comes first")
    }
    guard let plan = lines.popFirst(), plan.hasPrefix("1.."), let count = Int(plan.dropFirst(3)),
      count > 0
    else { throw Malformed(line: lines.first ?? "", why: "the plan comes next") }
    for line in lines { try read(line) }
    guard results.count == count else {
      throw Malformed(line: plan, why: "there are \(results.count) results")
    }
  }

  private mutating func read(_ line: Substring) throws {
    if line.hasPrefix("# ") {
      comments.append(String(line.dropFirst(2)))
      return
    }
    // The pattern of kunit_parser.py, without what it tolerates.
    guard
      let match = line.wholeMatch(of: /(ok|not ok) ([0-9]+) ([a-z-]+)( # (SKIP|error) ([^#]+))?/)
    else { throw Malformed(line: line, why: "it is neither a result nor a comment") }
    guard Int(match.2) == results.count + 1 else {
      throw Malformed(line: line, why: "its number is not the next")
    }
    guard match.5 == nil || (match.1 == "ok") == (match.5 == "SKIP") else {
      throw Malformed(line: line, why: "what is skipped is ok, and an error is not")
    }
    let reason = match.6.map { String($0) }
    results.append(
      Result(
        isOK: match.1 == "ok", name: String(match.3), skip: match.5 == "SKIP" ? reason : nil,
        error: match.5 == "error" ? reason : nil))
  }
}
