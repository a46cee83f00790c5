// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A command of the user's in the shell, in a process group of its own. What it prints is read and thrown
/// away, but for the end.
package final class ShellCommand {
  /// Bytes of the output that are kept.
  private static let kept = 4096

  private let output: Descriptor
  private let process: pid_t
  private var child: ChildProcess?
  private var tail: [UInt8] = []
  /// How the shell ended; nil while it runs.
  package private(set) var end: ChildEnd?

  /// Starts a command.
  ///
  /// - Parameters:
  ///   - command: as it would be typed.
  ///   - held: the signals that this process holds back, and the command does not.
  /// - Throws: where the shell cannot be started.
  package init(_ command: String, holding held: HeldSignals) throws(SystemFailure) {
    let shell = "/bin/sh"
    let ends = try makePipe(to: shell)
    output = Descriptor(owning: ends.readEnd, path: shell)
    let writeEnd = Descriptor(owning: ends.writeEnd, path: shell)
    try valueOrErrno(.fcntl, shell) { fcntl(ends.readEnd, F_SETFL, O_NONBLOCK) }
    let attributes = ChildProcess.Attributes(
      output: writeEnd.raw, errors: writeEnd.raw, hasOwnGroup: true, signalMask: held.maskBefore)
    let child = try ChildProcess(shell, ["-c", command], attributes)
    process = child.process
    self.child = consume child
  }

  /// Reads what the command has printed, and looks whether the shell has ended.
  package func look() {
    if end == nil, let found = try? child?.endIfEnded() { ended(found) }
    var piece = [UInt8](repeating: 0, count: Self.kept)
    while true {
      let count = read(output.raw, &piece, piece.count)
      guard count > 0 else { break }
      tail = Array((tail + piece[..<count]).suffix(Self.kept))
    }
  }

  /// The last line that the command has printed; empty where there is none.
  package var lastLine: String {
    let lines = tail.split(separator: UInt8(ascii: "\n"))
    return lines.last.map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// Asks all of the group to end with SIGTERM, waits for the shell, and kills what is left of the group.
  ///
  /// - Parameter milliseconds: the time that the shell has.
  package func stop(within milliseconds: Int) {
    // The number is this group's as long as the shell has not been waited for, or one of the group is there.
    kill(-process, SIGTERM)
    kill(-process, SIGCONT)
    var waited = 0
    while waited < milliseconds {
      look()
      // All of the group, not the shell alone. What that has left may have become this process's.
      if end != nil { while waitpid(-process, nil, WNOHANG) > 0 {} }
      if end != nil, kill(-process, 0) < 0 { return }
      usleep(10_000)
      waited += 10
    }
    kill(-process, SIGKILL)
    if let found = try? child?.wait() { ended(found) }
  }

  private func ended(_ found: ChildEnd) {
    end = found
    child = nil
  }
}
