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
    if let fault, wrong == nil { wrong = fault }
    self = found
  }
}
