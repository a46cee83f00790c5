// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// What runs programs that change the machine, so that a test can stand in for them.
public protocol ProgramRunner: Sendable {
  /// - Parameters:
  ///   - program: an absolute path.
  ///   - arguments: without the program's own name.
  ///   - untilSignal: whether a signal that asks this process for its end ends the program; it runs
  ///     to its own end otherwise.
  /// - Returns: its exit code; 128 + N where signal N ended it.
  /// - Throws: where it cannot be started.
  func run(
    _ program: String, _ arguments: [String], untilSignal: Bool
  ) throws(SystemFailure) -> CInt

  /// The signal that asks for the end, if one has come.
  var signal: PendingSignal? { get }
}

/// Runs them for real; what they print the user sees, on standard error.
///
/// A program is in a process group of its own, which Ctrl-C does not reach: else it would be ended
/// before it is known why, and a second run, which puts things right, would be ended too.
public struct ChildRunner: ProgramRunner {
  private let held: HeldSignals

  /// - Parameter held: the signals that ask for the end; a program itself gets them.
  public init(holding held: HeldSignals) { self.held = held }

  public var signal: PendingSignal? { held.pending }

  public func run(
    _ program: String, _ arguments: [String], untilSignal: Bool
  ) throws(SystemFailure) -> CInt {
    let errors = Descriptor(
      owning: try valueOrErrno(.fcntl, program) { fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) },
      path: program)
    let child = try spawn(program, arguments, output: errors, apartFrom: held)
    var isEnding = false
    while true {
      var status: CInt = 0
      if try valueOrErrno(.waitpid, program, { waitpid(child, &status, WNOHANG) }) == child {
        return exitCode(status)
      }
      if untilSignal, !isEnding, let signal {
        kill(-child, signal.rawValue)
        // A terminal may have stopped it, as a group in the background.
        kill(-child, SIGCONT)
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
  var ends: [CInt] = [-1, -1]
  try valueOrErrno(.pipe, program) { pipe(&ends) }
  let readEnd = Descriptor(owning: ends[0], path: program)
  let writeEnd = Descriptor(owning: ends[1], path: program)
  for end in ends { try valueOrErrno(.fcntl, program) { fcntl(end, F_SETFD, FD_CLOEXEC) } }
  let child = try spawn(program, arguments, output: writeEnd)
  let bytes: [UInt8]
  do throws(SystemFailure) {
    bytes = try readEnd.contents(limit: limit)
  } catch {
    kill(child, SIGKILL)
    _ = try? wait(for: child, program)
    throw error
  }
  return (bytes, try wait(for: child, program))
}

private func spawn(
  _ program: String, _ arguments: [String], output: consuming Descriptor,
  apartFrom held: HeldSignals? = nil
) throws(SystemFailure) -> pid_t {
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  if let held {
    var mask = held.maskBefore
    posix_spawnattr_setsigmask(&attributes, &mask)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGMASK))
  }
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
  posix_spawn_file_actions_adddup2(&actions, output.raw, STDOUT_FILENO)
  var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
  defer { words.forEach { free($0) } }
  var child: pid_t = 0
  let code = posix_spawn(&child, program, &actions, &attributes, &words, environ)
  guard code == 0 else { throw SystemFailure(.spawn, program, code) }
  return child
}

private func wait(for child: pid_t, _ program: String) throws(SystemFailure) -> CInt {
  var status: CInt = 0
  try valueOrErrno(.waitpid, program) { waitpid(child, &status, 0) }
  return exitCode(status)
}

/// What a shell calls the exit code.
///
/// - Parameter status: as waitpid(2) gives it.
/// - Returns: 128 + N where signal N ended the program.
private func exitCode(_ status: CInt) -> CInt {
  let signal = status & 0x7F
  return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
}
