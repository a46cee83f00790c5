// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestMachine
internal import CMATestSystem

extension Machine {
  /// Finds the folders of the other threads of a process.
  ///
  /// A process goes on when its first thread has ended, but /proc/PID is that thread's, which has no memory
  /// any more.
  ///
  /// - Parameter process: its PID.
  /// - Returns: the folders, as `/proc/812/task/813`; none for a process of one thread, as the kernel's own are.
  func foldersOfOtherThreads(of process: Int32) -> [String] {
    let threads = (try? names(in: "/proc/\(process)/task")) ?? []
    return threads.filter { $0 != "\(process)" }.map { "/proc/\(process)/task/\($0)" }
  }
}
