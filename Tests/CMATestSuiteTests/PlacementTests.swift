// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestSystem
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CMATestDevice
@testable import CMATestMachine

/// What is done around the request that places pages. The request itself is the module's, and is
/// tried in virtual machines.
@Suite struct PlacementTests {
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
    try tree.write(
      "MemTotal: 4028416 kB\nMemAvailable: 900000 kB\nCmaFree: 60000 kB\n", to: "/proc/meminfo")
    try tree.write("", to: "/proc/self/mountinfo")
    try tree.write("0::/\n", to: "/proc/self/cgroup")
  }

  private func placement(_ device: PlacingDevice, wanted: Int = 1000) -> PagePlacement {
    PagePlacement(
      machine: tree.machine, file: device, pageSize: Int(sysconf(CInt(_SC_PAGESIZE))), area: 0,
      frames: 0..<0, wanted: wanted)
  }

  private func reason(
    _ device: PlacingDevice, _ kind: UserPageKind = .anonymous
  ) -> PlacementFailure? {
    do throws(PlacementFailure) {
      _ = try placement(device).place(kind, seed: 1, isEnding: { false })
      return nil
    } catch {
      return error
    }
  }

  @Test func eachBlockIsPlacedOnceAndNoneIsLeft() throws {
    for kind in [UserPageKind.anonymous, .pageCache] {
      let device = PlacingDevice()
      #expect(reason(device, kind) == nil)
      #expect(device.owned.isEmpty && device.placed == 1000)
    }
  }

  @Test func smallerBlocksAreTakenOfAnAreaInPieces() throws {
    let device = PlacingDevice(largest: 60)
    #expect(reason(device) == nil)
    #expect(device.owned.isEmpty && device.placed == 1000)
  }

  @Test func fullAreaIsAReasonNotToPlace() {
    #expect(reason(PlacingDevice(largest: 0)) == .impossible("no page of the area can be had"))
  }

  @Test func areaOfHugePagesIsAReasonNotToPlace() throws {
    let device = PlacingDevice(error: EOPNOTSUPP)
    guard case .impossible(let words) = reason(device) else {
      Issue.record("it was placed")
      return
    }
    #expect(words.contains("huge pages"))
    #expect(device.owned.isEmpty)
  }

  @Test func olderModuleIsAReasonNotToPlace() throws {
    guard case .impossible(let words) = reason(PlacingDevice(error: ENOTTY)) else {
      Issue.record("it was placed")
      return
    }
    #expect(words.contains("older"))
  }

  @Test func whatCannotBeStoredIsAReasonWithTheFolder() throws {
    for code in [ENOSPC, EDQUOT, EROFS, EFBIG] {
      let device = PlacingDevice(error: code)
      #expect(
        reason(device, .pageCache)
          == .impossible(
            "no page cache can be made of a file in /tmp: \(String(cString: strerror(code)))"))
      #expect(device.owned.isEmpty)
    }
  }

  @Test func faultOfTheModuleIsNoReasonToSkip() {
    #expect(reason(PlacingDevice(error: EIO)) == .device(DeviceFailure("place", EIO)))
  }

  @Test func memoryThatCannotBeMappedIsAReason() throws {
    let device = PlacingDevice()
    let failure = SystemCallFault.during(.mmap, code: ENOMEM) { reason(device) }
    guard case .impossible(let words) = failure else {
      Issue.record("it was mapped")
      return
    }
    #expect(words.contains("vm.overcommit_memory") && device.owned.isEmpty)
  }
}

@Suite struct MemoryRoomTests {
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
    try tree.write(
      "MemTotal: 4028416 kB\nMemAvailable: 900000 kB\nCmaFree: 60000 kB\n", to: "/proc/meminfo")
    try tree.write(
      """
      24 30 0:22 / /proc rw,relatime shared:12 - proc proc rw
      28 25 0:25 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate

      """, to: "/proc/self/mountinfo")
    try tree.write("0::/system.slice/run-u1.service\n", to: "/proc/self/cgroup")
  }

  private func group(_ name: String, max: String, current: Int, inactive: Int = 0) throws {
    let folder = "/sys/fs/cgroup/\(name)"
    try tree.write("\(max)\n", to: "\(folder)/memory.max")
    try tree.write("max\n", to: "\(folder)/memory.high")
    try tree.write("\(current)\n", to: "\(folder)/memory.current")
    try tree.write("anon 1\ninactive_file \(inactive)\n", to: "\(folder)/memory.stat")
  }

  private func room(_ wanted: Int) throws -> Int {
    try MemoryRoom(on: tree.machine, pageSize: 4096).pages(atMost: wanted)
  }

  @Test func withoutALimitAllIsThatIsWanted() throws {
    try group("system.slice/run-u1.service", max: "max", current: 1 << 20)
    #expect(try room(4096) == 4096)
    #expect(try tree.machine.memoryLimits().isEmpty)
  }

  @Test func groupWithLittleRoomIsNamed() throws {
    try group("system.slice/run-u1.service", max: "33554432", current: 16 << 20)
    let words =
      "/sys/fs/cgroup/system.slice/run-u1.service/memory.max leaves 16384 KiB of memory"
    #expect(throws: PlacementFailure.impossible(words)) { try room(4096) }
  }

  @Test func strictAccountingLeavesRoomForTheProgramItself() throws {
    try group("system.slice/run-u1.service", max: "max", current: 1 << 20)
    func commit(_ kibibytes: Int, mode: Int) throws {
      try tree.write("\(mode)\n", to: "/proc/sys/vm/overcommit_memory")
      try tree.write(
        "MemAvailable: 900000 kB\nCommitLimit: \(100000 + kibibytes) kB\nCommitted_AS: 100000 kB\n",
        to: "/proc/meminfo")
    }
    try commit(32 << 10, mode: 2)
    #expect(try room(4096) == 2048)
    try commit(20 << 10, mode: 2)
    let words = "vm.overcommit_memory=2 leaves 20480 KiB of memory"
    #expect(throws: PlacementFailure.impossible(words)) { try room(4096) }
    // More may be committed than the limit of a mode that is not in force.
    for mode in [0, 1] {
      try commit(-50000, mode: mode)
      #expect(try room(4096) == 4096)
    }
  }

  @Test func limitOfTheGroupAboveCountsToo() throws {
    try group("system.slice/run-u1.service", max: "max", current: 1 << 20)
    try group("system.slice", max: "\(64 << 20)", current: 38 << 20)
    #expect(try room(4096) == 512)
  }

  @Test func pageCacheThatIsNotInUseIsRoom() throws {
    try group(
      "system.slice/run-u1.service", max: "\(64 << 20)", current: 60 << 20, inactive: 30 << 20)
    #expect(try room(4096) == 2560)
  }

  @Test func highLimitAndTheFirstVersionCountToo() throws {
    try group("system.slice/run-u1.service", max: "max", current: 40 << 20)
    try tree.write(
      "\(68 << 20)\n", to: "/sys/fs/cgroup/system.slice/run-u1.service/memory.high")
    #expect(try room(4096) == 1024)
    // Cut from a bookworm machine with systemd.unified_cgroup_hierarchy=0.
    try tree.write(
      "33 28 0:29 / /sys/fs/cgroup/memory rw shared:15 - cgroup cgroup rw,memory\n",
      to: "/proc/self/mountinfo")
    try tree.write("5:memory:/user.slice\n1:name=systemd:/user.slice\n", to: "/proc/self/cgroup")
    let folder = "/sys/fs/cgroup/memory/user.slice"
    try tree.write("9223372036854771712\n", to: "\(folder)/memory.limit_in_bytes")
    try tree.write("\(40 << 20)\n", to: "\(folder)/memory.usage_in_bytes")
    #expect(try tree.machine.memoryLimits().isEmpty)
    try tree.write("\(44 << 20)\n", to: "\(folder)/memory.limit_in_bytes")
    #expect(
      try tree.machine.memoryLimits()
        == [MemoryLimit(file: "\(folder)/memory.limit_in_bytes", room: 4 << 20)])
  }

  @Test func memoryOfCMAIsNoRoom() throws {
    try tree.write(
      "MemAvailable: 90000 kB\nCmaFree: 60000 kB\n", to: "/proc/meminfo")
    #expect(try room(4096) == (30000 - 24 * 1024) / 4)
    try tree.write("MemAvailable: 70000 kB\nCmaFree: 60000 kB\n", to: "/proc/meminfo")
    #expect(throws: PlacementFailure.self) { try room(4096) }
  }
}

/// A device whose area has blocks without end, and whose request to place fails or does not.
private final class PlacingDevice: PagePlacer {
  private struct State {
    var next: UInt32 = 0
    var owned: [UInt32: UInt64] = [:]
    var placed: UInt64 = 0
  }
  private let state = Locked(State())
  private let largest: UInt64
  private let error: CInt

  init(largest: UInt64 = .max, error: CInt = 0) {
    self.largest = largest
    self.error = error
  }

  var owned: [UInt32] { state.with { Array($0.owned.keys) } }
  var placed: UInt64 { state.with { $0.placed } }

  func allocate(_ request: BlockRequest) throws(DeviceFailure) -> Block {
    guard request.count <= largest else { throw DeviceFailure("allocate", ENOMEM) }
    return state.with { state in
      state.next += 1
      state.owned[state.next] = request.count
      return Block(handle: state.next, frame: 0, count: request.count, nanoseconds: 1)
    }
  }

  func release(_ handle: UInt32) throws(DeviceFailure) -> Release {
    guard state.with({ $0.owned.removeValue(forKey: handle) }) != nil else {
      throw DeviceFailure("release", ENOENT)
    }
    return Release(isAccepted: true, nanoseconds: 1)
  }

  private func place(_ handle: UInt32) throws(DeviceFailure) -> Int {
    guard let count = state.with({ $0.owned.removeValue(forKey: handle) }) else {
      throw DeviceFailure("place", ENOENT)
    }
    guard error == 0 else { throw DeviceFailure("place", error) }
    state.with { $0.placed += count }
    return Int(count)
  }

  func place(_ handle: UInt32, in memory: UnsafeMutableRawPointer) throws(DeviceFailure) -> Int {
    try place(handle)
  }

  func place(
    _ handle: UInt32, in disk: borrowing Descriptor, at offset: Int
  ) throws(DeviceFailure) -> Int {
    let count = try place(handle)
    let end = offset + count * Int(sysconf(CInt(_SC_PAGESIZE)))
    guard ftruncate(disk.raw, off_t(end)) == 0 else { throw DeviceFailure("place", errno) }
    return count
  }

  private func unused() -> DeviceFailure { DeviceFailure("unused", ENOSYS) }
  func information() throws(DeviceFailure) -> DeviceInformation { throw unused() }
  func area(_ index: UInt32) throws(DeviceFailure) -> AreaInformation { throw unused() }
  func inspect(_ handle: UInt32) throws(DeviceFailure) -> BlockInspection { throw unused() }
  func fill(_ handle: UInt32, seed: UInt64, _ range: Range<UInt64>) throws(DeviceFailure) {
    throw unused()
  }
  func check(
    _ handle: UInt32, seed: UInt64, _ range: Range<UInt64>
  ) throws(DeviceFailure) -> PatternCheck { throw unused() }
  func batch(_ request: BlockRequest, pairs: Int) throws(DeviceFailure) -> Batch { throw unused() }
  func measure(_ request: MeasureRequest) throws(DeviceFailure) -> CMATestDevice.Measurement {
    throw unused()
  }
  func probe(_ kind: Probe, area: UInt32) throws(DeviceFailure) -> ProbeResult { throw unused() }
}

private final class Locked<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var value: Value

  init(_ value: Value) { self.value = value }

  func with<Result>(_ body: (inout Value) -> Result) -> Result {
    lock.withLock { body(&value) }
  }
}
