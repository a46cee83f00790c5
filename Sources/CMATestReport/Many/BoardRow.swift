// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench

/// The results of one machine with one kernel and one profile.
struct BoardRow {
  var machine: String
  var kernel: String
  /// The name of a profile, or what else was done.
  var profile: String
  var files = 0
  /// Requests, or cases of a run.
  var requests: UInt64 = 0
  var failed: UInt64 = 0
  /// Failures that are faults.
  var faults: UInt64 = 0
  /// The cells, each with the rounds of all files; none for a run, and none any more once it is finished.
  private(set) var cells: [BoardCell] = []
  private var places: [CellSettings: Int] = [:]
  private(set) var slowest: SlowestCell?

  static let run = "run"

  init(machine: String, kernel: String, profile: String) {
    self.machine = machine
    self.kernel = kernel
    self.profile = profile
  }

  /// Adds a result.
  mutating func add(_ content: BoardContent) {
    files += 1
    switch content {
    case .run(let run):
      requests += UInt64(run.passed + run.failed)
      failed += UInt64(run.failed)
      faults += UInt64(run.failed)
    case .map, .explanation: break
    case .bench(let bench):
      for failure in bench.failures where failure.isFault { faults += failure.count }
      for cell in bench.cells {
        requests += cell.requests
        failed += cell.failed
        if let place = places[cell.settings] {
          cells[place].add(cell)
        } else {
          places[cell.settings] = cells.count
          cells.append(cell)
        }
      }
    }
  }

  /// The share of requests that failed.
  var failedShare: Double { requests == 0 ? 0 : Double(failed) / Double(requests) }

  /// Finds the cell with the largest p99, each the median of its rounds.
  mutating func findSlowest() {
    for cell in cells {
      guard let p99 = cell.p99.median, p99 > slowest?.p99 ?? -1 else { continue }
      slowest = SlowestCell(
        settings: cell.settings, p50: cell.p50.median ?? 0, p99: p99, max: cell.max.max() ?? 0)
    }
  }

  /// Drops the cells, once the machine's own page has them.
  mutating func finish() {
    cells = []
    places = [:]
  }

  /// Whether this row is the worse one: by its faults, the share of failures, and then the p99.
  func isWorse(than other: BoardRow) -> Bool {
    if faults != other.faults { return faults > other.faults }
    if failedShare != other.failedShare { return failedShare > other.failedShare }
    if slowest?.p99 != other.slowest?.p99 { return slowest?.p99 ?? -1 > other.slowest?.p99 ?? -1 }
    return sortKey < other.sortKey
  }

  private var sortKey: String { "\(machine)\u{0}\(kernel)\u{0}\(profile)" }
}

/// The times of a row's slowest cell, in ns.
struct SlowestCell {
  var settings: CellSettings
  var p50: Double
  var p99: Double
  var max: Double
}

extension BoardContent {
  /// What a row's results have in common beside machine and kernel.
  var profile: String {
    switch self {
    case .run: BoardRow.run
    case .bench(let bench): bench.profile ?? "own settings"
    case .map: "map"
    case .explanation: "explain"
    }
  }

  /// Whether the result counts requests, or cases, of which some may fail.
  var hasRequests: Bool {
    switch self {
    case .run, .bench: true
    case .map, .explanation: false
    }
  }

  var failures: [FailureCount] {
    switch self {
    case .run(let run): run.failures
    case .bench(let bench): bench.failures
    case .map: []
    case .explanation(let explanation): FailureCount.all(of: explanation)
    }
  }
}
