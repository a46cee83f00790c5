// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
internal import CMATestReport
internal import CMATestSystem

/// A command with a result to print.
protocol PrintingCommand: ParsableCommand {
  /// - Parameter output: the one way to standard output.
  /// - Throws: an `OutputFailure` as it comes: `CMATest` ends the program with it.
  func run(printing output: StandardOutput) throws
}

extension PrintingCommand {
  func run() throws { try run(printing: StandardOutput()) }
}

extension CMATest {
  /// The parser cannot lay its help out on fewer than about 30.
  private static let fewestColumns = 40

  /// Parses the command line, runs the command and ends the program.
  ///
  /// - Parameters:
  ///   - arguments: without the program's own name.
  ///   - output: what the command, and the parser's help, is printed to.
  static func main(_ arguments: [String], printing output: StandardOutput) -> Never {
    do {
      try end(with: result(of: arguments, output), of: arguments, output)
    } catch {
      StandardError.write("cma-test: error: \(error.message)\n")
      exit(withError: ExitCode(.cannotWrite))
    }
  }

  /// An error that ends the program.
  private struct End {
    var error: any Error
    /// The command that has thrown it; nil where the parser has.
    var command: (any ParsableCommand.Type)?
  }

  /// - Returns: what was thrown; nil where the command has done its work.
  /// - Throws: where standard output cannot be written.
  private static func result(
    of arguments: [String], _ output: StandardOutput
  ) throws(OutputFailure) -> End? {
    var thrower: (any ParsableCommand.Type)?
    do {
      var command = try parseAsRoot(arguments)
      thrower = type(of: command)
      if let command = command as? any PrintingCommand {
        try command.run(printing: output)
      } else {
        try command.run()
      }
      return nil
    } catch let failure as OutputFailure {
      throw failure
    } catch {
      return End(error: error, command: thrower)
    }
  }

  private static func end(
    with end: End?, of arguments: [String], _ output: StandardOutput
  ) throws(OutputFailure) -> Never {
    Terminal.of(.output).exportColumns(atLeast: fewestColumns)
    let code = end.map { exitCode(for: $0.error) } ?? .success
    let text = end.map { words(for: $0) } ?? ""
    if !text.isEmpty {
      // Help and the like come as errors whose code is 0.
      if code.isSuccess {
        try output.write(text + "\n")
      } else {
        StandardError.write(text + "\n")
        if let end, code == .validationFailure, UsageFailure.isForJSON(arguments) {
          let failure = UsageFailure(
            reason: oneLine(message(for: end.error)),
            command: UsageFailure.command(of: arguments))
          try output.write(failure.json.text + "\n")
        }
      }
    }
    try output.close()
    exit(withError: code)
  }

  /// What the parser says of an error. Of one that a command finds later, it does not know whose usage to
  /// show.
  private static func words(for end: End) -> String {
    guard let command = end.command, let error = end.error as? ValidationError else {
      return fullMessage(for: end.error)
    }
    return "Error: \(error.message)\nUsage: \(usageString(for: command))\n"
      + "  See 'cma-test \(command._commandName) --help' for more information."
  }
}
