// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import CMATestMachine
import CMATestReport
import Glibc
import TestSupport
import Testing

@testable import CMATestHolders

/// Whose a block is where the process that took it may have ended, and its number be another's.
@Suite struct TakerTests {
  private let insight = FakeInsight()
  private let tree: CopiedTree
  /// In seconds since 1970; the block came 100 s later.
  private let boot: UInt64 = 1_764_200_000

  init() throws {
    tree = try CopiedTree()
    try tree.write("cpu 1 2 3\nbtime \(boot)\n", to: "/proc/stat")
    insight.runs = [FrameRun(1000..<1010, .other), FrameRun(1010..<1100, .free)]
    takeBlock(after: 100)
  }

  private func takeBlock(after seconds: Int, stack: [String] = []) {
    insight.blocks = [
      Ledger.Block(
        1000..<1010, time: UInt64(Int(boot) + seconds) * 1_000_000_000, process: 146,
        command: "hold", stack: stack, isOfModule: stack.isEmpty)
    ]
  }

  /// Makes a process that began so many ticks of 10 ms after the boot.
  private func start(_ process: Int, _ name: String, at ticks: Int, device: Bool = false) throws {
    try tree.write("\(name)\n", to: "/proc/\(process)/comm")
    try tree.write("\(name)\0", to: "/proc/\(process)/cmdline")
    let zeros = String(repeating: "0 ", count: 18)
    try tree.write(
      "\(process) (\(name)) 1) S \(zeros)\(ticks) 0 0\n", to: "/proc/\(process)/stat")
    try tree.write("", to: "/proc/\(process)/fd/.keep")
    if device { #expect(symlink("/dev/cmatest", tree.root + "/proc/\(process)/fd/3") == 0) }
  }

  private func holder() throws -> Holder {
    let place = AreaPlace(
      index: 0, title: "reserved", frames: FakeInsight.frames, pages: 100, pageSize: 4096)
    let observer = AreaObserver(insight: insight, machine: tree.machine, place: place)
    let holders = try #require(observer).map().holders
    return try #require(holders.first { $0.kind == .block })
  }

  private func advice() throws -> String? {
    var explanation = AreaExplanation(
      title: "camera", index: 1, isDefault: false, pageSize: 4096, pages: 100, available: 90)
    let wanted = try #require(WantedBlocks(parsing: "100p@1p"))
    explanation.answers = [.init(wanted, wanted.request(in: 1, pageSize: 4096))]
    var witness = Witness()
    witness.cause = .inUse
    var failure = AreaExplanation.Failure(answer: 0, block: 1, witness: witness)
    failure.inTheWay = [try holder()]
    explanation.failure = failure
    let steps = explanation.text(reserve: nil).split(separator: "\n").filter {
      $0.hasPrefix("  - ")
    }
    return steps.first.map { String($0.dropFirst(4)) }
  }

  @Test func processThatTookTheBlockIsEnded() throws {
    try start(146, "hold", at: 9_999, device: true)
    #expect(try holder().words == "block of 10 pages by 146 (hold)")
    #expect(
      try advice() == "End, or restart later, 146 (hold), which has the block: kill 146")
  }

  @Test func processThatTookTheNumberOfAnotherIsNotEnded() throws {
    try start(146, "sleep", at: 10_001)
    try start(147, "hold", at: 9_000, device: true)
    #expect(try holder().words == "block of 10 pages by 146 (hold, ended)")
    #expect(
      try advice()
        == "End, or restart later, 147 (hold), which has /dev/cmatest open, and with it the block of "
        + "146 (hold), which has ended: kill 147")
  }

  @Test func allWhoHaveTheDeviceOpenAreNamedWhereSeveralHave() throws {
    for process in [147, 150, 151, 152] { try start(process, "hold", at: 9_000, device: true) }
    #expect(
      try advice()
        == "End, or restart later, the one of these that has the block of 146 (hold), which has ended; "
        + "all have /dev/cmatest open: 147 (hold), 150 (hold), 151 (hold) and 1 more.")
  }

  @Test func processThatPassedTheOpenDeviceOnIsNotEnded() throws {
    try start(146, "hold", at: 9_999)
    try start(147, "play", at: 9_999, device: true)
    #expect(try advice()?.hasSuffix("146 (hold), which has it open no more: kill 147") == true)
  }

  @Test func blockThatTheModuleTookWhenItWasLoadedIsNotOfWhoHasTheDeviceOpen() throws {
    insight.blocks = [
      Ledger.Block(
        1000..<1010, time: (boot + 100) * 1_000_000_000, process: 146, command: "modprobe",
        stack: [], isOfModule: true)
    ]
    try start(147, "play", at: 20_000, device: true)
    #expect(
      try advice()
        == "Remove cmatest, which has the block by its parameter alloc_count: rmmod cmatest")
  }

  @Test func processOfThisMachineIsKnownByItsTimes() throws {
    let processes = TakerProcesses(machine: Machine())
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let time = UInt64(now.tv_sec) * 1_000_000_000
    let name = "no such name"
    #expect(!processes.hasEnded(getpid(), command: name, since: time + 1_000_000_000))
    #expect(processes.hasEnded(getpid(), command: name, since: time - 3_600_000_000_000))
    #expect(processes.hasEnded(4_194_305, command: name, since: time))
    #expect(!processes.hasEnded(0, command: "swapper/0", since: time))
  }

  @Test func driverIsRemovedWhereTheNumberIsAnothers() throws {
    takeBlock(after: 100, stack: ["dma_alloc_attrs", "probe [vc4]"])
    try start(146, "sleep", at: 20_000)
    #expect(
      try advice() == "Remove the driver that has the block, or load it later: modprobe -r vc4")
    takeBlock(after: 100, stack: ["dma_alloc_attrs"])
    #expect(
      try advice()
        == "Find the driver for which 146 (hold), which has ended, took the block, by the function "
        + "that asked, and remove it.")
  }

  /// Clocks tell no closer than a second or two, a name does.
  @Test func processThatBeganAtTheSameMomentIsKnownByItsName() throws {
    try start(146, "hold", at: 10_050, device: true)
    #expect(try holder().takerHasEnded == false)
    try start(146, "hold", at: 10_300)
    #expect(try holder().takerHasEnded)
  }

  /// As on a board without a clock of its own, which learns the time from the network.
  @Test func clockThatWasSetAfterTheBlockEndsNobody() throws {
    takeBlock(after: -1_000_000)
    try start(146, "hold", at: 9_000, device: true)
    #expect(try holder().takerHasEnded == false)
    try tree.write("sleep\n", to: "/proc/146/comm")
    #expect(try holder().takerHasEnded)
  }
}
