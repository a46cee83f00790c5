// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestCore
import CMATestDevice
import CMATestMachine
import CMATestSuite
import CMATestSystem
import Glibc
import Testing

@testable import cma_test

private struct Failure: Error {}

@Suite struct DeviceSessionTests {
  private func session(
    _ host: FakeHost, loads: Bool = true, waits: Bool = false, signal: String? = nil,
    warn: @escaping (String) -> Void = { _ in }
  ) -> DeviceSession {
    DeviceSession(
      loads: loads, waits: waits, host: host,
      ending: Ending(deadline: nil, now: { 0 }, signal: { signal }), warn: warn)
  }

  @Test func deviceIsLockedLoadedOpenedAndLeftAsItWas() throws {
    let host = try FakeHost()
    let areas = try session(host).use { device in
      host.steps.append("work")
      return device.areas.count
    }
    #expect(areas == 1)
    #expect(host.steps == ["lock", "load", "open", "work", "unload"])
  }

  @Test func moduleIsNotLoadedForThoseWhoDoNotWantThat() throws {
    let host = try FakeHost()
    try session(host, loads: false).use { _ in }
    #expect(host.steps == ["look", "lock", "look", "open", "unload"])
  }

  @Test func moduleGoesAfterAFailureToo() throws {
    let host = try FakeHost()
    #expect(throws: Failure.self) { try session(host).use { _ in throw Failure() } }
    #expect(host.steps.last == "unload")
  }

  @Test func deviceIsClosedBeforeTheModuleGoes() throws {
    final class Closing: @unchecked Sendable {
      weak var kernel: SimulatedKernel?
    }
    struct Host: DeviceHost {
      let machine = Machine()
      let closing = Closing()
      func lock() throws(SystemFailure) -> ProcessLock.Attempt {
        throw SystemFailure(.open, "", EACCES)
      }
      func module(loads: Bool) throws(DeviceSessionFailure) -> any ModuleHold { Hold(closing) }
      func open() throws(DeviceSessionFailure) -> any TestedKernel {
        let kernel = SimulatedKernel()
        closing.kernel = kernel
        return kernel
      }
      func words(of process: CInt) -> String? { nil }
      func unactivatedDefaultArea() -> UnactivatedArea? { nil }
      func pause(nanoseconds: UInt64) {}
      func startLoad(
        _ kind: LoadKind, in folder: String, beside area: Range<UInt64>?, spare: UInt64,
        isEnding: () -> Bool
      ) throws(LoadFailure) -> any RunningLoad { throw .givenUp(load: kind.word) }
      func filledPages(by kind: LoadKind, in area: Range<UInt64>) -> UInt64? { nil }
    }
    struct Hold: ModuleHold {
      let closing: Closing
      init(_ closing: Closing) { self.closing = closing }
      func end() throws(DeviceSessionFailure) { #expect(closing.kernel == nil) }
    }
    let host = Host()
    let session = DeviceSession(
      host: host, ending: Ending(deadline: nil, now: { 0 }, signal: { nil }), warn: { _ in })
    #expect(try session.use { $0.areas.count } == 1)
    #expect(throws: Failure.self) { try session.use { _ in throw Failure() } }
  }

  @Test func secondCommandSaysWhoHasTheDevice() throws {
    let host = try FakeHost()
    host.holders = [7]
    do {
      try session(host).use { _ in }
      Issue.record("there are two sessions")
    } catch let error as DeviceSessionFailure {
      #expect(error.exitStatus == .deviceBusy && error.kind == "device-busy")
      #expect(error.message == "process 7 (cma-test run --seed 5) has the device")
    }
    #expect(host.steps == ["busy"])
  }

  @Test func waitingEndsWithTheOtherCommandAndIsSaidOnce() throws {
    let host = try FakeHost()
    host.holders = [7, 8, nil]
    var warnings: [String] = []
    try session(host, waits: true) { warnings.append($0) }.use { _ in }
    #expect(host.steps == ["busy", "pause", "busy", "pause", "lock", "load", "open", "unload"])
    #expect(warnings == ["waiting: process 7 (cma-test run --seed 5) has the device"])
  }

  @Test func waitingEndsWithASignal() throws {
    let host = try FakeHost()
    host.holders = [7]
    do {
      try session(host, waits: true, signal: "SIGTERM").use { _ in }
      Issue.record("there are two sessions")
    } catch let error as DeviceSessionFailure {
      #expect(error.exitStatus == .terminated)
    }
  }

  @Test func lockThatCannotBeMadeIsNamed() throws {
    let host = try FakeHost()
    host.lockFailure = SystemFailure(.open, "/run/cma-test.lock", EROFS)
    do {
      try session(host).use { _ in }
      Issue.record("there is a session without a lock")
    } catch let error as DeviceSessionFailure {
      #expect(error.exitStatus == .cannotWrite)
      #expect(error.message == "cannot open /run/cma-test.lock: Read-only file system")
    }
  }

  @Test func moduleThatCannotGoIsWarnedOfAndChangesNoResult() throws {
    let host = try FakeHost()
    host.unloadFailure = .refused("it is in use")
    var warnings: [String] = []
    #expect(try session(host) { warnings.append($0) }.use { _ in 5 } == 5)
    #expect(warnings == ["it is in use: look for 'cmatest' in the output of dmesg"])
  }
}

/// The cases of `DeviceSessionFailure`. A new case does not compile before it has samples here: neither
/// switch has a default.
private enum Case: CaseIterable {
  case noLock, busy, notLoaded, cannotOpen, refused, placeNotKnown, limited, tooLimited,
    interrupted,
    timeUp

  init(_ failure: DeviceSessionFailure) {
    switch failure {
    case .noLock: self = .noLock
    case .busy: self = .busy
    case .notLoaded: self = .notLoaded
    case .cannotOpen: self = .cannotOpen
    case .refused: self = .refused
    case .placeNotKnown: self = .placeNotKnown
    case .limited: self = .limited
    case .tooLimited: self = .tooLimited
    case .interrupted: self = .interrupted
    case .timeUp: self = .timeUp
    }
  }

  var samples: [DeviceSessionFailure] {
    switch self {
    case .noLock: [.noLock(SystemFailure(.open, "/run/x", EROFS))]
    case .busy: [.busy(holder: "process 7")]
    case .placeNotKnown:
      [true, false].map { .placeNotKnown(area: "a", mayHaveRanges: $0) }
    case .limited: [.limited("pages", parameter: "max_pages", "cannot allocate")]
    case .tooLimited: [.tooLimited("the module's max_handles is too low")]
    case .notLoaded:
      [.notLoaded(Explanation(.inContainer, kind: "cannot-load", message: "m", remedy: "r"))]
    case .cannotOpen:
      [EACCES, EPERM, EPROTONOSUPPORT, EIO, ENOENT, EMFILE, ENFILE, ENOBUFS].map {
        .cannotOpen(SystemFailure(.open, "/dev/x", $0))
      }
    case .refused: [.refused("no")]
    case .interrupted: [.interrupted(by: "SIGINT"), .interrupted(by: "SIGHUP")]
    case .timeUp: [.timeUp]
    }
  }
}

@Suite struct DeviceSessionFailureTests {
  private let all = Case.allCases.flatMap(\.samples)

  @Test func eachSaysWhatIsWrongAndWhatToDoInOneLine() {
    for failure in all {
      for text in [failure.message, failure.remedy, failure.kind] {
        #expect(!text.isEmpty && !text.contains("\n"), "\(failure)")
      }
      #expect(failure.exitStatus != .success)
    }
    #expect(Set(all.map { Case($0) }) == Set(Case.allCases))
  }

  @Test func moduleThatIsNotLoadedHasOneStatusWhateverTheCause() {
    for failure in Case.notLoaded.samples { #expect(failure.exitStatus == .noDevice) }
  }

  @Test func signalHasTheStatusOfAShell() {
    #expect(Case.interrupted.samples.map(\.exitStatus) == [.interrupted, .hungUp])
  }

  @Test func remedyFitsTheReasonWhyTheDeviceDoesNotOpen() {
    let remedies = Case.cannotOpen.samples.map(\.remedy)
    #expect(remedies[0] == remedies[1] && remedies[0].contains("root"))
    #expect(remedies[2].contains("rmmod cmatest") && remedies[3].contains("dmesg"))
    #expect(remedies[4].contains("mknod -m 600 /dev/cmatest c "))
    #expect(remedies[5].contains("ulimit -n") && remedies[6].contains("fs.file-max"))
  }
}
