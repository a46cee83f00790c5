// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestCore
import CMATestDevice
import CMATestReport
import Foundation
import TestSupport
import Testing

/// A result with all that a result can have.
private func wholeResult() -> BenchResult {
  var result = BenchResult(
    version: "1.0", time: "2026-11-26T21:00:00Z", seed: 7, area: "reserved", areaPages: 16384,
    environment: [
      .init("kernel", "7.3.4"), .init("page_size", "4096"), .init("init_on_alloc", "1"),
    ],
    cells: [
      CellSettings(pages: 16, threads: 2, every: 10_000_000, load: "command:yes \"a\", it's"),
      CellSettings(pages: 32000, order: 4, hold: 3),
    ])
  result.endedBy = "SIGINT"
  result.profile = "quick"
  result.freePages = 16000
  result.slow = .init(
    cell: 0, round: 2, seen: SlowAllocation(time: 900_000, retries: 3, migrated: 40),
    inTheWay: "anonymous memory")
  for number in 0..<6 {
    result.cells[0].rounds.append(round(number, knows: true))
    if number < 2 { result.cells[1].rounds.append(round(number, knows: false)) }
  }
  return result
}

private func round(_ number: Int, knows: Bool) -> BenchRound {
  var measured = Measurement()
  for step in 0..<200 {
    let time = UInt64(20_000 + number * 100 + step * step * 7)
    measured.done += 1
    measured.allocations.add(time)
    measured.releases.add(time / 10)
    if knows { measured.responses.add(time * 3) }
  }
  for step in 0..<3 {
    measured.failures.add(UInt64(100_000 + step))
    measured.failed += 1
  }
  measured.elapsed = 5_000_000
  if knows {
    (measured.retries, measured.withoutHole) = (5, 1)
    (measured.migrated, measured.unmigrated) = (77, 2)
  }
  var round = BenchRound()
  round.measured = measured
  round.filledPages = knows ? 900 : nil
  let time = UInt64(number + 1) * 60_000_000_000
  round.slices = [SliceSummary(measured, time: time, freePages: 16000 - UInt64(number) * 9)]
  return round
}

@Suite struct ResultFileTests {
  /// scripts/results-check validates the file by the schema.
  @Test func resultIsWhatTheSourceTreeShows() throws {
    let text = wholeResult().json.text + "\n"
    #expect(try snapshot("Tests/Fixtures/results/whole.json", current: text) == text)
  }

  @Test func readerFindsWhatTheMeasurementHad() throws {
    let result = wholeResult()
    var read = try ResultSummary(
      reading: Array(result.json.text.utf8), name: "x", keepsTimes: true)
    read.name = result.summary.name
    #expect(read == result.summary)
  }

  @Test func moreTimesThanThereCanBeAreRefused() {
    let text = wholeResult().json.text
    let count = "\"count\": 200"
    let large = text.replacingOccurrences(of: count, with: "\"count\": 9000000000000000000")
    #expect(throws: ResultFailure.self) {
      try ResultSummary(reading: Array(large.utf8), name: "x", keepsTimes: true)
    }
  }
}

@Suite struct TableFormatTests {
  @Test func csvHasARowForEachRoundAndQuotesLoads() throws {
    let text = BenchCSV.text(wholeResult().summary)
    // A pair of CR and LF is one character.
    let lines = text.split(separator: "\r\n")
    #expect(lines.count == 1 + 6 + 2 && text.hasSuffix("\r\n"))
    #expect(lines[0].hasPrefix("result,pages,order,threads,hold,every_ns,load,round,elapsed_ns,"))
    #expect(
      lines[1].hasPrefix(
        "this measurement,16,0,2,0,10000000,\"command:yes \"\"a\"\", it's\",1,5000000,200,3,0,0,0,5,1,77,2,900,20000,"
      ), "\(lines[1])")
    // What the kernel does not tell is empty, and so are times that there are none of.
    #expect(
      lines[7].hasPrefix("this measurement,32000,4,1,3,0,none,1,5000000,200,3,0,0,0,,,,,,20000,"))
    #expect(
      lines[7].split(separator: ",", omittingEmptySubsequences: false).count
        == BenchCSV.columns.count)
  }

  @Test func hgrmIsTheTableOfHdrHistogram() throws {
    let text = BenchHGRM.text(wholeResult().summary)
    let sections = text.components(separatedBy: "#[Cell    = ").dropFirst()
    // Times since the intended start have a table of their own.
    #expect(sections.count == 3)
    for section in sections {
      let rows = section.split(separator: "\n").filter { $0.first == " " }.dropFirst()
      let fields = rows.map { $0.split(separator: " ").compactMap { Double($0) } }
      #expect(fields.dropLast().allSatisfy { $0.count == 4 } && fields.last?.count == 3)
      for (row, next) in zip(fields, fields.dropFirst()) {
        #expect(row[0] <= next[0] && row[1] <= next[1] && row[2] <= next[2])
      }
      for row in fields.dropLast() {
        #expect(abs(row[3] - 1 / (1 - row[1])) < 0.006)
        // As many times are not above the value as the share says.
        #expect(row[2] >= row[1] * (fields.last?[2] ?? 0) - 1e-6)
      }
      #expect(fields.last?[1] == 1)
      #expect(section.contains("#[Mean    = ") && section.contains("#[Max     = "))
    }
  }

  @Test func hgrmHasTheStepsOfHdrHistogram() throws {
    // HdrHistogram's own output for 1 to 100 µs has these percentiles, at five to each halving.
    let text = BenchHGRM.text(wholeResult().summary)
    for share in [
      "0.000000000000", "0.100000000000", "0.500000000000", "0.550000000000",
      "0.750000000000", "0.775000000000", "0.875000000000", "0.887500000000", "1.000000000000",
    ] {
      #expect(text.contains(" \(share) "), "\(share)")
    }
  }

  @Test func gnuplotTakesQuotesAndControlCharacters() {
    var summary = wholeResult().summary
    summary.name = "a'b\n`reboot`"
    let text = BenchGnuplot.text(summary)
    #expect(text.contains("'a''b\\n`reboot`: allocation times by percentile'"))
    #expect(text.contains("it''s"))
    #expect(!text.contains("\n`"))
  }
}

@Suite struct DriftTests {
  @Test func slopesAreThoseOfSciPy() throws {
    let x = (1...12).map { Double($0) }
    let y = [2.1, 2.0, 2.4, 2.2, 2.9, 2.7, 9.0, 3.1, 3.0, 3.4, 3.3, 3.9]
    let line = try #require(TheilSen(x, y))
    #expect(abs(line.slope - 0.15) < 1e-9 && abs(line.intercept - 1.975) < 1e-9)
    #expect(abs(line.bounds.lowerBound - 0.1) < 1e-9)
    #expect(abs(line.bounds.upperBound - 0.2) < 1e-9)
    #expect(line.isSure)
    let tied = try #require(
      TheilSen([0, 1, 1, 2, 3, 5, 8, 8, 9], [5, 5, 4, 6, 5, 4, 6, 5, 5]))
    #expect(abs(tied.slope - 0) < 1e-9 && !tied.isSure)
    #expect(TheilSen([1, 1, 1], [1, 2, 3]) == nil && TheilSen([1, 2], [1, 2]) == nil)
  }

  private func line(_ slices: [SliceSummary]) -> TimeLine? {
    var details = RoundDetails()
    details.slices = slices
    let round = RoundSummary(allocated: 1, failed: 0, times: nil, details: details)
    return TimeLine(CellSummary(settings: CellSettings(pages: 1), rounds: [round]))
  }

  @Test func leakAndDriftOfDaysAreFound() throws {
    let slices = (1...4320).map { minute -> SliceSummary in
      let wobble = 1 + 0.05 * sin(Double(minute) * 1.7)
      return SliceSummary(
        time: UInt64(minute) * 60_000_000_000, p50: 20_000 * wobble * (1 + Double(minute) / 43_200),
        p99: 90_000 * wobble, freePages: 60_000 - UInt64(minute / 100))
    }
    let found = try #require(line(slices))
    let p50 = try #require(found.drift { $0.p50 })
    #expect(p50.isSure && abs(p50.after / p50.before - 1.1) < 0.01)
    #expect(found.drift { $0.p99 }?.isSure == false)
    #expect(found.driftOfFreePages?.isSure == true)
  }

  @Test func fewPiecesAreNoTimeLine() {
    #expect(line((1...3).map { SliceSummary(time: UInt64($0)) }) == nil)
    #expect(line((1...4).map { _ in SliceSummary(time: 5) }) == nil)
  }
}

@Suite struct PageTests {
  @Test func pageTellsAllOfAMeasurementAndNeedsNothingElse() throws {
    let run = try #require(RunResult(reading: sourceBytes("Tests/Fixtures/reports/mixed.json")))
    let page = ResultPage.html(
      [wholeResult().summary], runs: [.init(name: "run.json", result: run)])
    for words in [
      "An allocation took 900 µs (16 pages, 2 threads, every 10 ms",
      "ended before its time, by SIGINT",
      "Since the intended start", "Over time",
      "45 pages fewer were free at the end (16000, then 15955)",
      "they became fewer all the while", "Requests that succeeded",
      "Allocation times by percentile",
      "4 cases, 1 passed, 1 failed, 1 skipped, 1 not run", "single-page", "init_on_alloc",
    ] {
      #expect(page.contains(words), "\(words)")
    }
    for word in ["http", "<script", "<link", "<img", "url(", "@import", "src=", "href="] {
      #expect(!page.lowercased().contains(word), "\(word)")
    }
    let pictures = page.components(separatedBy: "<svg ").count - 1
    #expect(pictures >= 6)
    #expect(page.components(separatedBy: "<desc id=").count - 1 == pictures)
    #expect(page.utf8.count < 300 << 10)
  }

  @Test func markupInNamesIsShownAndNotObeyed() throws {
    let none = Unicode.Scalar(UInt32(0xFDD0)).map { String(Character($0)) } ?? ""
    let evil = "<script>alert(1)</script>\u{1B}[2J\u{85}\u{202E}\(none)\"'><img src=x>&amp;"
    var result = wholeResult().summary
    result.name = evil
    result.area = evil
    result.time = evil
    result.endedBy = evil
    result.profile = evil
    result.environment = [.init(evil, evil), .init("kernel", evil), .init("host", evil)]
    result.slow?.inTheWay = evil
    for cell in result.cells.indices {
      result.cells[cell].settings.load = "command:" + evil
      for round in result.cells[cell].rounds.indices {
        result.cells[cell].rounds[round].details?.inTheWay = evil
      }
    }
    let comparison = Comparison([result], with: [result])
    let page = ResultPage.html([result, result], comparison: comparison)
    for word in ["<script", "<img", "\"'>"] {
      #expect(!page.lowercased().contains(word), "\(word)")
    }
    #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    for text in [page, comparison.junit] {
      let wrong = text.unicodeScalars.filter { scalar in
        let category = scalar.properties.generalCategory
        return scalar != "\n" && [.control, .format, .unassigned].contains(category)
      }
      #expect(wrong.isEmpty, "\(wrong.map(\.value))")
    }
    for text in [comparison.text, BenchHGRM.text(result), BenchGnuplot.text(result)] {
      #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}"))
    }
  }

  @Test func oneRetryIsOne() {
    var result = wholeResult()
    result.slow = .init(
      cell: 0, round: 2, seen: SlowAllocation(time: 900_000, retries: 1, migrated: 1),
      inTheWay: nil)
    #expect(BenchText.text(result).contains("; 1 busy retry, 1 page migrated\n"))
    #expect(ResultPage.html([result.summary]).contains(", with 1 busy retry, 1 page migrated."))
  }

  @Test func pictureOfTheFirstCellsSaysOfHowMany() {
    var result = wholeResult().summary
    let (cell, empty) = (result.cells[0], result.cells[1])
    result.cells = (0..<12).map { number in
      var cell = number < 9 ? cell : empty
      if number >= 9 { cell.times = PooledTimes() }
      cell.settings.pages = UInt64(number + 1)
      return cell
    }
    let page = ResultPage.html([result])
    #expect(page.contains("The first 8 of 9 cells in which blocks were allocated."))
  }

  @Test(
    arguments: [
      (0, 7, "0.000 %"), (1, 1_000_000, "<0.001 %"), (1, 99_000, "0.001 %"), (7, 7, "100.000 %"),
      (999_999, 1_000_000, ">99.999 %"), (1, 3, "33.333 %"), (99_999, 100_000, "99.999 %"),
    ] as [(UInt64, UInt64, String)])
  func shareIsNeverAllOrNoneWhereItIsNot(_ part: UInt64, _ all: UInt64, _ words: String) {
    var cell = wholeResult().summary.cells[0]
    cell.rounds = [RoundSummary(allocated: all - part, failed: part, times: nil)]
    let one = ResultSummary(
      name: "x", area: "reserved", areaPages: 1, pageSize: 4096, cells: [cell])
    let text = Comparison([one], with: [one]).text
    #expect(part == 0 || text.contains("  failed    \(words)  "), "\(text)")
  }

  @Test func onlyARunIsReadAsARun() throws {
    for text in [
      "", "{}", "{\"schema\": 1, \"cases\": []}", "{\"schema\": 2, \"totals\": {}}",
      "{\"schema\": 1, \"ok\": false, \"error\": {}}", wholeResult().json.text,
    ] {
      #expect(RunResult(reading: Array(text.utf8)) == nil, "\(text.prefix(60))")
    }
    let run = try #require(RunResult(reading: sourceBytes("Tests/Fixtures/reports/mixed.json")))
    #expect(run.cases.map(\.outcome.word) == ["pass", "fail", "skip", "not-run"])
    #expect(run.endedBy == "SIGINT" && run.cases.first?.nanoseconds == 1_234_567)
  }
}

@Suite struct ComparabilityTests {
  private func result(_ load: String, _ name: String = "x", shift: Double = 1) -> ResultSummary {
    let rounds = (0..<9).map { round in
      let time = (20_000 + Double(round * 37 % 11) * 60) * shift
      return RoundSummary(
        allocated: 1000, failed: 0, times: .init(p50: time, p99: time * 4, max: time * 9))
    }
    return ResultSummary(
      name: name, area: "reserved", areaPages: 65536, pageSize: 4096,
      environment: [.init("kernel", name)],
      cells: [CellSummary(settings: CellSettings(pages: 16, load: load), rounds: rounds)])
  }

  @Test func otherLoadsAreComparedOnlyWhenTold() throws {
    let (quiet, busy) = (result("none"), result("anon", shift: 1.5))
    #expect(Comparison.hindrance([quiet], [busy])?.contains("none before, and anon after") == true)
    #expect(Comparison.hindrance([quiet, busy], [busy]) == nil)
    #expect(Comparison([quiet], with: [busy]).cells.isEmpty)
    var rules = Comparison.Rules()
    rules.acrossLoads = true
    let told = Comparison([quiet], with: [busy], rules: rules)
    #expect(told.cells.map(\.settings.load) == ["none -> anon"])
    #expect(told.outcome == .regression)
  }

  @Test func sameRoundsAreFoundUnderAnyName() {
    let (one, copy, other) = (result("none"), result("none", "y"), result("none", shift: 2))
    #expect(Comparison.sameResults(in: [one, other, copy])?.1.name == "y")
    #expect(Comparison.sameResults(in: [one, other]) == nil)
  }

  @Test func cellOfOneResultOnlyIsSkippedInJUnit() {
    var long = result("none")
    long.cells.append(long.cells[0])
    long.cells[1].settings.pages = 32
    let short = result("none", shift: 1.001)
    for (comparison, words) in [
      (Comparison([long], with: [short]), "only in the first result"),
      (Comparison([short], with: [long]), "only in the second result"),
    ] {
      #expect(
        comparison.junit.contains(
          "<testcase name=\"32 pages\" classname=\"cma-test.compare\">\n"
            + "      <skipped message=\"\(words)\"/>"))
      #expect(comparison.junit.contains("tests=\"2\""))
      #expect(comparison.junit.contains(" skipped=\"1\""))
    }
    // Without a cell in both, nothing passes.
    let none = Comparison([result("none")], with: [result("anon")])
    #expect(none.junit.contains("tests=\"2\"") && none.junit.contains(" skipped=\"2\""))
  }

  @Test func propertiesOfAllFilesOfASideAreTold() {
    let comparison = Comparison(
      [result("none", "7.3"), result("none", "7.4", shift: 2)], with: [result("none", "7.3")])
    #expect(comparison.differences.map(\.name) == ["kernel"])
    #expect(comparison.differences.first?.before == "7.3 / 7.4")
    #expect(comparison.text.contains("kernel: 7.3 / 7.4 -> 7.3"))
  }
}
