// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestSystem
internal import Glibc

extension Machine {
  /// Returns the size of a page of the machine's kernel: see `pageSize(holding:)`.
  ///
  /// - Returns: bytes.
  public func pageSize() -> UInt64 {
    let memory = (try? contents(of: path("/proc/meminfo")))
      .flatMap { MemoryInformation(parsing: $0)["MemTotal"] }
    return pageSize(holding: memory ?? 0)
  }

  /// Returns the size of a page of the machine's kernel, which a copied tree does not share with the
  /// machine that reads it.
  ///
  /// - Parameter memory: MemTotal of its /proc/meminfo in bytes.
  /// - Returns: bytes.
  public func pageSize(holding memory: UInt64) -> UInt64 {
    guard !isRunning else { return UInt64(getpagesize()) }
    if let size = (try? kernelRelease()).flatMap({ configuration(of: $0)?.0.pageSize }) {
      return size
    }
    if let size = (try? contents(of: path("/proc/zoneinfo")))
      .flatMap({ CMATestCore.pageSize(inZoneInformation: $0, holding: memory) })
    {
      return size
    }
    // A page block is as much as one page of page table entries maps, unless told otherwise.
    let block = (try? contents(of: path("/proc/pagetypeinfo")))
      .flatMap { pagesPerBlock(inPageTypeInformation: $0) }
    let implied = (block ?? 0) * 8
    return [4 << 10, 16 << 10, 64 << 10].contains(implied) ? implied : UInt64(getpagesize())
  }
}
