// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
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
      try end(with: result(of: arguments, output), output)
    } catch {
      StandardError.write("cma-test: error: \(error.message)\n")
      exit(withError: ExitCode(.cannotWrite))
    }
  }

  /// - Returns: what the command has thrown; nil where it has done its work.
  /// - Throws: where standard output cannot be written.
  private static func result(
    of arguments: [String], _ output: StandardOutput
  ) throws(OutputFailure) -> (any Error)? {
    do {
      var command = try parseAsRoot(arguments)
      if let command = command as? any PrintingCommand {
        try command.run(printing: output)
      } else {
        try command.run()
      }
      return nil
    } catch let failure as OutputFailure {
      throw failure
    } catch {
      return error
    }
  }

  private static func end(
    with error: (any Error)?, _ output: StandardOutput
  ) throws(OutputFailure) -> Never {
    Terminal.of(.output).exportColumns(atLeast: fewestColumns)
    let code = error.map { exitCode(for: $0) } ?? .success
    let text = error.map { fullMessage(for: $0) } ?? ""
    if !text.isEmpty {
      // Help and the like come as errors whose code is 0.
      if code.isSuccess {
        try output.write(text + "\n")
      } else {
        StandardError.write(text + "\n")
      }
    }
    try output.close()
    exit(withError: code)
  }
}
