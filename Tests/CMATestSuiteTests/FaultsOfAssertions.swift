// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import CMATestMachine
import CMATestReport
import CMATestSystem
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CMATestSuite

/// A fault, and the assertion that it must trip.
struct AssertionFault: Sendable, CustomTestStringConvertible {
  /// A piece of the assertion's message as the sources have it.
  var assertion: String
  var caseName: String
  /// What the reason must have, where the sources have no words for it.
  var saying: String?
  /// Nanoseconds of the simulated clock, for the run.
  var deadline: UInt64?
  /// Makes the kernel that is right.
  var base: @Sendable () -> SimulatedKernel
  /// Sets the hooks of a kernel that is right otherwise.
  var inject: @Sendable (FaultyKernel) -> Void

  init(
    _ assertion: String, _ caseName: String, saying: String? = nil, deadline: UInt64? = nil,
    on base: @escaping @Sendable () -> SimulatedKernel = { SimulatedKernel() },
    _ inject: @escaping @Sendable (FaultyKernel) -> Void
  ) {
    self.base = base
    self.assertion = assertion
    self.caseName = caseName
    self.saying = saying
    self.deadline = deadline
    self.inject = inject
  }

  var testDescription: String { "\(caseName): \(assertion)" }

  /// A whole message stands for itself alone, as one that has no words does.
  func isMeant(for assertion: Assertion, of all: [Assertion]) -> Bool {
    all.contains { $0.message == self.assertion }
      ? assertion.message == self.assertion : assertion.message.contains(self.assertion)
  }

  /// Runs its case with the fault.
  func result() throws -> (outcome: Outcome, pagesLeft: Int) {
    let base = base()
    let before = base.usedPages
    let kernel = FaultyKernel(base)
    inject(kernel)
    let ending = Ending(deadline: deadline, now: { kernel.now }, signal: { nil })
    let result = try run(kernel, filter: caseName, ending: ending)
    return (try #require(result.cases.first).outcome, kernel.usedPages - before)
  }
}

private let outOfMemory = ENOMEM
private let pageCount = UInt64(SimulatedKernel.pageCount)

/// Refuses some of the requests.
private func refuse(
  _ code: CInt = outOfMemory, _ isRefused: @escaping (BlockRequest) -> Bool
) -> (BlockRequest) throws(DeviceFailure) -> Void {
  { request throws(DeviceFailure) in
    if isRefused(request) { throw DeviceFailure(request.words, code) }
  }
}

/// Gives a block that is not there where a request of its kind was refused.
private func invent(
  _ isGiven: @escaping (BlockRequest) -> Bool
) -> (BlockRequest, DeviceFailure) throws(DeviceFailure) -> Block {
  { request, error throws(DeviceFailure) in
    guard isGiven(request) else { throw error }
    return Block(
      handle: 0xFFFF_0000, frame: SimulatedKernel.base, count: request.count, nanoseconds: 1)
  }
}

private func fault(
  _ assertion: String, _ caseName: String, saying: String? = nil, deadline: UInt64? = nil,
  on base: @escaping @Sendable () -> SimulatedKernel = { SimulatedKernel() },
  _ inject: @escaping @Sendable (FaultyKernel) -> Void
) -> AssertionFault {
  AssertionFault(assertion, caseName, saying: saying, deadline: deadline, on: base, inject)
}

/// A counter that is wrong by one while the case holds more than the page of its reading.
private func counter(
  _ name: String, _ change: @escaping @Sendable (inout Counters) -> Void
) -> AssertionFault {
  fault("\(name) changed by", "accounting") { kernel in
    kernel.on.counters = { if kernel.usedPages > 1 { change(&$0) } }
  }
}

private func information(
  _ name: String, _ change: @escaping @Sendable (inout DeviceInformation) -> Void
) -> AssertionFault {
  fault("\(name) of the module changed by", "accounting") { kernel in
    kernel.on.information = { if kernel.usedPages > 1 { change(&$0) } }
  }
}

/// At least one for each assertion of the suite.
let assertionFaults: [AssertionFault] = [
  // What every case does.
  fault("cma_release refused \\(block.count)", "single-page") { kernel in
    kernel.on.release = { $0.isAccepted = false }
  },
  fault("cma_release refused \\(block.count)", "exhaust") { kernel in
    // Of many blocks one alone.
    kernel.on.release = { if kernel.releases == 100 { $0.isAccepted = false } }
  },
  fault("message", "patterns", saying: "is at byte 8: wrote 0x1, read 0x2") { kernel in
    kernel.on.patternCheck = {
      $0 = PatternCheck(badWords: 1, first: .init(offset: 8, wrote: 1, read: 2))
    }
  },
  fault("error.message", "single-page", saying: "cannot allocate 1 page of order 0") { kernel in
    kernel.on.refusal = refuse { _ in true }
  },
  fault("error.call.rawValue", "accounting", saying: "read of /proc/vmstat: ") { kernel in
    kernel.on.counters = { _ throws(SystemFailure) in
      if kernel.allocations > 0 { throw SystemFailure(.read, "/proc/vmstat", EIO) }
    }
  },
  fault("the time for the run was up", "patterns", deadline: 10_000) { _ in },
  fault(
    #""\(when) \(difference(found, wanted))""#, "exhaust",
    saying: "when all of it is released debugfs has "
  ) {
    kernel in
    kernel.on.bitmap = { if kernel.releases > 2 { $0?.used += 1 } }
  },
  fault(
    #""\(when) \(difference(found, wanted))""#, "fragmentation",
    saying: "debugfs shows no bitmap any more"
  ) {
    kernel in
    kernel.on.bitmap = { if kernel.allocations > 2 { $0 = nil } }
  },

  // Nothing is given, though nobody else has a part of the area, or has only a little.
  fault("nothing could be allocated", "release-order") { kernel in
    kernel.on.refusal = refuse { _ in true }
  },
  fault("no block could be had", "inside-area") { kernel in
    kernel.on.refusal = refuse { _ in true }
  },
  fault("no two blocks of up to", "patterns") { kernel in
    kernel.on.refusal = refuse { _ in kernel.allocations == 1 }
  },
  fault("only one page could be had", "alignment", on: { SimulatedKernel(knowsPlaces: false) }) {
    kernel in
    kernel.on.refusal = refuse { _ in kernel.allocations > 0 }
  },
  fault(
    "\\(message), and \\(occupancy.words)", "odd-counts",
    saying: "not one page of simulated can be had",
    on: { SimulatedKernel(others: 0..<8) }
  ) { kernel in
    kernel.on.refusal = refuse { _ in true }
  },

  // Sizes.
  fault("the block has no handle", "single-page") { kernel in
    kernel.on.block = { if $0.count == 1 { $1.handle = 0 } }
  },
  fault("one page was asked for", "single-page") { kernel in
    kernel.on.inspection = { $0.count = 2 }
  },
  fault("\"\\(count) pages were asked for", "odd-counts") { kernel in
    kernel.on.inspection = { $0.count -= 1 }
  },
  fault("which is no multiple of", "alignment") { kernel in
    kernel.on.block = { if $0.order > 2 { $1.frame += 1 } }
  },

  // Places.
  fault("when it is looked at", "contiguity") { kernel in
    kernel.on.inspection = { $0.frame += 1 }
  },
  fault("when it is looked at", "contiguity") { kernel in
    kernel.on.inspection = { $0.count += 1 }
  },
  fault("as the first is", "contiguity") { kernel in
    kernel.on.inspection = { $0.inZone -= 1 }
  },
  fault("are somebody else's too", "contiguity") { kernel in
    kernel.on.inspection = { if $0.count > 2 { $0.unshared -= 1 } }
  },
  fault("lie outside of the area", "inside-area") { kernel in
    kernel.on.inspection = { $0.inside = $0.count - 1 }
  },
  fault("lie outside of the area", "inside-area") { kernel in
    kernel.on.block = { if $1.frame == SimulatedKernel.base { $1.frame -= 1 } }
  },
  fault("overlap", "patterns") { kernel in
    // The second block is the first once more.
    kernel.on.block = { if kernel.allocations == 2 { $1.frame = SimulatedKernel.base } }
  },

  // Exhaustion.
  fault("must be had each time", "exhaust") { kernel in
    kernel.on.refusal = refuse { $0.order > 0 && kernel.usedPages > 2000 }
  },
  fault("not in the order of their allocation", "release-order") { kernel in
    kernel.on.refusal = refuse { _ in kernel.releases > 0 && kernel.usedPages > 1000 }
  },
  fault("where no hole between blocks has more", "fragmentation") { kernel in
    kernel.on.invented = invent { $0.count == 33 }
  },
  fault("is there, but cannot be had", "fragmentation") { kernel in
    kernel.on.refusal = refuse { $0.order == 0 && $0.count == 32 }
  },
  fault("are free in one piece again, but cannot be had", "fragmentation") { kernel in
    kernel.on.refusal = refuse { $0.count == pageCount }
  },

  // Accounting.
  fault(
    #"why.joined(separator: "; ")"#, "accounting", saying: "CmaFree changed by ["
  ) { kernel in
    kernel.on.counters = { if kernel.usedPages > 1 { $0.free += 3 } }
  },
  counter("CmaFree") { $0.free += 1 },
  counter("nr_free_cma") { $0.statisticsFree? += 1 },
  counter("available_pages") { $0.available? += 1 },
  counter("total_pages") { $0.total? -= 1 },
  counter("alloc_pages_success") { $0.allocated? -= 1 },
  counter("release_pages_success") { $0.released? += 1 },
  counter("alloc_pages_fail") { $0.failed? += 1 },
  information("free_pages") { $0.freePages += 1 },
  information("held_pages") { $0.heldPages -= 1 },
  fault("held_pages of the module's area changed by", "accounting") { kernel in
    kernel.on.area = { if kernel.usedPages > 1 { $0.heldPages += 1 } }
  },
  information("file_handles") { $0.fileHandles += 1 },

  // Refusals.
  fault("more than the \\(run.area.pages ?? 0)", "too-large") { kernel in
    kernel.on.invented = invent { $0.count > pageCount }
  },
  fault("a block of no pages was given", "zero") { kernel in
    kernel.on.probe = { if $0 == .noPages { $1.isRefused = false } }
  },
  fault("passed on a request for no pages", "zero") { kernel in
    kernel.on.refusal = refuse { $0.count == 0 }
  },
  fault("the module gave a block of no pages", "zero") { kernel in
    kernel.on.invented = invent { $0.count == 0 }
  },
  fault("which is not of the area", "foreign-page") { kernel in
    kernel.on.probe = { if $0 == .foreignPage { $1.isRefused = false } }
  },
  fault("failed for another reason", "release-twice") { kernel in
    kernel.on.releaseOfNothing = { error throws(DeviceFailure) in
      throw DeviceFailure(error.request, EIO)
    }
  },
  fault("has the handle of one that is gone", "release-twice") { kernel in
    kernel.on.block = { $1.handle = 77 }
  },
  fault("a block was released twice", "release-twice") { kernel in
    kernel.on.releaseOfNothing = { _ in Release(isAccepted: true, nanoseconds: 1) }
  },

  // Concurrency.
  fault("one processor was refused", "concurrency") { kernel in
    kernel.on.refusal = refuse { _ in true }
  },
  fault("cma_release refused \\(batch.refused)", "concurrency") { kernel in
    kernel.on.batch = { $0.refused = 1 }
  },

  // Owners.
  fault("and all together have", "owner-killed") { kernel in
    kernel.on.area = { $0.heldPages = min($0.heldPages, 1) }
  },
  fault("the killed process still has", "owner-killed") { kernel in
    kernel.on.area = { if kernel.kills > 0 { $0.heldPages += 4 } }
  },
  fault("after the process was killed", "owner-killed") { kernel in
    // Each time: what is gone once may be of others.
    kernel.on.counters = { $0.free -= UInt64(kernel.kills) }
  },

  // Pages of a process.
  fault("that could be had lies where one of the", "movable-anonymous") { kernel in
    kernel.on.block = { $1.frame += 1 << 20 }
  },
  fault("are of a block and of this process", "movable-anonymous") { kernel in
    kernel.on.pages.frames = { $0[0] = SimulatedKernel.base + pageCount - 1 }
  },
  fault("of this process is not as it was written", "movable-page-cache") { kernel in
    kernel.on.pages.firstWrongPage = { _ in kernel.allocations > 0 ? 3 : nil }
  },
  fault("has the pinned page", "pinned-page") { kernel in
    kernel.on.pages.isPinned = { false }
  },
  fault("the pinned page does not have what this process wrote", "pinned-page") { kernel in
    kernel.on.pages.unpin = { _ in false }
  },
  fault("is pinned no longer, but its block still cannot be had", "pinned-page") { kernel in
    let pin = Pin()
    kernel.on.pages.unpin = {
      pin.wasTaken = true
      return $0
    }
    kernel.on.refusal = refuse { _ in pin.wasTaken }
  },
]

private final class Pin: @unchecked Sendable {
  var wasTaken = false
}

@Suite struct AssertionTests {
  @Test(arguments: assertionFaults) func faultTripsItsAssertion(_ fault: AssertionFault) throws {
    let all = try Assertion.all()
    let assertions = all.filter { fault.isMeant(for: $0, of: all) }
    #expect(Set(assertions.map(\.message)).count == 1, "\(assertions)")
    let result = try fault.result()
    guard case .failed(let reason) = result.outcome else {
      Issue.record("not failed: \(result.outcome)")
      return
    }
    let matches = assertions.first?.matches(reason)
    // Where the sources have no words, the fault has those to look for.
    #expect(matches != false && (matches == true || fault.saying != nil), "\(reason)")
    if let saying = fault.saying { #expect(reason.contains(saying), "\(reason)") }
    // What goes wrong is not what the kernel has, but what it says: all of it was given back.
    #expect(result.pagesLeft == 0)
  }

  @Test func noAssertionIsWithoutAFault() throws {
    let assertions = try Assertion.all()
    #expect(assertions.count > 40)
    for assertion in assertions {
      #expect(
        assertionFaults.contains { $0.isMeant(for: assertion, of: assertions) }, "\(assertion)")
    }
  }

  @Test func noneIsTrippedWithoutAFault() throws {
    for test in try run(FaultyKernel()).cases { #expect(test.outcome == .passed, "\(test.name)") }
  }
  /// Those that a module of the tests makes are tripped for real, in a machine.
  @Test func everyFaultOfTheModuleIsTriedInAMachine() throws {
    func names(_ file: String, _ pattern: Regex<(Substring, Substring)>) throws -> [String] {
      try sourceFile(file).matches(of: pattern).map {
        $0.1.lowercased().replacing("_", with: "-")
      }
    }
    let header = try names("Tests/kmod/fault/fault.h", #/#define CMATEST_FAULT_(\w+)/#)
    let module = try names("Tests/kmod/fault/fault.c", #/\[CMATEST_FAULT_\w+\] = \{ "([^"]+)"/#)
    let cases = TestCase.all.map(\.name).joined(separator: "|")
    let machine = try names(
      "Tests/vm/suite.sh",
      try Regex("(?m)^([a-z-]+) (?:\(cases)) .+", as: (Substring, Substring).self))
    #expect(header.count > 10 && header == module)
    // Tests/kmod/engine.sh makes the others, which are for what measures, and for the module itself.
    #expect(Set(machine) == Set(header).subtracting(["none", "delay", "stall", "no-page-cache"]))
  }
}
