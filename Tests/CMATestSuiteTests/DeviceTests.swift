// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestMachine
import CMATestSystem
import Glibc
import TestSupport
import Testing

@testable import CMATestDevice

@Suite struct KernelDeviceTests {
  @Test func moduleThatIsNotLoadedIsNoSuchFile() throws {
    let folder = try TemporaryFolder()
    #expect(throws: SystemFailure(.open, folder.path + "/dev/cmatest", ENOENT)) {
      _ = try KernelDevice(on: Machine(root: folder.path))
    }
  }

  @Test func whatIsNoDeviceOfOursKnowsNoRequest() throws {
    let tree = try CopiedTree()
    try tree.write("", to: "/dev/cmatest")
    let device = try KernelDevice(on: tree.machine)
    #expect(throws: DeviceFailure("get the module's information", ENOTTY)) {
      try device.information()
    }
    #expect(throws: DeviceFailure("allocate 2 pages of order 1 in area 0", ENOTTY)) {
      try device.allocate(BlockRequest(area: 0, count: 2, order: 1))
    }
    #expect(throws: DeviceFailure("allocate 1 page of order 0 in area 0 5 times", ENOTTY)) {
      try device.batch(BlockRequest(area: 0, count: 1), pairs: 5)
    }
  }
}

@Suite struct AreaBitmapTests {
  private let tree: CopiedTree

  /// As a kernel 7.3 with CONFIG_CMA_DEBUGFS shows an area of 64 pages, two of them allocated.
  init() throws {
    tree = try CopiedTree()
    for (name, value) in [
      "base_pfn": "1024", "count": "64", "order_per_bit": "0", "used": "2", "maxchunk": "61",
      "bitmap": "5 0",
    ] {
      try tree.write(value + "\n", to: "/sys/kernel/debug/cma/reserved/\(name)")
    }
  }

  private func bitmap() throws -> AreaBitmap? {
    try AreaBitmap(on: tree.machine, area: "reserved")
  }

  @Test func eachBitIsAFrame() throws {
    #expect(
      try bitmap()
        == AreaBitmap(
          used: 2, largestFree: 61, frames: 1024..<1088,
          allocated: FrameRanges([1024..<1025, 1026..<1027])))
  }

  @Test func aBitMayStandForSeveralFrames() throws {
    try tree.write("1\n", to: "/sys/kernel/debug/cma/reserved/order_per_bit")
    #expect(try bitmap()?.allocated.ranges == [1024..<1026, 1028..<1030])
  }

  /// An area of 64 GiB that is full but for its last page: 5.8 MB of text.
  @Test func bitmapOfALargeAreaIsReadWhole() throws {
    let words = 524_288
    try tree.write("\(words * 32)\n", to: "/sys/kernel/debug/cma/reserved/count")
    let text = String(repeating: "4294967295 ", count: words - 1) + "2147483647\n"
    try tree.write(text, to: "/sys/kernel/debug/cma/reserved/bitmap")
    #expect(try bitmap()?.allocated.ranges == [1024..<1024 + UInt64(words * 32) - 1])
  }

  @Test(arguments: ["4294967296\n", "99999999999999999999999\n", "-1\n", "0x1\n"])
  func wordThatIsTooLargeIsAnError(_ text: String) throws {
    let path = "/sys/kernel/debug/cma/reserved/bitmap"
    try tree.write(text, to: path)
    #expect(throws: SystemFailure(.read, tree.machine.path(path), EINVAL)) { try bitmap() }
  }

  @Test func aKernelWithoutItShowsNothing() throws {
    #expect(try AreaBitmap(on: tree.machine, area: "other") == nil)
  }

  @Test func severalRangesAreNotOne() throws {
    for range in ["0", "1"] {
      try tree.write("0\n", to: "/sys/kernel/debug/cma/reserved/ranges/\(range)/bitmap")
    }
    #expect(try bitmap() == nil)
  }

  @Test func whatIsNoNumberIsAnError() throws {
    let path = "/sys/kernel/debug/cma/reserved/bitmap"
    try tree.write("5 x\n", to: path)
    #expect(throws: SystemFailure(.read, tree.machine.path(path), EINVAL)) { try bitmap() }
  }
}

@Suite struct CountersTests {
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
    try tree.write("MemTotal: 1024 kB\nCmaTotal: 64 kB\nCmaFree: 40 kB\n", to: "/proc/meminfo")
    try tree.write("nr_free_pages 77\nnr_free_cma 10\n", to: "/proc/vmstat")
  }

  @Test func allAreInPages() throws {
    for (name, value) in [
      "alloc_pages_success": "7", "alloc_pages_fail": "3", "release_pages_success": "1",
      "available_pages": "10", "total_pages": "16",
    ] {
      try tree.write(value + "\n", to: "/sys/kernel/mm/cma/reserved/\(name)")
    }
    var expected = Counters(free: 10)
    expected.statisticsFree = 10
    expected.allocated = 7
    expected.failed = 3
    expected.released = 1
    expected.available = 10
    expected.total = 16
    #expect(try Counters(on: tree.machine, area: "reserved", pageSize: 4096) == expected)
  }

  @Test func whatAKernelDoesNotCountIsNotMadeUp() throws {
    let counters = try Counters(on: tree.machine, area: "reserved", pageSize: 4096)
    #expect(counters.free == 10 && counters.allocated == nil && counters.available == nil)
    #expect(try Counters(on: tree.machine, area: nil, pageSize: 4096).total == nil)
  }
}

@Suite struct PlacedPagesTests {
  private let pageSize = Int(sysconf(CInt(_SC_PAGESIZE)))

  @Test func everyByteIsCompared() throws {
    let mapping = try Mapping(anonymous: 8 * pageSize)
    let bytes = mapping.bytes
    let pages = PlacedPages(mapping, pages: [1, 2, 5], pageSize: pageSize, seed: 3)
    #expect(pages.firstWrongPage() == nil)
    // Pages that are not ours are nobody's concern.
    bytes[0] = 1
    #expect(pages.firstWrongPage() == nil)
    bytes[6 * pageSize - 1] ^= 1
    #expect(pages.firstWrongPage() == 2)
  }

  @Test func pinnedPageIsReadBack() throws {
    let mapping = try Mapping(anonymous: 2 * pageSize)
    let pages = PlacedPages(mapping, pages: [0, 1], pageSize: pageSize, seed: 3)
    try pages.pin(1)
    #expect(try pages.unpin())
    #expect(try pages.unpin())
    #expect(try pages.frames().count == 2)
  }

  @Test func pageCacheIsWrittenAsAFileSoThatAFullDiskIsNoSignal() throws {
    let file = try Descriptor.unnamedFile(in: "/tmp", byteCount: 4 * pageSize)
    try [UInt8(0)].withUnsafeBytes { try file.write($0, at: 4 * pageSize - 1) }
    let mapping = try Mapping(of: file, byteCount: 4 * pageSize)
    let pages = try PlacedPages(mapping, pages: [0, 3], pageSize: pageSize, seed: 3, file: file)
    #expect(pages.firstWrongPage() == nil)
    #expect(throws: SystemFailure(.pwrite, "/tmp", ENOSPC)) {
      try SystemCallFault.during(.pwrite, code: ENOSPC) {
        _ = try PlacedPages(
          try Mapping(of: file, byteCount: 4 * pageSize), pages: [0], pageSize: pageSize, seed: 3,
          file: file)
      }
    }
  }
}

@Suite struct FrameRangesTests {
  @Test func rangesAreJoinedSortedAndCounted() {
    let set = FrameRanges([8..<10, 0..<2, 2..<4, 9..<12, 5..<5])
    #expect(set.ranges == [0..<4, 8..<12] && set.count == 8 && set.longest == 4)
    #expect(set.gaps(in: 0..<20).ranges == [4..<8, 12..<20])
    #expect(set.gaps(in: 2..<9).ranges == [4..<8])
    #expect(FrameRanges().gaps(in: 3..<5).ranges == [3..<5])
    #expect(FrameRanges([0..<9]).gaps(in: 3..<5).ranges.isEmpty)
  }

  @Test func frameIsInTheSetWhereARangeHasIt() {
    let set = FrameRanges([2..<4, 8..<12, 20..<21])
    let members = (0..<30).filter { set.contains($0) }
    #expect(members == [2, 3, 8, 9, 10, 11, 20])
    #expect(!FrameRanges().contains(0))
  }

  @Test func differenceIsWhatOnlyOneHas() {
    let one = FrameRanges([0..<4, 8..<12])
    let two = FrameRanges([2..<9, 20..<21])
    #expect(one.symmetricDifference(two).ranges == [0..<2, 4..<8, 9..<12, 20..<21])
    #expect(one.symmetricDifference(one).ranges.isEmpty)
    #expect(FrameRanges().symmetricDifference(one) == one)
  }
}
