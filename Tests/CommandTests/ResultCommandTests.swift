// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestDevice
import Foundation
import TestSupport
import Testing

private let command = Program("cma-test")

/// Files of results for one test.
struct Results {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    return path(name)
  }

  /// Writes a result of one cell whose rounds' times differ a little, about `scale` ns; the seed says how.
  @discardableResult
  func measured(
    _ name: String, scale: UInt64 = 20_000, rounds: Int = 15, pages: Int = 65536,
    load: String = "none", complete: Bool = true, version: Int = 1, seed: UInt64 = 1,
    host: String? = nil
  ) throws -> String {
    let list = (0..<rounds).map { round -> JSON in
      var times = Histogram()
      for step in 0..<50 {
        let wobble = (UInt64(round) * 7919 + seed * 104_729) % 31
        times.add(scale + scale / 1000 * wobble + UInt64(step) * 90)
      }
      let histogram = Self.histogram(times)
      let none = Self.histogram(Histogram())
      return [
        "number": .int(Int64(round + 1)), "allocations": histogram, "failures": none,
        "responses": none, "releases": histogram,
      ]
    }
    let cell: JSON = [
      "pages": 16, "order": 0, "threads": 1, "hold": 0, "every_ns": 0, "load": .string(load),
      "rounds": .array(list),
    ]
    let whole: JSON = [
      "format": "cma-test bench", "version": .int(Int64(version)), "complete": .bool(complete),
      "ended_by": complete ? nil : "SIGTERM",
      "environment": ["page_size": 4096, "host": JSON(host)],
      "area": ["name": "reserved", "pages": .int(Int64(pages))], "cells": [cell],
    ]
    return try write(name, whole.text)
  }

  private static func histogram(_ times: Histogram) -> JSON {
    let bins = times.filledBins.flatMap { [JSON.int(Int64($0.bin)), .int(Int64($0.count))] }
    let isEmpty = times.count == 0
    return [
      "count": .int(Int64(times.count)), "sum_ns": .int(Int64(times.sum)),
      "min_ns": isEmpty ? nil : .int(Int64(times.smallest)),
      "max_ns": isEmpty ? nil : .int(Int64(times.largest)), "bins": .array(bins),
    ]
  }
}

private func object(_ text: String) throws -> [String: Any] {
  try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}

@Suite struct CompareCommandTests {
  private let results: Results

  init() throws { results = try Results() }

  @Test func exitCodeTellsWhetherAnythingBecameWorse() throws {
    let before = try results.measured("before.json")
    let same = try results.measured("same.json", seed: 5)
    let slower = try results.measured("slower.json", scale: 26_000)
    let few = try results.measured("few.json", rounds: 2)
    for (after, code, words) in [
      (same, 0, "is the same"), (slower, 1, "is slower"), (few, 4, "cannot be told"),
    ] as [(String, Int32, String)] {
      let text = try command.run("compare", before, "--", after)
      #expect(text.exitCode == code && text.output.contains(words), "\(text.output)\(text.errors)")
      let json = try command.run("compare", "--format", "json", before, "--with", after)
      #expect(try json.exitCode == code && object(json.output)["ok"] as? Bool == (code == 0))
      let junit = try command.run("compare", before, "--format", "junit", "--", after)
      #expect(junit.exitCode == code && junit.output.contains("<testcase name=\"16 pages\""))
      #expect(junit.output.contains("<failure ") == (code == 1))
      #expect(junit.output.contains("<skipped ") == (code == 4))
    }
    #expect(try command.run("compare", slower, "--", before).exitCode == 0)
  }

  @Test func tooFewRoundsSayHowManyWouldDo() throws {
    let few = try results.measured("few.json", rounds: 2)
    let other = try results.measured("other.json", rounds: 2, seed: 4)
    let text = try command.run("compare", few, "--", other)
    #expect(text.exitCode == 4)
    #expect(text.output.contains(" rounds of either result would tell\n"))
    let json = try object(try command.run("compare", "--format", "json", few, "--", other).output)
    #expect((json["rounds_needed"] as? Int ?? 0) > 2)
  }

  @Test func otherAreasAndLoadsAreRefusedUnlessTold() throws {
    let before = try results.measured("before.json")
    for other in [
      try results.measured("area.json", pages: 1024, seed: 2),
      try results.measured("load.json", load: "anon", seed: 2),
    ] {
      let refused = try command.run("compare", before, "--", other)
      #expect(refused.exitCode == CommandStatus.notComparable.rawValue)
      #expect(refused.output.isEmpty && refused.errors.contains("to mend it: "))
      let json = try command.run("compare", "--format", "json", before, "--", other)
      let error = try object(json.output)["error"] as? [String: Any]
      #expect(error?["kind"] as? String == "not-comparable")
      #expect(error?["code"] as? Int == 36 && json.errors.isEmpty)
      let forced = try command.run("compare", "--force", before, "--", other)
      #expect(forced.exitCode == 0, "\(forced.output)\(forced.errors)")
    }
  }

  @Test func roundsCountOnce() throws {
    let before = try results.measured("before.json")
    let copy = try results.measured("copy.json")
    let after = try results.measured("after.json", seed: 3)
    let refused = try command.run("compare", before, copy, "--", after)
    #expect(refused.exitCode == CommandStatus.notComparable.rawValue)
    #expect(refused.errors.contains("have the same rounds"))
    let itself = try command.run("compare", before, "--", before)
    #expect(itself.exitCode == 0 && itself.errors.contains("nothing can differ"))
    let both = try command.run(
      "compare", before, after, "--", try results.measured("x.json", seed: 9))
    #expect(both.output.contains("(30 and 15 rounds)"))
  }

  @Test func partIsComparedWithAWarning() throws {
    let before = try results.measured("before.json")
    let part = try results.measured("part.json", complete: false, seed: 2)
    let outcome = try command.run("compare", "--format", "json", before, "--", part)
    #expect(outcome.exitCode == 0)
    #expect(
      outcome.errors.contains("part.json is a part of a measurement that was ended, by SIGTERM"))
    #expect((try object(outcome.output)["notes"] as? [String])?.count == 1)
  }

  @Test func wrongWordsAreAUsageError() throws {
    let file = try results.measured("a.json")
    for words in [
      [], [file], [file, "--"], ["--", file], [file, "--by", "p17", "--", file],
      [file, "--level", "2", "--", file], [file, "--level", "nan", "--", file],
      [file, "--threshold", "-1", "--", file], [file, "--detect", "0", "--", file],
      [file, "--format", "xml", "--", file],
    ] {
      let outcome = try command.run(["compare"] + words)
      #expect(outcome.exitCode == CommandStatus.usage.rawValue, "\(words)")
      #expect(outcome.output.isEmpty)
    }
  }
}

@Suite struct UnusableResultTests {
  private let results: Results

  init() throws { results = try Results() }

  private func expectUnusable(_ path: String, _ kind: String, _ words: String) throws {
    let good = try results.measured("good.json")
    for sides in [[path, "--", good], [good, "--", path]] {
      let text = try command.run(["compare"] + sides)
      #expect(text.exitCode == CommandStatus.resultUnusable.rawValue, "\(text.errors)")
      let lines = text.errors.split(separator: "\n")
      #expect(lines.count == 2 && text.output.isEmpty)
      #expect(lines.first?.contains(words) == true, "\(text.errors)")
      #expect(lines.last?.hasPrefix("cma-test compare: to mend it: ") == true)
    }
    let json = try command.run("compare", "--format", "json", good, "--", path)
    #expect((try object(json.output)["error"] as? [String: Any])?["kind"] as? String == kind)
    // Of a folder a page is made, whatever is in it.
    guard path != results.folder.path else { return }
    let report = try command.run("report", good, path)
    #expect(report.exitCode == CommandStatus.resultUnusable.rawValue && report.output.isEmpty)
    #expect(report.errors.contains(words) && report.errors.hasPrefix("cma-test report: error: "))
  }

  @Test func missingFileIsNamed() throws {
    try expectUnusable(results.path("none"), "cannot-read", "none: No such file or directory")
  }

  @Test func folderIsNoResult() throws {
    try expectUnusable(results.folder.path, "cannot-read", "Is a directory")
  }

  @Test func deviceIsNoResult() throws {
    try expectUnusable("/dev/zero", "cannot-read", "/dev/zero: this is a device or a socket")
  }

  @Test func pipeWithoutWriterIsNoEndlessWait() throws {
    let path = results.path("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    try expectUnusable(path, "no-result", "pipe is empty, or no JSON")
  }

  @Test func emptyFileIsNoResult() throws {
    try expectUnusable(try results.write("empty", ""), "no-result", "empty, or no JSON")
  }

  @Test func hugeFileIsNotRead() throws {
    let path = try results.write("huge", "")
    #expect(truncate(path, (1 << 30) + 1) == 0)
    try expectUnusable(path, "cannot-read", "this is larger than 1 GiB")
  }

  @Test func truncatedFileIsDamaged() throws {
    let path = try results.measured("cut.json")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try results.write("cut.json", String(text.prefix(text.count / 2)))
    try expectUnusable(path, "damaged-result", "cut.json is damaged: ")
  }

  @Test func otherJSONIsForeign() throws {
    let path = try results.write("other.json", "{\"schema\": 1}")
    try expectUnusable(path, "no-result", "'cma-test bench' did not write ")
  }

  @Test func laterFormatAsksForALaterProgram() throws {
    let path = try results.measured("later.json", version: 2)
    try expectUnusable(path, "newer-result", "version 2, newer than this program")
  }

  @Test func resultFromAShellsPipeIsRead() throws {
    let text = try String(contentsOfFile: try results.measured("good.json"), encoding: .utf8)
    // Less than a pipe holds, so that nobody has to write while the command reads.
    #expect(text.utf8.count < 65536)
    let pipe = Pipe()
    try pipe.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    try pipe.fileHandleForWriting.close()
    let path = "/proc/\(getpid())/fd/\(pipe.fileHandleForReading.fileDescriptor)"
    let outcome = try command.run("report", path, "--format", "csv")
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(outcome.output.components(separatedBy: "\r\n").count == 1 + 15 + 1)
  }
}

@Suite struct ReportCommandTests {
  private let results: Results

  init() throws { results = try Results() }

  private func run() throws -> String {
    try results.write("run.json", try sourceFile("Tests/Fixtures/reports/mixed.json"))
  }

  @Test func pageShowsMeasurementsAndRuns() throws {
    let page = results.path("page.html")
    let outcome = try command.run(
      "report", try results.measured("a.json"), try run(), "-o", page)
    #expect(outcome.exitCode == 0 && outcome.output.isEmpty, "\(outcome.errors)")
    let text = try String(contentsOfFile: page, encoding: .utf8)
    #expect(text.contains("a.json") && text.contains("single-page"))
    #expect(try command.run("report", try run()).output.contains("single-page"))
  }

  @Test func baselineMakesAComparison() throws {
    let before = try results.measured("before.json")
    let after = try results.measured("after.json", scale: 30_000)
    let outcome = try command.run("report", after, "--baseline", before)
    #expect(outcome.exitCode == 0)
    #expect(outcome.output.contains("<h2>Comparison</h2>") && outcome.output.contains("slower"))
    #expect(try !command.run("report", after, before).output.contains("<h2>Comparison</h2>"))
    let itself = try command.run("report", after, "--baseline", after)
    #expect(itself.exitCode == 0 && itself.errors.contains("nothing can differ"))
    let part = try results.measured("part.json", complete: false, seed: 3)
    #expect(
      try command.run("report", after, "--baseline", part).errors
        .contains("part.json is a part of a measurement that was ended, by SIGTERM"))
    let other = try results.measured("area.json", pages: 7)
    let warned = try command.run("report", after, "--baseline", other)
    #expect(warned.exitCode == 0 && warned.errors.contains("warning: no comparison, for the area"))
  }

  @Test(arguments: [
    ("csv", "result,pages,"), ("hgrm", "#[Cell    = "), ("gnuplot", "#!/usr/bin/gnuplot"),
  ])
  func tablesAreMadeOfMeasurementsAlone(_ format: String, _ beginning: String) throws {
    let measured = try results.measured("a.json")
    let outcome = try command.run("report", "--format", format, measured)
    #expect(outcome.exitCode == 0 && outcome.output.hasPrefix(beginning))
    let refused = try command.run("report", "--format", format, measured, try run())
    #expect(refused.exitCode == CommandStatus.resultUnusable.rawValue && refused.output.isEmpty)
  }

  @Test func fileThatCannotBeWrittenIsNamed() throws {
    let outcome = try command.run(
      "report", try results.measured("a.json"), "-o", "/proc/none/page.html")
    #expect(outcome.exitCode == CommandStatus.cannotWrite.rawValue)
    #expect(outcome.errors.contains("/proc/none") && outcome.errors.contains("'--output'"))
  }
}
