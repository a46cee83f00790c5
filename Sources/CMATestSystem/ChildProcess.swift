// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A child process, and the one way to start a program. The child is killed and waited for when its
/// owner is destroyed.
struct ChildProcess: ~Copyable {
  /// The properties that a child gets besides its program and arguments.
  struct Attributes {
    /// The descriptor of its standard input; nil for /dev/null.
    var input: CInt?
    /// The descriptor of its standard output.
    var output: CInt
    /// The descriptor of its standard error; nil for that of this process.
    var errors: CInt?
    /// Whether the child has a process group of its own, which Ctrl-C does not reach.
    var hasOwnGroup = false
    /// The signals that are blocked there; nil for those that are blocked here.
    var signalMask: sigset_t?
  }

  let process: pid_t
  private let program: String
  private var isRunning = true

  /// Starts a program without a shell.
  ///
  /// - Parameters:
  ///   - program: an absolute path.
  ///   - arguments: without the program's own name.
  ///   - attributes: its streams, group and signals.
  /// - Throws: `posix_spawn` where the program cannot be started.
  init(
    _ program: String, _ arguments: [String], _ attributes: Attributes
  ) throws(SystemFailure) {
    var spawnAttributes = posix_spawnattr_t()
    posix_spawnattr_init(&spawnAttributes)
    defer { posix_spawnattr_destroy(&spawnAttributes) }
    var flags: CInt = 0
    // Its number becomes the group's.
    if attributes.hasOwnGroup { flags |= CInt(POSIX_SPAWN_SETPGROUP) }
    if var mask = attributes.signalMask {
      posix_spawnattr_setsigmask(&spawnAttributes, &mask)
      flags |= CInt(POSIX_SPAWN_SETSIGMASK)
    }
    posix_spawnattr_setflags(&spawnAttributes, Int16(flags))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input = attributes.input {
      posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    } else {
      posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_adddup2(&actions, attributes.output, STDOUT_FILENO)
    if let errors = attributes.errors {
      posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
    }
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var child: pid_t = 0
    let code = posix_spawn(&child, program, &actions, &spawnAttributes, &words, environ)
    guard code == 0 else { throw SystemFailure(.spawn, program, code) }
    process = child
    self.program = program
  }

  /// Waits until the child has ended.
  ///
  /// - Returns: how it ended.
  /// - Throws: the call that failed.
  mutating func wait() throws(SystemFailure) -> ChildEnd {
    let process = process
    var status: CInt = 0
    try valueOrErrno(.waitpid, program) { waitpid(process, &status, 0) }
    isRunning = false
    return ChildEnd(status)
  }

  /// Looks whether the child has ended.
  ///
  /// - Returns: how it ended; nil while it runs.
  /// - Throws: the call that failed.
  mutating func endIfEnded() throws(SystemFailure) -> ChildEnd? {
    let process = process
    var status: CInt = 0
    guard try valueOrErrno(.waitpid, program, { waitpid(process, &status, WNOHANG) }) == process
    else { return nil }
    isRunning = false
    return ChildEnd(status)
  }

  /// Sends a signal to the child's process group, of which the child is the first.
  borrowing func signalGroup(_ signal: CInt) { Glibc.kill(-process, signal) }

  /// Ends the child with SIGKILL, which it cannot see coming, and waits until it is gone.
  ///
  /// - Returns: true where the signal ended it, false where it had ended before.
  /// - Throws: the call that failed.
  mutating func kill() throws(SystemFailure) -> Bool {
    guard isRunning else { return false }
    let process = process
    isRunning = false
    try valueOrErrno(.kill, program) { Glibc.kill(process, SIGKILL) }
    var status: CInt = 0
    try valueOrErrno(.waitpid, program) { waitpid(process, &status, 0) }
    return ChildEnd(status) == .signal(SIGKILL)
  }

  deinit {
    guard isRunning else { return }
    Glibc.kill(process, SIGKILL)
    var status: CInt = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
  }
}

/// How a child process ended.
package enum ChildEnd: Equatable, Sendable {
  case exit(CInt)
  case signal(CInt)

  /// - Parameter status: as waitpid(2) gives it.
  init(_ status: CInt) {
    let signal = status & 0x7F
    self = signal == 0 ? .exit((status >> 8) & 0xFF) : .signal(signal)
  }

  /// The exit code that a shell shows: 128 + N where signal N ended the program.
  var exitCode: CInt {
    switch self {
    case .exit(let code): code
    case .signal(let signal): 128 + signal
    }
  }
}

/// Makes a pipe that no other program inherits.
///
/// - Parameter program: the program at the other end, for errors.
/// - Returns: the end to read from and the end to write to, for the caller to own.
/// - Throws: the call that failed.
func makePipe(to program: String) throws(SystemFailure) -> (readEnd: CInt, writeEnd: CInt) {
  var ends: [CInt] = [-1, -1]
  try valueOrErrno(.pipe, program) { pipe(&ends) }
  do throws(SystemFailure) {
    for end in ends { try valueOrErrno(.fcntl, program) { fcntl(end, F_SETFD, FD_CLOEXEC) } }
  } catch {
    for end in ends { close(end) }
    throw error
  }
  return (ends[0], ends[1])
}
