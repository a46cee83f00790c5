// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
public import CMATestDevice
public import CMATestReport
internal import CMATestSystem

extension Occupancy {
  /// Asks the kernel and the module how many pages belong to whom, while the suite has no block of its
  /// own.
  ///
  /// - Parameters:
  ///   - area: the area.
  ///   - kernel: the kernel, with the open device.
  /// - Returns: the pages of others.
  /// - Throws: `failed` where the kernel or the module cannot be asked.
  public static func read(
    of area: AreaUnderTest, on kernel: any TestedKernel
  ) throws(CaseEnd) -> Occupancy {
    let held = try asking(kernel.file.area(area.index).heldPages)
    let counters = try observing(kernel.counters(of: area.counterName))
    let known = min(held, area.pages ?? held)
    guard let total = counters.total, let available = counters.available else {
      return Occupancy(pages: area.pages, others: known, isExact: false)
    }
    return Occupancy(
      pages: area.pages, others: max(total.clampedDifference(available), known), isExact: true)
  }

  /// Returns whether the refusal of a block of so many pages is no fault, because others have so much of
  /// the area that the rest need not have a place for the block.
  func explainsRefusal(of count: UInt64) -> Bool {
    guard others > 0, let free else { return false }
    // What is left lies scattered, and the last pages may be pinned.
    return free < count.clampedProduct(2).clampedSum(64)
  }
}
