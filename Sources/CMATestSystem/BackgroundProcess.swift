// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A child process that runs beside this one; killed and waited for when its owner goes.
public struct BackgroundProcess: ~Copyable {
  private let program: String
  private var child: ChildProcess
  private let output: Descriptor
  /// Nothing is written to this end, which closes whenever this process ends; the child notices
  /// that by `ParentProcess`.
  private let input: Descriptor

  /// Starts a program without a shell.
  ///
  /// - Parameters:
  ///   - program: an absolute path.
  ///   - arguments: without the program's own name.
  /// - Throws: where the program cannot be started.
  public init(_ program: String, _ arguments: [String]) throws(SystemFailure) {
    let outputs = try makePipe(to: program)
    let readEnd = Descriptor(owning: outputs.readEnd, path: program)
    let writeEnd = Descriptor(owning: outputs.writeEnd, path: program)
    let inputs = try makePipe(to: program)
    let lifeline = Descriptor(owning: inputs.readEnd, path: program)
    let ownEnd = Descriptor(owning: inputs.writeEnd, path: program)
    // The signals that this process holds back are not to be held back there. Ctrl-C is meant for
    // this one, which then ends the child: so the child has a process group of its own.
    var none = sigset_t()
    sigemptyset(&none)
    let attributes = ChildProcess.Attributes(
      input: lifeline.raw, output: writeEnd.raw, hasOwnGroup: true, signalMask: none)
    child = try ChildProcess(program, arguments, attributes)
    self.program = program
    output = readEnd
    input = ownEnd
  }

  /// Waits for the next line that the process prints.
  ///
  /// - Returns: the line without its newline; nil where the process has ended, or closed its output.
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

  /// Ends the process with SIGKILL, which it cannot see coming, and waits until it is gone.
  ///
  /// - Returns: true where the signal ended the process, false where it had ended before.
  /// - Throws: the call that failed.
  public mutating func kill() throws(SystemFailure) -> Bool { try child.kill() }
}

/// The process that started this one as a `BackgroundProcess`.
public enum ParentProcess {
  /// Whether the parent has ended, even before this process began to look: the parent's end of the
  /// pipe is then closed. Neither the parent's number nor a signal at its death could tell that.
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
