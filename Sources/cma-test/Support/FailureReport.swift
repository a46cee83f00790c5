// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
internal import CMATestSystem

extension ExitCode {
  init(_ status: CommandStatus) { self.init(status.rawValue) }
}

extension PrintingCommand {
  /// Tells why the command could not do its work: as JSON on standard output, which scripts read, or
  /// in two lines on standard error.
  ///
  /// - Parameters:
  ///   - failure: the reason.
  ///   - asJSON: whether `--json` was given.
  ///   - output: the one way to standard output.
  /// - Returns: the error to end the program with.
  /// - Throws: where standard output cannot be written.
  static func report(
    _ failure: some CommandFailure, asJSON: Bool, to output: StandardOutput
  ) throws(OutputFailure) -> ExitCode {
    if asJSON {
      try output.write(failure.json.text + "\n")
    } else {
      StandardError.write(failure.text(program: "cma-test \(_commandName)"))
    }
    return ExitCode(failure.exitStatus)
  }
}
