// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestMachine
internal import CMATestSystem
internal import Glibc

/// Shows the pages of an area that the allocator itself counts as allocated: a second witness for the
/// blocks that the suite believes to hold.
///
/// Only a kernel with CONFIG_CMA_DEBUGFS has the bitmap, under /sys/kernel/debug/cma, once debugfs is
/// mounted.
/// (`mm/cma_debug.c`)
public struct AreaBitmap: Equatable, Sendable {
  /// The number of pages that are allocated.
  public var used: UInt64
  /// The number of pages of the largest free piece.
  public var largestFree: UInt64
  /// The page frame numbers of the area.
  public var frames: Range<UInt64>
  /// The frames that are allocated.
  public var allocated: FrameRanges

  public init(used: UInt64, largestFree: UInt64, frames: Range<UInt64>, allocated: FrameRanges) {
    self.used = used
    self.largestFree = largestFree
    self.frames = frames
    self.allocated = allocated
  }
}

extension AreaBitmap {
  /// Reads the bitmap as it is now; nil for a kernel that shows none, and for an area in several ranges.
  ///
  /// - Parameters:
  ///   - machine: the running machine, or a copied tree.
  ///   - area: the name of the area.
  /// - Throws: the call that failed; EINVAL for a file with something else than numbers.
  init?(on machine: Machine, area: String) throws(SystemFailure) {
    let folder = "/sys/kernel/debug/cma/\(area)"
    guard machine.exists("\(folder)/bitmap"),
      try machine.names(in: "\(folder)/ranges").count <= 1
    else { return nil }
    func malformed(_ name: String) -> SystemFailure {
      SystemFailure(.read, machine.path("\(folder)/\(name)"), EINVAL)
    }
    func number(_ name: String) throws(SystemFailure) -> UInt64 {
      guard let number = UInt64(try machine.line("\(folder)/\(name)")) else {
        throw malformed(name)
      }
      return number
    }
    let first = try number("base_pfn")
    let order = try number("order_per_bit")
    let count = try number("count")
    // As many frames as no machine has: sums and shifts of what is less cannot overflow.
    guard first < 1 << 52, count < 1 << 52 else { throw malformed("count") }
    guard order < 32 else { throw malformed("order_per_bit") }
    frames = first..<first + count
    used = try number("used")
    largestFree = try number("maxchunk")
    var words = BitmapWords(first: first, order: order, end: first + count)
    try forEachPiece(of: machine.path("\(folder)/bitmap")) { words.read($0) }
    words.endWord()
    guard !words.isMalformed else { throw malformed("bitmap") }
    allocated = words.allocated
  }
}

/// Reads words of 32 bits in decimal, the lowest frames first, in pieces of any size: a bit of 4 KiB
/// makes 300 MB of text of a terabyte.
private struct BitmapWords {
  let first: UInt64
  let order: UInt64
  /// Bits beyond the area are not frames.
  let end: UInt64
  private(set) var allocated = FrameRanges()
  private(set) var isMalformed = false
  private var index: UInt64 = 0
  private var word: UInt64?

  init(first: UInt64, order: UInt64, end: UInt64) {
    self.first = first
    self.order = order
    self.end = end
  }

  mutating func read(_ piece: UnsafeRawBufferPointer) {
    for byte in piece {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        let value = (word ?? 0) * 10 + UInt64(byte - UInt8(ascii: "0"))
        guard value <= UInt32.max else {
          isMalformed = true
          return
        }
        word = value
      case UInt8(ascii: " "), UInt8(ascii: "\n"): endWord()
      default: isMalformed = true
      }
      if isMalformed { return }
    }
  }

  mutating func endWord() {
    guard var bits = word else { return }
    word = nil
    while bits != 0 {
      // A run of ones at a time: a full area is one range.
      let low = UInt64(bits.trailingZeroBitCount)
      let length = UInt64((~(bits >> low)).trailingZeroBitCount)
      let start = first + (index * 32 + low) << order
      let stop = min(start + length << order, end)
      if start < stop { allocated.append(start..<stop) }
      bits &= ~((1 << length - 1) << low)
    }
    index += 1
  }
}
