// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore
internal import CMATestSystem

extension Machine {
  /// Returns the areas in the kernel's log; nil where the log cannot be read, as without root.
  public func areaLog() -> AreaLog? {
    (try? kernelLog()).map { AreaLog($0.lazy.map(\.text)) }
  }

  /// Returns the default area where the kernel reserved one and then could not use it.
  ///
  /// `status`, `areas` and `run` tell it with `message` and `remedy`, and a reboot is needed after.
  ///
  /// - Returns: nil where there is none, and where the log does not go back so far or cannot be read.
  public func unactivatedDefaultArea() -> UnactivatedArea? {
    guard let log = areaLog(), let name = log.notActivated.first(where: isDefaultArea) else {
      return nil
    }
    let line = (try? contents(of: path("/proc/cmdline"))).map { KernelCommandLine($0) }
    let zones = (try? contents(of: path("/proc/zoneinfo")))
      .map { memoryZones(inZoneInformation: $0) }
    let blockPages = (try? contents(of: path("/proc/pagetypeinfo")))
      .flatMap { pagesPerBlock(inPageTypeInformation: $0) }
    let pageSize = self.pageSize()
    return UnactivatedArea(
      name: name, size: line?.cma?.size, log: log, zones: zones ?? [],
      memory: (try? contents(of: path("/proc/iomem"))).flatMap { systemRAM(inIOMemory: $0) },
      pageSize: pageSize, blockSize: (blockPages ?? 1024) * pageSize)
  }

  /// Whether an area of that name is the default one: the kernel's own is `reserved`, that of a
  /// device tree has its node's name.
  public func isDefaultArea(_ name: String) -> Bool {
    name == "reserved" || name == deviceTreeDefaultArea()
  }

  /// The node of the device tree that is marked as the default area, whether it became one or not.
  public func deviceTreeDefaultArea() -> String? {
    let folder = "/proc/device-tree/reserved-memory"
    return ((try? names(in: folder)) ?? []).first { exists("\(folder)/\($0)/linux,cma-default") }
  }

  /// Returns the bytes that a node of the device tree's reserved memory asks for: `size`, or the
  /// second half of `reg`, which are big-endian numbers of one or two cells of 32 bits.
  ///
  /// - Returns: nil where the node does not say, or has several pieces.
  public func deviceTreeAreaSize(of node: String) -> UInt64? {
    let folder = "/proc/device-tree/reserved-memory"
    func property(_ name: String) -> [UInt8]? { try? contents(of: path("\(folder)/\(name)")) }
    func number(_ bytes: some Sequence<UInt8>) -> UInt64 {
      bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
    if let size = property("\(node)/size") {
      return size.count == 4 || size.count == 8 ? number(size) : nil
    }
    guard let cells = property("#size-cells").map(number), 1...2 ~= cells,
      let place = property("#address-cells").map(number), 1...2 ~= place,
      let reg = property("\(node)/reg"), reg.count == Int(cells + place) * 4
    else { return nil }
    return number(reg.suffix(Int(cells) * 4))
  }
}
