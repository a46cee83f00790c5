// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestMachine
internal import CMATestSystem

/// Memory of this process that fills the machine, except for what the kernel needs.
///
/// The kernel takes pages of programs from an area once more than half of what is free lies there: so the
/// memory outside must go first, down to about what stays free in the area then. The memory is not locked,
/// since locked pages are moved in another way than a program's usual ones; instead the kernel is given
/// back what it begins to swap, so that there is no storm.
final class MemoryFilling {
  /// Fewer pages are not worth the while, since the counts of free pages are some pages late.
  private static let least = 64

  private let work: LoadWork
  private let floor: MemoryFloor
  let memory: HeldMemory
  private var swappedOut: UInt64
  /// The most pages that are held; fewer once the kernel wanted to swap them.
  private var ceiling: Int

  /// Maps memory without taking any of it.
  ///
  /// - Parameter work: the work of this process.
  /// - Throws: where no memory can be mapped, or /proc cannot be read.
  init(_ work: LoadWork) throws(LoadObstacle) {
    self.work = work
    floor = try mapError(LoadObstacle.call) { () throws(SystemFailure) in
      try MemoryFloor(on: work.machine, pageSize: work.pageSize, spare: work.settings.spare)
    }
    var most = min(work.settings.most, try work.memory().total)
    let floor = floor
    if let promise = try mapError(
      LoadObstacle.call, { () throws(SystemFailure) in try floor.promise() })
    {
      // What is mapped is promised: so this is the last time to ask.
      guard promise >= 1 << 20 else {
        throw .noRoom(limit: "vm.overcommit_memory=2", bytes: promise)
      }
      most = min(most, promise)
    }
    memory = try HeldMemory(byteCount: most, pageSize: work.pageSize, area: work.settings.area)
    ceiling = Int(clamping: most / UInt64(work.pageSize))
    swappedOut = statistic("pswpout", on: work.machine) ?? 0
  }

  /// Takes all that is left.
  ///
  /// - Parameter isFirst: whether it is an error that there is next to nothing.
  /// - Throws: `noRoom`, or where /proc cannot be read.
  func fill(isFirst: Bool = false) throws(LoadObstacle) {
    while !work.isOver, !memory.isFull, memory.count < ceiling {
      let state = try work.memory()
      let floor = floor
      let room = try mapError(LoadObstacle.call) { () throws(SystemFailure) in
        try floor.room(in: state)
      }
      let pages = Int(clamping: room.bytes) / work.pageSize
      if pages < Self.least {
        if isFirst, memory.count < Self.least {
          throw .noRoom(limit: room.limit, bytes: room.bytes)
        }
        return
      }
      let step = min(16 << 20 / work.pageSize, max(Self.least, pages / 4))
      memory.take(min(step, ceiling - memory.count))
      if isSwapping(state) {
        ceiling = memory.count
        return
      }
    }
  }

  /// Gives back what the kernel or others need more.
  ///
  /// - Parameter mayEnd: whether it is an error that nothing is left then.
  /// - Throws: `givenUp`, or where /proc cannot be read.
  func yieldWhatOthersNeed(mayEnd: Bool = true) throws(LoadObstacle) {
    let state = try work.memory()
    if isSwapping(state) {
      memory.giveBack(max(Self.least, memory.count / 16), .outside)
      ceiling = memory.count
    } else if state.freeOutside + 2 << 20 < floor.outside {
      memory.giveBack(Int(floor.outside - state.freeOutside) / work.pageSize, .outside)
    }
    if mayEnd, memory.count < Self.least { throw .givenUp }
  }

  private func isSwapping(_ state: MemoryState) -> Bool {
    guard state.swapTotal > 0, let now = statistic("pswpout", on: work.machine) else {
      return false
    }
    defer { swappedOut = now }
    return now > swappedOut + UInt64(Self.least)
  }
}
