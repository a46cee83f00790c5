// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

/// The ranges of an area without a block, and the pages of each block.
struct Holes {
  var ranges: [Range<UInt64>] = []
  var blocks: [UInt64] = []

  /// The largest range; nil where there is none.
  var largest: Range<UInt64>? { Placement(holes: ranges).largest }

  /// The most pages without a block that begin at a page that is aligned so.
  func largest(alignedTo order: UInt32) -> UInt64 {
    let mask = UInt64(1) << UInt64(min(order, 51)) - 1
    let lengths = ranges.map {
      $0.upperBound.clampedDifference($0.lowerBound.clampedSum(mask) & ~mask)
    }
    return lengths.max() ?? 0
  }

  /// Finds the holes, by the pages that are in a use that no page outside a block has.
  ///
  /// - Parameters:
  ///   - frames: the page frame numbers of the area.
  ///   - area: its index.
  ///   - insight: looks at the pages.
  /// - Throws: the request that failed.
  init(
    of frames: Range<UInt64>, in area: UInt32, seenBy insight: any AreaInsight
  ) throws(DeviceFailure) {
    var fixed: [Range<UInt64>] = []
    try insight.look(at: frames, in: area) { run in
      guard run.isOfBlock else { return }
      if let last = fixed.last, last.upperBound == run.frames.lowerBound {
        fixed[fixed.count - 1] = last.lowerBound..<run.frames.upperBound
      } else {
        fixed.append(run.frames)
      }
    }
    // Blocks that touch are told apart by the ledger alone.
    let (_, entries) = try BlockTakers.blocks(in: frames, of: insight)
    blocks = entries.map(\.frames.length)
    var next = frames.lowerBound
    for piece in fixed {
      let known = entries.reduce(0) { $0 + $1.frames.clamped(to: piece).length }
      if piece.length > known { blocks.append(piece.length - known) }
      if next < piece.lowerBound { ranges.append(next..<piece.lowerBound) }
      next = piece.upperBound
    }
    if next < frames.upperBound { ranges.append(next..<frames.upperBound) }
  }
}

extension FrameRun {
  /// Whether the pages are in a use that in an area only blocks have.
  var isOfBlock: Bool { kind == .other && !flags.contains(.movable) }
}

extension Range<UInt64> {
  /// The number of frames.
  var length: UInt64 { upperBound - lowerBound }
}
