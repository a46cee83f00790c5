// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestBench
internal import CMATestCore
internal import CMATestReport
internal import CMATestSystem

struct Compare: PrintingCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare results of 'cma-test bench', and tell whether allocation became slower.",
    usage: "cma-test compare [<options>] <before> ... -- <after> ...",
    discussion: """
      Give the files of the first result, '--', and those of the second; several files of one side \
      are put together. Each round is one observation. A cell is a regression where its rounds \
      differ by the Mann-Whitney test, corrected for all cells (Holm), and by more than the noise; \
      or where more of its requests fail (Fisher's exact test). Exits with 0 where nothing became \
      worse, with 1 where something did, and with 4 where the rounds are too few, or too noisy, to \
      tell.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json, junit
  }

  @Argument(help: "Files of the first result.", completion: .file(extensions: ["json"]))
  var before: [String] = []

  @Option(
    name: .customLong(Self.separator), parsing: .upToNextOption,
    help: ArgumentHelp("Files of the second result; '--' is the same.", valueName: "after"),
    completion: .file(extensions: ["json"]))
  var after: [String] = []

  @Option(
    help: """
      What decides, of the times of each round: p50, p99 or max of allocations, the p50 of \
      releases, or both p50 together (pair).
      """)
  var by = Quantity.p50

  @Option(help: "The chance of a false alarm, in all cells together, as 0.05.")
  var level = 0.05

  @Option(
    help: ArgumentHelp(
      "Changes below so many percent never count; the noise of the first result may be more.",
      valueName: "percent"))
  var threshold = 1.0

  @Option(
    help: ArgumentHelp(
      "A change of so many percent should be found if it is there: else '4'.",
      valueName: "percent"))
  var detect = 10.0

  @Flag(help: "Compare areas, or pages, of different sizes too, and times under different loads.")
  var force = false

  @Option(help: "The form of the comparison: text, json or junit.")
  var format = Format.text

  private static let separator = "with"

  /// Returns the arguments of a command line with an option in place of the first `--`: the parser
  /// takes no second list of files behind it.
  static func separated(_ arguments: [String]) -> [String] {
    guard arguments.first == configuration.commandName, let place = arguments.firstIndex(of: "--")
    else { return arguments }
    var arguments = arguments
    arguments[place] = "--" + separator
    return arguments
  }

  func validate() throws {
    if before.isEmpty || after.isEmpty {
      throw ValidationError("give files of two results, with '--' between them")
    }
    guard level > 0, level < 1 else { throw ValidationError("--level is between 0 and 1") }
    guard threshold >= 0, threshold.isFinite else {
      throw ValidationError("--threshold is a number of percent")
    }
    guard detect > 0, detect.isFinite else {
      throw ValidationError("--detect is a number of percent above 0")
    }
  }

  func run(printing output: StandardOutput) throws {
    let (comparison, notes): (Comparison, [String])
    do throws(ResultFileFailure) {
      (comparison, notes) = try compared()
    } catch {
      throw try Self.report(error, asJSON: format == .json, to: output)
    }
    for note in notes { StandardError.write("cma-test compare: warning: \(note)\n") }
    switch format {
    case .text: try output.write(comparison.text)
    case .json: try output.write(comparison.json(notes: notes).text + "\n")
    case .junit: try output.write(comparison.junit)
    }
    if let status = comparison.outcome.status { throw ExitCode(status) }
  }

  /// Reads and compares the results.
  ///
  /// - Returns: the comparison, and what the user should know of the results.
  private func compared() throws(ResultFileFailure) -> (Comparison, [String]) {
    let first = try read(before)
    let second = try read(after)
    if !force, let hindrance = Comparison.hindrance(first, second) {
      throw .notComparable(hindrance)
    }
    let notes = Comparison.notes(first, second)
    var rules = Comparison.Rules()
    rules.quantity = by
    rules.level = level
    rules.threshold = threshold / 100
    rules.detect = detect / 100
    rules.acrossLoads = force
    return (Comparison(first, with: second, rules: rules), notes)
  }

  /// Reads the results of one side, each of which counts once.
  private func read(_ paths: [String]) throws(ResultFileFailure) -> [ResultSummary] {
    var results: [ResultSummary] = []
    for path in paths { results.append(try readResult(path)) }
    if let (one, other) = Comparison.sameResults(in: results) {
      throw .twice(one.name, other.name)
    }
    return results
  }
}

extension Comparison {
  /// What the user should know of results that are compared: that one is a part, or on both sides.
  static func notes(_ first: [ResultSummary], _ second: [ResultSummary]) -> [String] {
    var notes = (first + second).compactMap(\.partialNote)
    for result in first {
      if let (one, other) = sameResults(in: [result] + second), one.name == result.name {
        notes.append("\(one.name) and \(other.name) have the same rounds: nothing can differ")
      }
    }
    return notes
  }
}

extension ResultSummary {
  /// Says that the result is a part, and why; nil for a whole one.
  var partialNote: String? {
    guard !isComplete else { return nil }
    let cause = endedBy.map { ", by \(printable($0))" } ?? ""
    return "\(name) is a part of a measurement that was ended\(cause)"
  }
}

extension Comparison.Outcome {
  /// The status that a command exits with; nil for success.
  var status: CommandStatus? {
    switch self {
    case .noRegression: nil
    case .regression: .failed
    case .notKnown: .skipped
    }
  }
}

extension Quantity: ExpressibleByArgument {}
