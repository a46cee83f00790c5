// SPDX-License-Identifier: GPL-2.0-or-later

/// A set of page frame numbers, kept as few ranges: an area may have a hundred million frames.
public struct FrameRanges: Equatable, Sendable {
  /// Ascending, not empty, and none touches the next.
  public private(set) var ranges: [Range<UInt64>] = []

  public init() {}

  /// - Parameter ranges: in any order; they may overlap and be empty.
  public init(_ ranges: some Sequence<Range<UInt64>>) {
    for range in ranges.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
      append(range)
    }
  }

  /// Adds a range that begins no earlier than the last one.
  mutating func append(_ range: Range<UInt64>) {
    if let last = ranges.last, range.lowerBound <= last.upperBound {
      ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
    } else {
      ranges.append(range)
    }
  }

  /// Whether a frame is in the set.
  public func contains(_ frame: UInt64) -> Bool {
    // The ranges are sorted: the only one that may have the frame is the last that begins before.
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = low + (high - low) / 2
      if ranges[middle].lowerBound <= frame { low = middle + 1 } else { high = middle }
    }
    return low > 0 && frame < ranges[low - 1].upperBound
  }

  /// The number of frames.
  public var count: UInt64 { ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }

  /// Returns the frames that are in the set or in some ranges.
  public func union(_ others: some Sequence<Range<UInt64>>) -> Self {
    Self(ranges + Array(others))
  }

  /// Returns the frames of a range that are not in the set.
  public func gaps(in whole: Range<UInt64>) -> Self {
    var gaps = Self()
    var next = whole.lowerBound
    for range in ranges {
      let part = range.clamped(to: whole)
      guard !part.isEmpty else { continue }
      if next < part.lowerBound { gaps.append(next..<part.lowerBound) }
      next = max(next, part.upperBound)
    }
    if next < whole.upperBound { gaps.append(next..<whole.upperBound) }
    return gaps
  }

  /// The number of frames of the longest range.
  public var longest: UInt64 { ranges.map { $0.upperBound - $0.lowerBound }.max() ?? 0 }

  /// Returns the frames that are in one of two sets alone.
  public func symmetricDifference(_ other: Self) -> Self {
    guard let first = (ranges + other.ranges).map(\.lowerBound).min(),
      let last = (ranges + other.ranges).map(\.upperBound).max()
    else { return Self() }
    let whole = first..<last
    func less(_ one: Self, _ two: Self) -> [Range<UInt64>] {
      let outside = two.gaps(in: whole).ranges
      var pieces: [Range<UInt64>] = []
      var index = 0
      for range in one.ranges {
        while index < outside.count, outside[index].upperBound <= range.lowerBound { index += 1 }
        var next = index
        while next < outside.count, outside[next].lowerBound < range.upperBound {
          pieces.append(range.clamped(to: outside[next]))
          next += 1
        }
      }
      return pieces
    }
    return Self(less(self, other) + less(other, self))
  }
}
