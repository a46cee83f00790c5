// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A child process that runs beside this one; killed and waited for when its owner goes.
public struct Helper: ~Copyable {
  private let process: pid_t
  private let program: String
  private let output: Descriptor
  /// Nothing is written to it. It closes when this process ends, however that comes, and the helper
  /// sees that: see `HelperParent`.
  private let input: Descriptor
  private var isRunning = true

  /// - Parameters:
  ///   - program: an absolute path.
  ///   - arguments: without the program's own name.
  /// - Throws: where it cannot be started.
  public init(_ program: String, _ arguments: [String]) throws(SystemFailure) {
    let outputs = try Self.pipe(program)
    let readEnd = Descriptor(owning: outputs[0], path: program)
    let writeEnd = Descriptor(owning: outputs[1], path: program)
    let inputs = try Self.pipe(program)
    let lifeline = Descriptor(owning: inputs[0], path: program)
    let ownEnd = Descriptor(owning: inputs[1], path: program)
    process = try Self.spawn(program, arguments, input: lifeline, output: writeEnd)
    self.program = program
    output = readEnd
    input = ownEnd
  }

  /// - Returns: the end to read from and the end to write to, which no other program inherits.
  private static func pipe(_ program: String) throws(SystemFailure) -> [CInt] {
    var ends: [CInt] = [-1, -1]
    try valueOrErrno(.pipe, program) { Glibc.pipe(&ends) }
    do throws(SystemFailure) {
      for end in ends { try valueOrErrno(.fcntl, program) { fcntl(end, F_SETFD, FD_CLOEXEC) } }
    } catch {
      for end in ends { close(end) }
      throw error
    }
    return ends
  }

  private static func spawn(
    _ program: String, _ arguments: [String], input: consuming Descriptor,
    output: consuming Descriptor
  ) throws(SystemFailure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input.raw, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output.raw, STDOUT_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The signals that this process holds back are not to be held back there. Ctrl-C is meant for
    // this one, which then ends the helper: so that has a process group of its own.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETPGROUP))
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var child: pid_t = 0
    let code = posix_spawn(&child, program, &actions, &attributes, &words, environ)
    guard code == 0 else { throw SystemFailure(.spawn, program, code) }
    return child
  }

  /// Waits for the next line that it prints.
  ///
  /// - Returns: the line without its newline; nil where it has ended, or closed its output.
  /// - Throws: the call that failed.
  public borrowing func line() throws(SystemFailure) -> String? {
    var bytes: [UInt8] = []
    while true {
      var byte: UInt8 = 0
      let count = try valueOrErrno(.read, program) { read(output.raw, &byte, 1) }
      if count == 0 { return nil }
      if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
  }

  /// Ends it with SIGKILL, which it cannot see coming, and waits until it is gone.
  ///
  /// - Returns: true where the signal ended it, false where it had ended before.
  /// - Throws: the call that failed.
  public mutating func kill() throws(SystemFailure) -> Bool {
    guard isRunning else { return false }
    let process = process
    isRunning = false
    try valueOrErrno(.kill, program) { Glibc.kill(process, SIGKILL) }
    var status: CInt = 0
    try valueOrErrno(.waitpid, program) { waitpid(process, &status, 0) }
    return status & 0x7F == SIGKILL
  }

  deinit {
    guard isRunning else { return }
    Glibc.kill(process, SIGKILL)
    var status: CInt = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
  }
}

/// The process that started this one as its `Helper`.
public enum HelperParent {
  /// Whether it has ended, even if that was before this process had begun to look: neither its
  /// number nor a signal at its death could tell that. The end of the pipe that it kept is closed.
  public static var hasEnded: Bool { isClosed(STDIN_FILENO) }

  /// - Parameter input: a descriptor.
  /// - Returns: whether nothing can come from there any more.
  static func isClosed(_ input: CInt) -> Bool {
    var state = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    guard poll(&state, 1, 0) > 0 else { return false }
    guard state.revents & Int16(POLLIN) != 0 else { return true }
    var byte: UInt8 = 0
    return read(input, &byte, 1) <= 0
  }
}
