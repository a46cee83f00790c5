// SPDX-License-Identifier: GPL-2.0-or-later

import ArgumentParser
import CMATestCore
import CMATestDevice
import CMATestSuite
import CMATestSystem
import Glibc
import TestSupport
import Testing

@testable import cma_test

/// A machine that writes down what a session does with it.
private final class FakeHost: DeviceHost {
  var steps: [String] = []
  /// Who has the lock, from one attempt to the next; nil is nobody.
  var holders: [CInt?] = [nil]
  var lockFailure: SystemFailure?
  var loadFailure: DeviceSessionFailure?
  var unloadFailure: DeviceSessionFailure?
  let kernel: SimulatedKernel
  private let folder: TemporaryFolder

  init(_ kernel: SimulatedKernel = SimulatedKernel()) throws {
    self.kernel = kernel
    folder = try TemporaryFolder()
  }

  func lock() throws(SystemFailure) -> ProcessLock.Attempt {
    if let lockFailure { throw lockFailure }
    let holder = holders.count > 1 ? holders.removeFirst() : holders[0]
    if let holder {
      steps.append("busy")
      return .held(by: holder)
    }
    steps.append("lock")
    return try ProcessLock.take(folder.path + "/lock")
  }

  func module(loads: Bool) throws(DeviceSessionFailure) -> any ModuleHold {
    if let loadFailure { throw loadFailure }
    steps.append(loads ? "load" : "look")
    return FakeHold(host: self)
  }

  func open() throws(DeviceSessionFailure) -> any TestedKernel {
    steps.append("open")
    return kernel
  }

  func words(of process: CInt) -> String? { process == 7 ? "cma-test run --seed 5" : nil }
  func unactivatedDefaultArea() -> UnactivatedArea? { nil }
  func pause(nanoseconds: UInt64) { steps.append("pause") }
}

private struct FakeHold: ModuleHold {
  let host: FakeHost

  func end() throws(DeviceSessionFailure) {
    host.steps.append("unload")
    if let failure = host.unloadFailure { throw failure }
  }
}

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
    host.unloadFailure = DeviceSessionFailure(
      .failed, kind: "not-removed", message: "it is in use", remedy: "rmmod cmatest")
    var warnings: [String] = []
    #expect(try session(host) { warnings.append($0) }.use { _ in 5 } == 5)
    #expect(warnings == ["it is in use: rmmod cmatest"])
  }
}

@Suite struct CommandsOnDevicesTests {
  /// What a command wrote to standard output cannot be read here: its exit code and its steps can.
  private func code(_ arguments: [String], on host: FakeHost) throws -> CInt {
    do {
      switch try CMATest.parseAsRoot(arguments) {
      case let run as Run: try run.run(printing: StandardOutput(), on: host)
      case let areas as Areas: try areas.run(printing: StandardOutput(), on: host)
      default: Issue.record("\(arguments) is another command")
      }
      return 0
    } catch {
      return CMATest.exitCode(for: error).rawValue
    }
  }

  @Test func listingTouchesNoArea() throws {
    let kernel = SimulatedKernel()
    #expect(try code(["areas"], on: FakeHost(kernel)) == 0)
    #expect(kernel.givenPages == 0)
    #expect(try code(["areas", "--largest", "--json"], on: FakeHost(kernel)) == 0)
    #expect(kernel.givenPages == SimulatedKernel.pageCount + 1)
  }

  @Test(arguments: [["areas"], ["areas", "--json"], ["run"], ["run", "--format", "junit"]])
  func deviceInUseHasItsOwnCode(_ arguments: [String]) throws {
    let host = try FakeHost()
    host.holders = [7]
    #expect(try code(arguments, on: host) == CommandStatus.deviceBusy.rawValue)
  }

  @Test func whatCannotBeLoadedIsASkippedRunAndAFailedListing() throws {
    let host = try FakeHost()
    host.loadFailure = DeviceSessionFailure(
      .noDevice, kind: "cannot-load", message: "no module", remedy: "build it")
    #expect(try code(["run"], on: host) == CommandStatus.skipped.rawValue)
    #expect(try code(["run", "--autopkgtest"], on: host) == 77)
    #expect(try code(["areas"], on: host) == CommandStatus.noDevice.rawValue)
  }

  @Test func areaThatWasNotActivatedIsASkippedRun() throws {
    let host = try FakeHost(
      SimulatedKernel(areas: [SimulatedArea("reserved", base: 0x4_0000, pages: 0)]))
    #expect(try code(["run"], on: host) == CommandStatus.skipped.rawValue)
    #expect(try code(["areas", "--largest"], on: host) == 0)
    #expect(host.kernel.givenPages == 0)
  }

  @Test func unknownAreaIsAUsageErrorAndTheModuleGoes() throws {
    for command in ["run", "areas"] {
      let host = try FakeHost()
      #expect(
        try code([command, "--area", "nonsense"], on: host)
          == CommandStatus.usage.rawValue)
      #expect(host.steps.last == "unload")
    }
  }
}

@Suite struct ProcessLockTests {
  @Test func anotherProcessIsToldWhoHasIt() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/lock"
    // A record lock is the process's own, so a second one has to ask. util-linux has a tool only for
    // flock(2): python3 is not everywhere, perl is essential on Debian.
    guard case .taken(let lock) = try ProcessLock.take(path) else {
      Issue.record("somebody else has \(path)")
      return
    }
    let ask = """
      use Fcntl; open(my $f, '+<', '\(path)') or die; \
      my $l = pack('s s l! l! i x4', F_WRLCK, 0, 0, 0, 0); fcntl($f, F_GETLK, $l) or die; \
      my ($type, $whence, $start, $length, $pid) = unpack('s s x4 l! l! i', $l); \
      print $type == F_UNLCK ? 'free' : 'held';
      """
    func asked() throws -> String {
      let (bytes, code) = try output(of: "/usr/bin/perl", ["-e", ask])
      #expect(code == 0)
      return String(decoding: bytes, as: UTF8.self)
    }
    #expect(try asked() == "held")
    withExtendedLifetime(lock) {}
  }

  @Test func linkIsNotFollowed() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/lock"
    #expect(symlink("/etc/passwd", path) == 0)
    #expect(throws: SystemFailure(.open, path, ELOOP)) { _ = try ProcessLock.take(path) }
  }
}
