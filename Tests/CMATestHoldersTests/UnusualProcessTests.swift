// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import Foundation
import TestSupport
import Testing

@testable import CMATestHolders

@Suite struct UnusualProcessTests {
  private let insight = FakeInsight()
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
  }

  private func holders() throws -> [Holder] {
    let place = AreaPlace(
      index: 0, title: "reserved", frames: FakeInsight.frames, pages: 100, pageSize: 4096)
    let observer = AreaObserver(insight: insight, machine: tree.machine, place: place)
    return try #require(observer).map().holders
  }

  /// The first thread is 812; what it had in /proc is empty now.
  private func endFirstThread() throws {
    try tree.write("hold\n", to: "/proc/812/comm")
    for folder in ["/proc/812", "/proc/812/task/812"] {
      for file in ["pagemap", "smaps", "maps"] { try tree.write("", to: "\(folder)/\(file)") }
    }
  }

  @Test func memoryIsOfTheProcessWhoseFirstThreadHasEnded() throws {
    try endFirstThread()
    let mapping = "00001000-00002000 rw-p 00000000 00:00 0\nRss:                   4 kB\n"
    try tree.write(mapping, to: "/proc/812/task/813/smaps")
    try tree.write("", to: "/proc/812/task/813/pagemap")
    // The second page of the address space: frame 1000.
    let entries: [UInt64] = [0, 1 << 63 | 1000]
    let data = entries.withUnsafeBytes { Data($0) }
    try data.write(to: URL(fileURLWithPath: tree.root + "/proc/812/task/813/pagemap"))
    insight.runs = [FrameRun(1000..<1001, .anonymous), FrameRun(1001..<1100, .free)]
    #expect(try holders().map(\.words) == ["free", "anonymous memory of 812 (hold)"])
  }

  @Test func fileIsMappedByTheProcessWhoseFirstThreadHasEnded() throws {
    try endFirstThread()
    try tree.write(
      "7f0000000000-7f0000001000 rw-s 00000000 fe:01 12                 /a\n",
      to: "/proc/812/task/813/maps")
    var pinned = FrameRun(1000..<1100, .file, [.reclaimable, .counted])
    (pinned.inode, pinned.device, pinned.extra) = (12, 254 << 8 | 1, 1)
    insight.runs = [pinned]
    #expect(
      try holders().map(\.words) == ["pinned page cache of a deleted file, mapped by 812 (hold)"])
  }

  @Test func processThatEndsBeforeItIsNamedIsSaidToHaveEnded() {
    var names = ProcessNames(machine: tree.machine)
    #expect(names.process(812).words == "812 (ended)")
  }

  /// Of a container, mostly: its path is none of this system.
  @Test func fileSystemThatIsNotMountedHereIsSaidToBe() throws {
    try tree.write("22 1 254:1 / / rw - ext4 /dev/vda1 rw\n", to: "/proc/self/mountinfo")
    var run = FrameRun(1000..<1100, .file, [.reclaimable, .swapBacked])
    (run.inode, run.device) = (12, 40)
    insight.runs = [run]
    insight.files = [1000: PageFile(inode: 12, device: 40, path: "/etc/x", fileSystem: "tmpfs")]
    let holder = try #require(try holders().first)
    #expect(
      holder.words == "shared memory /etc/x of a file system that is not mounted here (tmpfs)")
    #expect(holder.file?.isMounted == false)
  }
}
