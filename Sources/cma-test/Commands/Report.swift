// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestBench
internal import CMATestCore
internal import CMATestReport
internal import CMATestSystem

struct Report: PrintingCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Make a page, or a table, of results of 'cma-test bench', 'run', 'map' and 'explain'.",
    discussion: """
      Takes files of 'cma-test bench', and what 'cma-test run', 'map' and 'explain' printed as JSON. \
      The page is one file that needs no network and no script. Of a folder, whose files NAME.json \
      are found in all folders below, and of files of several machines, the page sums up: the worst \
      machines, kernels that became worse, failures by their causes, who has pages of areas. With \
      '--output FILE.html' each machine gets a page in FILE-machines. Files that cannot be used are \
      named, and left out.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case html, csv, hgrm, gnuplot, kcidb
  }

  enum Machines: String, ExpressibleByArgument, CaseIterable {
    case host, folder
  }

  @Argument(
    help: "Files of results, or folders with them.", completion: .file(extensions: ["json"]))
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
    help: ArgumentHelp(
      "What tells machines apart: the name of the host, or of the folder with its results.",
      valueName: "name"))
  var machines = Machines.host

  @Option(
    help: ArgumentHelp(
      "For kcidb: the name of your CI system, of lower-case letters, digits and '_'.",
      valueName: "name"))
  var origin: String?

  @Option(
    help: ArgumentHelp("For kcidb: the build that was tested, as maestro:1234.", valueName: "id"))
  var build: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to write; standard output if not given.", valueName: "file"),
    completion: .file())
  var output: String?

  func validate() throws {
    if format == .kcidb, origin == nil || build == nil {
      throw ValidationError("--format kcidb needs --origin and --build")
    }
    if format != .kcidb, origin != nil || build != nil {
      throw ValidationError("--origin and --build are for --format kcidb")
    }
  }

  func run(printing output: StandardOutput) throws {
    let text: String
    do throws(ResultFileFailure) {
      let file = try self.output.map { (name) throws(ResultFileFailure) in
        try mapError(ResultFileFailure.cannotWrite) { () throws(SystemFailure) in
          try ResultFile(name)
        }
      }
      if let many = try manyResults() {
        text = try page(of: many, beside: file)
      } else {
        text = try report()
      }
      if let file {
        return try mapError(ResultFileFailure.cannotWrite) { () throws(SystemFailure) in
          try file.write(text)
        }
      }
    } catch {
      throw try Self.report(error, asJSON: false, to: output)
    }
    try output.write(text)
  }

  private func report() throws(ResultFileFailure) -> String {
    var runs: [NamedRun] = []
    var holders: [NamedHolderResult] = []
    var measured: [ResultSummary] = []
    var earlier: [ResultSummary] = []
    for path in results {
      switch try ReportedFile(reading: path) {
      case .run(let run): runs.append(run)
      case .holders(let result): holders.append(result)
      case .bench(let result): measured.append(result)
      }
    }
    for path in baseline { earlier.append(try readResult(path, keepsTimes: true)) }
    if let run = runs.first, format != .html, format != .kcidb {
      throw .noPlace("a report as \(format.rawValue) has no place for \(run.name), a run's result")
    }
    if let result = holders.first, format != .html {
      throw .noPlace(
        "a report as \(format.rawValue) has no place for \(result.name), which tells who has pages")
    }
    switch format {
    case .html:
      return ResultPage.html(
        earlier + measured, runs: runs, holders: holders,
        comparison: try comparison(earlier, measured))
    case .csv: return BenchCSV.text(earlier + measured)
    case .hgrm: return BenchHGRM.text(earlier + measured)
    case .gnuplot: return BenchGnuplot.text(earlier + measured)
    case .kcidb:
      let submission = try submission(earlier + measured, runs)
      return KCIDBReport.json(
        of: earlier + measured, runs: runs.map(\.result), for: submission
      ).text + "\n"
    }
  }

  /// What tells a submission from others is when the first of its results began, and its seed.
  private func submission(
    _ measured: [ResultSummary], _ runs: [NamedRun]
  ) throws(ResultFileFailure) -> KCIDBReport.Submission {
    let first =
      measured.first.map { ($0.time, $0.seed ?? 0) }
      ?? runs.first.map { ($0.result.facts.time, UInt64($0.result.facts.seed)) }
    let (time, seed) = first ?? ("", 0)
    return try mapError(ResultFileFailure.submission) { () throws(KCIDBFailure) in
      try KCIDBReport.Submission(
        origin: origin ?? "", build: build ?? "",
        run: (time.isEmpty ? utcTimestamp() : time) + "/\(seed)")
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
    for note in Comparison.notes(before, after) {
      StandardError.write("cma-test report: warning: \(note)\n")
    }
    return Comparison(before, with: after)
  }
}
