// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSystem

extension CaseRun {
  /// Makes a request for a block of the area.
  func request(_ count: UInt64, order: UInt32 = 0) -> BlockRequest {
    BlockRequest(area: area.index, count: count, order: order)
  }

  /// Allocates a block, which is released when its owner goes.
  ///
  /// Pages of others in its way may be in use for a moment, so a kernel may refuse a block that it can
  /// give a little later. (`cma_alloc` in `mm/cma.c`: -EBUSY)
  ///
  /// - Parameters:
  ///   - count: the number of pages.
  ///   - order: the order of the alignment.
  ///   - attempts: the number of refusals after which to give up.
  ///   - wasThere: whether such a block was had just before, so that a refusal is a fault whatever others
  ///     have.
  /// - Returns: the block.
  /// - Throws: `failed` after so many refusals; `skipped` where others have so much of the area that
  ///   these are no fault, or the block would leave too little memory.
  func allocate(
    _ count: UInt64, order: UInt32 = 0, attempts: Int = 5, wasThere: Bool = false
  ) throws(CaseEnd) -> Allocation {
    var refusals = 0
    while true {
      try step()
      try leaveMemory(taking: count)
      do throws(DeviceFailure) {
        let block = try Allocation(request(count, order: order), from: file)
        tally.add(count)
        return block
      } catch {
        refusals += 1
        guard error.isOutOfMemory else { throw CaseEnd(error) }
        if refusals >= attempts {
          throw try refusal(error, request(count, order: order), wasThere: wasThere)
        }
        kernel.pause(nanoseconds: 100_000_000)
      }
    }
  }

  private func refusal(
    _ error: DeviceFailure, _ request: BlockRequest, wasThere: Bool
  ) throws(CaseEnd) -> CaseEnd {
    if !wasThere, let occupancy = try occupancy(explainingRefusalOf: request.count) {
      return .skipped("\(error.message): \(occupancy.words)")
    }
    var error = error
    error.obstacle = kernel.obstacle(to: request, in: area.place)
    return CaseEnd(error)
  }

  /// Tries to allocate a block, and releases it at once.
  ///
  /// - Returns: whether the block could be had.
  /// - Throws: `failed` where the device fails otherwise than for want of memory; `skipped` where the block
  ///   would leave too little memory.
  func canAllocate(_ count: UInt64, order: UInt32 = 0) throws(CaseEnd) -> Bool {
    try step()
    try leaveMemory(taking: count)
    do throws(DeviceFailure) {
      _ = try Allocation(request(count, order: order), from: file)
      return true
    } catch {
      guard error.isOutOfMemory else { throw CaseEnd(error) }
      return false
    }
  }

  /// Releases a block.
  ///
  /// - Returns: the nanoseconds that the kernel took.
  /// - Throws: `failed` where the kernel refused its own pages.
  @discardableResult
  func release(_ allocation: consuming Allocation) throws(CaseEnd) -> UInt64 {
    let block = allocation.block
    let release: Release
    // A closure cannot consume the block.
    do throws(DeviceFailure) {
      release = try allocation.release()
    } catch {
      throw CaseEnd(error)
    }
    return try checked(release, of: block)
  }

  /// Releases one of many blocks, and returns the nanoseconds that the kernel took.
  @discardableResult
  func release(_ index: Int, of blocks: inout Allocations) throws(CaseEnd) -> UInt64 {
    let block = blocks.blocks[index]
    let release = try asking(blocks.release(at: index))
    return try checked(release, of: block)
  }

  /// Releases all blocks, the last first.
  func releaseAll(_ blocks: inout Allocations) throws(CaseEnd) {
    while !blocks.blocks.isEmpty { try release(blocks.blocks.count - 1, of: &blocks) }
  }

  private func checked(_ release: Release, of block: Block) throws(CaseEnd) -> UInt64 {
    try expect(
      release.isAccepted,
      "cma_release refused \(block.count) pages from \(block.frame.hexadecimal) on, "
        + "which cma_alloc had given")
    return release.nanoseconds
  }

  /// Looks at each page of a block.
  func inspect(_ block: Block) throws(CaseEnd) -> BlockInspection {
    try asking(file.inspect(block.handle))
  }

  /// Fills the whole of a block with the pattern of a seed.
  func fill(_ block: Block, seed: UInt64) throws(CaseEnd) {
    try asking(file.fill(block.handle, seed: seed, 0..<block.count.clampedProduct(area.pageSize)))
  }

  /// Fails where any word of a block is not that of its pattern.
  func check(_ block: Block, seed: UInt64) throws(CaseEnd) {
    let result = try asking(
      file.check(
        block.handle, seed: seed, 0..<block.count.clampedProduct(area.pageSize)))
    if let message = result.message(block) { throw .failed(message) }
  }

  /// Asks for something that must be refused.
  func probe(_ kind: Probe) throws(CaseEnd) -> ProbeResult {
    try asking(file.probe(kind, area: area.index))
  }

  /// Allocates and releases many times.
  func batch(_ request: BlockRequest, pairs: Int) throws(CaseEnd) -> Batch {
    let batch = try asking(file.batch(request, pairs: pairs))
    if batch.done > batch.failed { tally.add(request.count) }
    return batch
  }
}

extension PatternCheck {
  /// Describes the wrong words of a block; nil where there are none.
  func message(_ block: Block) -> String? {
    guard let first else { return nil }
    return "\(badWords) words of the block of \(block.count) pages at frame "
      + "\(block.frame.hexadecimal) are wrong; the first is at byte \(first.offset): "
      + "wrote \(first.wrote.hexadecimal), read \(first.read.hexadecimal)"
  }
}
