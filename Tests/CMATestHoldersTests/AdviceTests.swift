// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import TestSupport
import Testing

@testable import CMATestHolders
@testable import CMATestReport

/// What a user is told to do. Tests/vm/holders.sh carries it out.
@Suite struct AdviceTests {
  private func advice(on holder: Holder, cause: Witness.Cause = .inUse) throws -> [String] {
    var explanation = AreaExplanation(
      title: "camera", index: 1, isDefault: false, pageSize: 4096, pages: 100, available: 90)
    let wanted = try #require(WantedBlocks(parsing: "16p@1p"))
    explanation.answers = [.init(wanted, wanted.request(in: 1, pageSize: 4096))]
    var witness = Witness()
    witness.cause = cause
    var failure = AreaExplanation.Failure(answer: 0, block: 1, witness: witness)
    failure.inTheWay = [holder]
    explanation.failure = failure
    let text = explanation.text(reserve: nil)
    return text.split(separator: "\n").filter { $0.hasPrefix("  - ") }.map {
      String($0.dropFirst(4))
    }
  }

  private func block(by command: String, canEnd: Bool, _ change: (inout Holder.Taker) -> Void)
    -> Holder
  {
    var holder = Holder(.block)
    var taker = Holder.Taker(process: 812, command: command, stack: [])
    change(&taker)
    holder.taker = taker
    holder.takerCanEnd = canEnd
    holder.blocks = 1
    return holder
  }

  @Test func processThatIsThereIsEnded() throws {
    let holder = block(by: "v4l2-ctl", canEnd: true) { $0.driver = "vivid" }
    #expect(
      try advice(on: holder) == [
        "End, or restart later, 812 (v4l2-ctl), which has the block: kill 812"
      ])
  }

  /// As when modprobe, a thread of the kernel or udev has probed the device.
  @Test func driverIsRemovedWhereTheProcessIsGone() throws {
    let holder = block(by: "kworker/0:1", canEnd: false) {
      $0.function = "probe [vc4]"
      $0.driver = "vc4"
    }
    #expect(
      try advice(on: holder) == [
        "Remove the driver that has the block, or load it later: modprobe -r vc4"
      ])
    let other = block(by: "swapper/0", canEnd: false) { $0.function = "dma_alloc_attrs" }
    #expect(
      try advice(on: other) == [
        "Find the driver for which 812 (swapper/0) took the block, by the function that asked, and "
          + "remove it."
      ])
  }

  @Test func blockThatTheModuleTookWhenItWasLoadedIsItsOwn() throws {
    #expect(
      try advice(on: block(by: "modprobe", canEnd: false) { _ in }) == [
        "Remove cmatest, which has the block by its parameter alloc_count: rmmod cmatest"
      ])
  }

  @Test func moduleIsLoadedSoThatBlocksGetNames() throws {
    var holder = Holder(.block)
    holder.unnamed = .older
    #expect(
      try advice(on: holder) == [
        "Load cmatest before the drivers to learn whose the older blocks are; what the kernel itself "
          + "takes while it boots stays without a name."
      ])
    holder.unnamed = .olderOrMissed(room: 4)
    #expect(
      try advice(on: holder) == [
        "Load cmatest before the drivers, and with a ledger= of more than 4 blocks (cmatest(4)), to "
          + "learn whose these blocks are."
      ])
    holder.unnamed = .ledgerIsOff
    #expect(
      try advice(on: holder) == [
        "Load cmatest with its ledger, so without ledger=0 (cmatest(4)), and before the drivers, to "
          + "learn whose these blocks are."
      ])
    holder.unnamed = .notTold
    #expect(try advice(on: holder).isEmpty)
  }

  @Test func oneOfFiveProcessesHasPinnedThePage() throws {
    var holder = Holder(.anonymous)
    holder.isPinned = true
    holder.processes = [
      .init(id: 1, command: "a"), .init(id: 2, command: "b\u{1B}[31m"), .init(id: 3, command: nil),
    ]
    holder.processCount = 5
    #expect(
      try advice(on: holder) == [
        "Wait until these have done their input and output, or end the one that does it: 1 (a), "
          + "2 (b\\x1b[31m), 3 (ended) and 2 more."
      ])
    holder.processes = [.init(id: 7, command: "dd")]
    holder.processCount = 1
    #expect(try advice(on: holder).map { $0.hasSuffix(": kill 7") } == [true])
  }

  @Test func commandsEndWithTheirLastWord() throws {
    var holder = Holder(.pageCache)
    #expect(
      try advice(on: holder) == [
        "Drop clean page cache: sync; echo 1 > /proc/sys/vm/drop_caches"
      ])
    holder.file = Holder.File(path: nil, fileSystem: "ext4", device: "vda", isDevice: true)
    #expect(
      try advice(on: holder).map { $0.hasSuffix("; echo 3 > /proc/sys/vm/drop_caches") } == [true])
    holder = Holder(.notKnown)
    #expect(
      try advice(on: holder, cause: .noMemory).last?.hasSuffix(
        ": sync; echo 1 > /proc/sys/vm/drop_caches") == true)
  }

  @Test func threadOfTheKernelIsNotEnded() throws {
    let tree = try CopiedTree()
    try tree.write("v4l2-ctl\0-d\0", to: "/proc/812/cmdline")
    try tree.write("", to: "/proc/813/cmdline")
    let names = ProcessNames(machine: tree.machine)
    #expect([812, 813, 814].map { names.canEnd($0) } == [true, false, false])
  }
}

/// Why a block was refused, in words.
@Suite struct SentenceTests {
  private func sentence(
    _ text: String, _ cause: Witness.Cause, _ change: (inout AreaExplanation.Failure) -> Void
  ) throws -> String {
    var explanation = AreaExplanation(
      title: "camera", index: 1, isDefault: false, pageSize: 4096, pages: nil, available: nil)
    let wanted = try #require(WantedBlocks(parsing: text))
    explanation.answers = [.init(wanted, wanted.request(in: 1, pageSize: 4096))]
    var witness = Witness()
    witness.cause = cause
    var failure = AreaExplanation.Failure(answer: 0, block: 1, witness: witness)
    change(&failure)
    explanation.failure = failure
    let line = explanation.text(reserve: nil).prefix { $0 != "\n" }
    return String(line.drop { $0 != ":" }.dropFirst(2))
  }

  @Test func onePageIsOnePage() throws {
    #expect(
      try sentence("1p", .noHole) { $0.largestHole = 0 }
        == "it found no range of 1 page without a block, the largest has 0.")
    #expect(
      try sentence("1p", .inUse) { ($0.witness.failed, $0.witness.migrated) = (2, 1) }
        == "it failed after 0.0 ms, since pages in use could not be moved away "
        + "(2 ranges tried, 1 page moved).")
  }

  @Test func largestRangeIsOneThatIsAligned() throws {
    #expect(
      try sentence("100M@128M", .noHole) { ($0.largestHole, $0.largestAligned) = (37632, 4864) }
        == "it found no range of 25600 pages (aligned to 32768) without a block, the largest that is "
        + "aligned so has 4864.")
    #expect(
      try sentence("100M@128M", .noHole) { ($0.largestHole, $0.largestAligned) = (37632, 0) }
        == "it found no range of 25600 pages (aligned to 32768) without a block, the largest has 37632, "
        + "but none has a page that is aligned so.")
    #expect(
      try sentence("100M@128M", .noHole) { ($0.largestHole, $0.largestAligned) = (9, 4) }
        == "it found no range of 25600 pages (aligned to 32768) without a block, the largest has 9."
    )
  }

  @Test func pagesAreNotMovedFromNoRange() throws {
    #expect(
      try sentence("16M", .noMemory) {
        ($0.witness.failed, $0.witness.migrated) = (0, 19074)
        $0.witness.nanoseconds = 7_345_000_000
      }
        == "it failed after 7.3 s, since there was no memory elsewhere to move pages to "
        + "(19074 pages moved).")
  }

  @Test func timesAreShort() {
    #expect(
      [0, 999_949_999, 1_000_000_000, 61_250_000_000].map { shortDuration($0) } == [
        "0.0 ms", "999.9 ms", "1.0 s", "61.2 s",
      ])
  }
}
