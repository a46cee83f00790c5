// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSystem
internal import Synchronization

/// What a case works with: the area, the device, numbers by the seed, and where to leave what it
/// measured. What the device or the machine refuses unexpectedly fails the case.
final class CaseRun {
  let kernel: any TestedKernel
  let area: AreaUnderTest
  let ending: Ending
  var numbers: SeededNumbers
  private(set) var metrics: [Metric] = []
  /// Of the case, all its threads together.
  let tally: PageTally
  private var knownOccupancy: Occupancy?
  private let advanced: (Int, Int) -> Void

  var file: any DeviceFile { kernel.file }

  init(
    kernel: any TestedKernel, area: AreaUnderTest, numbers: SeededNumbers, ending: Ending,
    occupancy: Occupancy? = nil, tally: PageTally = PageTally(),
    advanced: @escaping (Int, Int) -> Void = { _, _ in }
  ) {
    self.kernel = kernel
    self.area = area
    self.numbers = numbers
    self.ending = ending
    self.tally = tally
    knownOccupancy = occupancy
    self.advanced = advanced
  }

  /// Runs a case to its end.
  ///
  /// - Parameter test: the case.
  /// - Returns: nil where all was as it must be.
  func end(of test: TestCase) -> CaseEnd? {
    do throws(CaseEnd) {
      // While the case has nothing yet.
      _ = try occupancy()
      try test.body(self)
      // A case that was given nothing has shown nothing, whatever it has found right.
      guard test.needsPages, tally.pages == 0 else { return nil }
      return try tooFull("nothing could be allocated")
    } catch {
      return error
    }
  }

  /// What others had of the area when the case began.
  func occupancy() throws(CaseEnd) -> Occupancy {
    if let knownOccupancy { return knownOccupancy }
    let occupancy = try Occupancy.read(of: area, on: kernel)
    knownOccupancy = occupancy
    return occupancy
  }

  /// Leaves a number for the report.
  func measure(_ name: String, _ value: UInt64) {
    metrics.append(Metric(name, value))
  }

  func measure(_ name: String, _ value: Int) {
    measure(name, UInt64(clamping: value))
  }

  /// Between two operations: throws where the run is to end, and shows how far the case is.
  func step(_ done: Int = 0, of total: Int = 0) throws(CaseEnd) {
    if total > 0 { advanced(done, total) }
    if let reason = ending.reason { throw reason }
  }

  func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws(CaseEnd) {
    if !condition { throw .failed(message()) }
  }
}

extension CaseRun {
  func information() throws(CaseEnd) -> DeviceInformation {
    do throws(DeviceFailure) {
      return try file.information()
    } catch {
      throw CaseEnd(error)
    }
  }

  /// Pages of the area that the module has.
  func heldPages() throws(CaseEnd) -> UInt64 {
    do throws(DeviceFailure) {
      return try file.area(area.index).heldPages
    } catch {
      throw CaseEnd(error)
    }
  }

  func counters() throws(CaseEnd) -> Counters {
    do throws(SystemFailure) {
      return try kernel.counters(of: area.counterName)
    } catch {
      throw CaseEnd(error)
    }
  }

  func request(_ count: UInt64, order: UInt32 = 0) -> BlockRequest {
    BlockRequest(area: area.index, count: count, order: order)
  }

  /// A block, which is released when its owner goes.
  ///
  /// Pages of others in its way may be in use for a moment, so a kernel may refuse what it can give
  /// a little later. (`cma_alloc` in `mm/cma.c`: -EBUSY)
  ///
  /// - Parameters:
  ///   - count: pages.
  ///   - order: its alignment.
  ///   - attempts: after how many refusals to give up.
  ///   - wasThere: whether such a block was had just before, so that a refusal is a fault whatever
  ///     others have.
  /// - Returns: the block.
  /// - Throws: `failed` after so many refusals; `skipped` where others have so much of the area that
  ///   these are no fault.
  func allocate(
    _ count: UInt64, order: UInt32 = 0, attempts: Int = 5, wasThere: Bool = false
  ) throws(CaseEnd) -> Allocation {
    var refusals = 0
    while true {
      try step()
      do throws(DeviceFailure) {
        let block = try Allocation(request(count, order: order), from: file)
        tally.add(count)
        return block
      } catch {
        refusals += 1
        guard error.isOutOfMemory else { throw CaseEnd(error) }
        if refusals >= attempts { throw wasThere ? CaseEnd(error) : try refusal(error, count) }
        kernel.pause(nanoseconds: 100_000_000)
      }
    }
  }

  private func refusal(_ error: DeviceFailure, _ count: UInt64) throws(CaseEnd) -> CaseEnd {
    guard let occupancy = try occupancy(explainingRefusalOf: count) else { return CaseEnd(error) }
    return .skipped("\(error.message): \(occupancy.words)")
  }

  /// - Returns: whether a block could be had; it is given back at once.
  func canAllocate(_ count: UInt64, order: UInt32 = 0) throws(CaseEnd) -> Bool {
    try step()
    do throws(DeviceFailure) {
      _ = try Allocation(request(count, order: order), from: file)
      return true
    } catch {
      guard error.isOutOfMemory else { throw CaseEnd(error) }
      return false
    }
  }

  /// Gives a block back.
  ///
  /// - Returns: nanoseconds that the kernel took.
  /// - Throws: `failed` where it refused its own pages.
  @discardableResult
  func release(_ allocation: consuming Allocation) throws(CaseEnd) -> UInt64 {
    let block = allocation.block
    let release: Release
    do throws(DeviceFailure) {
      release = try allocation.release()
    } catch {
      throw CaseEnd(error)
    }
    return try checked(release, of: block)
  }

  /// Gives one of many blocks back.
  @discardableResult
  func release(_ index: Int, of blocks: inout Allocations) throws(CaseEnd) -> UInt64 {
    let block = blocks.blocks[index]
    let release: Release
    do throws(DeviceFailure) {
      release = try blocks.release(at: index)
    } catch {
      throw CaseEnd(error)
    }
    return try checked(release, of: block)
  }

  /// Gives all of them back, the last first.
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

  func inspect(_ block: Block) throws(CaseEnd) -> BlockInspection {
    do throws(DeviceFailure) {
      return try file.inspect(block.handle)
    } catch {
      throw CaseEnd(error)
    }
  }

  /// Fills the whole of a block with the pattern of a seed.
  func fill(_ block: Block, seed: UInt64) throws(CaseEnd) {
    do throws(DeviceFailure) {
      try file.fill(block.handle, seed: seed, 0..<block.count.clampedProduct(area.pageSize))
    } catch {
      throw CaseEnd(error)
    }
  }

  /// Fails where any word of a block is not that of its pattern.
  func check(_ block: Block, seed: UInt64) throws(CaseEnd) {
    let result: PatternCheck
    do throws(DeviceFailure) {
      result = try file.check(
        block.handle, seed: seed, 0..<block.count.clampedProduct(area.pageSize))
    } catch {
      throw CaseEnd(error)
    }
    if let message = result.message(block) { throw .failed(message) }
  }

  func probe(_ kind: Probe) throws(CaseEnd) -> ProbeResult {
    do throws(DeviceFailure) {
      return try file.probe(kind, area: area.index)
    } catch {
      throw CaseEnd(error)
    }
  }
}

/// How many pages a case was given in all. Several threads may count at once.
final class PageTally: Sendable {
  private let count = Mutex<UInt64>(0)

  var pages: UInt64 { count.withLock { $0 } }

  func add(_ pages: UInt64) { count.withLock { $0 = $0.clampedSum(pages) } }
}

extension CaseEnd {
  init(_ error: DeviceFailure) {
    // The module's limits are its user's choice, not the kernel's fault.
    self =
      if error.isPageLimit {
        .skipped("\(error.message): the module's max_pages is too low for this case")
      } else if error.isHandleLimit {
        .skipped("\(error.message): the module's max_handles is too low for this case")
      } else {
        .failed(error.message)
      }
  }

  init(_ error: SystemFailure) {
    self = .failed("\(error.call.rawValue) of \(error.path): \(error.reason)")
  }
}

extension PatternCheck {
  /// What is wrong with a block; nil where nothing is.
  func message(_ block: Block) -> String? {
    guard let first else { return nil }
    return "\(badWords) words of the block of \(block.count) pages at frame "
      + "\(block.frame.hexadecimal) are wrong; the first is at byte \(first.offset): "
      + "wrote \(first.wrote.hexadecimal), read \(first.read.hexadecimal)"
  }
}
