// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestSystem
internal import Glibc

/// What the allocator itself shows of an area: a second witness of what the suite believes to hold.
///
/// Only a kernel with CONFIG_CMA_DEBUGFS has it, under /sys/kernel/debug/cma, once debugfs is mounted.
/// (`mm/cma_debug.c`)
public struct AreaBitmap: Equatable, Sendable {
  /// Pages that are allocated.
  public var used: UInt64
  /// Pages of the largest free piece.
  public var largestFree: UInt64
  /// The area's page frame numbers.
  public var frames: Range<UInt64>
  /// Frames that are allocated.
  public var allocated: Set<UInt64>

  public init(
    used: UInt64, largestFree: UInt64, frames: Range<UInt64>, allocated: Set<UInt64>
  ) {
    self.used = used
    self.largestFree = largestFree
    self.frames = frames
    self.allocated = allocated
  }
}

extension AreaBitmap {
  /// Reads it as it is now; nil comes of a kernel that shows none, and of an area in several ranges.
  ///
  /// - Parameters:
  ///   - machine: the running one, or a copied tree.
  ///   - area: its name.
  /// - Throws: where a file that is there cannot be read, or says something else than a number.
  init?(on machine: Machine, area: String) throws(SystemFailure) {
    let folder = "/sys/kernel/debug/cma/\(area)"
    guard machine.exists("\(folder)/bitmap"),
      try machine.names(in: "\(folder)/ranges").count <= 1
    else { return nil }
    func number(_ name: String) throws(SystemFailure) -> UInt64 {
      guard let number = UInt64(try machine.line("\(folder)/\(name)")) else {
        throw SystemFailure(.read, machine.path("\(folder)/\(name)"), EINVAL)
      }
      return number
    }
    let first = try number("base_pfn")
    let order = try number("order_per_bit")
    frames = first..<first + (try number("count"))
    used = try number("used")
    largestFree = try number("maxchunk")
    allocated = []
    // Words of 32 bits in decimal, the lowest frames first.
    let words = try machine.line("\(folder)/bitmap").split(separator: " ").map { UInt32($0) }
    for (index, word) in words.enumerated() {
      guard var bits = word else {
        throw SystemFailure(.read, machine.path("\(folder)/bitmap"), EINVAL)
      }
      while bits != 0 {
        let bit = UInt64(index * 32 + bits.trailingZeroBitCount)
        allocated.formUnion(first + bit << order..<first + (bit + 1) << order)
        bits &= bits - 1
      }
    }
  }
}
