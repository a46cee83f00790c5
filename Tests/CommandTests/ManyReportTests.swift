// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import Foundation
import TestSupport
import Testing

private let command = Program("cma-test")

@Suite struct ManyReportTests {
  private let results: Results

  init() throws { results = try Results() }

  /// Makes a folder below that of the results.
  private func folder(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: results.path(name), withIntermediateDirectories: true)
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: results.path(name), encoding: .utf8)
  }

  @Test func folderIsSearchedThroughAndThrough() throws {
    try folder("lab/one/7.3")
    try folder("lab/two")
    try results.measured("lab/one/7.3/bench.json", seed: 1, host: "alpha")
    try results.measured("lab/two/bench.json", seed: 2)
    try results.write("lab/two/readme.txt", "no result")
    try results.write("lab/two/broken.json", "{")
    // Loops, and a folder that a link leads to.
    try FileManager.default.createSymbolicLink(
      atPath: results.path("lab/one/loop"), withDestinationPath: "..")
    try folder("elsewhere")
    try results.measured("elsewhere/bench.json", seed: 3, host: "gamma")
    try FileManager.default.createSymbolicLink(
      atPath: results.path("lab/link"), withDestinationPath: results.path("elsewhere"))
    let page = results.path("report.html")
    let outcome = try command.run("report", results.path("lab"), "-o", page)
    #expect(outcome.exitCode == 0 && outcome.output.isEmpty, "\(outcome.errors)")
    let warnings = outcome.errors.split(separator: "\n")
    #expect(
      warnings.count == 1
        && outcome.errors.contains("left out \(results.path("lab/two/broken.json"))"))
    let text = try text("report.html")
    #expect(text.contains("3 results of 3 machines") && text.contains("1 file left out"))
    for name in ["alpha", "two", "gamma"] {
      #expect(text.contains("<a href=\"report-machines/\(name).html\">\(name)</a>"))
      #expect(try self.text("report-machines/\(name).html").contains("<a href=\"../report.html\">"))
    }
  }

  @Test func filesOfSeveralMachinesArePutTogether() throws {
    let one = try results.measured("a.json", seed: 1, host: "alpha")
    let other = try results.measured("b.json", seed: 2, host: "beta")
    let same = try results.measured("c.json", seed: 3, host: "alpha")
    let many = try command.run("report", one, other)
    #expect(many.exitCode == 0 && many.output.contains("2 results of 2 machines"))
    #expect(!many.output.contains("href="))
    // Of one machine, each is shown as it is.
    #expect(try command.run("report", one, same).output.contains("<h2>\(one)</h2>"))
    #expect(
      try command.run("report", one, other, "--machines", "folder").output.contains(
        "<h2>\(one)</h2>"))
    let part = try results.measured("part.json", complete: false, seed: 4, host: "beta")
    let left = try command.run("report", one, other, part)
    #expect(left.exitCode == 0 && left.errors.contains("part of a measurement, ended by SIGTERM"))
  }

  @Test func nothingToShowIsAnError() throws {
    try folder("lab")
    let empty = try command.run("report", results.path("lab"), "-o", results.path("page.html"))
    #expect(empty.exitCode == CommandStatus.resultUnusable.rawValue)
    #expect(empty.errors.contains("there is no file NAME.json in \(results.path("lab"))"))
    try results.write("lab/broken.json", "")
    let broken = try command.run("report", results.path("lab"), "-o", results.path("page.html"))
    #expect(broken.exitCode == CommandStatus.resultUnusable.rawValue)
    #expect(
      broken.errors.contains("none of 1 file is a result") && broken.errors.contains("broken.json"))
    #expect(!FileManager.default.fileExists(atPath: results.path("page.html")))
  }

  @Test func folderMakesAPageAlone() throws {
    try folder("lab")
    let file = try results.measured("lab/a.json")
    for words in [["--format", "csv"], ["--baseline", file]] {
      let outcome = try command.run(["report", results.path("lab")] + words)
      #expect(outcome.exitCode == CommandStatus.resultUnusable.rawValue && outcome.output.isEmpty)
      #expect(outcome.errors.contains("is a folder"), "\(outcome.errors)")
    }
  }

  @Test func pagesOfMachinesThatCannotBeWrittenAreNamed() throws {
    let one = try results.measured("a.json", seed: 1, host: "alpha")
    let other = try results.measured("b.json", seed: 2, host: "beta")
    try results.write("page-machines", "a file")
    let outcome = try command.run("report", one, other, "-o", results.path("page.html"))
    #expect(outcome.exitCode == CommandStatus.cannotWrite.rawValue)
    #expect(outcome.errors.contains("page-machines") && outcome.errors.contains("'--output'"))
  }
}

@Suite struct KCIDBCommandTests {
  private let results: Results

  init() throws { results = try Results() }

  private func report(_ words: String...) throws -> Program.Outcome {
    let run = try results.write("run.json", try sourceFile("Tests/Fixtures/reports/mixed.json"))
    let measured = try results.measured("a.json", host: "secret")
    return try command.run(["report", measured, run, "--format", "kcidb"] + words)
  }

  @Test func submissionHasMeasurementsAndCases() throws {
    let outcome = try report("--origin", "my_lab", "--build", "maestro:1234")
    #expect(outcome.exitCode == 0 && outcome.errors.isEmpty)
    let whole = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let tests = try #require(whole["tests"] as? [[String: Any]])
    #expect(tests.allSatisfy { $0["build_id"] as? String == "maestro:1234" })
    #expect(Set(tests.compactMap { $0["id"] as? String }).count == tests.count)
    #expect(
      Set(tests.compactMap { $0["status"] as? String }) == ["DONE", "PASS", "FAIL", "SKIP", "MISS"])
    // The database is public.
    #expect(!outcome.output.contains("secret"))
  }

  @Test func originAndBuildAreAskedFor() throws {
    for words in [[], ["--origin", "my_lab"], ["--build", "maestro:1"]] {
      let file = try results.measured("a.json")
      let outcome = try command.run(["report", file, "--format", "kcidb"] + words)
      #expect(outcome.exitCode == CommandStatus.usage.rawValue && outcome.output.isEmpty)
    }
    let stray = try command.run("report", try results.measured("a.json"), "--origin", "my_lab")
    #expect(stray.exitCode == CommandStatus.usage.rawValue)
    let wrong = try report("--origin", "My Lab", "--build", "maestro:1234")
    #expect(
      wrong.exitCode == CommandStatus.usage.rawValue
        && wrong.errors.contains("'My Lab' is no origin"))
  }
}
