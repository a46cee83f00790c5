// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestDevice
internal import CMATestSystem

/// What there is to know of an area now. Counts are in pages; nil is what this kernel does not tell.
public struct AreaSurvey: Equatable, Sendable {
  public var area: AreaInformation
  public var pages: UInt64?
  public var pageSize: UInt64
  public var free: UInt64?
  /// The largest block that can be had, found by search.
  public var largest: UInt64?
  /// Since boot, as the kernel counts.
  public var allocated: UInt64?
  public var failed: UInt64?
  public var released: UInt64?

  /// Looks at an area, and takes blocks from it for a moment.
  ///
  /// - Parameters:
  ///   - area: which.
  ///   - information: what the device says of itself.
  ///   - kernel: with the open device.
  ///   - ending: ends the search; the largest block is unknown then.
  /// - Returns: what was found.
  /// - Throws: `failed` where the machine or the device cannot be asked; what ended it.
  public static func survey(
    _ area: AreaInformation, _ information: DeviceInformation, on kernel: some Kernel,
    ending: Ending
  ) throws(CaseEnd) -> AreaSurvey {
    let subject: AreaUnderTest
    do throws(SystemFailure) {
      subject = try AreaUnderTest(area, information, on: kernel)
    } catch {
      throw CaseEnd(error)
    }
    let run = CaseRun(
      kernel: kernel, area: subject, numbers: SeededNumbers(seed: 0), ending: ending
    ) { _, _ in }
    // Before the search, which moves the counters.
    let counters = try run.counters()
    let isOnlyArea = information.areas == 1 && information.totalPages == subject.pages
    return AreaSurvey(
      area: area, pages: subject.pages, pageSize: information.pageSize,
      free: counters.available ?? (isOnlyArea ? counters.free : nil),
      largest: subject.pages == nil ? nil : try run.largestBlock(),
      allocated: counters.allocated, failed: counters.failed, released: counters.released)
  }
}
