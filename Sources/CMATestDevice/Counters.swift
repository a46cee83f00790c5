// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// The counters that the kernel has of CMA, all in pages.
public struct Counters: Equatable, Sendable {
  /// CmaFree of /proc/meminfo.
  public var free: UInt64
  /// nr_free_cma of /proc/vmstat; nil where the kernel has none.
  public var statisticsFree: UInt64?
  /// Pages of one area that were allocated since boot, as all below from /sys/kernel/mm/cma; nil where
  /// the kernel does not count them.
  public var allocated: UInt64?
  /// Pages of refused requests.
  public var failed: UInt64?
  /// Pages that were released.
  public var released: UInt64?
  /// Pages that nobody has allocated.
  public var available: UInt64?
  /// All pages of the area.
  public var total: UInt64?

  public init(free: UInt64) {
    self.free = free
  }
}

extension Counters {
  /// Reads the counters as they are now.
  ///
  /// - Parameters:
  ///   - machine: the running machine, or a copied tree.
  ///   - area: the name of the area below /sys/kernel/mm/cma; nil for none.
  ///   - pageSize: the bytes of a page, since /proc/meminfo counts in KiB.
  /// - Throws: the call that failed, where /proc cannot be read.
  init(on machine: Machine, area: String?, pageSize: UInt64) throws(SystemFailure) {
    let meminfo = MemoryInformation(parsing: try contents(of: machine.path("/proc/meminfo")))
    self.init(free: (meminfo["CmaFree"] ?? 0) / pageSize)
    statisticsFree = Self.statistic("nr_free_cma", try contents(of: machine.path("/proc/vmstat")))
    guard let area else { return }
    // As the kernel names it there. (`kobject_set_name_vargs` in `lib/kobject.c`)
    let folder = String(area.map { $0 == "/" ? "!" : $0 })
    func counter(_ name: String) -> UInt64? {
      (try? machine.line("/sys/kernel/mm/cma/\(folder)/\(name)")).flatMap { UInt64($0) }
    }
    allocated = counter("alloc_pages_success")
    failed = counter("alloc_pages_fail")
    released = counter("release_pages_success")
    available = counter("available_pages")
    total = counter("total_pages")
  }

  private static func statistic(_ name: String, _ text: [UInt8]) -> UInt64? {
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: " "))
      if fields.count == 2, fields[0].elementsEqual(name.utf8) {
        return UInt64(String(decoding: fields[1], as: UTF8.self))
      }
    }
    return nil
  }
}
