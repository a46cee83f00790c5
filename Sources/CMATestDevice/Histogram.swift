// SPDX-License-Identifier: GPL-2.0-or-later

/// Times counted in bins whose width grows with the time, as the module counts them.
///
/// A time below 128 ns has a bin of its own; above, each power of two has 64 bins of equal width, up
/// to an hour. The middle of a bin is at most 1/128 away from any time in the bin. Count, sum,
/// smallest and largest time are exact. Histograms of several runs can be added.
public struct Histogram: Equatable, Sendable {
  /// How many times each bin has, from the first that has any to the last.
  private var counts: [UInt64]
  /// The number of the first of these bins.
  private var first: Int
  public private(set) var count: UInt64
  /// The sum of all times, in ns; `UInt64.max` where that is exceeded.
  public private(set) var sum: UInt64
  /// The smallest time, in ns; meaningless without any.
  public private(set) var smallest: UInt64
  /// The largest time, in ns; longer ones than an hour are counted in the last bin.
  public private(set) var largest: UInt64

  /// How many bins there are: 128, and 64 for each of the powers of two from 2⁷ to 2⁴¹.
  public static let binCount = 128 + 35 * 64

  public init() {
    counts = []
    first = 0
    count = 0
    sum = 0
    smallest = .max
    largest = 0
  }

  /// The bins that have any times, with how many, by rising numbers.
  public var filledBins: [(bin: Int, count: UInt64)] {
    counts.indices.lazy.filter { counts[$0] > 0 }.map { (first + $0, counts[$0]) }
  }

  /// Makes room for a bin, and returns its place among the counts.
  private mutating func place(of bin: Int) -> Int {
    if counts.isEmpty { first = bin }
    if bin < first {
      counts.insert(contentsOf: repeatElement(0, count: first - bin), at: 0)
      first = bin
    }
    let place = bin - first
    if place >= counts.count { counts += repeatElement(0, count: place + 1 - counts.count) }
    return place
  }
}

extension Histogram {
  /// The bin of a time in ns.
  public static func bin(of time: UInt64) -> Int {
    guard time >= 128 else { return Int(time) }
    let shift = 63 - time.leadingZeroBitCount - 6
    return min(binCount - 1, shift * 64 + Int(time >> UInt64(shift)))
  }

  /// The times in ns that belong to a bin, but for those beyond the last.
  public static func times(of bin: Int) -> ClosedRange<UInt64> {
    guard bin >= 128 else { return UInt64(bin)...UInt64(bin) }
    let shift = UInt64(bin / 64 - 1)
    let low = UInt64(bin) - shift * 64
    return low << shift...(low + 1) << shift - 1
  }

  /// Counts a time in ns.
  public mutating func add(_ time: UInt64) {
    counts[place(of: Self.bin(of: time))] += 1
    count += 1
    let (sum, overflow) = sum.addingReportingOverflow(time)
    self.sum = overflow ? .max : sum
    smallest = min(smallest, time)
    largest = max(largest, time)
  }

  /// Takes over what the kernel counted (`struct cmatest_histogram`): count, sum, smallest, largest, bins.
  public init(kernel words: ArraySlice<UInt64>) {
    self.init()
    let numbers = Array(words)
    guard numbers.count == Self.binCount + 4, numbers[0] > 0 else { return }
    let bins = numbers[4...]
    if let low = bins.firstIndex(where: { $0 != 0 }), let high = bins.lastIndex(where: { $0 != 0 })
    {
      first = low - 4
      counts = Array(bins[low...high])
    }
    count = numbers[0]
    setExtremes(sum: numbers[1], smallest: numbers[2], largest: numbers[3])
  }

  /// Counts several times of one bin; returns `false` where the counts would overflow.
  public mutating func add(_ count: UInt64, to bin: Int) -> Bool {
    // No bin can overflow where the sum of all does not.
    let (all, overflow) = self.count.addingReportingOverflow(count)
    guard !overflow else { return false }
    counts[place(of: bin)] += count
    self.count = all
    return true
  }

  /// Sets what was counted exactly, beside the bins.
  public mutating func setExtremes(sum: UInt64, smallest: UInt64?, largest: UInt64?) {
    self.sum = sum
    self.smallest = smallest ?? .max
    self.largest = largest ?? 0
  }

  /// Counts all that another histogram has.
  public mutating func add(_ other: Histogram) {
    if let last = other.counts.indices.last {
      let start = place(of: other.first)
      _ = place(of: other.first + last)
      for (index, count) in other.counts.enumerated() { counts[start + index] += count }
    }
    count += other.count
    let (sum, overflow) = sum.addingReportingOverflow(other.sum)
    self.sum = overflow ? .max : sum
    smallest = min(smallest, other.smallest)
    largest = max(largest, other.largest)
  }

  /// The time in ns that a share `q` of all times does not exceed; `nil` of an empty histogram.
  ///
  /// It is the middle of a bin, and at most 1/128 off; 1 gives the largest time exactly.
  public func quantile(_ q: Double) -> Double? {
    guard count > 0 else { return nil }
    let rank = max(1, (q * Double(count)).rounded(.up))
    guard rank < Double(count) else { return Double(largest) }
    var seen = 0.0
    for (bin, count) in filledBins {
      seen += Double(count)
      if seen >= rank {
        let times = Self.times(of: bin)
        let middle = Double(times.lowerBound) / 2 + Double(times.upperBound) / 2
        return min(Double(largest), max(Double(smallest), middle))
      }
    }
    return Double(largest)
  }

  /// The mean of all times in ns; `nil` of an empty histogram.
  public var mean: Double? { count > 0 ? Double(sum) / Double(count) : nil }
}
