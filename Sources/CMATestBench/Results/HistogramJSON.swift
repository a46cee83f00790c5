// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestCore
package import CMATestDevice

extension Histogram {
  /// The histogram as a result file has it: `bins` holds pairs of a bin's number and its count.
  package var json: JSON {
    var pairs: [JSON] = []
    for (bin, count) in filledBins {
      pairs.append(.int(Int64(bin)))
      pairs.append(.int(Int64(clamping: count)))
    }
    return [
      "count": .int(Int64(clamping: count)), "sum_ns": .int(Int64(clamping: sum)),
      "min_ns": count > 0 ? .int(Int64(clamping: smallest)) : .null,
      "max_ns": count > 0 ? .int(Int64(clamping: largest)) : .null,
      "bins": .array(pairs),
    ]
  }

  /// More times than this, thirty years of one in each millisecond, are no measurement; the sums of so many
  /// overflow nowhere.
  private static let mostRead: UInt64 = 1 << 40

  /// Reads what `json` writes.
  ///
  /// - Parameters:
  ///   - reader: What comes next is the histogram.
  ///   - wrong: Says what contradicts itself, where something does.
  /// - Throws: Where the text is no histogram.
  mutating func read(_ reader: inout JSONReader, wrong: inout String?) throws(JSONReadFailure) {
    var count: UInt64 = 0
    var (sum, smallest, largest): (UInt64, UInt64?, UInt64?) = (0, nil, nil)
    var found = Histogram()
    var fault: String?
    try reader.object { (key, reader) throws(JSONReadFailure) in
      switch key {
      case "count": count = try reader.unsigned()
      case "sum_ns": sum = try reader.unsigned()
      case "min_ns": smallest = reader.takeNull() ? nil : try reader.unsigned()
      case "max_ns": largest = reader.takeNull() ? nil : try reader.unsigned()
      case "bins":
        var bin: Int?
        try reader.array { (reader) throws(JSONReadFailure) in
          let number = try reader.unsigned()
          if let known = bin {
            if !found.add(number, to: known) { fault = "bin \(known) cannot hold \(number) more" }
            bin = nil
          } else if number < UInt64(Self.binCount) {
            bin = Int(number)
          } else {
            fault = "there is no bin \(number)"
            bin = 0
          }
        }
        if bin != nil { fault = "a bin has no count" }
      default: try reader.skip()
      }
    }
    if found.count > Self.mostRead { fault = "\(found.count) times are more than can be" }
    if found.count != count { fault = "the bins hold \(found.count) times, not \(count)" }
    found.setExtremes(sum: sum, smallest: smallest, largest: largest)
    if count > 0, smallest == nil || largest == nil || found.smallest > found.largest {
      fault = "the smallest and the largest time are missing or exchanged"
    }
    if fault == nil { fault = found.contradiction }
    if let fault, wrong == nil { wrong = fault }
    self = found
  }
}

extension Histogram {
  /// Says which of the smallest time, the largest and the sum cannot be those of the bins; `nil` where all can.
  fileprivate var contradiction: String? {
    let bins = filledBins
    guard let first = bins.first?.bin, let last = bins.last?.bin else { return nil }
    // The last bin of all has longer times, too.
    let isOpen = last == Self.binCount - 1
    guard Self.times(of: first).contains(smallest) || isOpen && first == last else {
      return "the smallest time is not in the first bin"
    }
    guard
      Self.times(of: last).contains(largest) || isOpen && largest > Self.times(of: last).lowerBound
    else { return "the largest time is not in the last bin" }
    var (least, most) = (0.0, 0.0)
    for (bin, count) in bins {
      least += Double(count) * Double(Self.times(of: bin).lowerBound)
      most += Double(count) * Double(Self.times(of: bin).upperBound)
    }
    // Sums of floating point have rounding of their own, and a file holds no sum above that of an Int64.
    guard Double(sum) >= min(least * (1 - 1e-9), 9e18), isOpen || Double(sum) <= most * (1 + 1e-9)
    else { return "the sum is not that of the bins" }
    return nil
  }
}
