// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench
internal import CMATestCore
internal import CMATestDevice
internal import Glibc

/// Results of a measurement in the percentile format of HdrHistogram, which its plotter reads: for each
/// cell the allocations of all its rounds, and their times since the intended start where there is an
/// interval. Times are in µs.
package enum BenchHGRM {
  package static func text(_ result: ResultSummary) -> String { text([result]) }

  /// - Parameter results: results that were read with their times.
  /// - Returns: The tables.
  package static func text(_ results: [ResultSummary]) -> String {
    var text = ""
    for result in results {
      for cell in result.cells {
        let times = cell.times ?? PooledTimes()
        let name = "\(printable(result.name)): \(cell.settings.words)"
        text += section("\(name), allocations", times.allocations)
        if times.responses.count > 0 {
          text += section("\(name), allocations since their intended start", times.responses)
        }
      }
    }
    return text
  }

  private static func section(_ name: String, _ times: Histogram) -> String {
    var text = "#[Cell    = \(name), in microseconds]\n"
    text += right("Value", 12) + " " + right("Percentile", 14) + " " + right("TotalCount", 10)
    text += " " + right("1/(1-Percentile)", 14) + "\n\n"
    for step in PercentileSteps.of(times) {
      text += right(microseconds(step.time), 12) + " " + right(fixed(step.share, 12), 14)
      text += " " + right("\(step.count)", 10)
      if step.share < 1 { text += " " + right(fixed(1 / (1 - step.share), 2), 14) }
      text += "\n"
    }
    return text + foot(times) + "\n"
  }

  private static func foot(_ times: Histogram) -> String {
    let mean = times.mean ?? 0
    var squares = 0.0
    for (bin, count) in times.filledBins {
      let range = Histogram.times(of: bin)
      let middle = Double(range.lowerBound) / 2 + Double(range.upperBound) / 2
      squares += Double(count) * (middle - mean) * (middle - mean)
    }
    let deviation = times.count > 0 ? (squares / Double(times.count)).squareRoot() : 0
    let largest = times.count > 0 ? Double(times.largest) : 0
    func number(_ text: String) -> String { right(text, 12) }
    return "#[Mean    = \(number(fixed(mean / 1000, 3))), StdDeviation   = "
      + "\(number(fixed(deviation / 1000, 3)))]\n"
      + "#[Max     = \(number(fixed(largest / 1000, 3))), Total count    = "
      + "\(number("\(times.count)"))]\n"
      + "#[Buckets = \(number("36")), SubBuckets     = \(number("128"))]\n"
  }

  private static func microseconds(_ nanoseconds: UInt64) -> String {
    fixed(Double(nanoseconds) / 1000, 3)
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.utf8.count)) + text
  }
}

/// The percentiles at which HdrHistogram reports times: five for each halving of the rest.
private enum PercentileSteps {
  static func of(_ times: Histogram) -> [(time: UInt64, share: Double, count: UInt64)] {
    guard times.count > 0 else { return [] }
    var steps: [(time: UInt64, share: Double, count: UInt64)] = []
    var (level, seen) = (0.0, UInt64(0))
    for (bin, count) in times.filledBins {
      seen += count
      let end = min(times.largest, Histogram.times(of: bin).upperBound)
      let reached = 100 * Double(seen) / Double(times.count)
      // The last bin closes the table, below.
      while seen < times.count, reached >= level {
        steps.append((end, level / 100, seen))
        level += 100 / ticks(at: level)
      }
    }
    // One line for the rest of the way, as HdrHistogram has it, and the one that has all.
    if level < 100 { steps.append((times.largest, level / 100, times.count)) }
    steps.append((times.largest, 1, times.count))
    return steps
  }

  private static func ticks(at level: Double) -> Double {
    5 * pow(2, (log2(100 / (100 - level))).rounded(.down) + 1)
  }
}
