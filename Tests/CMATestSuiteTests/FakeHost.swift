// SPDX-License-Identifier: GPL-2.0-or-later

import ArgumentParser
import CMATestBench
import CMATestCore
import CMATestDevice
import CMATestMachine
import CMATestSystem
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import cma_test

/// A machine that writes down what a session does with it.
final class FakeHost: DeviceHost {
  var steps: [String] = []
  /// Who has the lock, from one attempt to the next; nil is nobody.
  var holders: [CInt?] = [nil]
  var lockFailure: SystemFailure?
  var loadFailure: DeviceSessionFailure?
  var unloadFailure: DeviceSessionFailure?
  let kernel: SimulatedKernel
  private let folder: TemporaryFolder
  /// Whose files and processes are looked at.
  let tree: CopiedTree

  var machine: Machine { tree.machine }

  init(_ kernel: SimulatedKernel = SimulatedKernel()) throws {
    self.kernel = kernel
    folder = try TemporaryFolder()
    tree = try CopiedTree()
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

  /// The load that does not load, or ends when it is looked at so often.
  var loadEnds: (load: LoadKind, afterChecks: Int)?

  func startLoad(
    _ kind: LoadKind, in folder: String, beside area: Range<UInt64>?, spare: UInt64,
    isEnding: () -> Bool
  ) throws(LoadFailure) -> any RunningLoad {
    let ends = loadEnds?.load == kind ? loadEnds?.afterChecks : nil
    if ends == 0 { throw .notLoaded(load: kind.word, reason: "no room", remedy: "make room") }
    steps.append("+\(kind.word)")
    return FakeLoad(host: self, kind: kind, checks: ends)
  }

  func filledPages(by kind: LoadKind, in area: Range<UInt64>) -> UInt64? {
    UInt64(steps.count { $0.hasPrefix("+") } - steps.count { $0.hasPrefix("-") }) * 100
  }
}

private final class FakeLoad: RunningLoad {
  let host: FakeHost
  let kind: LoadKind
  var checks: Int?

  init(host: FakeHost, kind: LoadKind, checks: Int?) {
    self.host = host
    self.kind = kind
    self.checks = checks
  }

  func check() throws(LoadFailure) {
    guard let left = checks else { return }
    if left == 1 { throw .endedEarly(load: kind.word, reason: "it was over", remedy: "more") }
    checks = left - 1
  }

  func stop() { host.steps.append("-\(kind.word)") }
}

private struct FakeHold: ModuleHold {
  let host: FakeHost

  func end() throws(DeviceSessionFailure) {
    host.steps.append("unload")
    if let failure = host.unloadFailure { throw failure }
  }
}

/// Standard output that a test reads, and that can fail.
final class RecordedOutput: Sendable {
  private let bytes = Mutex<[UInt8]>([])
  private let failsAfter: Int

  /// - Parameter writes: how many writes succeed before one fails with EPIPE.
  init(failingAfter writes: Int = .max) { failsAfter = writes }

  var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

  /// The output that writes here.
  func output() -> StandardOutput {
    let writes = Mutex(0)
    return StandardOutput { new throws(SystemFailure) in
      let count = writes.withLock { count in
        count += 1
        return count
      }
      if count > self.failsAfter { throw SystemFailure(.write, "standard output", EPIPE) }
      self.bytes.withLock { $0 += new }
    }
  }
}

/// What a command did on a machine.
struct CommandOutcome {
  var code: CInt
  var output: String
  var errors: String
}

/// Runs a command with the device on a machine.
///
/// - Parameters:
///   - arguments: the words after the program's name.
///   - host: the machine.
///   - recorded: takes what the command prints.
/// - Returns: the exit status and all that was printed.
/// - Throws: where the words are another command's.
func outcome(
  of arguments: [String], on host: FakeHost, to recorded: RecordedOutput = RecordedOutput()
) throws -> CommandOutcome {
  var errors = ""
  var code: CInt = 0
  do {
    let command = try CMATest.parseAsRoot(arguments)
    let device = try #require(command as? any DeviceCommand)
    try device.run(printing: recorded.output(), on: host) { errors += $0 }
  } catch let failure as OutputFailure {
    // The program itself ends with the status of this one: see `CMATest.main`.
    #expect(failure.code == EPIPE)
    code = CommandStatus.cannotWrite.rawValue
  } catch {
    code = CMATest.exitCode(for: error).rawValue
  }
  return CommandOutcome(code: code, output: recorded.text, errors: errors)
}
