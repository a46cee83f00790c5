// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import CMATestMachine
internal import CMATestSystem
internal import Glibc

/// A command of the user's, which must run until it is ended; all that it has started ends with it.
struct CommandLoad {
  /// Milliseconds: until a command is taken to run, and for its end.
  private static let start: UInt64 = 500
  private static let grace = 5000

  private let work: LoadWork
  private let command: String

  init(_ work: LoadWork, _ command: String) {
    self.work = work
    self.command = command
  }

  func run() throws(LoadObstacle) {
    // What the command leaves behind, even in another session, becomes a child of this process.
    cma_test_adopt_orphans()
    let shell: ShellCommand
    do throws(SystemFailure) {
      shell = try ShellCommand(command, holding: work.signals)
    } catch {
      throw .call(error)
    }
    defer {
      shell.stop(within: Self.grace)
      endOrphans()
    }
    let begin = monotonicNanoseconds()
    var hasTold = false
    while !work.isOver {
      shell.look()
      let isEarly = monotonicNanoseconds() - begin < Self.start * 1_000_000
      if !hasTold, !isEarly || shell.end == .exit(0) {
        hasTold = true
        work.loaded(held: 0, inArea: nil)
      }
      if let end = shell.end {
        throw .command(command, end: words(end), last: shell.lastLine)
      }
      work.pause(milliseconds: 10)
    }
  }

  private func words(_ end: ChildEnd) -> String {
    switch end {
    case .exit(let code): "ended with exit code \(code)"
    case .signal(let signal): "was killed by signal \(signal)"
    }
  }

  /// Kills children of this process until there are none: the death of one makes its children this one's.
  private func endOrphans() {
    for _ in 0..<10_000 {
      // An empty answer of /proc is not taken for the end: that there is no child is what waitpid(2) says.
      for process in children() { kill(process, SIGKILL) }
      let ended = waitpid(-1, nil, WNOHANG)
      if ended < 0, errno == ECHILD { return }
      if ended == 0 { work.pause(milliseconds: 1) }
    }
  }

  private func children() -> [pid_t] {
    let own = "\(getpid())"
    let names = (try? work.machine.names(in: "/proc")) ?? []
    return names.compactMap { name in
      guard let process = pid_t(name),
        let bytes = try? contents(of: work.machine.path("/proc/\(name)/stat"))
      else { return nil }
      // Behind the name in parentheses, which may have any character: the state and the parent.
      let fields = String(decoding: bytes, as: UTF8.self).split(separator: ")").last?
        .split(separator: " ")
      guard let fields, fields.count > 1 else { return nil }
      return fields[1] == own ? process : nil
    }
  }
}
