// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import CMATestMachine
internal import CMATestSystem
internal import Glibc

/// Processes that come, write to some memory, and go.
struct ChurnLoad {
  private let work: LoadWork

  init(_ work: LoadWork) { self.work = work }

  func run() throws(LoadObstacle) {
    let ballast = try Ballast(work)
    let most = min(16, max(2, 2 * processorCount()))
    let bytes = try bytesOfEach(most)
    var running: Set<pid_t> = []
    var hasTold = false
    defer { end(running) }
    while !work.isOver {
      while running.count < most {
        let process: pid_t
        do throws(SystemFailure) {
          process = try start(bytes)
        } catch {
          // Later there may be as many processes as there can be for a moment.
          if hasTold { break }
          throw .call(error)
        }
        running.insert(process)
      }
      var status: CInt = 0
      while case let ended = waitpid(-1, &status, WNOHANG), ended > 0 {
        running.remove(ended)
        if !hasTold {
          guard status == 0 else {
            throw .call(SystemFailure(.fork, "a process that ended", ECHILD))
          }
          hasTold = true
          work.loaded(held: UInt64(most * (bytes / work.pageSize)), inArea: nil)
        }
      }
      try ballast.yieldWhatOthersNeed()
      work.pause(milliseconds: 2)
    }
  }

  private func start(_ bytes: Int) throws(SystemFailure) -> pid_t {
    let time = UInt32.random(in: 5000...50_000)
    let pageSize = work.pageSize
    return try valueOrErrno(.fork, "a process") { cma_test_fork_toucher(bytes, pageSize, time) }
  }

  /// All together have at most half of what there is.
  private func bytesOfEach(_ count: Int) throws(LoadObstacle) -> Int {
    var room = (bytes: try work.memory().availableOrFree, limit: "the available memory")
    do throws(SystemFailure) {
      for limit in try work.machine.memoryLimits() where limit.room < room.bytes {
        room = (limit.room, limit.file)
      }
    } catch {
      throw .call(error)
    }
    let each = min(room.bytes / 2, work.settings.most) / UInt64(count)
    guard each >= 1 << 18 else { throw .noRoom(limit: room.limit, bytes: room.bytes) }
    return Int(min(each, 64 << 20)) / work.pageSize * work.pageSize
  }

  private func end(_ processes: Set<pid_t>) {
    for process in processes { kill(process, SIGKILL) }
    for process in processes { while waitpid(process, nil, 0) < 0, errno == EINTR {} }
  }
}
