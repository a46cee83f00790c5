// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import CMATestDevice
internal import CMATestMachine
internal import CMATestSystem
internal import Glibc

/// The work of the process that is a load. It ends when it is told to, and when its parent ends.
package struct LoadWork {
  let settings: LoadSettings
  let machine = Machine()
  let pageSize = Int(sysconf(CInt(_SC_PAGESIZE)))
  let signals: HeldSignals
  /// Whether the parent's end of a pipe, which closes with the parent, is this process's standard input.
  private let hasLifeline: Bool
  private let parent = getppid()
  private let tell: (String) -> Bool

  /// Prepares this process to be a load.
  ///
  /// - Parameters:
  ///   - settings: what the load is told.
  ///   - tell: takes each text for standard output; returns false where that cannot be written.
  package init(_ settings: LoadSettings, tell: @escaping (String) -> Bool) {
    self.settings = settings
    self.tell = tell
    signals = PendingSignal.hold()
    var input = stat()
    hasLifeline = fstat(STDIN_FILENO, &input) == 0 && input.st_mode & S_IFMT == S_IFIFO
    // A write beyond a limit is an error, and no signal.
    signal(SIGXFSZ, SIG_IGN)
    // Where memory runs out in spite of all, this is the first that the kernel ends.
    let badness = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)
    if badness >= 0 {
      _ = write(badness, "1000", 4)
      close(badness)
    }
  }

  /// Loads, until it is time to end.
  ///
  /// - Parameter kind: the kind of the load.
  /// - Returns: whether it has loaded; the reason is told otherwise.
  package func run(_ kind: LoadKind) -> Bool {
    // A command must be ended with all that it has started; whatever else there is goes with this process.
    let isCommand = if case .command = kind { true } else { false }
    cma_test_end_with_parent(isCommand ? SIGTERM : SIGKILL)
    if getppid() != parent || isOver { return true }
    do throws(LoadObstacle) {
      switch kind {
      case .none: loaded(held: 0, inArea: nil)
      case .anon: try AnonymousLoad(self).run()
      case .cache: try CacheLoad(self).run()
      case .dirty: try DirtyLoad(self).run()
      case .pinned: try PinnedLoad(self).run()
      case .churn: try ChurnLoad(self).run()
      case .command(let command): try CommandLoad(self, command).run()
      }
      return true
    } catch {
      _ = tell(LoadReport.failed(reason: error.reason, remedy: error.remedy).line)
      return false
    }
  }

  /// Whether it is time to end.
  var isOver: Bool { signals.pending != nil || hasLifeline && ParentProcess.hasEnded }

  /// Tells that the load is there.
  func loaded(held: UInt64, inArea: UInt64?) {
    _ = tell(LoadReport.loaded(held: held, inArea: inArea).line)
  }

  /// The memory now.
  func memory() throws(LoadObstacle) -> MemoryState {
    do throws(SystemFailure) { return try MemoryState(on: machine) } catch { throw .call(error) }
  }

  func pause(milliseconds: UInt64) { CMATestSystem.pause(nanoseconds: milliseconds * 1_000_000) }
}
