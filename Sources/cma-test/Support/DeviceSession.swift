// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSuite
internal import CMATestSystem

/// The device for as long as a command needs it: no other command has it meanwhile, the module is
/// loaded where it was not, and removed again by whoever loaded it.
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
  /// Told in one line what did not go well and changes no result.
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

  /// A function of its own, so that the device is closed when it returns.
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
        throw DeviceSessionFailure(
          .cannotWrite, kind: "no-lock",
          message: "cannot \(error.call.rawValue) \(error.path): \(error.reason)",
          remedy: "see that /run is there and can be written to")
      }
      switch attempt {
      case .taken(let lock): return lock
      case .held(let process):
        let holder = words(process)
        guard waits else {
          throw DeviceSessionFailure(
            .deviceBusy, kind: "device-busy", message: "\(holder) has the device",
            remedy: "wait until it has ended, as '--wait' does")
        }
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
      throw DeviceSessionFailure(
        .deviceRefused, kind: "device-refused", message: error.message,
        remedy: "look for 'cmatest' in the output of dmesg")
    }
  }

  /// The area that a user means: see `AreaChoice`.
  func area(_ word: String?) throws(AreaChoice.Failure) -> AreaInformation {
    try AreaChoice.area(word, among: areas)
  }

  /// Why an area has no pages, and another place for it.
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

/// Why there is no device to work with.
struct DeviceSessionFailure: CommandFailure {
  var explanation: Explanation

  init(_ exitStatus: CommandStatus, kind: String, message: String, remedy: String) {
    explanation = Explanation(exitStatus, kind: kind, message: message, remedy: remedy)
  }

  /// What ended the work with the device before its end.
  init(_ end: CaseEnd) {
    switch end {
    case .failed(let reason), .skipped(let reason):
      self.init(
        .deviceRefused, kind: "device-refused", message: reason,
        remedy: "look for 'cmatest' in the output of dmesg")
    case .interrupted(let signal):
      self.init(
        CommandStatus(signal: signal) ?? .failed, kind: "ended", message: "ended by \(signal)",
        remedy: "start it again")
    case .timeUp:
      self.init(.failed, kind: "ended", message: "the time was up", remedy: "start it again")
    }
  }
}
