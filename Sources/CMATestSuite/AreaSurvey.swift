// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
public import CMATestDevice
internal import CMATestSystem

/// What there is to know of an area now. Counts are in pages; nil is what this kernel does not tell.
public struct AreaSurvey: Equatable, Sendable {
  public var area: AreaInformation
  public var pages: UInt64?
  public var pageSize: UInt64
  public var free: UInt64?
  /// The largest block that can be had, found by search; nil where none was made.
  public var largest: LargestBlock?
  /// The largest block by what the kernel shows of each page, with nothing allocated: of pages that
  /// seem movable some may be pinned.
  public var estimate: UInt64?
  /// Since boot, as the kernel counts.
  public var allocated: UInt64?
  public var failed: UInt64?
  public var released: UInt64?

  /// Whether the kernel, which reserved the area, could also activate it.
  public var isActivated: Bool { pages != 0 }

  /// Looks at an area.
  ///
  /// - Parameters:
  ///   - area: which.
  ///   - areas: all of them.
  ///   - information: what the device says of itself.
  ///   - kernel: with the open device.
  ///   - searches: whether to search the largest block, which takes blocks for a moment; else nothing
  ///     is allocated.
  ///   - ending: ends the search.
  /// - Returns: what was found.
  /// - Throws: `failed` where the machine or the device cannot be asked; what ended it.
  public static func survey(
    _ area: AreaInformation, among areas: [AreaInformation], _ information: DeviceInformation,
    on kernel: any Kernel, searches: Bool, ending: Ending
  ) throws(CaseEnd) -> AreaSurvey {
    let subject: AreaUnderTest
    do throws(SystemFailure) {
      subject = try AreaUnderTest(area, among: areas, information, on: kernel)
    } catch {
      throw CaseEnd(error)
    }
    let run = CaseRun(
      kernel: kernel, area: subject, numbers: SeededNumbers(seed: 0), ending: ending)
    // Before the search, which moves the counters.
    let counters = try run.counters()
    let isOnlyArea = areas.count == 1 && information.totalPages == subject.pages
    var survey = AreaSurvey(
      area: area, pages: subject.pages, pageSize: information.pageSize,
      free: counters.available ?? (isOnlyArea ? counters.free : nil),
      allocated: counters.allocated, failed: counters.failed, released: counters.released)
    guard subject.pages != nil, subject.isActivated else { return survey }
    if searches {
      survey.largest = try run.largestBlock()
    } else {
      survey.estimate = try run.estimatedLargestBlock()
    }
    return survey
  }
}
