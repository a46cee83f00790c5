// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestSystem
internal import Glibc

/// This program, started once more as an owner of blocks.
public final class BlockOwnerProcess: BlockOwner {
  private static let program = "/proc/self/exe"
  /// The line by which the process tells that it has its blocks.
  private static let ready = "ready"
  private var process: BackgroundProcess

  /// Starts the process, and waits until it has its blocks.
  ///
  /// - Parameter arguments: the arguments that make this program call `own`.
  /// - Throws: the call that failed; ECHILD where the process ended before it had its blocks.
  init(_ arguments: [String]) throws(SystemFailure) {
    process = try BackgroundProcess(Self.program, arguments)
    guard try process.line() == Self.ready else {
      throw SystemFailure(.spawn, Self.program, ECHILD)
    }
  }

  public func kill() throws(SystemFailure) {
    guard try process.kill() else { throw SystemFailure(.kill, Self.program, ESRCH) }
  }

  /// Does the work of the started process: keeps some blocks, then allocates and releases others until
  /// the process is killed, or until the one that started it is gone.
  ///
  /// - Parameters:
  ///   - request: the request for each block.
  ///   - count: the number of blocks to keep.
  ///   - file: the open device.
  ///   - tell: called once, with the text for standard output, when the blocks are there; returns false
  ///     where the text cannot be written.
  /// - Throws: the request of a block to keep that failed.
  public static func own(
    _ request: BlockRequest, keeping count: Int, from file: any DeviceFile,
    tell: (String) -> Bool
  ) throws(DeviceFailure) {
    var kept = Allocations(from: file)
    for _ in 0..<count { try kept.allocate(request) }
    guard tell(ready + "\n") else { return }
    while !ParentProcess.hasEnded {
      // A refusal is no error: others may have taken the rest of the area.
      guard let block = try? Allocation(request, from: file) else { continue }
      _ = try? block.release()
    }
  }
}
