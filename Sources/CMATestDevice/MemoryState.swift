// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
package import CMATestMachine
package import CMATestSystem

/// The memory of the machine at one moment, by /proc/meminfo (proc_meminfo(5)). Sizes are in bytes.
package struct MemoryState: Equatable, Sendable {
  /// What should stay for everybody else, whatever a command takes.
  package static let leastReserve: UInt64 = 24 << 20

  package var total: UInt64
  package var free: UInt64
  /// Of that, what lies in areas of CMA.
  package var freeInAreas: UInt64
  /// What the kernel thinks it can give out without swapping, free pages of areas among it; nil where the
  /// kernel does not tell.
  package var available: UInt64?
  package var swapTotal: UInt64
  package var swapFree: UInt64
  /// What may still be mapped where the kernel keeps account of that strictly; nil where it does not tell.
  package var promise: UInt64?

  /// Reads the memory of a machine.
  ///
  /// - Parameter machine: the machine.
  /// - Throws: where /proc cannot be read.
  package init(on machine: Machine) throws(SystemFailure) {
    let meminfo = MemoryInformation(parsing: try contents(of: machine.path("/proc/meminfo")))
    total = meminfo["MemTotal"] ?? 0
    free = meminfo["MemFree"] ?? 0
    freeInAreas = meminfo["CmaFree"] ?? 0
    available = meminfo["MemAvailable"]
    swapTotal = meminfo["SwapTotal"] ?? 0
    swapFree = meminfo["SwapFree"] ?? 0
    if let most = meminfo["CommitLimit"], let committed = meminfo["Committed_AS"] {
      promise = most.clampedDifference(committed)
    }
  }

  /// Looks whether enough is left for everybody else besides a block, so that the kernel ends no process for
  /// want of memory.
  ///
  /// The pages of an area are a part of the machine's memory that everybody uses; who has a block takes that
  /// much from all others.
  ///
  /// - Parameter bytes: of the block.
  /// - Returns: nil where there is, or where nothing tells.
  package func shortage(taking bytes: UInt64) -> MemoryShortage? {
    guard let available, total > 0 else { return nil }
    let left = available.clampedSum(swapFree)
    let least = min(max(total / 16, Self.leastReserve), 256 << 20)
    return left < bytes.clampedSum(least) ? MemoryShortage(left: left, least: least) : nil
  }
}

/// What is left of the machine's memory, and what should be, in bytes.
public struct MemoryShortage: Equatable, Sendable {
  /// Without the block that was not asked for.
  public var left: UInt64
  public var least: UInt64

  public init(left: UInt64, least: UInt64) {
    self.left = left
    self.least = least
  }

  /// Bytes that can be taken all the same.
  public var spare: UInt64 { left.clampedDifference(least) }

  /// Why the block was not asked for, in words that follow "since".
  public var words: String {
    "less than \(byteCount(least)) of the machine's memory would be left for everything else "
      + "(\(byteCount(left)) without the block)"
  }
}
