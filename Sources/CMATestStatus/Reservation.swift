// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// The memory that is reserved for CMA.
struct Reservation {
  private static let folder = "/sys/kernel/mm/cma"
  private static let counters = [
    "total_pages", "available_pages", "alloc_pages_success", "alloc_pages_fail",
    "release_pages_success",
  ]

  struct Area {
    var name: String
    /// The values of the `counters` that this kernel has, all in pages.
    var counts: [(name: String, value: Int64)]
  }

  /// Whether /proc/meminfo could be read.
  let isKnown: Bool
  /// All areas together, in bytes; nil where the kernel does not say.
  let total: UInt64?
  let free: UInt64?
  /// The areas; nil where this kernel does not list them.
  let areas: [Area]?
  /// The default area; nil where nothing is known of the memory.
  let defaultArea: DefaultArea?

  init(
    _ machine: Machine, _ commandLine: KernelCommandLine?, _ configuration: KernelConfiguration?
  ) {
    let information = (try? contents(of: machine.path("/proc/meminfo")))
      .map { MemoryInformation(parsing: $0) }
    isKnown = information != nil
    total = information?["CmaTotal"]
    free = information?["CmaFree"]
    areas = Self.listsAreas(machine, configuration) ? Self.areas(machine) : nil
    let areas = areas
    defaultArea = total.map {
      DefaultArea(machine, total: $0, areas: areas, commandLine: commandLine)
    }
  }

  /// The folder is not there for a kernel that has the option and no area.
  private static func listsAreas(
    _ machine: Machine, _ configuration: KernelConfiguration?
  ) -> Bool {
    if machine.exists(folder) { return true }
    return machine.exists("/sys/kernel") && configuration?.enables("CONFIG_CMA_SYSFS") == true
  }

  private static func areas(_ machine: Machine) -> [Area] {
    ((try? machine.names(in: folder)) ?? []).map { name in
      Area(
        name: name,
        counts: counters.compactMap { counter in
          (try? machine.line("\(folder)/\(name)/\(counter)")).flatMap { Int64($0) }
            .map { (counter, $0) }
        })
    }
  }
}
