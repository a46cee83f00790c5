// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore

/// A command line that is wrong.
struct UsageFailure: CommandFailure {
  /// What is wrong with it; one line.
  let reason: String
  /// The name of the command, as `explain`; nil where the command line names none.
  let command: String?

  var explanation: Explanation {
    let name = command.map { "cma-test \($0)" } ?? "cma-test"
    return Explanation(
      .usage, kind: "usage", message: reason, remedy: "see '\(name) --help'")
  }

  /// Whether a command line asks for JSON, even if it is wrong.
  static func isForJSON(_ arguments: [String]) -> Bool {
    let options = arguments.prefix { $0 != "--" }
    if options.contains("--json") || options.contains("--format=json") { return true }
    return zip(options, options.dropFirst()).contains { $0 == "--format" && $1 == "json" }
  }

  /// The command that a command line names.
  static func command(of arguments: [String]) -> String? {
    let names = CMATest.configuration.subcommands.map { $0._commandName }
    return arguments.first { names.contains($0) }
  }
}
