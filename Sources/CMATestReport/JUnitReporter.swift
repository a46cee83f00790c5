// SPDX-License-Identifier: GPL-2.0-or-later

extension ReportFormat {
  /// The XML that continuous integration reads.
  public static let junit = ReportFormat(
    "junit", isLive: false, makeReporter: { JUnitReporter(write: $0) })
}

/// Writes XML at the end. There is no standard; the elements are those that Jenkins (`junit-10.xsd` of its
/// xUnit plugin) and GitLab have in common.
private final class JUnitReporter: RunObserver {
  private let write: (String) -> Void

  init(write: @escaping (String) -> Void) {
    self.write = write
  }

  func runEnded(_ result: RunResult) {
    let facts = result.facts
    let counts =
      "tests=\"\(result.cases.count)\" failures=\"\(result.failed)\" "
      + "errors=\"\(result.notRun)\" time=\"\(seconds(result.nanoseconds))\""
    // A time without a zone is what its readers want; the property has it in full.
    let time = facts.time.hasSuffix("Z") ? String(facts.time.dropLast()) : facts.time
    var text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites \(counts)>
        <testsuite name="cma-test" timestamp="\(xmlText(time))" \(counts) skipped="\(result.skipped)">
          <properties>

      """
    for (name, value) in Self.properties(result) {
      text += "      <property name=\"\(name)\" value=\"\(xmlText(value))\"/>\n"
    }
    text += "    </properties>\n"
    for test in result.cases { text += Self.element(test, in: facts.area) }
    write(text + "  </testsuite>\n</testsuites>\n")
  }

  private static func properties(_ result: RunResult) -> [(String, String)] {
    let facts = result.facts
    return [
      ("version", facts.version), ("kernel", facts.kernel), ("time", facts.time),
      ("seed", "\(facts.seed)"), ("complete", "\(result.endedBy == nil)"),
    ]
      + [
        ("area", facts.area), ("others", facts.occupancy?.words), ("ended_by", result.endedBy),
      ].compactMap { name, value in
        value.map { (name, $0) }
      }
  }

  private static func element(_ test: CaseResult, in area: String?) -> String {
    let group = xmlText(area.map { "cma-test.\($0)" } ?? "cma-test")
    let head =
      "    <testcase name=\"\(xmlText(test.name))\" classname=\"\(group)\" "
      + "time=\"\(seconds(test.nanoseconds))\""
    var inner = ""
    switch test.outcome {
    case .passed: break
    case .failed(let reason):
      inner += "      <failure message=\"\(xmlText(reason))\"/>\n"
    case .notRun(let reason):
      inner += "      <error message=\"\(xmlText(reason))\"/>\n"
    case .skipped(let reason):
      inner += "      <skipped message=\"\(xmlText(reason))\"/>\n"
    }
    if !test.metrics.isEmpty {
      let lines = test.metrics.map { "\($0.name) \($0.value)" }.joined(separator: "\n")
      inner += "      <system-out>\(xmlText(lines))</system-out>\n"
    }
    return inner.isEmpty ? head + "/>\n" : head + ">\n" + inner + "    </testcase>\n"
  }
}
