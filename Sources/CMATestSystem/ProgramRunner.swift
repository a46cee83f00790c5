// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A runner of programs that change the machine, which a test can stand in for.
public protocol ProgramRunner: Sendable {
  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - program: an absolute path.
  ///   - arguments: without the program's own name.
  ///   - untilSignal: whether a signal that asks this process for its end ends the program, too.
  /// - Returns: its exit code; 128 + N where signal N ended it.
  /// - Throws: where it cannot be started.
  func run(
    _ program: String, _ arguments: [String], untilSignal: Bool
  ) throws(SystemFailure) -> CInt

  /// The signal that asks for the end, if one has come.
  var signal: PendingSignal? { get }
}

/// Runs programs for real; the user sees what they print, on standard error.
///
/// A program is in a process group of its own, which Ctrl-C does not reach. Otherwise Ctrl-C would
/// end the program before the reason is known, and also the second run that restores the old state.
public struct ChildRunner: ProgramRunner {
  private let held: HeldSignals

  /// - Parameter held: the signals that ask for the end; a program itself gets them.
  public init(holding held: HeldSignals) { self.held = held }

  public var signal: PendingSignal? { held.pending }

  public func run(
    _ program: String, _ arguments: [String], untilSignal: Bool
  ) throws(SystemFailure) -> CInt {
    let attributes = ChildProcess.Attributes(
      output: STDERR_FILENO, hasOwnGroup: true, signalMask: held.maskBefore)
    var child = try ChildProcess(program, arguments, attributes)
    var isEnding = false
    while true {
      if let end = try child.endIfEnded() { return end.exitCode }
      if untilSignal, !isEnding, let signal {
        child.signalGroup(signal.rawValue)
        // A terminal may have stopped it, as a group in the background.
        child.signalGroup(SIGCONT)
        isEnding = true
      }
      usleep(20_000)
    }
  }
}

/// Runs a program without a shell and returns what it printed.
///
/// - Parameters:
///   - program: an absolute path.
///   - arguments: without the program's own name.
///   - limit: the most bytes of output; more are an error (EFBIG).
/// - Returns: its standard output and its exit code; 128 + N where signal N ended it.
/// - Throws: where it cannot be started or read.
public func output(
  of program: String, _ arguments: [String], limit: Int = 4 << 20
) throws(SystemFailure) -> (output: [UInt8], exitCode: CInt) {
  let ends = try makePipe(to: program)
  let readEnd = Descriptor(owning: ends.readEnd, path: program)
  let writeEnd = Descriptor(owning: ends.writeEnd, path: program)
  var child = try ChildProcess(program, arguments, ChildProcess.Attributes(output: writeEnd.raw))
  // The output ends only when nobody has this end.
  _ = consume writeEnd
  let bytes = try readEnd.contents(limit: limit)
  return (bytes, try child.wait().exitCode)
}
