// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestCore
import CMATestDevice
import Testing

@Suite struct HistogramTests {
  @Test func eachTimeIsInItsBin() {
    var expected: UInt64 = 0
    for bin in 0..<Histogram.binCount {
      let times = Histogram.times(of: bin)
      #expect(times.lowerBound == expected)
      #expect(Histogram.bin(of: times.lowerBound) == bin)
      #expect(Histogram.bin(of: times.upperBound) == bin)
      let half = Double(times.upperBound - times.lowerBound) / 2
      #expect(half <= Double(times.lowerBound) / 128)
      expected = times.upperBound + 1
    }
    // An hour has a bin, and what is longer is in the last one.
    #expect(expected > 3_600_000_000_000)
    #expect(Histogram.bin(of: .max) == Histogram.binCount - 1)
  }

  @Test(arguments: [0.0, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0])
  func quantilesAreThoseOfTheTimes(_ q: Double) throws {
    var random = SystemRandomNumberGenerator()
    var times: [UInt64] = []
    for _ in 0..<20_000 {
      let octave = UInt64.random(in: 0..<40, using: &random)
      times.append(UInt64.random(in: 0...(1 << octave), using: &random))
    }
    var histogram = Histogram()
    for time in times { histogram.add(time) }
    times.sort()
    let rank = max(1, Int((q * Double(times.count)).rounded(.up)))
    let exact = Double(times[rank - 1])
    let found = try #require(histogram.quantile(q))
    #expect(abs(found - exact) <= exact / 128, "\(q): \(found), \(exact)")
    #expect(histogram.count == 20_000)
    #expect(histogram.sum == times.reduce(0, +))
    #expect(histogram.smallest == times[0])
    #expect(histogram.largest == times[19_999])
  }

  @Test func histogramsAreAdded() {
    var (first, second, both) = (Histogram(), Histogram(), Histogram())
    for time in [3, 90, 5000, 5001] as [UInt64] {
      first.add(time)
      both.add(time)
    }
    for time in [1, 70_000_000] as [UInt64] {
      second.add(time)
      both.add(time)
    }
    first.add(second)
    #expect(first == both)
    first.add(Histogram())
    #expect(first == both)
    #expect(Histogram().quantile(0.5) == nil)
    #expect(Histogram().mean == nil)
  }
}
