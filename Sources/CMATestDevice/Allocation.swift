// SPDX-License-Identifier: GPL-2.0-or-later

/// Owns a block, which is released when the owner goes.
public struct Allocation: ~Copyable {
  public let block: Block
  private let file: any DeviceFile
  private var isOwned = true

  public init(_ request: BlockRequest, from file: any DeviceFile) throws(DeviceFailure) {
    // Before any field is set: Swift 6.0 dies of a throw out of a half-made value that has a deinit.
    block = try file.allocate(request)
    self.file = file
  }

  /// Releases the block.
  ///
  /// - Returns: the answer of the kernel.
  /// - Throws: the request, where it could not be made; the block is then gone all the same.
  public consuming func release() throws(DeviceFailure) -> Release {
    isOwned = false
    return try file.release(block.handle)
  }

  deinit {
    // An owner that goes without `release` is leaving with an error, which is the one to tell.
    if isOwned { _ = try? file.release(block.handle) }
  }
}

/// Owns many blocks of one area; those that are left are released when the owner goes.
public struct Allocations: ~Copyable {
  private let file: any DeviceFile
  /// The blocks in the order of their allocation.
  public private(set) var blocks: [Block] = []

  public init(from file: any DeviceFile) {
    self.file = file
  }

  /// The number of pages of all blocks.
  public var pageCount: UInt64 { blocks.reduce(0) { $0 + $1.count } }

  /// Allocates a block.
  ///
  /// - Returns: the new block, which is the last of `blocks`.
  @discardableResult
  public mutating func allocate(_ request: BlockRequest) throws(DeviceFailure) -> Block {
    let block = try file.allocate(request)
    blocks.append(block)
    return block
  }

  /// Releases a block; the blocks behind it move up.
  public mutating func release(at index: Int) throws(DeviceFailure) -> Release {
    try file.release(blocks.remove(at: index).handle)
  }

  /// Gives the last block up to a request that releases the block and does more.
  ///
  /// - Parameter body: makes the request for the handle of the block.
  /// - Returns: the value that `body` returned.
  /// - Throws: the error that `body` threw; the block is then gone all the same.
  mutating func consumeLast<Result>(
    _ body: (UInt32) throws(DeviceFailure) -> Result
  ) throws(DeviceFailure) -> Result {
    try body(blocks.removeLast().handle)
  }

  deinit {
    for block in blocks.reversed() { _ = try? file.release(block.handle) }
  }
}
