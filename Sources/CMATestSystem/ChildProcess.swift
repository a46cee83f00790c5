// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// What runs programs that change the machine, so that a test can stand in for them.
public protocol ProgramRunner: Sendable {
  /// - Parameters:
  ///   - program: an absolute path.
  ///   - arguments: without the program's own name.
  /// - Returns: its exit code.
  /// - Throws: where it cannot be started.
  func run(_ program: String, _ arguments: [String]) throws(SystemFailure) -> CInt
}

/// Runs them for real; what they print on standard error the user sees.
public struct ChildRunner: ProgramRunner {
  public init() {}

  public func run(_ program: String, _ arguments: [String]) throws(SystemFailure) -> CInt {
    try output(of: program, arguments).exitCode
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
  _ program: String, _ arguments: [String], output: consuming Descriptor
) throws(SystemFailure) -> pid_t {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
  posix_spawn_file_actions_adddup2(&actions, output.raw, STDOUT_FILENO)
  var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
  defer { words.forEach { free($0) } }
  var child: pid_t = 0
  let code = posix_spawn(&child, program, &actions, nil, &words, environ)
  guard code == 0 else { throw SystemFailure(.spawn, program, code) }
  return child
}

private func wait(for child: pid_t, _ program: String) throws(SystemFailure) -> CInt {
  var status: CInt = 0
  try valueOrErrno(.waitpid, program) { waitpid(child, &status, 0) }
  let signal = status & 0x7F
  return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
}
