// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestDevice
internal import CMATestMachine
internal import CMATestSuite
internal import CMATestSystem

/// One measurement by `cma-test bench`: keeps its result whole at any moment, shows how far it is, and
/// writes the result as it goes.
final class BenchMeasurement {
  /// How often the file is written while a round lasts.
  private static let writeInterval: UInt64 = 25_000_000_000

  private(set) var result: BenchResult
  private let plan: BenchPlan
  private let area: AreaUnderTest
  private let device: OpenDevice
  private let ending: Ending
  private let host: any DeviceHost
  /// The load that runs, and the pages of its kind that were in the area before.
  private var load = LoadMix.none
  private var filledBefore: UInt64?
  private let file: ResultFile?
  private let loadFolder: String
  private let progress: Progress
  private var step = (number: 0, cell: 0, began: UInt64(0))
  private var began: UInt64 = 0
  private var written: UInt64 = 0
  private var writeFailure: SystemFailure?

  init(
    _ plan: BenchPlan, in area: AreaUnderTest, on device: OpenDevice, session: DeviceSession,
    environment: [ResultSummary.Fact], file: ResultFile?, loadFolder: String, progress: Progress
  ) {
    self.plan = plan
    self.area = area
    self.device = device
    self.file = file
    self.loadFolder = loadFolder
    self.progress = progress
    host = session.host
    ending = session.ending
    result = BenchResult(
      version: packageVersion, time: utcTimestamp(), seed: plan.seed, area: area.title,
      areaPages: area.pages ?? 0, environment: environment, cells: plan.cells)
    result.freePages = area.available(on: device.kernel)
    result.profile = plan.settings.profile
  }

  /// Measures until the end, or until there is a reason to end.
  ///
  /// - Throws: the reason why there is no whole result. `result` has what was measured all the same, and so
  ///   has the file where that can be written.
  func measure() throws(BenchCommandFailure) {
    // A file that cannot be written is told before the measurement, not after days.
    result.isRunning = true
    if file?.isReplaced == true { try write() }
    progress.begin(steps: plan.steps)
    began = now()
    written = began
    let failure: BenchCommandFailure?
    do throws(BenchFailure) {
      try BenchRun(plan, area: area.index, on: device.kernel.file, in: self, observer: self)
        .measure()
      failure = nil
    } catch {
      failure = BenchCommandFailure(error)
    }
    result.isRunning = false
    result.endedBy =
      failure?.message ?? endReason() ?? (writeFailure == nil ? nil : "a failed write")
    // The first failure is the one to tell.
    if let failure {
      try? write()
      throw failure
    }
    try write()
  }

  private func write() throws(BenchCommandFailure) {
    guard let file else { return }
    try mapError(BenchCommandFailure.cannotWrite) { () throws(SystemFailure) in
      try file.write(result.json.text + "\n")
    }
  }
}

extension BenchMeasurement: BenchSurroundings {
  func start(_ load: LoadMix) throws(LoadFailure) -> any RunningLoad {
    self.load = load
    filledBefore = countFilled()
    // As much as the largest block takes must have a place elsewhere.
    let most = plan.cells.map(\.pagesAtOnce).max() ?? 0
    return try RunningLoads(load) { kind throws(LoadFailure) in
      try host.startLoad(
        kind, in: loadFolder, beside: area.frames, spare: most.clampedProduct(area.pageSize),
        isEnding: { ending.reason != nil })
    }
  }

  func filledPages() -> UInt64? {
    guard let filledBefore, let now = countFilled() else { return nil }
    return now.clampedDifference(filledBefore)
  }

  private func countFilled() -> UInt64? {
    guard let frames = area.frames else { return nil }
    return host.filledPages(by: load.kinds.count == 1 ? load.kinds[0] : .none, in: frames)
  }

  func shortage(taking pages: UInt64) -> MemoryShortage? {
    // No more than the area has is given.
    let most = min(pages, area.pages ?? pages)
    return device.kernel.shortage(taking: most.clampedProduct(area.pageSize))
  }

  func obstacle(to request: BlockRequest) -> String? {
    device.kernel.obstacle(to: request, in: area.place)
  }

  func freePages() -> UInt64? { area.available(on: device.kernel) }

  func now() -> UInt64 { device.kernel.now }

  func endReason() -> String? {
    if let writeFailure { return "a failed write: \(writeFailure.reason)" }
    return switch ending.reason {
    case nil: nil
    case .interrupted(let name): name
    case .timeUp: "the end of the time allowed"
    case .failed(let reason), .skipped(let reason): reason
    }
  }
}

extension BenchMeasurement: BenchObserver {
  func loadBegins(_ load: LoadMix) {
    guard load != .none else { return }
    progress.beginStep(step.number + 1, "starting the load \(load.words)")
  }

  func stepBegan(_ number: Int, _ cell: CellSettings) {
    step = (number, plan.cells.firstIndex(of: cell) ?? 0, now())
    progress.beginStep(number, name(of: cell))
  }

  func stepAdvanced(_ cell: Int, _ roundSoFar: BenchRound?) {
    let time = now()
    let duration = plan.durationOfStep
    if duration > 0 {
      let spent = time.clampedDifference(step.began)
      progress.advance(
        Int(clamping: min(spent, duration) / 1_000_000), of: Int(clamping: duration / 1_000_000))
    } else {
      progress.advance(0, of: 1)
    }
    guard let roundSoFar, let file, file.isReplaced,
      time.clampedDifference(written) >= Self.writeInterval
    else { return }
    let rounds = result.cells[cell].rounds
    result.cells[cell].rounds.append(roundSoFar)
    do throws(SystemFailure) {
      try file.write(result.json.text + "\n")
      written = now()
    } catch {
      // A disk that is full now ends days of work only if it stays full: the last write tells.
      written = now()
    }
    result.cells[cell].rounds = rounds
  }

  func stepEnded(_ number: Int, _ cell: Int, _ round: BenchRound) {
    result.cells[cell].rounds.append(round)
    if let slow = round.measured.slow {
      result.slow = BenchResult.Slow(
        cell: cell, round: result.cells[cell].rounds.count, seen: slow,
        inTheWay: slow.pageInTheWay.flatMap {
          device.kernel.holder(of: $0, in: area.place)
        })
    }
    progress.endStep(number, plan.cells[cell].words)
    guard now().clampedDifference(written) >= Self.writeInterval, file?.isReplaced == true else {
      return
    }
    // As above: the last write tells.
    try? write()
    written = now()
  }

  /// The cell, and about how long all the rest takes.
  private func name(of cell: CellSettings) -> String {
    let done = step.number - 1
    let left: UInt64
    if plan.durationOfStep > 0 {
      left = plan.durationOfStep.clampedProduct(UInt64(plan.steps - done))
    } else {
      guard done > 0 else { return cell.words }
      left = now().clampedDifference(began) / UInt64(done) * UInt64(plan.steps - done)
    }
    return "\(cell.words), \(TimeSpan(nanoseconds: left).words) left,"
  }
}
