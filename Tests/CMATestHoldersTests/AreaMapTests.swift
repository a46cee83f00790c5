// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestDevice
import CMATestHolders
import CMATestReport
import CMATestSystem
import TestSupport
import Testing

@Suite struct AreaMapTests {
  private let insight = FakeInsight()
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
  }

  private func map() throws -> AreaMap {
    let place = AreaPlace(
      index: 0, title: "reserved", frames: FakeInsight.frames, pages: 100, pageSize: 4096)
    let observer = AreaObserver(insight: insight, machine: tree.machine, place: place)
    return try #require(observer).map()
  }

  private func block(
    _ frames: Range<UInt64>, _ process: Int32, _ command: String, _ stack: [String] = [],
    ofModule: Bool = false
  ) -> Ledger.Block {
    Ledger.Block(
      frames, time: 1_764_200_000_000_000_000, process: process, command: command, stack: stack,
      isOfModule: ofModule)
  }

  private func file(_ frames: Range<UInt64>, inode: UInt64, _ flags: FrameRun.Flags) -> FrameRun {
    var run = FrameRun(frames, .file, flags)
    run.inode = inode
    run.device = 254 << 8 | 1
    return run
  }

  @Test func emptyAreaIsFree() throws {
    let map = try map()
    #expect(map.holders.map(\.words) == ["free"])
    #expect(map.text(on: .none, width: 50).contains("Nobody has a page of the area."))
  }

  /// The stack is that of vivid with v4l2-ctl on 7.3.4+deb13-amd64.
  @Test func blocksHaveTheDriverAndTheProcessThatTookThem() throws {
    insight.runs = [FrameRun(1000..<1040, .other), FrameRun(1040..<1100, .free)]
    let stack = [
      "dma_alloc_attrs", "vb2_dc_alloc [videobuf2_dma_contig]",
      "vb2_core_reqbufs [videobuf2_common]",
      "v4l2_ioctl [videodev]", "__x64_sys_ioctl",
    ]
    insight.blocks = [
      block(1000..<1010, 812, "v4l2-ctl", stack), block(1010..<1020, 812, "v4l2-ctl", stack),
      block(1020..<1030, 99, "cma-test", ofModule: true),
    ]
    try tree.write("", to: "/proc/812/fd/.keep")
    let map = try map()
    #expect(
      map.holders.map(\.words) == [
        "free",
        "2 blocks of 10 pages by 812 (v4l2-ctl), taken by vb2_dc_alloc [videobuf2_dma_contig]",
        "block of 10 pages by 99 (cma-test)", "blocks allocated before cmatest was loaded",
      ])
    #expect(map.holders.map(\.canMove) == [true, false, false, false])
    #expect(map.text(on: .none, width: 50).contains("since 2025-11-26T23:33:20Z"))
  }

  @Test func pageOnItsWayIsNotTakenForAnOldBlock() throws {
    insight.runs = [FrameRun(1000..<1100, .other)]
    insight.later = [FrameRun(1000..<1010, .anonymous), FrameRun(1010..<1100, .other)]
    #expect(
      try map().holders.map(\.words) == [
        "blocks allocated before cmatest was loaded",
        "not known, because the page changed each time that the module looked",
      ])
  }

  @Test func driverIsTheModuleInTheStack() throws {
    insight.runs = [FrameRun(1000..<1100, .other)]
    insight.blocks = [
      block(
        1000..<1100, 5, "modprobe",
        ["dma_alloc_attrs", "drm_gem_dma_create [drm_dma_helper]", "probe [vc4]"])
    ]
    #expect(
      try map().holders[0].words
        == "block of 100 pages by 5 (modprobe), taken by drm_gem_dma_create [drm_dma_helper] for vc4"
    )
  }

  @Test func ledgerThatIsOffIsToldRatherThanGuessed() throws {
    insight.runs = [FrameRun(1000..<1100, .other)]
    insight.isKept = false
    let map = try map()
    #expect(map.holders[0].words == "blocks of somebody (cmatest keeps no ledger here)")
    #expect(
      map.notes == ["who took the blocks is not known: cmatest keeps no ledger here (cmatest(4))"])
  }

  @Test func pageCacheHasThePathByWhichItIsMounted() throws {
    try tree.write(
      "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n23 1 254:1 /srv /mnt/a\\040b rw - ext4 /dev/vda1 rw\n",
      to: "/proc/self/mountinfo")
    insight.runs = [file(1000..<1100, inode: 12, .reclaimable)]
    insight.files = [
      1000: PageFile(inode: 12, device: 254 << 8 | 1, path: "/var/log/syslog", fileSystem: "ext4")
    ]
    let holder = try #require(try map().holders.first)
    #expect(holder.words == "page cache of /var/log/syslog")
    #expect(holder.canMove == true)
  }

  @Test func pinnedPageCacheAndMetadataAreToldApart() throws {
    try tree.write("22 1 254:1 / / rw - ext4 /dev/vda1 rw\n", to: "/proc/self/mountinfo")
    var pinned = file(1000..<1001, inode: 12, [.reclaimable, .counted])
    pinned.extra = 1
    insight.runs = [
      pinned, file(1001..<1050, inode: 12, [.reclaimable, .counted]),
      file(1050..<1100, inode: 0, [.reclaimable, .blockDevice, .privateData]),
    ]
    insight.files = [
      1000: PageFile(inode: 12, device: 254 << 8 | 1, path: "/a", fileSystem: "ext4"),
      1001: PageFile(inode: 12, device: 254 << 8 | 1, path: "/a", fileSystem: "ext4"),
    ]
    let holders = try map().holders
    #expect(
      Set(holders.map(\.words)) == [
        "pinned page cache of /a", "page cache of /a", "metadata of ext4 on a block device",
      ])
    #expect(holders.first { $0.isPinned }?.canMove == false)
    #expect(holders.first { $0.file?.isDevice == true }?.canMove == nil)
  }

  /// As after an attempt of the kernel to drop the page, which is in use.
  @Test func pinnedFileIsOfTheProcessThatHasItMappedWithoutAnyPageInItsTables() throws {
    var pinned = file(1000..<1001, inode: 12, [.reclaimable, .counted])
    pinned.extra = 1
    insight.runs = [pinned, FrameRun(1001..<1100, .free)]
    insight.files = [
      1000: PageFile(inode: 12, device: 254 << 8 | 1, path: "/a", fileSystem: "ext4")
    ]
    for (process, line) in [
      (812, "7f0000000000-7f0000001000 rw-s 00000000 fe:01 12                 /a b\n"),
      (813, "7f0000000000-7f0000001000 r-xp 00000000 fe:02 12                 /lib\n"),
      (814, "7f0000000000-7f0000001000 rw-p 00000000 00:00 0\n"),
    ] {
      try tree.write("cat\n", to: "/proc/\(process)/comm")
      try tree.write(line + line, to: "/proc/\(process)/maps")
    }
    let holder = try #require(try map().holders.first { $0.isPinned })
    #expect(holder.words == "pinned page cache of /a, mapped by 812 (cat)")
    #expect(holder.processCount == 1)
  }

  @Test func nameOfAnotherFileIsNotTaken() throws {
    insight.runs = [file(1000..<1100, inode: 12, .reclaimable)]
    insight.files = [
      1000: PageFile(inode: 13, device: 254 << 8 | 1, path: "/b", fileSystem: "ext4")
    ]
    #expect(try map().holders[0].words == "page cache of a deleted file")
  }

  @Test func pageOnItsWayToTheKernelsListsIsNotPinned() {
    var run = FrameRun(0..<1, .anonymous, .counted)
    run.extra = 1
    #expect(!run.isPinned)
    run.flags.insert(.reclaimable)
    #expect(run.isPinned)
    #expect(FrameRun(0..<1, .anonymous, .mayBePinned).isPinned)
  }

  @Test func onePinnedPageMakesItsCellPinned() throws {
    var pinned = FrameRun(1049..<1050, .anonymous, .mayBePinned)
    pinned.extra = 1
    insight.runs = [
      FrameRun(1000..<1049, .anonymous), pinned, FrameRun(1050..<1060, .slab),
      FrameRun(1060..<1100, .free),
    ]
    let map = try map()
    let (size, cells) = map.cells(10)
    #expect(size == 10)
    #expect(String(cells.map(\.letter)) == "aaaaPk....")
    #expect(map.classes.map(\.of) == [.free, .anonymous, .kernel, .pinned])
    #expect(map.classes.reduce(0) { $0 + $1.pages } == 100)
  }

  @Test func textFitsANarrowTerminal() throws {
    insight.runs = [FrameRun(1000..<1050, .slab), FrameRun(1050..<1100, .free)]
    let text = try map().text(on: .none, width: 10)
    let picture = text.split(separator: "\n").filter { $0.allSatisfy { "k.".contains($0) } }
    #expect(
      picture == ["kkkkkkkkkk", "kkkkkkkkkk", "kkkkkkkkkk", "kkkkkkkkkk", "kkkkkkkkkk"]
        + Array(repeating: "..........", count: 5))
    #expect(text.contains("  k  other use by the kernel         50  50.0 %"))
  }

  @Test func colourIsForTerminalsAlone() throws {
    insight.runs = [FrameRun(1000..<1100, .slab)]
    let map = try map()
    #expect(!map.text(on: .none, width: 10).contains("\u{1B}"))
    let terminal = Terminal(showsUnicode: true, showsColor: true)
    #expect(map.text(on: terminal, width: 10).contains("\u{1B}[30;43mk\u{1B}[0m"))
  }

  @Test func pictureIsValidAndHasNoAddress() throws {
    insight.runs = [FrameRun(1000..<1050, .slab), FrameRun(1050..<1100, .free)]
    let map = try map()
    let svg = map.svg(columns: 10)
    #expect(svg.hasPrefix("<svg xmlns=") && svg.hasSuffix("</svg>\n"))
    #expect(svg.contains("<title id=\"map-title\">Who has the pages of the area reserved</title>"))
    let json = map.json(HolderFacts(kernel: "7.3.4", host: nil, time: map.time)).text
    #expect(json.contains("[0, 50, 1, 1]") || json.contains("[0, 50, 1, 0]"))
    #expect(!json.contains("1050"))
  }
}
