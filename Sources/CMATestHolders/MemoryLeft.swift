// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// Tells whether a block can be had without the kernel ending some process for want of memory.
///
/// The pages of an area are a part of the machine's memory that everybody uses; who has a block takes that
/// much from all others.
package struct MemoryLeft: Sendable {
  /// What is left, and what should be, in bytes.
  package struct Shortage: Equatable, Sendable {
    package var left: UInt64
    package var least: UInt64

    package init(left: UInt64, least: UInt64) {
      self.left = left
      self.least = least
    }
  }

  private let machine: Machine

  init(on machine: Machine) { self.machine = machine }

  /// Looks whether enough is left for everybody else besides a block.
  ///
  /// - Parameter bytes: of the block.
  /// - Returns: nil where there is, or where nothing tells.
  func shortage(taking bytes: UInt64) -> Shortage? {
    guard let text = try? contents(of: machine.path("/proc/meminfo")) else { return nil }
    let meminfo = MemoryInformation(parsing: text)
    // proc_meminfo(5): the free pages of the areas are in it, too.
    guard let available = meminfo["MemAvailable"], let total = meminfo["MemTotal"] else {
      return nil
    }
    let left = available.clampedSum(meminfo["SwapFree"] ?? 0)
    let least = min(max(total / 16, 24 << 20), 256 << 20)
    return left < bytes.clampedSum(least) ? Shortage(left: left, least: least) : nil
  }
}
