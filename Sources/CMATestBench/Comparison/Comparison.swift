// SPDX-License-Identifier: GPL-2.0-or-later

/// Two results of `cma-test bench`, compared cell by cell.
///
/// A run is one observation, since times within it depend on each other: for each cell the medians
/// of the rounds' quantiles are compared. One quantity decides; its tests and those of failure rates
/// are corrected together (Holm), so that with nothing changed the chance of any false alarm is the
/// level at most. A change counts where it is significant and larger than the noise. Where failures come in
/// groups, so that rounds differ in them by more than chance, the groups count, and not each of them.
package struct Comparison: Sendable {
  /// What decides, and how strictly.
  package struct Rules: Equatable, Sendable {
    /// The quantity of allocations' times that decides.
    package var quantity = Quantity.p50
    /// The chance of any false alarm.
    package var level = 0.05
    /// Changes below this share never count.
    package var threshold = 0.01
    /// The change that should be found if it is there, as a share.
    package var detect = 0.1
    /// Whether cells are compared whose loads differ, where each result has one load.
    package var acrossLoads = false

    package init() {}
  }

  package var rules: Rules
  package var cells: [CellComparison]
  /// Cells that only one of the results has.
  package var onlyBefore: [CellSettings]
  package var onlyAfter: [CellSettings]
  /// Properties of the machines that differ.
  package var differences: [Difference]

  package struct Difference: Equatable, Sendable {
    package var name: String
    package var before: String?
    package var after: String?
  }

  /// What a comparison comes to.
  package enum Outcome: Equatable, Sendable {
    case regression, noRegression, notKnown
  }

  package var outcome: Outcome {
    if cells.contains(where: { $0.verdict.isRegression }) { return .regression }
    let unknown = cells.contains {
      if case .notKnown = $0.verdict { true } else { false }
    }
    return unknown || cells.isEmpty ? .notKnown : .noRegression
  }

  /// Compares the rounds of one or more results with those of others.
  package init(
    _ before: [ResultSummary], with after: [ResultSummary], rules: Rules = Rules()
  ) {
    self.rules = rules
    var first = Self.merged(before)
    var second = Self.merged(after)
    if rules.acrossLoads { Self.joinLoads(&first, &second) }
    let places = Dictionary(uniqueKeysWithValues: second.enumerated().map { ($1.settings, $0) })
    var cells: [CellComparison] = []
    onlyBefore = []
    for cell in first {
      if let place = places[cell.settings] {
        cells.append(Self.measured(cell, second[place], rules))
      } else {
        onlyBefore.append(cell.settings)
      }
    }
    let known = Set(first.map(\.settings))
    onlyAfter = second.map(\.settings).filter { !known.contains($0) }
    Self.correct(&cells)
    let tests = cells.reduce(0) { $0 + ($1.timeP == nil ? 0 : 1) + ($1.failureP == nil ? 0 : 1) }
    for index in cells.indices {
      cells[index].verdict = Self.verdict(cells[index], rules, tests: tests)
    }
    self.cells = cells
    differences = Self.differences(before, after)
  }

  /// The cells of several results; rounds of the same cell are put together.
  private static func merged(_ results: [ResultSummary]) -> [CellSummary] {
    var cells: [CellSummary] = []
    var places: [CellSettings: Int] = [:]
    for cell in results.flatMap(\.cells) {
      if let place = places[cell.settings] {
        cells[place].rounds += cell.rounds
      } else {
        places[cell.settings] = cells.count
        cells.append(cell)
      }
    }
    return cells
  }

  private static func measured(
    _ before: CellSummary, _ after: CellSummary, _ rules: Rules
  ) -> CellComparison {
    var changes: [Quantity: Change] = [:]
    for quantity in Quantity.allCases {
      changes[quantity] = Change(before.values(of: quantity), after.values(of: quantity))
    }
    let values = (before.values(of: rules.quantity), after.values(of: rules.quantity))
    let failed = (before: before.failed, after: after.failed)
    let requests = (before: before.requests, after: after.requests)
    // Where nothing failed there is no test, and so none that the others would have to make up for.
    let anyFailed = failed.before + failed.after > 0 && requests.before > 0 && requests.after > 0
    return CellComparison(
      settings: before.settings,
      rounds: (before.rounds.count, after.rounds.count), timed: (values.0.count, values.1.count),
      requests: requests, failed: failed,
      changes: changes,
      timeP: changes[rules.quantity]?.p(),
      failureP: anyFailed ? FailureRates(before.shares, after.shares).p : nil,
      threshold: max(rules.threshold, Noise.spread(of: values.0) ?? 0),
      noise: Noise.relative(values.0, values.1),
      verdict: .notKnown(values.0.isEmpty || values.1.isEmpty ? .nothingAllocated : .noTime))
  }

  /// Corrects all tests of the comparison together.
  private static func correct(_ cells: inout [CellComparison]) {
    var adjusted = Holm.adjusted(cells.compactMap(\.timeP) + cells.compactMap(\.failureP))[...]
    for index in cells.indices where cells[index].timeP != nil {
      cells[index].timeP = adjusted.removeFirst()
    }
    for index in cells.indices where cells[index].failureP != nil {
      cells[index].failureP = adjusted.removeFirst()
    }
  }

  /// How many rounds it takes until so many have a time, where as large a share has none as in the results.
  private static func rounds(_ timed: Int, of cell: CellComparison) -> Int {
    let share = min(
      Double(cell.timed.before) / Double(cell.rounds.before),
      Double(cell.timed.after) / Double(cell.rounds.after))
    let rounds = (Double(timed) / share).rounded(.up)
    return rounds < Double(Noise.mostRounds) ? Int(rounds) : Noise.mostRounds
  }

  private static func verdict(
    _ cell: CellComparison, _ rules: Rules, tests: Int
  ) -> CellComparison.Verdict {
    let failsOtherwise = cell.failureP.map { $0 <= rules.level } ?? false
    // Shares, without division: failed / requests.
    let shares = (
      Double(cell.failed.before) * Double(cell.requests.after),
      Double(cell.failed.after) * Double(cell.requests.before)
    )
    if failsOtherwise, shares.1 > shares.0 { return .failsMore }
    guard let change = cell.changes[rules.quantity], let p = cell.timeP else {
      return failsOtherwise ? .better : cell.verdict
    }
    let differs = p <= rules.level
    if differs, change.ratio > 1 + cell.threshold { return .slower }
    if differs, change.ratio < 1 / (1 + cell.threshold) { return .better }
    if failsOtherwise { return .better }
    let level = rules.level / Double(max(1, tests))
    guard let noise = cell.noise else {
      return .notKnown(.noSpread(fewest: Noise.fewestRounds(level: level)))
    }
    let needed = Noise.roundsNeeded(toFind: rules.detect, noise: noise, level: level)
    return min(cell.timed.before, cell.timed.after) < needed
      ? .notKnown(.tooFewRounds(needed: rounds(needed, of: cell))) : .same
  }
}
