// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestBench
internal import CMATestCore
internal import CMATestReport
internal import CMATestSystem

struct Report: PrintingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a page, or a table, of results of 'cma-test bench' and 'cma-test run'.",
    discussion: """
      Takes files of 'cma-test bench', and what 'cma-test run --format json' printed. The page is one \
      file that needs no network and no script.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case html, csv, hgrm, gnuplot
  }

  @Argument(help: "Files of results.", completion: .file(extensions: ["json"]))
  var results: [String]

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Compare the results with this earlier one; again for more of its rounds.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var baseline: [String] = []

  @Option(help: ArgumentHelp("The form of the report.", valueName: "format"))
  var format = Format.html

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to write; standard output if not given.", valueName: "file"),
    completion: .file())
  var output: String?

  func run(printing output: StandardOutput) throws {
    let text: String
    do throws(ResultFileFailure) {
      text = try report()
      if let name = self.output {
        return try mapError(ResultFileFailure.cannotWrite) { () throws(SystemFailure) in
          try ResultFile(name).write(text)
        }
      }
    } catch {
      throw try Self.report(error, asJSON: false, to: output)
    }
    try output.write(text)
  }

  private func report() throws(ResultFileFailure) -> String {
    var runs: [NamedRun] = []
    var measured: [ResultSummary] = []
    var earlier: [ResultSummary] = []
    for path in results {
      switch try ReportedFile(reading: path) {
      case .run(let run): runs.append(run)
      case .bench(let result): measured.append(result)
      }
    }
    for path in baseline { earlier.append(try readResult(path, keepsTimes: true)) }
    if let run = runs.first, format != .html {
      throw .noPlace("a report as \(format.rawValue) has no place for \(run.name), a run's result")
    }
    switch format {
    case .html:
      return ResultPage.html(
        earlier + measured, runs: runs, comparison: try comparison(earlier, measured))
    case .csv: return BenchCSV.text(earlier + measured)
    case .hgrm: return BenchHGRM.text(earlier + measured)
    case .gnuplot: return BenchGnuplot.text(earlier + measured)
    }
  }

  private func comparison(
    _ before: [ResultSummary], _ after: [ResultSummary]
  ) throws(ResultFileFailure) -> Comparison? {
    guard !before.isEmpty, !after.isEmpty else { return nil }
    for side in [before, after] {
      if let (one, other) = Comparison.sameResults(in: side) { throw .twice(one.name, other.name) }
    }
    if let hindrance = Comparison.hindrance(before, after) {
      StandardError.write("cma-test report: warning: no comparison, for \(hindrance)\n")
      return nil
    }
    return Comparison(before, with: after)
  }
}
