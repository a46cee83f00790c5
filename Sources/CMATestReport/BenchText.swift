// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench
internal import CMATestCore
internal import CMATestDevice

/// Results of a measurement for people: a table for each cell.
package enum BenchText {
  /// - Parameters:
  ///   - result: the result.
  ///   - references: figures that others published, shown beside those of the same sizes.
  /// - Returns: the tables.
  package static func text(_ result: BenchResult, references: [BenchReference] = []) -> String {
    var text = head(result) + "\n"
    for (settings, rounds) in result.cells {
      let cell = CellTable(settings, rounds, areaPages: result.areaPages)
      text += "\n" + settings.words + "\n" + cell.lines.map { "  \($0)\n" }.joined()
    }
    let pageSize = result.summary.pageSize
    if !references.isEmpty, pageSize > 0 {
      text += "\n" + ReferenceTable.text(result, references, pageSize: pageSize)
    }
    let notes = notes(result)
    if !notes.isEmpty { text += "\n" + notes.map { $0 + "\n" }.joined() }
    return text
  }

  private static func head(_ result: BenchResult) -> String {
    func fact(_ name: String) -> String? { result.environment.first { $0.name == name }?.value }
    let free = result.freePages.map { ", \($0) of them free" } ?? ""
    return "cma-test \(result.version) on \(fact("kernel") ?? "an unknown kernel"): "
      + "area \(printable(result.area)), \(result.areaPages) pages of \(fact("page_size") ?? "?") bytes\(free); "
      + "seed \(result.seed)"
  }

  private static func notes(_ result: BenchResult) -> [String] {
    var notes: [String] = []
    if let slow = result.slow {
      var words = "an allocation took \(shortTime(Double(slow.seen.time))): "
      words += "\(result.cells[slow.cell].settings.words), round \(slow.round)"
      if let retries = slow.seen.retries {
        words += "; " + counted(retries, "busy retr", "y", "ies")
      }
      if let migrated = slow.seen.migrated {
        words += ", " + counted(migrated, "page", "", "s") + " migrated"
      }
      if let use = slow.inTheWay { words += "; the last page in its way is \(use) now" }
      notes.append(words)
    }
    if result.refused > 0 {
      notes.append(
        "the kernel refused \(result.refused) releases: these pages are lost until a reboot")
    }
    notes += drifts(result)
    let pieces = result.cells.flatMap { $0.rounds.flatMap(\.slices) }
    if let before = result.freePages,
      let after = pieces.max(by: { $0.time < $1.time })?.freePages, after < before
    {
      notes.append(
        "\(before - after) pages are free no more: others have allocated these meanwhile, or they leak"
      )
    }
    if let reason = result.endedBy {
      notes.append("ended by \(reason): this is a part of the measurement")
    }
    return notes
  }
}

extension BenchText {
  /// Less than this is no time in which a machine changes, in ns.
  private static let shortestSoak = 600e9
  /// More lines than these nobody reads; a report has them all.
  private static let mostDrifts = 8

  /// How times and free pages changed over a measurement of ten minutes or more, a line for each cell.
  fileprivate static func drifts(_ result: BenchResult) -> [String] {
    let lines = result.summary.cells.compactMap(TimeLine.init)
    return lines.filter { $0.span >= shortestSoak }.prefix(mostDrifts).map(SoakTimeLine.words)
  }
}

/// The table of one cell.
private struct CellTable {
  private let settings: CellSettings
  private let rounds: [BenchRound]
  private let areaPages: UInt64
  private var allocations = Histogram()
  private var responses = Histogram()
  private var failures = Histogram()
  private var releases = Histogram()

  init(_ settings: CellSettings, _ rounds: [BenchRound], areaPages: UInt64) {
    self.settings = settings
    self.rounds = rounds
    self.areaPages = areaPages
    for round in rounds {
      allocations.add(round.measured.allocations)
      responses.add(round.measured.responses)
      failures.add(round.measured.failures)
      releases.add(round.measured.releases)
    }
  }

  var lines: [String] {
    let requests = allocations.count + failures.count
    guard requests > 0 else { return ["not measured"] }
    var lines = [
      counted(requests, "request", "", "s") + " in "
        + counted(UInt64(rounds.count), "round", "", "s") + ", \(failed)"
    ]
    lines += load + table + intervals + perAllocation + inTheWay
    return lines
  }

  /// The share of requests that failed, and why.
  private var failed: String {
    guard failures.count > 0 else { return "none failed" }
    let requests = allocations.count + failures.count
    let share = Double(failures.count) / Double(requests)
    var words = "\(failures.count) failed ("
    words +=
      share < 0.01 || (share > 0.99 && share < 1)
      ? exactPercent(share) : percent(failures.count, of: requests)
    if areaPages > 0, settings.pages > areaPages {
      words += ": larger than the area"
    } else if let withoutHole = sum(\.withoutHole) {
      let busy = failures.count - min(failures.count, withoutHole)
      var causes: [String] = []
      if withoutHole > 0 { causes.append("\(withoutHole) found no hole") }
      if busy > 0 { causes.append("\(busy) found pages in use") }
      words += ": " + causes.joined(separator: ", ")
    } else {
      words += ": this kernel does not tell why"
    }
    return words + ")"
  }

  private var load: [String] {
    let filled = rounds.compactMap(\.filledPages)
    guard let least = filled.min(), let most = filled.max() else {
      return settings.load == "none"
        ? [] : ["how much of the area the load had filled is not known: the area's place is not"]
    }
    let words = least == most ? "\(least)" : "\(least) to \(most)"
    return ["the load had \(words) of \(areaPages) pages when a round began"]
  }

  /// Who was in the way after a round, each once, with the number of rounds.
  private var inTheWay: [String] {
    var counts: [(words: String, rounds: Int)] = []
    for words in rounds.compactMap(\.inTheWay) {
      if let place = counts.firstIndex(where: { $0.words == words }) {
        counts[place].rounds += 1
      } else {
        counts.append((words, 1))
      }
    }
    return counts.sorted { $0.rounds > $1.rounds }.prefix(3).map { words, rounds in
      "in the way after \(rounds) of \(self.rounds.count) rounds: \(printable(words))"
    }
  }

  private var table: [String] {
    var rows = [["", "p50", "p90", "p99", "p99.9", "max"]]
    for (name, times) in [
      ("allocation", allocations), ("since intended", responses), ("failure", failures),
      ("release", releases),
    ] where times.count > 0 {
      let quantiles = [0.5, 0.9, 0.99, 0.999, 1].map { times.quantile($0).map(shortTime) ?? "?" }
      rows.append([name] + quantiles)
    }
    return aligned(rows)
  }

  /// The medians over the rounds of p50 and p99, with their intervals.
  private var intervals: [String] {
    let parts = [(0.5, "p50"), (0.99, "p99")].compactMap { quantile, name -> String? in
      let values = rounds.compactMap { $0.measured.allocations.quantile(quantile) }
      guard let interval = MedianInterval(values), let bounds = interval.bounds else { return nil }
      return "\(name) \(shortTime(bounds.lowerBound)) to \(shortTime(bounds.upperBound))"
    }
    if parts.isEmpty {
      return allocations.count > 0 ? ["rounds are too few for intervals"] : []
    }
    return ["95 % intervals over rounds: " + parts.joined(separator: ", ")]
  }

  private var perAllocation: [String] {
    let requests = Double(allocations.count + failures.count)
    var parts: [String] = []
    if let retries = sum(\.retries) {
      parts.append("\(fixed(Double(retries) / requests, 2)) busy retries")
    }
    if let migrated = sum(\.migrated) {
      parts.append("\(fixed(Double(migrated) / requests, 2)) pages migrated")
    }
    return parts.isEmpty ? [] : ["for each request: " + parts.joined(separator: ", ")]
  }

  /// The sum over the rounds; nil where one of them does not know.
  private func sum(_ count: (Measurement) -> UInt64?) -> UInt64? {
    var sum: UInt64 = 0
    for round in rounds {
      guard let value = count(round.measured) else { return nil }
      sum += value
    }
    return sum
  }
}

/// Measured times beside those that others published.
private enum ReferenceTable {
  static func text(_ result: BenchResult, _ references: [BenchReference], pageSize: UInt64)
    -> String
  {
    var rows = [["", "min", "mean", "max", "published min", "mean", "max"]]
    for (settings, rounds) in result.cells {
      guard
        let reference = references.first(where: { $0.size.pages(of: pageSize) == settings.pages })
      else { continue }
      var times = Histogram()
      for round in rounds { times.add(round.measured.allocations) }
      let measured = times.mean.map {
        [shortTime(Double(times.smallest)), shortTime($0), shortTime(Double(times.largest))]
      }
      rows.append(
        [settings.words] + (measured ?? ["-", "-", "-"])
          + [reference.shortest, reference.mean, reference.longest].map { shortTime(Double($0)) })
    }
    return aligned(rows).map { $0 + "\n" }.joined()
  }
}

/// Lays rows out in columns, the first to the left, the others to the right.
private func aligned(_ rows: [[String]]) -> [String] {
  let columns = rows.map(\.count).max() ?? 0
  let widths = (0..<columns).map { column in
    rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
  }
  return rows.map { row in
    row.indices.map { column in
      let room = String(repeating: " ", count: widths[column] - row[column].count)
      return column == 0 ? row[column] + room : room + row[column]
    }.joined(separator: "  ")
  }
}
