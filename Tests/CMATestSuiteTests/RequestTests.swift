// SPDX-License-Identifier: GPL-2.0-or-later

import CCMATestABI
import CMATestMachine
import CMATestSystem
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CMATestDevice

/// Answers requests in the place of the module, and keeps what was asked for.
private final class Module: @unchecked Sendable {
  private(set) var numbers: [UInt] = []
  private let answer: (UInt, UnsafeMutableRawPointer) -> CInt

  /// - Parameter answer: takes the number of a request and its structure; returns an errno or 0.
  init(_ answer: @escaping (UInt, UnsafeMutableRawPointer) -> CInt) { self.answer = answer }

  /// The device of a module that speaks one structure.
  static func device<Structure>(
    _ number: UInt, _ structure: Structure.Type, _ body: @escaping (inout Structure) -> CInt
  ) throws -> (KernelDevice, Module) {
    let module = Module { asked, pointer in
      #expect(asked == number)
      return body(&pointer.assumingMemoryBound(to: Structure.self).pointee)
    }
    return (try module.device(), module)
  }

  func device() throws -> KernelDevice {
    let tree = try CopiedTree()
    try tree.write("", to: "/dev/cmatest")
    return try KernelDevice(on: tree.machine) { _, number, structure in
      self.numbers.append(number)
      let code = self.answer(number, structure)
      errno = code
      return code == 0 ? 0 : -1
    }
  }
}

/// The fields of a structure, as the module's header has them.
private func fields<Structure>(_ structure: Structure) -> Set<String> {
  Set(Mirror(reflecting: structure).children.compactMap(\.label))
}

@Suite struct RequestTests {
  /// A field that is new must be thought of here, and in the tests below.
  @Test func fieldsAreTheseAndNoOthers() {
    #expect(
      fields(cmatest_info()) == [
        "version", "page_size", "pageblock", "bound", "linked", "areas", "default_area",
        "max_order",
        "max_handles", "max_count", "max_pages", "max_pairs", "file_handles", "held_pages",
        "loaded_pages", "total_pages", "free_pages", "fault", "flags", "reserved",
      ])
    #expect(
      fields(cmatest_area()) == [
        "index", "flags", "base", "size", "name", "held_pages", "reserved",
      ])
    #expect(
      fields(cmatest_alloc()) == [
        "area", "order", "count", "flags", "handle", "pfn", "ns", "reserved",
      ])
    #expect(
      fields(cmatest_release()) == ["handle", "accepted", "ns", "flags", "unused", "reserved"])
    #expect(
      fields(cmatest_block()) == [
        "handle", "area", "order", "flags", "count", "pfn", "in_zone", "unshared", "inside", "node",
        "zone", "zone_name", "reserved",
      ])
    #expect(
      fields(cmatest_fill()) == ["handle", "flags", "seed", "offset", "length", "reserved"])
    #expect(
      fields(cmatest_check()) == [
        "handle", "flags", "seed", "offset", "length", "bad_words", "first_bad", "wrote", "read",
        "reserved",
      ])
    #expect(fields(cmatest_times()) == ["alloc_ns", "release_ns"])
    #expect(
      fields(cmatest_batch()) == [
        "area", "order", "count", "pairs", "times", "flags", "unused", "done", "failed", "refused",
        "reserved",
      ])
    #expect(
      fields(cmatest_probe()) == ["kind", "area", "refused", "flags", "pfn", "ns", "reserved"])
  }

  @Test func informationHasEachFieldInItsPlace() throws {
    let (device, module) = try Module.device(cmatest_request_info, cmatest_info.self) { info in
      #expect(info.version == UInt32(CMATEST_ABI_VERSION) && info.flags == 0)
      info.page_size = 101
      info.pageblock = 102
      info.bound = 103
      info.linked = 117
      info.areas = 104
      info.default_area = 105
      info.max_order = 106
      info.max_handles = 107
      info.max_count = 1 << 40 + 108
      info.max_pages = 1 << 40 + 109
      info.max_pairs = 1 << 40 + 110
      info.file_handles = 1 << 40 + 111
      info.held_pages = 1 << 40 + 112
      info.loaded_pages = 1 << 40 + 113
      info.total_pages = 1 << 40 + 114
      info.free_pages = 1 << 40 + 115
      info.fault = 116
      return 0
    }
    let information = try device.information()
    #expect(information.pageSize == 101 && information.areas == 104)
    // 103 has no CMATEST_BOUND_FOR_EACH.
    #expect(!information.hasAllAreas)
    #expect(information.maxOrder == 106 && information.maxHandles == 107)
    #expect(information.maxCount == 1 << 40 + 108 && information.maxPages == 1 << 40 + 109)
    #expect(information.fileHandles == 1 << 40 + 111 && information.heldPages == 1 << 40 + 112)
    #expect(information.totalPages == 1 << 40 + 114 && information.freePages == 1 << 40 + 115)
    #expect(module.numbers.count == 1)
  }

  private static func name(_ text: String, _ structure: inout cmatest_area) {
    withUnsafeMutableBytes(of: &structure.name) { $0.copyBytes(from: text.utf8) }
  }

  @Test func areaHasEachFieldInItsPlaceAndOnlyWhatIsKnown() throws {
    for flags in 0...31 as ClosedRange<CInt> {
      let (device, _) = try Module.device(cmatest_request_area, cmatest_area.self) { area in
        #expect(area.index == 7 && area.flags == 0)
        area.flags = UInt32(flags)
        area.base = 1 << 40
        area.size = 1 << 41
        area.held_pages = 1 << 42
        Self.name("linux,cma", &area)
        return 0
      }
      let area = try device.area(7)
      #expect(area.index == 7 && area.heldPages == 1 << 42)
      #expect(area.isDefault == (flags & CMATEST_AREA_DEFAULT != 0))
      #expect(area.name == (flags & CMATEST_AREA_HAS_NAME != 0 ? "linux,cma" : nil))
      #expect(area.mayHaveRanges == (flags & CMATEST_AREA_RANGES != 0))
      #expect(area.base == (flags & CMATEST_AREA_HAS_BASE != 0 ? 1 << 40 : nil))
      #expect(area.size == (flags & CMATEST_AREA_HAS_SIZE != 0 ? 1 << 41 : nil))
    }
  }

  @Test func nameAsLongAsItsFieldEndsThere() throws {
    let text = String(repeating: "n", count: Int(CMATEST_AREA_NAME))
    let (device, _) = try Module.device(cmatest_request_area, cmatest_area.self) { area in
      area.flags = UInt32(CMATEST_AREA_HAS_NAME)
      Self.name(text, &area)
      return 0
    }
    #expect(try device.area(0).name == text)
  }

  @Test func blockHasEachFieldInItsPlace() throws {
    let (device, _) = try Module.device(cmatest_request_alloc, cmatest_alloc.self) { alloc in
      #expect(alloc.area == 1 && alloc.order == 2 && alloc.count == 1 << 33)
      #expect(alloc.flags == UInt32(CMATEST_NO_WARN))
      #expect(alloc.handle == 0 && alloc.pfn == 0 && alloc.ns == 0)
      alloc.handle = 11
      alloc.pfn = 1 << 34 + 12
      alloc.ns = 1 << 35 + 13
      return 0
    }
    let block = try device.allocate(BlockRequest(area: 1, count: 1 << 33, order: 2))
    #expect(
      block == Block(handle: 11, frame: 1 << 34 + 12, count: 1 << 33, nanoseconds: 1 << 35 + 13))
  }

  @Test(arguments: [ENOMEM, EINVAL, ENOENT, EMFILE, ENOSPC, EFAULT])
  func refusalHasItsRequestAndItsCode(_ code: CInt) throws {
    let (device, _) = try Module.device(cmatest_request_alloc, cmatest_alloc.self) { alloc in
      alloc.ns = 77
      return code
    }
    let words = "allocate 3 pages of order 2 in area 1"
    #expect(throws: DeviceFailure(words, code)) {
      try device.allocate(BlockRequest(area: 1, count: 3, order: 2))
    }
  }

  @Test(arguments: [(1, true), (0, false), (2, false), (.max, false)] as [(UInt32, Bool)])
  func releaseHasEachFieldInItsPlace(_ accepted: UInt32, _ isAccepted: Bool) throws {
    let (device, _) = try Module.device(cmatest_request_release, cmatest_release.self) { release in
      #expect(release.handle == 5 && release.flags == 0 && release.unused == 0)
      #expect(release.accepted == 0 && release.ns == 0)
      release.accepted = accepted
      release.ns = 1 << 36
      return 0
    }
    #expect(try device.release(5) == Release(isAccepted: isAccepted, nanoseconds: 1 << 36))
  }

  @Test(arguments: [true, false]) func inspectionHasEachFieldInItsPlace(_ knows: Bool) throws {
    let (device, _) = try Module.device(cmatest_request_block, cmatest_block.self) { block in
      #expect(block.handle == 6)
      block.area = 201
      block.order = 202
      block.flags = knows ? UInt32(CMATEST_BLOCK_HAS_INSIDE) : 0
      block.count = 203
      block.pfn = 204
      block.in_zone = 205
      block.unshared = 206
      block.inside = 207
      block.node = 208
      block.zone = 209
      withUnsafeMutableBytes(of: &block.zone_name) { $0.copyBytes(from: "Movable".utf8) }
      return 0
    }
    let found = try device.inspect(6)
    #expect(found.count == 203 && found.frame == 204 && found.inZone == 205)
    #expect(found.unshared == 206 && found.inside == (knows ? 207 : nil))
    #expect(found.node == 208 && found.zone == "Movable")
  }

  @Test func fillAsksForItsRangeAndSeed() throws {
    let (device, module) = try Module.device(cmatest_request_fill, cmatest_fill.self) { fill in
      #expect(fill.handle == 8 && fill.flags == 0 && fill.seed == UInt64.max - 1)
      #expect(fill.offset == 64 && fill.length == 4096)
      return 0
    }
    try device.fill(8, seed: .max - 1, 64..<4160)
    #expect(module.numbers.count == 1)
  }

  @Test func checkHasEachFieldInItsPlace() throws {
    let (device, _) = try Module.device(cmatest_request_check, cmatest_check.self) { check in
      #expect(check.handle == 9 && check.flags == 0 && check.seed == 300)
      #expect(check.offset == 8 && check.length == 16)
      check.bad_words = 301
      check.first_bad = 302
      check.wrote = 303
      check.read = 304
      return 0
    }
    #expect(
      try device.check(9, seed: 300, 8..<24)
        == PatternCheck(badWords: 301, first: .init(offset: 302, wrote: 303, read: 304)))
  }

  @Test func rightMemoryHasNoFirstBadWord() throws {
    let (device, _) = try Module.device(cmatest_request_check, cmatest_check.self) { check in
      check.first_bad = .max
      return 0
    }
    #expect(try device.check(9, seed: 300, 8..<24) == PatternCheck())
  }

  @Test func batchHasEachFieldInItsPlaceAndOnlyThePairsThatWereMade() throws {
    let (device, _) = try Module.device(cmatest_request_batch, cmatest_batch.self) { batch in
      #expect(batch.area == 1 && batch.order == 2 && batch.count == 1 << 33 && batch.pairs == 4)
      #expect(batch.flags == 0 && batch.unused == 0)
      #expect(batch.done == 0 && batch.failed == 0 && batch.refused == 0)
      let times = UnsafeMutablePointer<cmatest_times>(bitPattern: UInt(batch.times))
      for index in 0..<3 {
        times?[index] = cmatest_times(
          alloc_ns: 401 + UInt32(index), release_ns: 501 + UInt32(index))
      }
      // The second could not be allocated; the fourth was not made.
      times?[1].release_ns = CMATEST_NS_NONE
      batch.done = 3
      batch.failed = 1
      batch.refused = 2
      return 0
    }
    #expect(
      try device.batch(BlockRequest(area: 1, count: 1 << 33, order: 2), pairs: 4)
        == Batch(
          done: 3, failed: 1, refused: 2, allocations: [401, 402, 403], releases: [501, 503]))
  }

  @Test(arguments: [
    (Probe.foreignPage, UInt32(CMATEST_PROBE_FOREIGN_PAGE)),
    (Probe.noPages, UInt32(CMATEST_PROBE_NO_PAGES)),
  ])
  func probeHasEachFieldInItsPlace(_ kind: Probe, _ number: UInt32) throws {
    for refused in [0, 1] as [UInt32] {
      let (device, _) = try Module.device(cmatest_request_probe, cmatest_probe.self) { probe in
        #expect(probe.kind == number && probe.area == 3 && probe.flags == 0)
        #expect(probe.refused == 0 && probe.pfn == 0 && probe.ns == 0)
        probe.refused = refused
        probe.pfn = 601
        probe.ns = 602
        return 0
      }
      #expect(
        try device.probe(kind, area: 3) == ProbeResult(isRefused: refused == 1, frame: 601))
    }
  }

  @Test func eachRequestHasANumberOfItsOwnWithItsStructuresSize() {
    let sizes = [
      (cmatest_request_info, MemoryLayout<cmatest_info>.size),
      (cmatest_request_area, MemoryLayout<cmatest_area>.size),
      (cmatest_request_alloc, MemoryLayout<cmatest_alloc>.size),
      (cmatest_request_release, MemoryLayout<cmatest_release>.size),
      (cmatest_request_block, MemoryLayout<cmatest_block>.size),
      (cmatest_request_fill, MemoryLayout<cmatest_fill>.size),
      (cmatest_request_check, MemoryLayout<cmatest_check>.size),
      (cmatest_request_batch, MemoryLayout<cmatest_batch>.size),
      (cmatest_request_probe, MemoryLayout<cmatest_probe>.size),
    ]
    for (index, (number, size)) in sizes.enumerated() {
      // _IOWR of asm-generic/ioctl.h.
      #expect(number == 0xC000_D200 | UInt(size) << 16 | UInt(index))
    }
  }

  /// A signal that interrupts the call is no failure: the call is made once more.
  @Test func interruptedCallIsMadeAgain() throws {
    var calls = 0
    let module = Module { _, _ in
      calls += 1
      return calls == 1 ? EINTR : 0
    }
    _ = try module.device().information()
    #expect(module.numbers.count == 2)
  }
}
