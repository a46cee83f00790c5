// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// Whether there is a default area, which the module allocates from unless told otherwise.
///
/// CmaTotal counts every area: those for huge pages, for nodes, for a crash kernel and for a single
/// device too. Where the kernel lists the areas (CONFIG_CMA_SYSFS), the default one is known by its
/// name; else it is concluded from who asked for how much.
enum DefaultArea {
  /// `size` is in bytes; nil where only the sum of all is known.
  case present(size: UInt64?)
  case notActivated(UnactivatedArea)
  case absent
  case unknown

  init(
    _ machine: Machine, total: UInt64, areas: [Reservation.Area]?,
    commandLine: KernelCommandLine?
  ) {
    if total > 0, let area = areas?.first(where: { machine.isDefaultArea($0.name) }) {
      let pages = area.counts.first { $0.name == "total_pages" }?.value
      if pages == 0, let lost = machine.unactivatedDefaultArea() {
        self = .notActivated(lost)
      } else {
        self =
          pages == 0
          ? .absent : .present(size: pages.map { UInt64(max(0, $0)) * machine.pageSize() })
      }
      return
    }
    if let lost = machine.unactivatedDefaultArea() {
      self = .notActivated(lost)
    } else if total == 0 || areas != nil {
      self = .absent
    } else {
      self = Self.concluded(machine, total, commandLine)
    }
  }

  /// Concludes the default area without a list of the areas.
  private static func concluded(
    _ machine: Machine, _ total: UInt64, _ line: KernelCommandLine?
  ) -> DefaultArea {
    let wanted = wanted(machine, line)
    if wanted == 0 { return .absent }
    let others = OtherArea.all(on: line)
    if others.isEmpty, ownPools(machine).isEmpty { return .present(size: nil) }
    guard let wanted else {
      guard let node = machine.deviceTreeDefaultArea() else { return .unknown }
      return inDeviceTree(machine, node: node, total, isAlone: others.isEmpty)
    }
    // The kernel rounds up, never down.
    if total < wanted { return .absent }
    if let log = machine.areaLog(), log.reservation(ofSize: wanted) != nil, log.failures == 0 {
      return .present(size: wanted)
    }
    return .unknown
  }

  /// Returns the size in bytes that was asked for as the default area; nil where that is not known.
  private static func wanted(_ machine: Machine, _ line: KernelCommandLine?) -> UInt64? {
    if let cma = line?.cma { return cma.size }
    if machine.deviceTreeDefaultArea() != nil { return nil }
    guard let release = try? machine.kernelRelease(),
      let (configuration, _) = machine.configuration(of: release),
      let mebibytes = configuration["CONFIG_CMA_SIZE_MBYTES"].flatMap({ UInt64($0) }),
      configuration.enables("CONFIG_CMA_SIZE_SEL_MBYTES"), mebibytes < 1 << 40
    else { return nil }
    return mebibytes << 20
  }

  /// The default area that the device tree marks, on a machine with pools for single devices: the
  /// log names the node, and once it has lost that, there is as much as all nodes together ask for.
  private static func inDeviceTree(
    _ machine: Machine, node: String, _ total: UInt64, isAlone: Bool
  ) -> DefaultArea {
    if let area = machine.areaLog()?.reservations.first(where: { $0.node == node }) {
      return .present(size: area.mebibytes << 20)
    }
    guard isAlone, let size = machine.deviceTreeAreaSize(of: node) else { return .unknown }
    var all = size
    for pool in ownPools(machine) {
      guard let size = machine.deviceTreeAreaSize(of: pool) else { return .unknown }
      all = all.clampedSum(size)
    }
    // The kernel rounds up, never down.
    return total >= all ? .present(size: size) : .unknown
  }

  /// The device tree's pools for single devices.
  static func ownPools(_ machine: Machine) -> [String] {
    let folder = "/proc/device-tree/reserved-memory"
    return ((try? machine.names(in: folder)) ?? []).filter {
      machine.exists("\(folder)/\($0)/reusable")
        && !machine.exists("\(folder)/\($0)/linux,cma-default")
    }
  }
}

/// A word of the kernel command line that reserves other areas than the default one.
enum OtherArea {
  /// - Parameter line: the kernel command line.
  /// - Returns: the words, as `hugetlb_cma=1G`; such as ask for nothing are left out.
  static func all(on line: KernelCommandLine?) -> [String] {
    guard let line else { return [] }
    var words: [String] = []
    for name in ["hugetlb_cma", "cma_pernuma", "numa_cma"] {
      words += line.values(of: name).filter { $0 != "0" }.map { "\(name)=\($0)" }
    }
    return words
      + line.values(of: "crashkernel").filter { $0.hasSuffix(",cma") }.map { "crashkernel=\($0)" }
  }
}
