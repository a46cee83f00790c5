// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
package import CMATestDevice
package import CMATestMachine
internal import Glibc

/// Asks for a set of blocks, and looks at what was in the way.
package struct Explainer {
  /// A reason to end before an answer.
  package enum Failure: Error, Equatable {
    case device(DeviceFailure)
    /// The caller asked for the end.
    case ended
  }

  private let file: any DeviceFile
  private let insight: any AreaInsight
  private let observer: AreaObserver?
  private let frames: Range<UInt64>?
  private let blockPages: UInt64
  private var explanation: AreaExplanation

  /// - Parameters:
  ///   - file: the open device.
  ///   - insight: the same, which looks at pages.
  ///   - machine: the running machine.
  ///   - explanation: has the area, and what is known of it.
  ///   - frames: the page frame numbers of the area; nil where they are not known.
  ///   - blockPages: pages of a page block.
  package init(
    file: any DeviceFile, insight: any AreaInsight, machine: Machine,
    explanation: AreaExplanation, frames: Range<UInt64>?, blockPages: UInt64
  ) {
    self.file = file
    self.insight = insight
    self.frames = frames
    self.blockPages = blockPages
    self.explanation = explanation
    observer = frames.map {
      AreaObserver(
        insight: insight, machine: machine, index: explanation.index, title: explanation.title,
        frames: $0, pageSize: explanation.pageSize)
    }
  }

  /// Asks for all blocks, keeps them until all are had or one is not, and releases them.
  ///
  /// - Parameters:
  ///   - wanted: the blocks, in the order in which they are asked for.
  ///   - isEnding: asked before each block; true ends the work.
  /// - Returns: whether they fit, and why not.
  /// - Throws: the request of the module that failed; the end.
  package mutating func explain(
    _ wanted: [WantedBlocks], isEnding: () -> Bool
  ) throws(Failure) -> AreaExplanation {
    explanation.answers = wanted.map {
      .init($0, $0.request(in: explanation.index, pageSize: explanation.pageSize))
    }
    var had: [Block] = []
    var failure: Failure?
    do throws(Failure) {
      // Before the first request: what others have by then is what a larger area must have room for.
      let before = try asking { () throws(DeviceFailure) in try holes() }
      try allocate(&had, isEnding)
      try asking { () throws(DeviceFailure) in try look(besides: before) }
    } catch {
      failure = error
    }
    for block in had {
      do throws(DeviceFailure) {
        let release = try file.release(block.handle)
        if !release.isAccepted {
          explanation.notes.append("the kernel refused to take \(block.count) pages back")
        }
      } catch {
        failure = failure ?? .device(error)
      }
    }
    if let failure { throw failure }
    return explanation
  }

  private mutating func allocate(
    _ had: inout [Block], _ isEnding: () -> Bool
  ) throws(Failure) {
    for place in explanation.answers.indices {
      let answer = explanation.answers[place]
      for block in 1...answer.wanted.blocks {
        if isEnding() { throw .ended }
        let witness = try witness(of: answer.request)
        explanation.nanoseconds += witness.nanoseconds
        guard let block = witness.block else {
          explanation.failure = .init(answer: place, block: block, witness: witness)
          return
        }
        had.append(block)
        explanation.answers[place].allocated += 1
      }
    }
  }

  private func witness(
    of request: BlockRequest
  ) throws(Failure) -> Witness {
    if let pages = explanation.pages, request.count > pages {
      // The module does not pass on what no area can have.
      var witness = Witness()
      witness.cause = .larger
      return witness
    }
    return try asking { () throws(DeviceFailure) in try insight.witness(request) }
  }

  private func asking<Answer>(
    _ body: () throws(DeviceFailure) -> Answer
  ) throws(Failure) -> Answer {
    do throws(DeviceFailure) { return try body() } catch { throw .device(error) }
  }

  /// Looks at the area while the blocks are held.
  private mutating func look(besides before: Holes?) throws(DeviceFailure) {
    let now = try holes()
    guard var failure = explanation.failure else {
      explanation.largestLeft = now.map { $0.largest.map(\.length) ?? 0 }
      return
    }
    failure.largestHole = now.map { $0.largest.map(\.length) ?? 0 }
    switch failure.witness.cause {
    case .inUse: try lookAtPages(failure.witness.inTheWay, &failure)
    case .refused: try lookAtRefused(&failure)
    case .noHole: try lookBesideHole(now, &failure)
    case .larger, .killed, .notKnown, nil: break
    }
    failure.inTheWay.sort { $0.pages > $1.pages }
    if failure.witness.cause == .noHole, let before {
      failure.order = otherOrder(in: before)
    }
    explanation.failure = failure
    explanation.pagesNeeded = RoomNeeded.pages(
      for: explanation.answers.flatMap {
        [BlockRequest](repeating: $0.request, count: $0.wanted.blocks)
      }, besides: before?.blocks ?? [], obstacles: failure.obstacles, block: blockPages)
    if before == nil {
      explanation.pagesNeeded = nil
      explanation.notes.append(
        "how large the area should be is not known: this kernel does not tell where it is")
    }
  }

  private mutating func lookAtPages(
    _ pages: [UInt64], _ failure: inout AreaExplanation.Failure
  ) throws(DeviceFailure) {
    guard let observer else {
      explanation.notes.append(
        "whose pages they are is not known: this kernel does not tell where the area is")
      return
    }
    guard !pages.isEmpty else {
      explanation.notes.append("which pages they are is not known: this kernel does not tell")
      return
    }
    let found = try observer.holders(ofPages: pages)
    failure.inTheWay = found.holders.filter { $0.kind != .free && !$0.isOfThisProcess }
    explanation.notes += found.notes
    let free = found.pages.count { found.holders[$0.holder].kind == .free }
    if free > 0 {
      explanation.notes.append(
        "\(free) page\(free == 1 ? " that was" : "s that were") in the way \(free == 1 ? "is" : "are") "
          + "free by now: the next request may succeed")
    }
    let fixed = found.pages.filter { page in
      let holder = found.holders[page.holder]
      return holder.kind != .free && holder.canMove != true
    }
    let count = explanation.answers[failure.answer].request.count
    failure.obstacles = places(of: fixed.map(\.frame), apart: count)
  }

  /// Counts places so far from each other that a block fits between.
  private func places(of pages: [UInt64], apart count: UInt64) -> UInt64 {
    var (places, last) = (UInt64(0), UInt64(0))
    for page in pages.sorted() where places == 0 || page - last > count {
      places += 1
      last = page
    }
    return places
  }

  /// Looks for pages that no allocation can have isolated.
  private mutating func lookAtRefused(
    _ failure: inout AreaExplanation.Failure
  ) throws(DeviceFailure) {
    guard let frames, let observer else { return }
    let count = explanation.answers[failure.answer].request.count
    var pages: [UInt64] = []
    var isBeingEmptied = false
    for attempt in failure.witness.attempts.prefix(8) {
      let range = attempt.frame..<attempt.frame.clampedSum(count)
      try insight.look(at: range.clamped(to: frames), in: explanation.index) { run in
        if run.flags.contains(.isolated) { isBeingEmptied = true }
        let isKernels = [.slab, .pageTable, .other].contains(run.kind)
        if isKernels, !run.flags.contains(.movable), pages.count < 64 {
          pages.append(run.frames.lowerBound)
        }
      }
    }
    if isBeingEmptied {
      explanation.notes.append("another allocation was emptying the same range at that moment")
    }
    if pages.isEmpty, !isBeingEmptied {
      explanation.notes.append(
        "what stood against the ranges is not known, because nothing is left of it: another "
          + "allocation at the same moment, mostly")
    }
    let found = try observer.holders(ofPages: pages)
    failure.inTheWay = found.holders.filter { $0.kind != .free }
    failure.obstacles = places(of: pages, apart: count)
    explanation.notes += found.notes
  }

  /// Names the blocks on both sides of the largest hole.
  private mutating func lookBesideHole(
    _ holes: Holes?, _ failure: inout AreaExplanation.Failure
  ) throws(DeviceFailure) {
    guard let holes, let observer, let frames else {
      explanation.notes.append(
        "how large the holes are is not known: this kernel does not tell where the area is")
      return
    }
    var sides: [UInt64] = []
    if let hole = holes.largest {
      if hole.lowerBound > frames.lowerBound { sides.append(hole.lowerBound - 1) }
      if hole.upperBound < frames.upperBound { sides.append(hole.upperBound) }
    } else {
      sides = [frames.lowerBound]
    }
    let found = try observer.holders(ofPages: sides)
    failure.inTheWay = found.holders.filter { $0.kind != .free && !$0.isOfThisProcess }
    explanation.notes += found.notes
  }

  /// Finds an order in which all blocks fit: the largest alignment and size first.
  private func otherOrder(in holes: Holes) -> [Int]? {
    let answers = explanation.answers
    let order = answers.indices.sorted {
      let (one, other) = (answers[$0].request, answers[$1].request)
      return (one.count, one.order, $1) > (other.count, other.order, $0)
    }
    guard order != Array(answers.indices) else { return nil }
    var placement = Placement(holes: holes.ranges)
    for place in order {
      for _ in 0..<answers[place].wanted.blocks {
        let request = answers[place].request
        guard placement.place(request.count, order: request.order) != nil else { return nil }
      }
    }
    return order
  }

  /// The ranges without a block, and the pages of each block.
  private struct Holes {
    var ranges: [Range<UInt64>]
    var blocks: [UInt64]

    var largest: Range<UInt64>? { Placement(holes: ranges).largest }
  }

  /// Finds the holes, by the pages that are in a use that no page outside a block has.
  private func holes() throws(DeviceFailure) -> Holes? {
    guard let frames else { return nil }
    var fixed: [Range<UInt64>] = []
    try insight.look(at: frames, in: explanation.index) { run in
      guard run.kind == .other, !run.flags.contains(.movable) else { return }
      if let last = fixed.last, last.upperBound == run.frames.lowerBound {
        fixed[fixed.count - 1] = last.lowerBound..<run.frames.upperBound
      } else {
        fixed.append(run.frames)
      }
    }
    // Blocks that touch are told apart by the ledger alone.
    let (_, entries) = try BlockTakers.blocks(in: frames, of: insight)
    var blocks = entries.map(\.frames.length)
    let known = entries.map(\.frames)
    for piece in fixed {
      let inLedger = known.reduce(0) { $0 + $1.clamped(to: piece).length }
      if piece.length > inLedger { blocks.append(piece.length - inLedger) }
    }
    var ranges: [Range<UInt64>] = []
    var next = frames.lowerBound
    for piece in fixed {
      if next < piece.lowerBound { ranges.append(next..<piece.lowerBound) }
      next = piece.upperBound
    }
    if next < frames.upperBound { ranges.append(next..<frames.upperBound) }
    return Holes(ranges: ranges, blocks: blocks)
  }
}

extension Holder {
  /// Whether these are blocks of the set itself.
  fileprivate var isOfThisProcess: Bool {
    taker.map { $0.process == getpid() && $0.function == nil } ?? false
  }
}

extension Range<UInt64> {
  /// The number of frames.
  fileprivate var length: UInt64 { upperBound - lowerBound }
}
