// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestDevice
import CMATestReport
import CMATestSuite
import CMATestSystem
import Foundation
import Glibc
import Testing

/// An operation of the device or of the kernel that fails, in a case that needs it.
struct FailingOperation: Sendable, CustomTestStringConvertible {
  var name: String
  var caseName: String
  var inject: @Sendable (FaultyKernel) -> Void

  init(
    _ name: String, _ caseName: String, _ inject: @escaping @Sendable (FaultyKernel) -> Void
  ) {
    self.name = name
    self.caseName = caseName
    self.inject = inject
  }

  var testDescription: String { name }

  private static func device() throws(DeviceFailure) -> Never {
    throw DeviceFailure("do that", EIO)
  }

  private static func system() throws(SystemFailure) -> Never {
    throw SystemFailure(.read, "/some/file", EIO)
  }

  static let all = [
    Self("information", "accounting") { kernel in
      kernel.on.information = { _ throws(DeviceFailure) in
        if kernel.allocations > 0 { try device() }
      }
    },
    Self("allocate", "single-page") {
      $0.on.refusal = { _ throws(DeviceFailure) in try device() }
    },
    Self("allocate, of many", "exhaust") { kernel in
      kernel.on.refusal = { _ throws(DeviceFailure) in
        if kernel.allocations == 20 { try device() }
      }
    },
    Self("release", "single-page") { $0.on.release = { _ throws(DeviceFailure) in try device() } },
    Self("release, of many", "release-order") { kernel in
      kernel.on.release = { _ throws(DeviceFailure) in if kernel.releases == 20 { try device() } }
    },
    Self("inspect", "contiguity") {
      $0.on.inspection = { _ throws(DeviceFailure) in try device() }
    },
    Self("fill", "patterns") { $0.on.filling = { () throws(DeviceFailure) in try device() } },
    Self("check", "patterns") { $0.on.patternCheck = { _ throws(DeviceFailure) in try device() } },
    Self("batch", "concurrency") { $0.on.batch = { _ throws(DeviceFailure) in try device() } },
    Self("probe of no pages", "zero") {
      $0.on.probe = { _, _ throws(DeviceFailure) in try device() }
    },
    Self("probe of a foreign page", "foreign-page") {
      $0.on.probe = { _, _ throws(DeviceFailure) in try device() }
    },
    Self("counters", "accounting") { kernel in
      kernel.on.counters = { _ throws(SystemFailure) in
        if kernel.allocations > 0 { try system() }
      }
    },
    Self("bitmap", "exhaust") { $0.on.bitmap = { _ throws(SystemFailure) in try system() } },
    Self("placement of pages", "movable-anonymous") {
      $0.on.placement = { () throws(SystemFailure) in try system() }
    },
    Self("frames of pages", "movable-page-cache") {
      $0.on.pages.frames = { _ throws(SystemFailure) in try system() }
    },
    Self("pin", "pinned-page") { $0.on.pages.pin = { () throws(SystemFailure) in try system() } },
    Self("unpin", "pinned-page") {
      $0.on.pages.unpin = { _ throws(SystemFailure) in try system() }
    },
    Self("start of another process", "owner-killed") {
      $0.on.start = { () throws(SystemFailure) in try system() }
    },
    Self("end of another process", "owner-killed") {
      $0.on.killing = { () throws(SystemFailure) in try system() }
    },
  ]
}

@Suite struct FailingOperationTests {
  @Test(arguments: FailingOperation.all)
  func operationThatFailsIsNamedAndAllIsGivenBack(_ operation: FailingOperation) throws {
    let kernel = FaultyKernel()
    operation.inject(kernel)
    let result = try run(kernel, filter: operation.caseName)
    guard case .failed(let reason) = try #require(result.cases.first).outcome else {
      Issue.record("\(result.cases)")
      return
    }
    #expect(
      reason == "cannot do that: Input/output error"
        || reason == "read of /some/file: Input/output error")
    #expect(kernel.usedPages == 0)
    #expect(result.exitStatus(forAutopkgtest: false) == .failed)
  }

  /// As of pids.max, or of ulimit -n.
  @Test(arguments: [EAGAIN, EMFILE, ENFILE, ENOMEM]) func limitOfTheMachineSkipsTheCase(
    _ code: CInt
  ) throws {
    let kernel = FaultyKernel()
    kernel.on.start = { () throws(SystemFailure) in
      throw SystemFailure(.spawn, "/proc/self/exe", code)
    }
    let outcome = try #require(try run(kernel, filter: "owner-killed").cases.first).outcome
    #expect(outcome.word == "skip")
    #expect(
      outcome.reason?.hasPrefix("posix_spawn of /proc/self/exe: ") == true
        && outcome.reason?.hasSuffix(
          ": a limit on processes, open files or memory is too low for this case") == true
    )
    #expect(kernel.usedPages == 0)
  }

  @Test(arguments: [
    (ENOSPC, "max_pages"), (EMFILE, "max_handles"), (ENOBUFS, "the kernel has no memory"),
  ])
  func limitOfTheModuleSkipsTheCase(_ code: CInt, _ parameter: String) throws {
    let kernel = FaultyKernel()
    kernel.on.refusal = { request throws(DeviceFailure) in throw DeviceFailure(request.words, code)
    }
    let result = try run(kernel, filter: "single-page")
    #expect(result.cases.first?.outcome.word == "skip")
    #expect(result.cases.first?.outcome.reason?.contains(parameter) == true)
  }
}

@Suite struct InterruptedConcurrencyTests {
  /// Asked by all threads at once.
  private final class Signal: @unchecked Sendable {
    private let lock = NSLock()
    private var looks = 0
    private let last: Int

    init(atLook last: Int) { self.last = last }

    var name: String? {
      lock.withLock {
        looks += 1
        return looks >= last ? "SIGINT" : nil
      }
    }
  }

  @Test(arguments: [1, 2, 3, 10, 57, 200, 399, 405])
  func allThreadsEndAndGiveEverythingBack(_ look: Int) throws {
    let kernel = SimulatedKernel()
    let signal = Signal(atLook: look)
    let result = try run(
      kernel, filter: "concurrency",
      ending: Ending(deadline: nil, now: { 0 }, signal: { signal.name }))
    #expect(result.cases.first?.outcome == .notRun("interrupted by SIGINT"))
    #expect(result.endedBy == "SIGINT" && result.exitStatus(forAutopkgtest: false) == .interrupted)
    #expect(kernel.usedPages == 0)
  }

  @Test func whatOneThreadFindsCountsAlsoIfTheOthersFindNothing() throws {
    let kernel = FaultyKernel()
    let once = Once()
    kernel.on.patternCheck = {
      if once.isFirst { $0 = PatternCheck(badWords: 1, first: .init(offset: 0, wrote: 1, read: 0)) }
    }
    let result = try run(kernel, filter: "concurrency")
    #expect(result.cases.first?.outcome.word == "fail")
    #expect(kernel.usedPages == 0)
  }

  private final class Once: @unchecked Sendable {
    private let lock = NSLock()
    private var isUsed = false

    var isFirst: Bool {
      lock.withLock {
        defer { isUsed = true }
        return !isUsed
      }
    }
  }
}
