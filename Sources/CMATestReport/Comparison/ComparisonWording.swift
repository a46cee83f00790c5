// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench

extension Comparison {
  /// What the comparison comes to, in one line, as `1 of 12 cells is slower, 2 cannot be told`.
  package var words: String {
    var parts: [String] = []
    func add(_ count: Int, _ one: String, _ many: String) {
      if count > 0 { parts.append("\(count) \(count == 1 ? one : many)") }
    }
    func count(_ verdict: CellComparison.Verdict) -> Int {
      cells.count { $0.verdict == verdict }
    }
    add(count(.slower), "is slower", "are slower")
    add(count(.failsMore), "fails more often", "fail more often")
    add(count(.better), "is better", "are better")
    add(count(.same), "is the same", "are the same")
    add(cells.count { $0.verdict.reason != nil }, "cannot be told", "cannot be told")
    let all = "of \(cells.count) cell\(cells.count == 1 ? "" : "s") "
    return cells.isEmpty ? "no cell is in both results" : all + parts.joined(separator: ", ")
  }

  /// How many rounds of either result would do for all cells that cannot be told for want of rounds;
  /// `nil` where none lacks any, or no number would do.
  package var roundsNeeded: Int? {
    let all = cells.compactMap { cell in
      if case .tooFewRounds(let needed) = cell.verdict.reason { needed } else { nil }
    }
    return all.max().flatMap { $0 < Noise.mostRounds ? $0 : nil }
  }
}

extension CellComparison.Verdict {
  /// Why nothing can be told; `nil` where something can.
  package var reason: CellComparison.Reason? {
    if case .notKnown(let reason) = self { reason } else { nil }
  }

  /// One or two words for a table.
  package var words: String {
    switch self {
    case .slower: "slower"
    case .failsMore: "fails more often"
    case .better: "better"
    case .same: "the same"
    case .notKnown(let reason): "not known: " + reason.words
    }
  }

  /// The word for scripts.
  package var key: String {
    switch self {
    case .slower: "slower"
    case .failsMore: "fails-more"
    case .better: "better"
    case .same: "same"
    case .notKnown: "not-known"
    }
  }
}

extension CellComparison.Reason {
  package var words: String {
    switch self {
    case .tooFewRounds(Noise.mostRounds):
      "the rounds differ so much that no number of them would do"
    case .tooFewRounds(let needed): "the rounds differ so much that \(needed) of them are needed"
    case .noSpread(let fewest):
      "how much rounds differ is seen in two of them, and a change in \(fewest) at least"
    case .nothingAllocated: "one of the results has no allocation"
    case .noTime: "a time of 0 has no ratio"
    }
  }
}

/// A time in ns for people, with three digits, as `20.1 µs`.
package func shortTime(_ nanoseconds: Double) -> String {
  let units = [("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)]
  // What rounds to 1000 belongs to the next unit.
  let unit = units.last { nanoseconds >= $0.1 * 0.9995 } ?? units[0]
  return threeDigits(nanoseconds / unit.1) + " " + unit.0
}

/// A number below 1000 with three digits, as `20.1`; larger ones without decimals.
package func threeDigits(_ number: Double) -> String {
  let decimals = abs(number) < 9.995 ? 2 : abs(number) < 99.95 ? 1 : 0
  return fixed(number, decimals)
}

/// A number with so many decimals, rounded.
package func fixed(_ number: Double, _ decimals: Int) -> String {
  guard number.isFinite else { return "?" }
  var scale = 1.0
  for _ in 0..<decimals { scale *= 10 }
  let scaled = (abs(number) * scale).rounded()
  guard scaled < 1e18 else { return "?" }
  let sign = number < 0 && scaled > 0 ? "-" : ""
  let whole = Int64(scaled)
  guard decimals > 0 else { return sign + "\(whole)" }
  let factor = Int64(scale)
  let rest = "\(whole % factor)"
  return sign + "\(whole / factor)." + String(repeating: "0", count: decimals - rest.count) + rest
}

/// How far a ratio is from 1, as `+10.9 %`.
package func changeInPercent(_ ratio: Double) -> String {
  let percent = (ratio - 1) * 100
  return (percent >= 0 ? "+" : "") + fixed(percent, abs(percent) < 99.95 ? 1 : 0) + " %"
}

/// A probability with four decimals, as `p 0.0123` or `p < 0.0001`.
package func probability(_ p: Double) -> String {
  p < 0.00005 ? "p < 0.0001" : "p " + fixed(p, 4)
}
