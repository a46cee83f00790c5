// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestMachine
internal import CMATestSystem

extension MemoryState {
  /// What the kernel's own data may come from: that is not moved, and so has no place in an area.
  var freeOutside: UInt64 { free - min(free, freeInAreas) }

  /// What the kernel thinks it can give out without swapping.
  var availableOrFree: UInt64 { available ?? free }
}

/// The limits within which a load takes memory.
struct MemoryFloor {
  /// Bytes besides the kernel's own reserve that stay free: the lists of the processors alone can hold
  /// more than 10 MiB that count as free to nobody.
  private static let margin: UInt64 = 16 << 20

  private let machine: Machine
  /// Bytes outside the areas that stay free.
  let outside: UInt64
  /// Bytes that stay below the limit of a control group.
  private let inGroup: UInt64 = 16 << 20

  /// - Parameters:
  ///   - machine: the running machine.
  ///   - pageSize: the bytes of a page.
  ///   - spare: bytes that others want outside the areas, as for what makes way for a block.
  /// - Throws: where /proc cannot be read.
  init(on machine: Machine, pageSize: Int, spare: UInt64) throws(SystemFailure) {
    self.machine = machine
    // Below its low watermark of pages that are no area's, the kernel begins to take memory back; without
    // swap it then ends programs. (`__zone_watermark_ok` in `mm/page_alloc.c`)
    let text = try contents(of: machine.path("/proc/zoneinfo"))
    outside = (lowWatermarks(inZoneInformation: text) * UInt64(pageSize) + Self.margin)
      .clampedSum(spare)
  }

  /// Tells how many bytes the load may still take, by what the machine and the control groups of this
  /// process have left.
  ///
  /// - Parameter state: the memory now.
  /// - Returns: the bytes, and the limit that allows no more.
  /// - Throws: where /proc cannot be read.
  func room(in state: MemoryState) throws(SystemFailure) -> (bytes: UInt64, limit: String) {
    let above = state.freeOutside - min(state.freeOutside, outside)
    // While more is free in the areas than outside, pages come from there: but for those that the lists of
    // the processors have, and so only while there is some room outside, too.
    let surplus =
      state.freeOutside < outside - Self.margin / 2
      ? 0 : state.freeInAreas - min(state.freeInAreas, state.freeOutside)
    var room = (bytes: max(above, surplus), limit: "the free memory")
    for limit in try machine.memoryLimits() {
      let bytes = limit.room - min(limit.room, inGroup)
      if bytes < room.bytes { room = (bytes, limit.file) }
    }
    return room
  }

  /// Tells how much memory can still be mapped where the kernel keeps account of that strictly.
  ///
  /// - Returns: bytes; nil where it does not.
  /// - Throws: where /proc cannot be read.
  func promise() throws(SystemFailure) -> UInt64? {
    let file = "/proc/sys/vm/overcommit_memory"
    guard machine.exists(file), try contents(of: machine.path(file)).first == UInt8(ascii: "2")
    else { return nil }
    guard let left = try MemoryState(on: machine).promise else { return nil }
    // An allocation of a program that fails ends it, and others want some, too.
    return left - min(left, 32 << 20)
  }
}

/// The pages that the kernel keeps back in all zones, by their low watermarks.
///
/// - Parameter text: /proc/zoneinfo.
/// - Returns: the sum of the lines `low N` of the zones.
func lowWatermarks(inZoneInformation text: [UInt8]) -> UInt64 {
  text.split(separator: UInt8(ascii: "\n")).reduce(0) { sum, line in
    let fields = line.split { $0 == UInt8(ascii: " ") }
    guard fields.count == 2, fields[0].elementsEqual("low".utf8),
      let pages = UInt64(String(decoding: fields[1], as: UTF8.self)), pages < 1 << 40
    else { return sum }
    return sum + pages
  }
}

/// A counter of /proc/vmstat; nil where the kernel does not tell.
func statistic(_ name: String, on machine: Machine) -> UInt64? {
  guard let text = try? contents(of: machine.path("/proc/vmstat")) else { return nil }
  for line in text.split(separator: UInt8(ascii: "\n")) {
    let fields = line.split(separator: UInt8(ascii: " "))
    if fields.count == 2, fields[0].elementsEqual(name.utf8) {
      return UInt64(String(decoding: fields[1], as: UTF8.self))
    }
  }
  return nil
}
