// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestDevice

/// The tests of a submission, with a number each.
struct KCIDBTests {
  private let submission: KCIDBReport.Submission
  private(set) var values: [JSON] = []

  init(_ submission: KCIDBReport.Submission) { self.submission = submission }

  /// Adds the times and the share of failures of each cell.
  mutating func add(_ result: ResultSummary) {
    let environment = Self.environment(result)
    for cell in result.cells {
      var misc = [JSON.Member("cell", cell.settings.json)]
      misc.append(JSON.Member("area", .string(result.area)))
      misc.append(JSON.Member("rounds", .int(Int64(cell.rounds.count))))
      misc.append(JSON.Member("requests", .int(Int64(clamping: cell.requests))))
      misc.append(JSON.Member("failed", .int(Int64(clamping: cell.failed))))
      misc.append(JSON.Member("complete", .bool(result.isComplete)))
      for (name, number) in Self.numbers(cell) {
        add(
          path: ["bench", Self.word(cell.settings.words), name], status: "DONE",
          [
            JSON.Member("number", number), JSON.Member("environment", environment),
            JSON.Member("misc", .object(misc)),
          ])
      }
    }
  }

  /// Adds each case of a run.
  mutating func add(_ run: RunResult) {
    let facts: JSON = [
      "kernel": .string(run.facts.kernel), "cma_test": .string(run.facts.version),
    ]
    let environment: JSON = ["misc": facts]
    for result in run.cases {
      var members = [JSON.Member("environment", environment)]
      members.append(JSON.Member("start_time", .string(run.facts.time)))
      members.append(JSON.Member("duration", .number(Double(result.nanoseconds) / 1e9)))
      let comment = [result.purpose, result.outcome.reason ?? ""].filter { !$0.isEmpty }
      members.append(JSON.Member("comment", .string(Self.plain(comment.joined(separator: ": ")))))
      let metrics = result.metrics.map { JSON.Member($0.name, JSON($0.value)) }
      if !metrics.isEmpty { members.append(JSON.Member("misc", .object(metrics))) }
      add(
        path: ["run", Self.word(result.name)], status: Self.status(result.outcome), members)
    }
  }

  private mutating func add(path: [String], status: String, _ members: [JSON.Member]) {
    let identifier = "\(submission.origin):\(submission.run)/\(values.count + 1)"
    var test = [JSON.Member("id", .string(identifier))]
    test.append(JSON.Member("origin", .string(submission.origin)))
    test.append(JSON.Member("build_id", .string(submission.build)))
    let whole = ["cma-test"] + path
    test.append(JSON.Member("path", .string(whole.joined(separator: "."))))
    test.append(JSON.Member("status", .string(status)))
    values.append(.object(test + members))
  }

  private static func status(_ outcome: Outcome) -> String {
    switch outcome {
    case .passed: "PASS"
    case .failed: "FAIL"
    case .skipped: "SKIP"
    // The schema's word for what the harness did not come to.
    case .notRun: "MISS"
    }
  }

  /// What is told of a cell. What there was none of is left out.
  private static func numbers(_ cell: CellSummary) -> [(String, JSON)] {
    var numbers: [(String, JSON)] = []
    for quantity in Quantity.allCases {
      guard let nanoseconds = cell.values(of: quantity).median else { continue }
      numbers.append(("alloc-\(quantity.rawValue)", seconds(nanoseconds)))
    }
    if let times = cell.times, let median = times.releases.quantile(0.5) {
      numbers.append(("release-p50", seconds(median)))
    }
    if cell.requests > 0 {
      let share = Double(cell.failed) / Double(cell.requests)
      numbers.append(("failed", ["value": .number(share)]))
    }
    return numbers
  }

  /// Seconds, which a page shows as ns or µs.
  private static func seconds(_ nanoseconds: Double) -> JSON {
    ["value": .number(nanoseconds / 1e9), "unit": "s", "prefix": "metric"]
  }

  /// What the machine was. The database is public: hosts of a lab, which a command line may name, too, are not
  /// for it.
  private static func environment(_ result: ResultSummary) -> JSON {
    let facts = result.environment.filter { !["command_line", "host"].contains($0.name) }
    return ["misc": .object(facts.map { JSON.Member($0.name, .string(plain($0.value))) })]
  }

  /// A node of a path: letters, digits, `_` and `-`.
  private static func word(_ text: String) -> String {
    var word = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "_": word.unicodeScalars.append(scalar)
      default: if !word.isEmpty, !word.hasSuffix("-") { word += "-" }
      }
    }
    while word.hasSuffix("-") { word.removeLast() }
    return word.isEmpty ? "-" : word
  }

  /// A text without the one character that the schema forbids.
  private static func plain(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\u{0}" }))
  }
}
