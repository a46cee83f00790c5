// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
internal import CMATestDevice
internal import CMATestHolders
internal import CMATestMachine
internal import CMATestReport
internal import CMATestSuite
internal import CMATestSystem

/// Gives a command the device for as long as the work takes: no other command has the device meanwhile,
/// and a module that was loaded for this is removed again.
///
/// Signals that end a program must be held back, so that the module is removed after them too.
struct DeviceSession {
  /// Whether the module may be loaded.
  var loads = true
  /// Whether to wait while another process has the device.
  var waits = false
  let host: any DeviceHost
  /// Asked while waiting.
  let ending: Ending
  /// Takes one line on what did not go well and changes no result.
  let warn: (String) -> Void

  /// Runs a body with the open device.
  ///
  /// - Parameter body: must not keep the device.
  /// - Returns: what the body returned.
  /// - Throws: `DeviceSessionFailure` where there is no device to be had, and what the body throws.
  func use<Result>(_ body: (OpenDevice) throws -> Result) throws -> Result {
    // What is not to be loaded needs no lock to be looked for.
    if !loads { _ = try host.module(loads: false) }
    let lock = try takeLock()
    let module = try host.module(loads: loads)
    defer {
      do throws(DeviceSessionFailure) {
        try module.end()
      } catch {
        warn("\(error.message): \(error.remedy)")
      }
    }
    return try withExtendedLifetime(lock) { try open(body) }
  }

  // Not inlined, so that the device is closed when this returns.
  @inline(never)
  private func open<Result>(_ body: (OpenDevice) throws -> Result) throws -> Result {
    try body(try OpenDevice(try host.open(), host: host))
  }

  private func takeLock() throws(DeviceSessionFailure) -> ProcessLock? {
    var isTold = false
    while true {
      let attempt: ProcessLock.Attempt
      do throws(SystemFailure) {
        attempt = try host.lock()
      } catch {
        // Who may not do this may not open the device either, and is told that.
        if error.code == SystemFailure.accessDenied || error.code == SystemFailure.notPermitted {
          return nil
        }
        throw .noLock(error)
      }
      switch attempt {
      case .taken(let lock): return lock
      case .held(let process):
        let holder = words(process)
        guard waits else { throw .busy(holder: holder) }
        if !isTold { warn("waiting: \(holder) has the device") }
        isTold = true
      }
      if let reason = ending.reason { throw DeviceSessionFailure(reason) }
      host.pause(nanoseconds: 200_000_000)
    }
  }

  private func words(_ process: CInt?) -> String {
    guard let process else { return "a process of another container" }
    return "process \(process)" + (host.words(of: process).map { " (\($0))" } ?? "")
  }
}

/// The open device and its areas.
struct OpenDevice {
  let kernel: any TestedKernel
  let information: DeviceInformation
  let areas: [AreaInformation]
  private let host: any DeviceHost

  var machine: Machine { host.machine }

  fileprivate init(_ kernel: any TestedKernel, host: any DeviceHost) throws(DeviceSessionFailure) {
    self.kernel = kernel
    self.host = host
    do throws(DeviceFailure) {
      let information = try kernel.file.information()
      var areas: [AreaInformation] = []
      for index in 0..<information.areas { areas.append(try kernel.file.area(index)) }
      self.information = information
      self.areas = areas
    } catch {
      throw .refused(error.message)
    }
  }

  /// Finds the area that a user means.
  ///
  /// - Parameter word: the name or the index of the area; nil for the default area.
  /// - Returns: the area.
  /// - Throws: an error of usage that names the areas.
  func area(_ word: String?) throws -> AreaInformation {
    let others = otherAreas.map { "; \($0.message): \($0.remedy)" } ?? ""
    return try mapError({ ValidationError($0.message + ($0.isUnknown ? others : "")) }) {
      () throws(AreaChoice.Failure) in
      try AreaChoice.area(word, among: areas)
    }
  }

  /// Says that this kernel has areas which the module does not know; nil where every page is of one that it
  /// knows.
  var otherAreas: (message: String, remedy: String)? {
    guard !information.hasAllAreas else { return nil }
    let known = areas.reduce(UInt64(0)) { sum, area in
      sum.clampedSum((try? areaUnderTest(area))?.pages ?? 0)
    }
    let others = information.totalPages.clampedDifference(known)
    guard others > 0 else { return nil }
    let size = byteCount(others.clampedProduct(information.pageSize))
    return (
      "\(size) more are reserved for CMA in areas that the module does not know: it was loaded without the "
        + "address of cma_for_each_area",
      "rmmod cmatest, then repeat the command, which loads the module with all addresses"
    )
  }

  /// Looks at an area that is to be worked in.
  ///
  /// - Parameter area: the area.
  /// - Returns: what the device and the kernel tell of the area.
  /// - Throws: the refusal, where they cannot be asked.
  func areaUnderTest(_ area: AreaInformation) throws(DeviceSessionFailure) -> AreaUnderTest {
    try mapError({ DeviceSessionFailure.refused("cannot look at the area: \($0.reason)") }) {
      () throws(SystemFailure) in
      try AreaUnderTest(area, among: areas, information, on: kernel)
    }
  }

  /// Surveys an area.
  ///
  /// - Parameters:
  ///   - area: the area.
  ///   - searches: whether to search the largest block, which takes blocks for a moment.
  ///   - ending: ends the search.
  /// - Returns: the survey.
  /// - Throws: the refusal, or what ended the search.
  func survey(
    _ area: AreaInformation, searches: Bool, ending: Ending
  ) throws(DeviceSessionFailure) -> AreaSurvey {
    try mapError(DeviceSessionFailure.init) { () throws(CaseEnd) in
      try AreaSurvey.survey(
        area, among: areas, information, on: kernel, searches: searches, ending: ending)
    }
  }

  /// Finds how many pages of an area belong to whom, while the command has no block.
  func occupancy(of area: AreaUnderTest) throws(DeviceSessionFailure) -> Occupancy {
    try mapError(DeviceSessionFailure.init) { () throws(CaseEnd) in
      try Occupancy.read(of: area, on: kernel)
    }
  }

  /// Makes the observer of an area.
  ///
  /// - Parameter area: the area.
  /// - Returns: the observer.
  /// - Throws: the refusal, where the place of the area is not known.
  func observed(_ area: AreaInformation) throws(DeviceSessionFailure) -> AreaObserver {
    let looked = try areaUnderTest(area)
    guard
      let observer = AreaObserver(
        insight: kernel.insight, machine: machine, place: looked.place)
    else {
      guard looked.isActivated else {
        let (message, remedy) = whyNotActivated(area)
        throw .refused("\(message): \(remedy)")
      }
      throw .placeNotKnown(area: looked.title, mayHaveRanges: looked.mayHaveRanges)
    }
    return observer
  }

  /// Makes a request whose failure ends the command.
  func asking<Answer>(
    _ request: () throws(DeviceFailure) -> Answer
  ) throws(DeviceSessionFailure) -> Answer {
    try mapError(refusal, request)
  }

  /// Makes the failure of the command from that of a request.
  func refusal(_ failure: DeviceFailure) -> DeviceSessionFailure {
    if failure.isNoSuchRequest {
      .cannotOpen(SystemFailure(.ioctl, KernelDevice.path, SystemFailure.protocolNotSupported))
    } else if failure.isPageLimit {
      .limited("pages", parameter: "max_pages", failure.message)
    } else if failure.isHandleLimit {
      .limited("blocks", parameter: "max_handles", failure.message)
    } else {
      .refused(failure.message)
    }
  }

  /// Explains why an area has no pages, and names another place for the area.
  func whyNotActivated(_ area: AreaInformation) -> (message: String, remedy: String) {
    if area.isDefault, let cause = host.unactivatedDefaultArea() {
      return (cause.message, cause.remedy)
    }
    return (
      "the kernel reserved the area \(area.name ?? "\(area.index)"), but could not activate it",
      "dmesg | grep -i cma"
    )
  }
}
