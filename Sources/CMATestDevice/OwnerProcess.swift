// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestSystem
internal import Glibc

/// This program once more, as another owner of blocks.
final class OwnerProcess: OtherOwner {
  private static let program = "/proc/self/exe"
  private var process: BackgroundProcess

  /// - Parameter arguments: those after the program's name.
  /// - Throws: where it cannot be started, or (ECHILD) ended before it had its blocks.
  init(_ arguments: [String]) throws(SystemFailure) {
    process = try BackgroundProcess(Self.program, arguments)
    guard try process.line() == BlockOwner.ready else {
      throw SystemFailure(.spawn, Self.program, ECHILD)
    }
  }

  func kill() throws(SystemFailure) {
    guard try process.kill() else { throw SystemFailure(.kill, Self.program, ESRCH) }
  }
}

/// What that process does.
public struct BlockOwner {
  /// The line by which it tells that it has its blocks.
  public static let ready = "ready"

  private let file: any DeviceFile
  private let request: BlockRequest

  public init(file: any DeviceFile, request: BlockRequest) {
    self.file = file
    self.request = request
  }

  /// Keeps some blocks, then allocates and releases others until it is killed, or until the process
  /// that started it as a `Helper` is gone.
  ///
  /// - Parameters:
  ///   - count: blocks to keep.
  ///   - whenReady: called once they are there; returns false where nobody can be told.
  /// - Throws: where one of them cannot be had.
  public func run(keeping count: Int, whenReady: () -> Bool) throws(DeviceFailure) {
    var kept = Allocations(from: file)
    for _ in 0..<count { try kept.allocate(request) }
    guard whenReady() else { return }
    while !ParentProcess.hasEnded {
      // One that is not to be had is no error: others may have taken the rest of the area.
      guard let block = try? Allocation(request, from: file) else { continue }
      _ = try? block.release()
    }
  }
}
