// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestCore
import CMATestDevice
import CMATestReport
import TestSupport
import Testing

/// Two cells, of which the second failed now and then, and whose load has blanks in its name.
private func measured() -> ResultSummary {
  var times = PooledTimes()
  for value: UInt64 in [1000, 2000, 4000] { times.releases.add(value) }
  let round = RoundSummary(
    allocated: 90, failed: 10, times: .init(p50: 20_000, p99: 90_000, max: 1e9))
  let none = RoundSummary(allocated: 0, failed: 100, times: nil)
  return ResultSummary(
    name: "bench.json", isComplete: true, area: "reserved", areaPages: 65536, pageSize: 4096,
    environment: [
      .init("kernel", "7.3.4+deb13-amd64"), .init("command_line", "root=host.lab:/srv cma=256M"),
    ],
    cells: [
      CellSummary(settings: CellSettings(pages: 16), rounds: [round, round, round], times: times),
      CellSummary(
        settings: CellSettings(pages: 256, threads: 2, load: "command:stress --vm 1"),
        rounds: [round, none]),
    ])
}

private func run() -> RunResult {
  let facts = RunFacts(
    version: "1.0", kernel: "7.3.4+deb13-amd64", seed: 7, time: "2026-11-26T21:00:00Z")
  let cases = [
    CaseResult(
      name: "single-page", purpose: "One page is allocated.", outcome: .passed,
      nanoseconds: 1_500_000, metrics: [Metric("alloc_ns", 20_000)]),
    CaseResult(name: "exhaust", purpose: "All of it.", outcome: .failed("7 pages\u{0} are lost")),
    CaseResult(name: "zero", purpose: "None.", outcome: .skipped("too old")),
    CaseResult(name: "patterns", purpose: "Every byte.", outcome: .notRun("SIGINT")),
  ]
  return RunResult(facts: facts, cases: cases)
}

private func submission() throws -> KCIDBReport.Submission {
  try KCIDBReport.Submission(
    origin: "my_lab", build: "maestro:1234", run: "board-1/2026-11-26T21:00:00Z")
}

/// The values of a key, in the order of the tests.
private func values(_ key: String, of report: JSON) -> [String] {
  report.text.split(separator: "\n").compactMap { line in
    let words = line.split(separator: "\"")
    return words.count > 3 && words[1] == key ? String(words[3]) : nil
  }
}

@Suite struct KCIDBReportTests {
  /// scripts/kcidb-check has kcidb-io say that the file is of its schema.
  @Test func theSubmissionIsTheOneThatTheSchemaWasAskedFor() throws {
    let text = KCIDBReport.json(of: [measured()], runs: [run()], for: try submission()).text + "\n"
    #expect(try snapshot("Tests/Fixtures/reports/submission.kcidb", current: text) == text)
  }

  @Test func aMeasurementIsDoneAndACaseHasItsOutcome() throws {
    let report = KCIDBReport.json(of: [measured()], runs: [run()], for: try submission())
    #expect(
      values("status", of: report)
        == Array(repeating: "DONE", count: 9) + ["PASS", "FAIL", "SKIP", "MISS"])
  }

  @Test func eachTestHasAnIdentifierOfItsOwn() throws {
    let report = KCIDBReport.json(
      of: [measured(), measured()], runs: [run()], for: try submission())
    let identifiers = values("id", of: report)
    #expect(identifiers.count == 22)
    #expect(Set(identifiers).count == identifiers.count)
  }

  @Test func aPathHasNothingThatTheSchemaForbids() throws {
    let report = KCIDBReport.json(of: [measured()], for: try submission())
    #expect(
      values("path", of: report).contains(
        "cma-test.bench.256-pages-2-threads-load-command-stress-vm-1.alloc-p99"))
  }

  @Test func theCommandLineOfAMachineIsNotPublished() throws {
    let report = KCIDBReport.json(of: [measured()], for: try submission())
    #expect(!report.text.contains("host.lab"))
    #expect(report.text.contains("7.3.4+deb13-amd64"))
  }

  @Test func aSubmissionThatWouldBeRefusedIsNotMade() {
    #expect(throws: KCIDBFailure.origin("My Lab")) {
      try KCIDBReport.Submission(origin: "My Lab", build: "maestro:1", run: "1")
    }
    #expect(throws: KCIDBFailure.build("1234")) {
      try KCIDBReport.Submission(origin: "lab", build: "1234", run: "1")
    }
    #expect(throws: KCIDBFailure.run("")) {
      try KCIDBReport.Submission(origin: "lab", build: "maestro:1", run: "")
    }
  }
}
