// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import CMATestSystem
import Glibc

extension SimulatedKernel: DeviceFile {
  private var information_: DeviceInformation {
    var information = DeviceInformation()
    information.areas = UInt32(areas.count)
    information.maxOrder = 20
    information.maxCount = 1 << 30
    information.maxHandles = UInt64(limits.handles)
    information.maxPages = limits.pages
    information.totalPages = areas.reduce(0) { $0 + UInt64($1.used.count) }
    information.fileHandles = UInt64(owned.values.count { $0.owner == 0 })
    information.heldPages = owned.values.reduce(0) { $0 + $1.block.count }
    information.freePages = free
    distorts(&information)
    return information
  }

  var free: UInt64 {
    areas.reduce(0) { $0 + UInt64(max(0, $1.used.count - $1.usedCount - $1.waiting)) }
  }

  func information() throws(DeviceFailure) -> DeviceInformation {
    locked {
      let now = information_
      guard fault == .staleAccounting else { return now }
      if first == nil { first = now }
      var stale = now
      stale.fileHandles = first?.fileHandles ?? 0
      stale.heldPages = first?.heldPages ?? 0
      stale.freePages = first?.freePages ?? 0
      return stale
    }
  }

  func area(_ index: UInt32) throws(DeviceFailure) -> AreaInformation {
    try locked { () throws(DeviceFailure) in
      guard Int(index) < areas.count else { throw DeviceFailure("get area \(index)", ENOENT) }
      let simulated = areas[Int(index)]
      var area = AreaInformation(index: index)
      area.name = simulated.name
      area.isDefault = index == 0
      if knowsPlaces {
        area.base = simulated.base << 12
        area.size = UInt64(simulated.used.count) << 12
      }
      if fault == .staleAccounting {
        area.heldPages = 0
      } else {
        area.heldPages = owned.values.filter { $0.area == Int(index) }
          .reduce(simulated.loadedPages) { $0 + $1.block.count }
      }
      distortsArea(&area)
      return area
    }
  }

  func allocate(_ request: BlockRequest) throws(DeviceFailure) -> Block {
    try allocate(request, owner: 0)
  }

  func allocate(_ request: BlockRequest, owner: Int) throws(DeviceFailure) -> Block {
    try locked { () throws(DeviceFailure) in
      let index = Int(request.area)
      guard index < areas.count else { throw DeviceFailure(request.words, ENOENT) }
      guard request.count > 0 else { throw DeviceFailure(request.words, EINVAL) }
      guard owned.count < limits.handles else { throw DeviceFailure(request.words, EMFILE) }
      let held = owned.values.reduce(0) { $0 + $1.block.count }
      guard request.count <= limits.pages, held <= limits.pages - request.count else {
        throw DeviceFailure(request.words, ENOSPC)
      }
      areas[index].waiting = 0
      guard let range = find(request, areas[index]) else {
        areas[index].counts.failed &+= request.count
        throw DeviceFailure(request.words, ENOMEM)
      }
      let area = areas[index]
      areas[index].mark(range, true)
      leastMemoryLeft = min(leastMemoryLeft, memoryLeftNow ?? .max)
      move(range, area)
      areas[index].counts.allocated += UInt64(range.count)
      givenPages += range.count
      let lead = fault == .misalign ? 1 : 0
      let outside = fault == .leavesTheArea && range.upperBound == area.used.count ? 1 : 0
      let block = Block(
        handle: nextHandle, frame: area.base + UInt64(range.lowerBound + lead + outside),
        count: fault == .givesTooMuch
          ? min(request.count, UInt64(area.used.count)) : request.count,
        nanoseconds: 1000)
      owned[nextHandle] = Owned(block: block, freed: range, owner: owner, area: index)
      nextHandle += 1
      return block
    }
  }

  func release(_ handle: UInt32) throws(DeviceFailure) -> Release {
    try locked { () throws(DeviceFailure) in
      if fault == .releasesTwice, handle < nextHandle, owned[handle] == nil {
        return Release(isAccepted: true, nanoseconds: 1)
      }
      guard let gone = owned.removeValue(forKey: handle) else {
        throw DeviceFailure("release block \(handle)", ENOENT)
      }
      free(gone.freed, of: gone.area, keepsLast: fault == .leak)
      return Release(isAccepted: true, nanoseconds: 500)
    }
  }

  func inspect(_ handle: UInt32) throws(DeviceFailure) -> BlockInspection {
    let block = try block(handle)
    var inspection = BlockInspection()
    inspection.count = block.count
    inspection.frame = block.frame
    inspection.inZone = fault == .mixesZones && block.count > 2 ? block.count - 1 : block.count
    inspection.unshared = block.count
    inspection.zone = "DMA32"
    let index = locked { owned[handle]?.area ?? 0 }
    if knowsPlaces {
      inspection.inside = UInt64(areas[index].frames.clamped(to: block.frames).count)
    }
    return inspection
  }

  private func block(_ handle: UInt32) throws(DeviceFailure) -> Block {
    try locked { () throws(DeviceFailure) in
      guard let block = owned[handle]?.block else {
        throw DeviceFailure("look at block \(handle)", ENOENT)
      }
      return block
    }
  }

  /// Where a page of a block really is.
  private func frame(_ block: Block, _ page: UInt64) -> UInt64 {
    fault == .overlap && page == 0 ? 0 : block.frame + page
  }

  func fill(_ handle: UInt32, seed: UInt64, _ range: Range<UInt64>) throws(DeviceFailure) {
    let block = try block(handle)
    locked {
      for page in 0..<block.count {
        contents[frame(block, page)] = Content(
          seed: seed, page: page, isCorrupt: fault == .corrupt && page == block.count / 2)
      }
    }
  }

  func check(
    _ handle: UInt32, seed: UInt64, _ range: Range<UInt64>
  ) throws(DeviceFailure) -> PatternCheck {
    let block = try block(handle)
    return locked {
      let wrong = (0..<block.count).filter {
        contents[frame(block, $0)] != Content(seed: seed, page: $0)
      }
      guard let first = wrong.first else { return PatternCheck() }
      return PatternCheck(
        badWords: UInt64(wrong.count), first: .init(offset: first << 12, wrote: 1, read: 2))
    }
  }

  func batch(_ request: BlockRequest, pairs: Int) throws(DeviceFailure) -> Batch {
    var batch = Batch(done: pairs, failed: 0, refused: 0)
    for _ in 0..<pairs {
      guard let block = try? allocate(request) else {
        batch.failed += 1
        continue
      }
      _ = try release(block.handle)
    }
    return batch
  }

  func probe(_ kind: Probe, area: UInt32) throws(DeviceFailure) -> ProbeResult {
    switch kind {
    case .foreignPage: ProbeResult(isRefused: fault != .wrongRelease, frame: 7)
    case .noPages: ProbeResult(isRefused: fault != .givesZeroPages, frame: 0)
    }
  }
}
