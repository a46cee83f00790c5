// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// Places pages of this process in an area of CMA.
///
/// The kernel has no call for that. So blocks of the area are allocated first, and the module then
/// releases each block into pages of this process (`CMATEST_IOC_PLACE`). No more memory is used than
/// these pages have.
struct PagePlacement {
  let machine: Machine
  let file: any PagePlacer
  /// Bytes.
  let pageSize: Int
  /// The area's index and its page frame numbers.
  let area: UInt32
  let frames: Range<UInt64>
  /// The most pages to place.
  let wanted: Int

  /// Places pages, fewer where a limit on memory or the area leaves room for fewer.
  ///
  /// - Parameters:
  ///   - kind: the kind of the pages.
  ///   - seed: the seed of the patterns that are written into the pages.
  ///   - isEnding: asked between two steps; true ends the placement.
  /// - Returns: the pages that lie in the area; none where `isEnding` said so.
  /// - Throws: the reason why there are none, or the request that failed.
  func place(
    _ kind: UserPageKind, seed: UInt64, isEnding: () -> Bool
  ) throws(PlacementFailure) -> PlacedPages {
    let count = try MemoryRoom(on: machine, pageSize: pageSize).pages(atMost: wanted)
    // All blocks are taken before the first is released, whose pages the allocator would give again.
    let blocks = try takeBlocks(count, isEnding)
    switch kind {
    case .anonymous: return try placeInMemory(blocks, seed, isEnding)
    case .pageCache: return try placeInFile(blocks, seed, isEnding)
    }
  }

  private func takeBlocks(
    _ pages: Int, _ isEnding: () -> Bool
  ) throws(PlacementFailure) -> Allocations {
    var blocks = Allocations(from: file)
    var size = UInt64(min(pages, 512))
    while blocks.pageCount < pages, !isEnding() {
      size = min(size, UInt64(pages) - blocks.pageCount)
      do throws(DeviceFailure) {
        try blocks.allocate(BlockRequest(area: area, count: size))
      } catch {
        guard error.isOutOfMemory else { throw .device(error) }
        if size == 1 { break }
        size /= 2
      }
    }
    if blocks.blocks.isEmpty, !isEnding() {
      throw .impossible("no page of the area can be had")
    }
    return blocks
  }

  private func placeInMemory(
    _ blocks: consuming Allocations, _ seed: UInt64, _ isEnding: () -> Bool
  ) throws(PlacementFailure) -> PlacedPages {
    let count = Int(blocks.pageCount)
    let mapping = try mapMemory(max(1, count) * pageSize)
    var next = 0
    while let block = blocks.blocks.last, !isEnding() {
      let address = mapping.base + next * pageSize
      next += Int(block.count)
      do throws(DeviceFailure) {
        _ = try blocks.consumeLast { handle throws(DeviceFailure) in
          try file.place(handle, in: address)
        }
      } catch {
        throw PlacementFailure(error)
      }
    }
    let inArea = try pagesInArea(mapping, 0..<next)
    return PlacedPages(mapping, pages: inArea, pageSize: pageSize, seed: seed)
  }

  private func placeInFile(
    _ blocks: consuming Allocations, _ seed: UInt64, _ isEnding: () -> Bool
  ) throws(PlacementFailure) -> PlacedPages {
    let byteCount = max(1, Int(blocks.pageCount)) * pageSize
    let node = try node(of: blocks)
    let disk = try orNoPageCache(Descriptor.unnamedFile(in: folder, byteCount: byteCount))
    // The page cache comes from the node of the processor unless the process asks for another.
    if let node { cma_test_prefer_node(node) }
    defer { if node != nil { cma_test_prefer_node(-1) } }
    var next = 0
    while let block = blocks.blocks.last, !isEnding() {
      let offset = next * pageSize
      do throws(DeviceFailure) {
        // What a signal left out is not there to be read.
        next += try blocks.consumeLast { handle throws(DeviceFailure) in
          try file.place(handle, in: disk, at: offset)
        }
        if next < offset / pageSize + Int(block.count) { break }
      } catch {
        // What write(2) says of a file tells nothing of the area.
        throw error.isOfFile ? noPageCache(error.reason) : PlacementFailure(error)
      }
    }
    let mapping = try orNoPageCache(Mapping(of: disk, byteCount: byteCount))
    if next > 0 { try orNoPageCache(mapping.populate(next * pageSize)) }
    let inArea = try pagesInArea(mapping, 0..<next)
    // A closure cannot consume the mapping.
    do throws(SystemFailure) {
      return try PlacedPages(mapping, pages: inArea, pageSize: pageSize, seed: seed, file: disk)
    } catch {
      throw noPageCache(error.reason)
    }
  }

  /// Passes a failure on as the reason why there is no page cache.
  private func orNoPageCache<Result: ~Copyable>(
    _ calls: @autoclosure () throws(SystemFailure) -> Result
  ) throws(PlacementFailure) -> Result {
    do throws(SystemFailure) { return try calls() } catch { throw noPageCache(error.reason) }
  }

  private func mapMemory(_ byteCount: Int) throws(PlacementFailure) -> Mapping {
    do throws(SystemFailure) {
      return try Mapping(anonymous: byteCount)
    } catch {
      throw .impossible(
        "no memory can be mapped: \(error.reason) (see vm.overcommit_memory and ulimit -v)")
    }
  }

  /// Finds the memory node of the area; nil on a machine with one node.
  private func node(of blocks: borrowing Allocations) throws(PlacementFailure) -> CInt? {
    guard let block = blocks.blocks.first, machine.exists("/sys/devices/system/node/node1") else {
      return nil
    }
    return try mapError(PlacementFailure.device) { () throws(DeviceFailure) in
      CInt(try file.inspect(block.handle).node)
    }
  }

  private func noPageCache(_ reason: String) -> PlacementFailure {
    .impossible("no page cache can be made of a file in \(folder): \(reason)")
  }

  private func pagesInArea(
    _ mapping: borrowing Mapping, _ pages: Range<Int>
  ) throws(PlacementFailure) -> [Int] {
    guard !pages.isEmpty else { return [] }
    do throws(SystemFailure) {
      let bytes = UnsafeMutableRawBufferPointer(
        rebasing: mapping.bytes[pages.lowerBound * pageSize..<pages.upperBound * pageSize])
      let places = try PageFrames(pageSize: pageSize).frames(of: bytes)
      return zip(pages, places).compactMap { page, frame in
        frame.map { frames.contains($0) } == true ? page : nil
      }
    } catch {
      throw .system(error)
    }
  }

  /// The folder for the file: on a disk where there is one, since most page cache is that of disks.
  private var folder: String { machine.exists("/var/tmp") ? "/var/tmp" : "/tmp" }
}
