// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

extension Machine {
  /// Reads how much memory there is for areas, and where. For users other than root, what only root
  /// may read is left out.
  func physicalMemory() throws(ReserveFailure) -> PhysicalMemory {
    let path = path("/proc/meminfo")
    let text = try readable { () throws(SystemFailure) in try contents(of: path) }
    guard let total = MemoryInformation(parsing: text)["MemTotal"] else {
      throw .unreadable(operation: "parse", path: path, reason: "the file has no MemTotal")
    }
    let pageSize = pageSize(holding: total)
    let inputAndOutput = (try? contents(of: self.path("/proc/iomem"))) ?? []
    return PhysicalMemory(
      total: total, blockSize: blockSize(pageSize), ranges: systemRAM(inIOMemory: inputAndOutput),
      occupied: occupiedMemory(inIOMemory: inputAndOutput),
      reachableByAll: reachableByAll(pageSize))
  }

  /// Returns the bytes that the kernel rounds to: `CMA_MIN_ALIGNMENT_BYTES`, a page block.
  private func blockSize(_ pageSize: UInt64) -> UInt64 {
    let pages = (try? contents(of: path("/proc/pagetypeinfo")))
      .flatMap { pagesPerBlock(inPageTypeInformation: $0) }
    // Else as much as one page of page table entries maps, which is the kernel's default.
    return pageSize * max(1, pages ?? pageSize / 8)
  }

  /// On arm64 the kernel puts an area without an address below `arm64_dma_phys_limit`, the end of
  /// the first of these zones. (`arch/arm64/mm/init.c`)
  private func reachableByAll(_ pageSize: UInt64) -> UInt64? {
    guard (try? line("/proc/sys/kernel/arch")) == "aarch64",
      let text = try? contents(of: path("/proc/zoneinfo"))
    else { return nil }
    return ["DMA", "DMA32"].map { presentPages(ofZone: $0, inZoneInformation: text) * pageSize }
      .first { $0 > 0 }
  }
}
