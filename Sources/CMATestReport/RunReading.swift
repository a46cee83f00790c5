// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore

/// A run whose report was read from a file.
package struct NamedRun: Sendable {
  /// The file's name.
  package var name: String
  package var result: RunResult

  package init(name: String, result: RunResult) {
    self.name = name
    self.result = result
  }
}

extension RunResult {
  /// The version of the report that is read and written here.
  static let schema: UInt64 = 1

  /// The version of a report of `cma-test run`, whatever else it has; nil for anything else.
  static func schema(of bytes: [UInt8]) -> UInt64? {
    var (schema, hasTotals): (UInt64?, Bool) = (nil, false)
    var reader = JSONReader(bytes)
    do throws(JSONReadFailure) {
      try reader.object { (key, reader) throws(JSONReadFailure) in
        hasTotals = hasTotals || key == "totals"
        if key == "schema" { schema = try reader.unsigned() } else { try reader.skip() }
      }
      try reader.end()
    } catch {
      return nil
    }
    return hasTotals ? schema : nil
  }

  /// Reads what `cma-test run --format json` printed; nil for anything else.
  package init?(reading bytes: [UInt8]) {
    var report = RunReport()
    var reader = JSONReader(bytes)
    do throws(JSONReadFailure) {
      try reader.object { (key, reader) throws(JSONReadFailure) in
        try report.read(key, &reader)
      }
      try reader.end()
    } catch {
      return nil
    }
    // Totals tell a run from a list of cases, and from the answers of other commands.
    guard report.hasTotals, report.version == Self.schema else { return nil }
    self = report.result
  }
}

/// A report on the way in.
private struct RunReport {
  var version: UInt64 = 0
  var hasTotals = false
  var result = RunResult(facts: RunFacts(version: "", kernel: "", seed: 0, time: ""))

  mutating func read(_ key: String, _ reader: inout JSONReader) throws(JSONReadFailure) {
    switch key {
    case "format":
      // A result of a measurement, which may be long: this reads no more of it.
      throw JSONReadFailure(offset: 0, expected: "a run")
    case "schema": version = try reader.unsigned()
    case "ended_by": result.endedBy = try Self.text(&reader)
    case "version": result.facts.version = try reader.string()
    case "kernel": result.facts.kernel = try reader.string()
    case "host": result.facts.host = try Self.text(&reader)
    case "time": result.facts.time = try reader.string()
    case "seed": result.facts.seed = UInt32(clamping: try reader.unsigned())
    case "area": result.facts.area = try Self.text(&reader)
    case "area_pages": result.facts.pages = reader.takeNull() ? nil : try reader.unsigned()
    case "page_size": result.facts.pageSize = reader.takeNull() ? nil : try reader.unsigned()
    case "duration_ns": result.nanoseconds = try reader.unsigned()
    case "totals":
      hasTotals = true
      try reader.skip()
    case "cases":
      try reader.array { (reader) throws(JSONReadFailure) in
        result.cases.append(try CaseResult(&reader))
      }
    default: try reader.skip()
    }
  }

  static func text(_ reader: inout JSONReader) throws(JSONReadFailure) -> String? {
    reader.takeNull() ? nil : try reader.string()
  }
}

extension CaseResult {
  fileprivate init(_ reader: inout JSONReader) throws(JSONReadFailure) {
    self.init(name: "", purpose: "", outcome: .notRun(""))
    var (word, reason) = ("", "")
    try reader.object { (key, reader) throws(JSONReadFailure) in
      switch key {
      case "name": name = try reader.string()
      case "purpose": purpose = try reader.string()
      case "outcome": word = try reader.string()
      case "reason": reason = try RunReport.text(&reader) ?? ""
      case "duration_ns": nanoseconds = try reader.unsigned()
      default: try reader.skip()
      }
    }
    switch word {
    case "pass": outcome = .passed
    case "fail": outcome = .failed(reason)
    case "skip": outcome = .skipped(reason)
    default: outcome = .notRun(reason)
    }
  }
}
