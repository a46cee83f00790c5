// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
public import CMATestDevice
public import CMATestReport
internal import CMATestSystem

extension AreaSurvey {
  /// Surveys an area.
  ///
  /// - Parameters:
  ///   - area: the area as the device describes it.
  ///   - areas: all areas.
  ///   - information: the description of the module and the kernel.
  ///   - kernel: the kernel, with the open device.
  ///   - searches: whether to search the largest block, which takes blocks for a moment; else nothing is
  ///     allocated.
  ///   - ending: ends the search.
  /// - Returns: the survey.
  /// - Throws: `failed` where the machine or the device cannot be asked; the end of the search.
  public static func survey(
    _ area: AreaInformation, among areas: [AreaInformation], _ information: DeviceInformation,
    on kernel: any TestedKernel, searches: Bool, ending: Ending
  ) throws(CaseEnd) -> AreaSurvey {
    let subject = try observing(AreaUnderTest(area, among: areas, information, on: kernel))
    let run = CaseRun(
      kernel: kernel, area: subject, numbers: SeededNumbers(seed: 0), ending: ending)
    // Before the search, which moves the counters.
    let counters = try run.counters()
    let isOnlyArea = areas.count == 1 && information.totalPages == subject.pages
    var survey = AreaSurvey(
      index: area.index, name: area.name, isDefault: area.isDefault, held: area.heldPages,
      pageSize: information.pageSize)
    survey.base = area.base
    survey.pages = subject.pages
    survey.free = counters.available ?? (isOnlyArea ? counters.free : nil)
    survey.allocated = counters.allocated
    survey.failed = counters.failed
    survey.released = counters.released
    guard subject.pages != nil, subject.isActivated else { return survey }
    if searches {
      let largest = try run.largestBlock()
      survey.largest = largest
      if !largest.isLimited, let free = survey.free, largest.pages < free {
        survey.inTheWay = kernel.obstacle(
          to: BlockRequest(area: area.index, count: largest.pages + 1), in: subject.place)
      }
    } else {
      survey.estimate = try run.estimatedLargestBlock()
    }
    return survey
  }
}
