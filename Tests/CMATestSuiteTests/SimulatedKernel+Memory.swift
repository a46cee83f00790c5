// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import CMATestSystem

extension SimulatedKernel {
  var memoryLeftNow: UInt64? { memoryLeft.map { $0 - UInt64(usedPages) * 4096 } }

  func shortage(taking bytes: UInt64) -> MemoryShortage? {
    guard let left = memoryLeftNow else { return nil }
    return left < bytes + (24 << 20) ? MemoryShortage(left: left, least: 24 << 20) : nil
  }

  func bitmap(of area: String) throws(SystemFailure) -> AreaBitmap? {
    locked {
      guard knowsPlaces, knowsAvailable, let area = areas.first(where: { $0.name == area }) else {
        return nil
      }
      let frames = area.used.indices.filter { area.used[$0] }.map { area.base + UInt64($0) }
      var allocated = FrameRanges(frames.lazy.map { $0..<$0 + 1 })
      let longest = allocated.gaps(in: area.frames).longest
      if fault == .showsOtherBits, let first = frames.first {
        allocated = FrameRanges(frames.filter { $0 != first }.map { $0..<$0 + 1 })
      }
      return AreaBitmap(
        used: UInt64(frames.count), largestFree: longest + (fault == .showsAnotherHole ? 1 : 0),
        frames: area.frames, allocated: allocated)
    }
  }

  func fixedPages(in frames: Range<UInt64>) throws(SystemFailure) -> FrameRanges? {
    locked {
      guard knowsUses else { return nil }
      return FrameRanges(
        areas.flatMap { area in
          area.used.indices.filter { area.used[$0] }.map { area.base + UInt64($0) }
        }.filter(frames.contains).map { $0..<$0 + 1 })
    }
  }

  func occupiedPages(in frames: Range<UInt64>) throws(SystemFailure) -> FrameRanges? {
    guard let fixed = try fixedPages(in: frames) else { return nil }
    return locked { fixed.union(pinnedFrames.ranges.map { $0.clamped(to: frames) }) }
  }

  func counters(of name: String?) throws(SystemFailure) -> Counters {
    locked {
      var counters = Counters(free: free)
      counters.statisticsFree = free
      if knowsAvailable, let name, let area = areas.first(where: { $0.name == name }) {
        counters.allocated = area.counts.allocated
        counters.failed = area.counts.failed
        counters.released = area.counts.released
        counters.available = UInt64(area.used.count - area.usedCount)
        counters.total = UInt64(area.used.count)
      }
      distortsCounters(&counters)
      return counters
    }
  }
}
