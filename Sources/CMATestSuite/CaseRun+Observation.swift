// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSystem

extension CaseRun {
  /// Asks the device to describe the module and the kernel.
  func information() throws(CaseEnd) -> DeviceInformation {
    try asking(file.information())
  }

  /// Counts the pages of the area that the module has.
  func heldPages() throws(CaseEnd) -> UInt64 {
    try asking(file.area(area.index).heldPages)
  }

  /// Reads what the kernel counts of the area.
  func counters() throws(CaseEnd) -> Counters {
    try observing(kernel.counters(of: area.counterName))
  }

  /// Finds the pages of a range that are neither free nor movable.
  ///
  /// - Returns: nil where the kernel does not show the kinds of pages.
  /// - Throws: `failed` where they cannot be read.
  func fixedPages(in frames: Range<UInt64>) throws(CaseEnd) -> FrameRanges? {
    try observing(kernel.fixedPages(in: frames))
  }

  /// Finds the pages of a range that are not free.
  ///
  /// - Returns: nil where the kernel does not show the kinds of pages.
  /// - Throws: `failed` where they cannot be read.
  func occupiedPages(in frames: Range<UInt64>) throws(CaseEnd) -> FrameRanges? {
    try observing(kernel.occupiedPages(in: frames))
  }
}
