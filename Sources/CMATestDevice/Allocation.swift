// SPDX-License-Identifier: GPL-2.0-or-later

/// A block and who owns it: released when its owner goes.
public struct Allocation: ~Copyable {
  public let block: Block
  private let file: any DeviceFile
  private var isOwned = true

  public init(_ request: BlockRequest, from file: any DeviceFile) throws(DeviceFailure) {
    // Before any field is set: Swift 6.0 dies of a throw out of a half-made value that has a deinit.
    block = try file.allocate(request)
    self.file = file
  }

  /// Gives it back.
  ///
  /// - Returns: what the kernel said.
  /// - Throws: where it could not even be asked; the block is then gone all the same.
  public consuming func release() throws(DeviceFailure) -> Release {
    isOwned = false
    return try file.release(block.handle)
  }

  deinit {
    // Whoever goes without `release` is on the way out with an error, which is the one to tell.
    if isOwned { _ = try? file.release(block.handle) }
  }
}

/// Many blocks of one area and who owns them: what is left is released when the owner goes.
public struct Allocations: ~Copyable {
  private let file: any DeviceFile
  /// In the order in which they were allocated, but for gaps that `release(at:)` closed.
  public private(set) var blocks: [Block] = []

  public init(from file: any DeviceFile) {
    self.file = file
  }

  /// Pages of all blocks.
  public var pageCount: UInt64 { blocks.reduce(0) { $0 + $1.count } }

  /// - Returns: the new block, which is the last of `blocks`.
  @discardableResult
  public mutating func allocate(_ request: BlockRequest) throws(DeviceFailure) -> Block {
    let block = try file.allocate(request)
    blocks.append(block)
    return block
  }

  /// Gives one back; those behind it move up.
  public mutating func release(at index: Int) throws(DeviceFailure) -> Release {
    try file.release(blocks.remove(at: index).handle)
  }

  /// Has the last one released by a request that does more.
  ///
  /// - Parameter body: makes the request of its handle.
  /// - Returns: what `body` returned.
  /// - Throws: what `body` threw; the block is then gone all the same.
  mutating func consumeLast<Result>(
    _ body: (UInt32) throws(DeviceFailure) -> Result
  ) throws(DeviceFailure) -> Result {
    try body(blocks.removeLast().handle)
  }

  deinit {
    for block in blocks.reversed() { _ = try? file.release(block.handle) }
  }
}
