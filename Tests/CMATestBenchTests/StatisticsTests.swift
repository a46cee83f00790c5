// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import Foundation
import Testing

/// What SciPy found of the same data; Tests/Fixtures/statistics/reference.py wrote it.
private struct Reference: Decodable {
  struct Ranks: Decodable {
    var a: [Double]
    var b: [Double]
    var u: Double
    var p: Double
  }
  struct Shares: Decodable {
    var failed: [UInt64]
    var of: [UInt64]
    var p: Double
  }
  struct Ratio: Decodable {
    var a: [Double]
    var b: [Double]
    var low: Double
    var high: Double
  }
  struct Median: Decodable {
    var a: [Double]
    var median: Double
    var bounds: [Double]?
  }
  struct Correction: Decodable {
    var p: [Double]
    var adjusted: [Double]
  }

  var mannWhitney: [Ranks]
  var fisher: [Shares]
  var ratio: [Ratio]
  var median: [Median]
  var holm: [Correction]

  static func read() throws -> Reference {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/statistics/scipy.json")
    return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file))
  }
}

@Suite struct StatisticsTests {
  @Test func ranksAreTestedAsBySciPy() throws {
    for expected in try Reference.read().mannWhitney {
      let found = try #require(RankSum(expected.a, expected.b))
      #expect(found.u == expected.u)
      #expect(abs(found.p - expected.p) <= 1e-9 * expected.p, "\(expected.a) \(expected.b)")
    }
    #expect(RankSum([], [1]) == nil)
    #expect(RankSum([5, 5, 5], [5, 5])?.p == 1)
  }

  @Test func sharesAreTestedAsBySciPy() throws {
    for expected in try Reference.read().fisher {
      let p = FisherExact.p(
        failed: (expected.failed[0], expected.failed[1]), of: (expected.of[0], expected.of[1]))
      #expect(abs(p - expected.p) <= 1e-7 * expected.p, "\(expected.failed) \(expected.of)")
    }
    #expect(FisherExact.p(failed: (0, 0), of: (0, 0)) == 1)
  }

  @Test func sharesOfASoakAreTestedAtOnce() {
    let begin = ContinuousClock.now
    let p = FisherExact.p(
      failed: (500_000_000, 500_010_000), of: (1_000_000_000, 1_000_000_000))
    #expect(p > 0.6 && p < 0.7)
    #expect(ContinuousClock.now - begin < .seconds(2))
  }

  /// 400,000 resamples of SciPy's are as near to the bootstrap's own distribution as a step of it.
  @Test func ratiosHaveSciPysBounds() throws {
    for expected in try Reference.read().ratio {
      let found = try #require(MedianRatio(of: expected.b, to: expected.a))
      #expect(abs(found.bounds.lowerBound / expected.low - 1) < 0.002)
      #expect(abs(found.bounds.upperBound / expected.high - 1) < 0.002)
      #expect(found.bounds.contains(found.ratio))
    }
    #expect(MedianRatio(of: [1, 2], to: [0, 1]) == nil)
    #expect(MedianRatio(of: [], to: [1]) == nil)
    let alone = MedianRatio(of: [3], to: [2])
    #expect(alone?.ratio == 1.5)
  }

  @Test func mediansHaveTheBoundsOfOrderStatistics() throws {
    for expected in try Reference.read().median {
      let found = try #require(MedianInterval(expected.a))
      #expect(abs(found.median - expected.median) < 1e-9)
      #expect(found.bounds.map { [$0.lowerBound, $0.upperBound] } == expected.bounds)
    }
    #expect(MedianInterval([]) == nil)
  }

  @Test func manyTestsAreCorrected() throws {
    for expected in try Reference.read().holm {
      for (found, wanted) in zip(Holm.adjusted(expected.p), expected.adjusted) {
        #expect(abs(found - wanted) < 1e-12)
      }
    }
    #expect(Holm.adjusted([]).isEmpty)
  }
}
