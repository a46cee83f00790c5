// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// Tells how much memory this process may still take before the kernel takes memory from others, or kills
/// the process.
struct MemoryRoom {
  private let machine: Machine
  private let pageSize: UInt64

  init(on machine: Machine, pageSize: Int) {
    self.machine = machine
    self.pageSize = UInt64(pageSize)
  }

  /// Counts the pages that fit.
  ///
  /// - Parameter wanted: the most pages.
  /// - Returns: at most `wanted` pages.
  /// - Throws: `impossible` where not even 1 MiB fits, with the limit that is in the way.
  func pages(atMost wanted: Int) throws(PlacementFailure) -> Int {
    let least = min(UInt64(wanted), max(1, (1 << 20) / pageSize))
    var count = UInt64(wanted)
    for limit in try limits() {
      let pages = (limit.bytes - min(limit.bytes, MemoryState.leastReserve)) / pageSize
      guard pages >= least else {
        throw .impossible("\(limit.name) leaves \(limit.bytes >> 10) KiB of memory")
      }
      count = min(count, pages)
    }
    return Int(count)
  }

  private func limits() throws(PlacementFailure) -> [(name: String, bytes: UInt64)] {
    do throws(SystemFailure) {
      let memory = try MemoryState(on: machine)
      // The pages are moved out of the area, where the memory of CMA is no room for them.
      let outside = (memory.available ?? 0).clampedDifference(memory.freeInAreas)
      var limits = [(name: "what the machine has besides CMA", bytes: outside)]
      // An allocation of this program that fails ends it: the mapping must not take all there is.
      if try isStrictlyAccounted(), let promise = memory.promise {
        limits.append((name: "vm.overcommit_memory=2", bytes: promise))
      }
      limits += try machine.memoryLimits().map { (name: $0.file, bytes: $0.room) }
      return limits
    } catch {
      throw .system(error)
    }
  }

  private func isStrictlyAccounted() throws(SystemFailure) -> Bool {
    let file = "/proc/sys/vm/overcommit_memory"
    guard machine.exists(file) else { return false }
    return try contents(of: machine.path(file)).first == UInt8(ascii: "2")
  }
}
