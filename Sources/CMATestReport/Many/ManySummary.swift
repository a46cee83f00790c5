// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench

/// What the page of many machines shows: machine after machine is added, and little kept of each.
struct ManySummary {
  /// One for each machine, kernel and profile.
  private(set) var rows: [BoardRow] = []
  /// The cells that became worse with a newer kernel.
  private(set) var regressions: [Regression] = []
  private(set) var steps: [KernelStep: StepCounts] = [:]
  private(set) var causes: [FailureCause: CauseCounts] = [:]
  private(set) var machines: [MachineEntry] = []
  private(set) var areas: [AreaEntry] = []
  /// The kernels of all results.
  private(set) var kernels: Set<String> = []
  private(set) var maps = 0
  private(set) var explanations = 0

  /// Adds what was found of a machine.
  mutating func add(
    _ machine: BoardResults, page: String?, rows: [BoardRow], changes: [KernelChange],
    failures: [FailureCause: UInt64]
  ) {
    var entry = MachineEntry(name: machine.name, page: page)
    entry.isSeveral = machine.processors.count > 1
    for result in machine.results {
      kernels.insert(result.kernel)
      switch result.content {
      case .map: maps += 1
      case .explanation: explanations += 1
      case .bench, .run: break
      }
    }
    areas += machine.maps().map { AreaEntry($0, of: machine.name) }
    for var row in rows {
      row.finish()
      self.rows.append(row)
      entry.faults += row.faults
      entry.files += row.files
    }
    machines.append(entry)
    for change in changes {
      let step = KernelStep(
        profile: change.profile, before: change.before, after: change.after)
      steps[step, default: StepCounts()].add(change.comparison)
      for cell in change.comparison.cells where cell.verdict.isRegression {
        regressions.append(Regression(change, cell))
      }
    }
    for (cause, count) in failures {
      causes[cause, default: CauseCounts()].add(count, of: machine.name)
    }
  }

  /// Machines with faults.
  var faultyMachines: Int { machines.count { $0.faults > 0 } }
}

/// A machine in the list of all.
struct MachineEntry {
  var name: String
  /// Where its own page is; nil for none.
  var page: String?
  var faults: UInt64 = 0
  var files = 0
  /// Whether its name stands for several machines, as its processors tell.
  var isSeveral = false

  init(name: String, page: String?) {
    self.name = name
    self.page = page
  }
}

/// From one kernel to the next newer one.
struct KernelStep: Hashable {
  var profile: String
  var before: String
  var after: String
}

/// What a step between kernels came to, on all machines that have both.
struct StepCounts {
  /// The chance of a comparison that finds a regression where nothing changed.
  private static let level = Comparison.Rules().level

  private(set) var regressed = 0
  private(set) var same = 0
  private(set) var notKnown = 0
  /// The smallest probability of a regression that was found, if nothing changed on its machine.
  private var smallest = 1.0

  mutating func add(_ comparison: Comparison) {
    switch comparison.outcome {
    case .regression: regressed += 1
    case .noRegression: same += 1
    case .notKnown: notKnown += 1
    }
    for cell in comparison.cells where cell.verdict.isRegression {
      smallest = min(smallest, cell.smallestP)
    }
  }

  var all: Int { regressed + same + notKnown }

  /// Whether chance does not explain them: neither so many machines, nor the surest one of so many.
  var isMoreThanChance: Bool {
    guard regressed > 0 else { return false }
    let many = Binomial.atLeast(regressed, of: all, p: Self.level)
    return many <= Self.level * 1.000_001 || onAll(smallest) <= Self.level
  }

  /// A probability of one machine, corrected for all that were looked at (Bonferroni).
  func onAll(_ p: Double) -> Double { min(1, p * Double(all)) }
}

extension CellComparison {
  /// The smaller probability of the two tests; each is corrected for the cells of its comparison.
  fileprivate var smallestP: Double { min(timeP ?? 1, failureP ?? 1) }
}

/// How often, and where, something failed.
struct CauseCounts {
  private(set) var count: UInt64 = 0
  private(set) var machines = 0
  /// One of them.
  private(set) var example = ""

  /// Adds the failures of a machine, which is added once.
  mutating func add(_ count: UInt64, of machine: String) {
    if machines == 0 { example = machine }
    self.count += count
    machines += 1
  }
}

/// A cell that became worse on a machine.
struct Regression {
  var machine: String
  var profile: String
  var before: String
  var after: String
  var settings: CellSettings
  /// The quantity that decides, in ns; nil where it is not known of both.
  var times: (before: Double, after: Double)?
  var failed: (before: Double, after: Double)
  var words: String
  /// The probability if nothing changed on this machine.
  var p: Double

  init(_ change: KernelChange, _ cell: CellComparison) {
    machine = change.machine
    profile = change.profile
    before = change.before
    after = change.after
    settings = cell.settings
    times = cell.changes[change.comparison.rules.quantity].map { ($0.before, $0.after) }
    failed = (
      Double(cell.failed.before) / Double(max(1, cell.requests.before)),
      Double(cell.failed.after) / Double(max(1, cell.requests.after))
    )
    words = cell.verdict.words
    p = cell.smallestP
  }

  var step: KernelStep { KernelStep(profile: profile, before: before, after: after) }

  var ratio: Double { times.map { $0.after / $0.before } ?? 1 }

  /// Whether this one is the worse one: more failures first, and then the larger ratio.
  func isWorse(than other: Regression) -> Bool {
    let more = (failed.after - failed.before, other.failed.after - other.failed.before)
    if words != other.words { return words < other.words }
    if more.0 != more.1 { return more.0 > more.1 }
    return ratio > other.ratio
  }
}
