// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import Glibc
import TestSupport
import Testing

@testable import CMATestHolders

@Suite struct ExplainingTests {
  @Test(arguments: [
    ("16M", 4096, 8, 1), ("16M@1M", 4096, 8, 1), ("16M@1Mx3", 4096, 8, 3), ("1013px4", 1013, 8, 4),
    ("1p", 1, 0, 1), ("3p@1p", 3, 0, 1), ("0x100000", 256, 8, 1), ("0x100000x3", 256, 8, 3),
    ("64K@0x10000", 16, 4, 1), ("5000", 2, 1, 1),
  ])
  func sizesAreReadAsUsersWriteThem(text: String, pages: UInt64, order: UInt32, blocks: Int) throws
  {
    let wanted = try #require(WantedBlocks(parsing: text))
    #expect(
      wanted.request(in: 0, pageSize: 4096) == BlockRequest(area: 0, count: pages, order: order))
    #expect(wanted.blocks == blocks)
  }

  @Test(arguments: [
    "", "M", "0", "0p", "-1", "16M@", "16M@3M", "16M@1M@1M", "16Mx0", "16Mx", "16Mx1.5", "x3",
    "16M x3", "16Q", "99999999999999999999M", "16Mx99999999",
  ])
  func nonsenseIsNotRead(text: String) {
    #expect(WantedBlocks(parsing: text) == nil)
  }

  @Test func blocksAreAlignedAsTheKernelAlignsADriversBlock() {
    #expect([1, 2, 3, 255, 256, 257, 1013].map { usualOrder(of: $0) } == [0, 1, 2, 8, 8, 8, 8])
  }

  @Test func blocksGoIntoTheFirstHoleThatWillDo() {
    var placement = Placement(holes: [5..<20, 32..<64])
    #expect(placement.place(8, order: 3) == 8)
    #expect(placement.place(8, order: 3) == 32)
    #expect(placement.place(3, order: 0) == 5)
    #expect(placement.place(32, order: 0) == nil)
    #expect(placement.largest == 40..<64)
    #expect(placement.place(24, order: 3) == 40)
    #expect(placement.place(5, order: 0) == nil)
  }

  @Test func devicesAreNamedAsProcHasThem() {
    #expect(FileNames.device(254 << 8 | 1) == "254:1")
    #expect(FileNames.device(259 << 8 | 300 & 0xFF | (300 & ~0xFF) << 12) == "259:300")
  }

  @Test func processOfThisNamespaceHasNoGroup() throws {
    let tree = try CopiedTree()
    for (process, namespace) in [("self", 1), ("812", 1), ("813", 2)] {
      try tree.write("0::/box\n", to: "/proc/\(process)/cgroup")
      try tree.write("", to: "/proc/\(process)/ns/.keep")
      #expect(symlink("pid:[\(namespace)]", tree.root + "/proc/\(process)/ns/pid") == 0)
      try tree.write("hold\n", to: "/proc/\(process)/comm")
    }
    var names = ProcessNames(machine: tree.machine)
    #expect(names.process(812).words == "812 (hold)")
    #expect(names.process(813).words == "813 (hold) in /box")
  }

  @Test func groupOfAProcessIsRead() {
    #expect(
      ProcessNames.controlGroup("0::/system.slice/docker-1.scope\n")
        == "/system.slice/docker-1.scope")
    #expect(ProcessNames.controlGroup("5:cpu:/a\n0::/b:c\n") == "/b:c")
    #expect(ProcessNames.controlGroup("") == nil)
  }
}
