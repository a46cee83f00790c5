// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestDevice
package import CMATestSystem

/// Why a measurement cannot go on.
package enum BenchFailure: Error, Equatable, Sendable {
  /// The module refused a request.
  case refused(DeviceFailure)
  /// The threads could not be made.
  case noThreads(SystemFailure)
  /// A load did not load, or ended.
  case load(LoadFailure)
  /// The blocks of a cell would leave too little memory for everybody else.
  case noMemory(CellSettings, MemoryShortage)
}

/// What a measurement needs of the machine beside the device; a test replaces it.
package protocol BenchSurroundings {
  /// Starts what keeps memory busy, and returns when it is there.
  func start(_ load: LoadMix) throws(LoadFailure) -> any RunningLoad
  /// Counts the pages of the area that the load has filled since it began; nil where nothing tells.
  func filledPages() -> UInt64?
  /// Looks whether the machine has memory enough for blocks, and for everybody else besides; nil where it has.
  func shortage(taking pages: UInt64) -> MemoryShortage?
  /// Makes a request that was refused once more, and says who is in the way; nil where it succeeds now.
  func obstacle(to request: BlockRequest) -> String?
  /// Counts the free pages of the area; nil where nothing tells.
  func freePages() -> UInt64?
  /// Returns the time in ns by a clock that never goes back.
  func now() -> UInt64
  /// Says why the measurement has to end; nil while it goes on.
  func endReason() -> String?
}

/// Takes what a measurement tells while it goes on.
package protocol BenchObserver {
  /// A load is about to start.
  func loadBegins(_ load: LoadMix)
  /// A round of a cell begins; steps count from 1.
  func stepBegan(_ step: Int, _ cell: CellSettings)
  /// A piece of the round has ended, or about a tenth of a second has gone by (nil).
  func stepAdvanced(_ cell: Int, _ roundSoFar: BenchRound?)
  /// The round has ended.
  func stepEnded(_ step: Int, _ cell: Int, _ round: BenchRound)
}

/// Measures all cells of a plan.
package struct BenchRun {
  /// No more than this is lost where the machine loses its power.
  private static let longestPiece: UInt64 = 30_000_000_000

  private let plan: BenchPlan
  private let area: UInt32
  private let device: any DeviceFile
  private let surroundings: any BenchSurroundings
  private let observer: any BenchObserver

  package init(
    _ plan: BenchPlan, area: UInt32, on device: any DeviceFile,
    in surroundings: any BenchSurroundings, observer: any BenchObserver
  ) {
    self.plan = plan
    self.area = area
    self.device = device
    self.surroundings = surroundings
    self.observer = observer
  }

  /// Measures, round by round, until the end, until there is a reason to end, or until an allocation takes
  /// longer than the user allows.
  ///
  /// - Throws: why the measurement cannot go on. What the observer was told stays true.
  package func measure() throws(BenchFailure) {
    let began = surroundings.now()
    var step = 0
    for round in plan.order {
      for (load, cells) in round {
        if surroundings.endReason() != nil { return }
        observer.loadBegins(load)
        let running = load == .none ? nil : try start(load)
        defer { running?.stop() }
        for cell in cells {
          if surroundings.endReason() != nil { return }
          step += 1
          observer.stepBegan(step, plan.cells[cell])
          guard let round = try measure(cell, beside: running, since: began) else { return }
          observer.stepEnded(step, cell, round)
          if round.measured.slow != nil { return }
        }
      }
    }
  }

  private func start(_ load: LoadMix) throws(BenchFailure) -> (any RunningLoad)? {
    do throws(LoadFailure) {
      return try surroundings.start(load)
    } catch {
      // An interrupted start is no failure of the load.
      if surroundings.endReason() != nil { return nil }
      throw .load(error)
    }
  }

  /// Measures one round of one cell in pieces.
  ///
  /// - Returns: the round; nil where there was a reason to end before its first allocation.
  private func measure(
    _ cell: Int, beside load: (any RunningLoad)?, since began: UInt64
  ) throws(BenchFailure) -> BenchRound? {
    let settings = plan.cells[cell]
    // A load leaves as much as the largest blocks take.
    if load == nil { try leaveMemory(settings) }
    if plan.settings.warmUp > 0 {
      _ = try measure(cell, settings, requests: plan.settings.warmUp, duration: 0, stopAbove: 0)
      if surroundings.endReason() != nil { return nil }
    }
    var round = BenchRound()
    round.filledPages = load == nil ? nil : surroundings.filledPages()
    let requests = plan.settings.requests
    let end = plan.durationOfStep
    let start = surroundings.now()
    while true {
      let spent = surroundings.now() - start
      let left = requests - min(requests, round.measured.done)
      if requests > 0 && left == 0 || end > 0 && spent >= end { break }
      if load == nil { try leaveMemory(settings) }
      let piece = try measure(
        cell, settings, requests: left,
        duration: end > 0 ? min(end - spent, Self.longestPiece) : Self.longestPiece,
        stopAbove: plan.settings.stopAbove)
      round.measured.add(piece)
      round.slices.append(
        SliceSummary(
          piece, time: surroundings.now() - began, freePages: surroundings.freePages()))
      observer.stepAdvanced(cell, round)
      if piece.slow != nil || surroundings.endReason() != nil { break }
      try check(load)
    }
    try check(load)
    // Beside the load, which is in the way mostly.
    if round.measured.failures.count > 0, surroundings.endReason() == nil {
      round.inTheWay = surroundings.obstacle(to: request(settings))
    }
    return round.measured.done > 0 ? round : nil
  }

  /// Makes sure that the kernel ends no process for want of memory.
  private func leaveMemory(_ settings: CellSettings) throws(BenchFailure) {
    if let shortage = surroundings.shortage(taking: settings.pagesAtOnce) {
      throw .noMemory(settings, shortage)
    }
  }

  private func request(_ settings: CellSettings) -> BlockRequest {
    BlockRequest(area: area, count: settings.pages, order: UInt32(clamping: settings.order))
  }

  private func check(_ load: (any RunningLoad)?) throws(BenchFailure) {
    do throws(LoadFailure) {
      try load?.check()
    } catch {
      throw .load(error)
    }
  }

  private func measure(
    _ cell: Int, _ settings: CellSettings, requests: UInt64, duration: UInt64, stopAbove: UInt64
  ) throws(BenchFailure) -> Measurement {
    var request = MeasureRequest(request(settings))
    request.requests = requests
    request.duration = duration
    request.interval = settings.every
    request.stopAbove = stopAbove
    request.hold = UInt32(clamping: settings.hold)
    request.threads = UInt32(clamping: settings.threads)
    let (device, ask) = (device, request)
    let parts: [Result<Measurement, DeviceFailure>]
    do throws(SystemFailure) {
      parts = try inThreads(
        Int(request.threads),
        interruptedWhen: { ended in
          observer.stepAdvanced(cell, nil)
          return surroundings.endReason() != nil || ended.contains { $0.isFailure }
        },
        { _ in Result { () throws(DeviceFailure) in try device.measure(ask) } })
    } catch {
      throw .noThreads(error)
    }
    var whole = Measurement()
    for part in parts {
      switch part {
      case .success(let measurement): whole.add(measurement)
      case .failure(let failure): throw .refused(failure)
      }
    }
    return whole
  }
}

extension Result {
  fileprivate var isFailure: Bool {
    if case .failure = self { true } else { false }
  }
}
