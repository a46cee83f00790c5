// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A child process that works beside this one until it is told to end, and reports by lines on its standard
/// output. Unlike a `BackgroundProcess` it can be asked to end by itself, and is watched without waiting.
///
/// It has a process group of its own, which Ctrl-C does not reach, and no signal is held back there. Its
/// standard input is a pipe that closes when this process ends (`ParentProcess`).
package final class WorkerProcess {
  /// The answer to the question for a line.
  package enum Answer: Equatable {
    case line(String)
    /// No line in that time.
    case nothing
    /// The process has closed its output: it has ended, or is about to.
    case closed
  }

  private let program: String
  private let output: Descriptor
  private let input: Descriptor
  private let process: pid_t
  private var child: ChildProcess?
  private var bytes: [UInt8] = []
  /// How the process ended; nil while it runs.
  package private(set) var end: ChildEnd?

  /// Starts a program without a shell.
  ///
  /// - Parameters:
  ///   - program: an absolute path.
  ///   - arguments: without the program's own name.
  /// - Throws: where the program cannot be started.
  package init(_ program: String, _ arguments: [String]) throws(SystemFailure) {
    let outputs = try makePipe(to: program)
    output = Descriptor(owning: outputs.readEnd, path: program)
    let writeEnd = Descriptor(owning: outputs.writeEnd, path: program)
    let inputs = try makePipe(to: program)
    let lifeline = Descriptor(owning: inputs.readEnd, path: program)
    input = Descriptor(owning: inputs.writeEnd, path: program)
    var none = sigset_t()
    sigemptyset(&none)
    let attributes = ChildProcess.Attributes(
      input: lifeline.raw, output: writeEnd.raw, hasOwnGroup: true, signalMask: none)
    let child = try ChildProcess(program, arguments, attributes)
    process = child.process
    self.child = consume child
    self.program = program
  }

  /// Waits for the next line that the process prints.
  ///
  /// - Parameter milliseconds: the longest time to wait; 0 only looks.
  /// - Returns: the line without its newline, or why there is none.
  /// - Throws: the call that failed.
  package func line(within milliseconds: CInt) throws(SystemFailure) -> Answer {
    while true {
      if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: bytes[..<end], as: UTF8.self)
        bytes.removeSubrange(...end)
        return .line(line)
      }
      var state = pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0)
      // A signal, which is another reason to look again, is no failure here.
      guard poll(&state, 1, milliseconds) > 0 else { return .nothing }
      var piece = [UInt8](repeating: 0, count: 4096)
      let count = try valueOrErrno(.read, program) { read(output.raw, &piece, piece.count) }
      if count == 0 { return .closed }
      bytes += piece[..<count]
    }
  }

  /// Looks whether the process has ended.
  package func look() {
    if let found = try? child?.endIfEnded() { ended(found) }
  }

  /// Asks the process to end with SIGTERM, waits until it is gone, and kills its group where that takes
  /// too long. The memory and the files that it had are given back by then.
  ///
  /// - Parameter milliseconds: the time that the process has.
  package func stop(within milliseconds: Int) {
    look()
    guard end == nil else { return }
    kill(process, SIGTERM)
    // A terminal may have stopped it.
    kill(process, SIGCONT)
    var waited = 0
    while end == nil, waited < milliseconds {
      usleep(5000)
      waited += 5
      look()
    }
    guard end == nil else { return }
    kill(-process, SIGKILL)
    if let found = try? child?.wait() { ended(found) }
  }

  private func ended(_ found: ChildEnd) {
    end = found
    child = nil
  }

  deinit { stop(within: 0) }
}
