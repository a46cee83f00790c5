// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

extension ReportFormat {
  /// One JSON object with stable keys.
  public static let json = ReportFormat(
    "json", isLive: false,
    list: { cases in
      let list = cases.map { test -> JSON in
        ["name": .string(test.name), "purpose": .string(test.purpose)]
      }
      let whole: JSON = ["schema": 1, "cases": .array(list)]
      return whole.text + "\n"
    },
    makeReporter: { JSONReporter(write: $0) })
}

/// Writes one object at the end; each metric is a number.
private final class JSONReporter: RunObserver {
  private let write: (String) -> Void

  init(write: @escaping (String) -> Void) {
    self.write = write
  }

  func runEnded(_ result: RunResult) { write(Self.json(result).text + "\n") }

  private static func json(_ result: RunResult) -> JSON {
    let facts = result.facts
    return [
      "schema": 1,
      "ok": .bool(result.failed == 0 && result.endedBy == nil),
      "complete": .bool(result.endedBy == nil),
      "ended_by": JSON(result.endedBy),
      "version": .string(facts.version),
      "kernel": .string(facts.kernel),
      "host": JSON(facts.host),
      "time": .string(facts.time),
      "seed": .int(Int64(facts.seed)),
      "area": JSON(facts.area),
      "area_pages": JSON(facts.pages),
      "page_size": JSON(facts.pageSize),
      "others_pages": JSON(facts.occupancy?.others),
      "others_exact": facts.occupancy.map { .bool($0.isExact) } ?? .null,
      "duration_ns": JSON(result.nanoseconds),
      "totals": [
        "pass": .int(Int64(result.passed)),
        "fail": .int(Int64(result.failed)),
        "skip": .int(Int64(result.skipped)),
        "not_run": .int(Int64(result.notRun)),
      ],
      "cases": .array(result.cases.map(json)),
    ]
  }

  private static func json(_ result: CaseResult) -> JSON {
    [
      "name": .string(result.name),
      "purpose": .string(result.purpose),
      "outcome": .string(result.outcome.word),
      "reason": JSON(result.outcome.reason),
      "duration_ns": JSON(result.nanoseconds),
      "metrics": .object(result.metrics.map { JSON.Member($0.name, JSON($0.value)) }),
    ]
  }
}

extension JSON {
  /// Makes a number; readers take numbers for signed ones, so a larger number is cut.
  package init(_ value: UInt64?) { self = value.map { .int(Int64(clamping: $0)) } ?? .null }
}
