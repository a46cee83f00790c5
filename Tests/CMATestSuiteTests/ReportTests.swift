// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestReport
import CMATestSuite
import Foundation
import TestSupport
import Testing

@testable import cma_test

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// A result with all that can come up, and text that each form must escape.
private let mixed = RunResult(
  facts: {
    var facts = RunFacts(
      version: "1.0", kernel: "7.3.4+deb13-amd64", area: "linux,cma", pages: 16384, pageSize: 4096,
      seed: 7, time: "2026-11-22T12:00:00Z")
    facts.occupancy = Occupancy(pages: 16384, others: 512, isExact: true)
    return facts
  }(),
  cases: [
    CaseResult(
      name: "single-page", purpose: "one page can be had and given back", outcome: .passed,
      nanoseconds: 1_234_567,
      metrics: [Metric("alloc_ns", 9_007_199_254_740_993), Metric("release_ns", 0)]),
    CaseResult(
      name: "patterns", purpose: "many blocks",
      outcome: .failed("wrote <\"1&2\">\nread '3' # here"),
      nanoseconds: 65_004_000_000),
    CaseResult(
      name: "pinned-page", purpose: "a pinned page", outcome: .skipped("no \"page\" # 1"),
      nanoseconds: 999_999, metrics: [Metric("pages", 1)]),
    CaseResult(name: "zero", purpose: "none", outcome: .notRun("interrupted by SIGINT")),
  ],
  nanoseconds: 66_000_000_000, endedBy: "SIGINT")

/// What a reporter writes of a result.
private func report(_ result: RunResult, as format: ReportFormat) -> String {
  var text = ""
  let reporter = format.reporter { text += $0 }
  let names = Set(result.cases.map(\.name))
  reporter.runBegan(
    result.facts, cases: TestCase.all.map(\.title).filter { names.contains($0.name) })
  for (index, test) in result.cases.enumerated() { reporter.caseEnded(index + 1, test) }
  reporter.runEnded(result)
  return text
}

@Suite struct SnapshotTests {
  @Test(arguments: ReportFormat.allCases)
  func reportIsWhatTheSourceTreeShows(_ format: ReportFormat) throws {
    let text = report(mixed, as: format)
    #expect(try snapshot("Tests/Fixtures/reports/mixed.\(format.rawValue)", current: text) == text)
  }
}

@Suite struct KTAPTests {
  @Test func wholeRunIsValid() throws {
    let result = try run(SimulatedKernel())
    let parsed = try KTAPReport(parsing: report(result, as: .ktap))
    #expect(parsed.results.map(\.name) == TestCase.all.map(\.name))
    #expect(parsed.results.allSatisfy { $0.isOK && $0.skip == nil })
    #expect(parsed.totals == "pass:\(TestCase.all.count) fail:0 xfail:0 xpass:0 skip:0 error:0")
  }

  @Test func failuresSkipsAndAnInterruptionAreValid() throws {
    let parsed = try KTAPReport(parsing: report(mixed, as: .ktap))
    #expect(parsed.results.map(\.isOK) == [true, false, true, false])
    #expect(parsed.results.map(\.skip) == [nil, nil, "no \"page\" . 1", nil])
    // What was not run because the run ended is no success.
    #expect(parsed.results[3].error == "interrupted by SIGINT")
    #expect(parsed.comments.contains { $0.hasPrefix("ended by SIGINT: this is a part of the run") })
    #expect(parsed.comments.contains("single-page: alloc_ns 9007199254740993"))
    #expect(parsed.totals == "pass:1 fail:1 xfail:0 xpass:0 skip:1 error:1")
  }

  @Test func linesComeAsSoonAsACaseHasEnded() throws {
    var pieces: [String] = []
    _ = try run(
      SimulatedKernel(), filter: "zero",
      observers: [ReportFormat.ktap.reporter { pieces.append($0) }])
    #expect(pieces.count == 3 && pieces[1] == "ok 1 zero\n")
  }
}

@Suite struct TAPTests {
  /// TAP version 13 has the same results in the same lines, with a hyphen before the name.
  @Test func otherReadersHaveTheirOwnFirstLine() throws {
    for result in [mixed, try run(SimulatedKernel())] {
      let tap = report(result, as: .tap)
      #expect(tap.hasPrefix("TAP version 13\n1..\(result.cases.count)\n"))
      let ktap = tap.replacing("TAP version 13", with: "KTAP version 1")
        .replacing(#/(?m)^((?:not )?ok [0-9]+) - /#) { "\($0.output.1) " }
      #expect(ktap == report(result, as: .ktap))
    }
  }
}

@Suite struct JSONTests {
  @Test func eachMetricIsANumber() throws {
    let text = report(try run(SimulatedKernel()), as: .json)
    let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(json?["schema"] as? Int == 1)
    #expect(json?["ok"] as? Bool == true && json?["complete"] as? Bool == true)
    #expect(json?["ended_by"] is NSNull)
    #expect(json?["area_pages"] as? Int == SimulatedKernel.pageCount)
    let cases = json?["cases"] as? [[String: Any]] ?? []
    #expect(cases.count == TestCase.all.count)
    for test in cases {
      let metrics = try #require(test["metrics"] as? [String: Any])
      #expect(metrics.values.allSatisfy { $0 is NSNumber })
      #expect(test["outcome"] as? String == "pass")
    }
  }

  @Test func partialRunSaysSo() throws {
    let text = report(mixed, as: .json)
    let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(json?["ok"] as? Bool == false && json?["complete"] as? Bool == false)
    #expect(json?["ended_by"] as? String == "SIGINT")
    #expect(
      json?["totals"] as? [String: Int] == ["pass": 1, "fail": 1, "skip": 1, "not_run": 1])
  }
}

@Suite struct JUnitTests {
  @Test func standardReaderTakesIt() throws {
    let document = try XMLDocument(xmlString: report(mixed, as: .junit))
    let suite = try #require(
      try document.nodes(forXPath: "/testsuites/testsuite").first as? XMLElement)
    func attribute(_ name: String) -> String? { suite.attribute(forName: name)?.stringValue }
    #expect(attribute("tests") == "4" && attribute("failures") == "1")
    #expect(attribute("skipped") == "1" && attribute("errors") == "1")
    #expect(attribute("time") == "66.000" && attribute("timestamp") == "2026-11-22T12:00:00")
    #expect(try document.nodes(forXPath: "//testcase").count == 4)
    let failure = try #require(try document.nodes(forXPath: "//failure").first as? XMLElement)
    // A parser makes a blank of a newline in an attribute.
    #expect(
      failure.attribute(forName: "message")?.stringValue?.replacing("\n", with: " ")
        == "wrote <\"1&2\"> read '3' # here")
    #expect(
      try document.nodes(forXPath: "//system-out").first?.stringValue?.contains("alloc_ns") == true)
  }

  /// What Jenkins' xUnit plugin checks a report with (`junit-10.xsd`), of the elements used here.
  private static let schema: [String: (attributes: Set<String>, required: Set<String>)] = [
    "testsuites": (["name", "time", "tests", "failures", "errors"], []),
    "testsuite": (
      [
        "name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname",
        "id", "package", "file", "log", "url",
      ], ["name", "tests", "failures", "errors"]
    ),
    "properties": ([], []),
    "property": (["name", "value"], ["name", "value"]),
    "testcase": (["name", "time", "classname", "group"], ["name"]),
    "skipped": (["type", "message"], []),
    "error": (["type", "message"], []),
    "failure": (["type", "message"], []),
    "system-out": ([], []),
  ]
  private static let children: [String: Set<String>] = [
    "testsuites": ["testsuite"],
    "testsuite": ["testsuite", "properties", "testcase", "system-out", "system-err"],
    "properties": ["property"],
    "testcase": ["skipped", "error", "failure", "system-out", "system-err"],
  ]

  private func violations(_ element: XMLElement) -> [String] {
    let name = element.name ?? ""
    guard let rule = Self.schema[name] else { return ["<\(name)>"] }
    let attributes = Set((element.attributes ?? []).compactMap(\.name))
    var found = attributes.subtracting(rule.attributes).map { "<\(name) \($0)>" }
    found += rule.required.subtracting(attributes).map { "<\(name)> without \($0)" }
    if let time = element.attribute(forName: "time")?.stringValue,
      time.wholeMatch(of: /(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?/) == nil
    {
      found.append("time \(time)")
    }
    for case let child as XMLElement in element.children ?? [] {
      if Self.children[name]?.contains(child.name ?? "") != true {
        found.append("<\(child.name ?? "")> in <\(name)>")
      }
      found += violations(child)
    }
    return found
  }

  @Test func schemaOfJenkinsAllowsAllOfIt() throws {
    var reports = [report(mixed, as: .junit), report(try run(SimulatedKernel()), as: .junit)]
    for isError in [false, true] {
      var text = ""
      _ = Runner(
        facts: mixed.facts, ending: Ending(deadline: nil, now: { 0 }, signal: { nil }),
        observers: [ReportFormat.junit.reporter { text += $0 }]
      ).refuse(because: "no module", isError: isError)
      reports.append(text)
    }
    for text in reports {
      let root = try #require(try XMLDocument(xmlString: text).rootElement())
      #expect(violations(root) == [])
    }
    // The check itself sees what was wrong once.
    let wrong = try XMLDocument(xmlString: "<testsuites skipped=\"1\"><testcase/></testsuites>")
    #expect(violations(try #require(wrong.rootElement())).count == 3)
  }

  @Test func streamingReaderTakesItToo() throws {
    let parser = XMLParser(data: Data(report(try run(SimulatedKernel()), as: .junit).utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
  }
}

@Suite struct ProgressTests {
  private func progress(columns: (() -> Int)?) throws -> String {
    var text = ""
    var time: UInt64 = 0
    let progress = Progress(
      columns: columns,
      now: {
        time += 200_000_000
        return time
      }, write: { text += $0 })
    _ = try run(SimulatedKernel(), filter: "exhaust", observers: [progress])
    return text
  }

  @Test func terminalHasALineThatIsWrittenOver() throws {
    let text = try progress(columns: { 80 })
    #expect(text.hasPrefix("\r\u{1B}[K[1/1] exhaust 0.200 s"))
    #expect(text.contains("s [###") && text.hasSuffix("\r\u{1B}[K"))
    #expect(!text.contains("\n"))
  }

  @Test(arguments: [1, 2, 10, 20, 24, 40, 80])
  func lineNeverFillsTheTerminal(_ columns: Int) throws {
    let lines = try progress(columns: { columns }).components(separatedBy: "\r\u{1B}[K").dropFirst()
    #expect(lines.allSatisfy { $0.count < columns })
    #expect(lines.contains { $0.count == min(columns - 1, 49) })
  }

  @Test func widthFollowsTheTerminal() throws {
    var columns = 80
    let text = try progress(columns: {
      columns = columns == 80 ? 20 : 80
      return columns
    })
    let widths = text.components(separatedBy: "\r\u{1B}[K").map(\.count)
    #expect(widths.contains(19) && widths.contains { $0 > 40 })
  }

  @Test func pipeHasALineForEachCase() throws {
    let text = try progress(columns: nil)
    #expect(text.hasPrefix("[1/1] exhaust: pass ("))
    #expect(!text.contains("\r") && text.split(separator: "\n").count == 1)
  }
}
