// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
package import CMATestDevice
package import CMATestMachine

/// Asks for a set of blocks, and looks at what was in the way.
package struct Explainer {
  /// A reason to end before an answer.
  package enum Failure: Error, Equatable {
    case device(DeviceFailure)
    /// The caller asked for the end.
    case ended
  }

  private let file: any DeviceFile
  private let machine: Machine
  let insight: any AreaInsight
  let observer: AreaObserver?
  let frames: Range<UInt64>?
  private let blockPages: UInt64
  var explanation: AreaExplanation

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
    self.machine = machine
    self.insight = insight
    self.frames = frames
    self.blockPages = blockPages
    self.explanation = explanation
    observer = AreaObserver(
      insight: insight, machine: machine,
      place: AreaPlace(
        index: explanation.index, title: explanation.title, frames: frames,
        pages: explanation.pages, pageSize: explanation.pageSize))
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
    // What others have before the first request is what a larger area must have room for, too.
    let before = try asking { () throws(DeviceFailure) in try holes() }
    var had: [Block] = []
    var failure: Failure?
    var suspects: Suspects?
    do throws(Failure) {
      try allocate(&had, isEnding)
      suspects = try asking { () throws(DeviceFailure) in try look() }
    } catch {
      failure = error
    }
    for block in had {
      do throws(Failure) {
        try release(block)
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    // To name them takes memory, which the blocks may have had.
    if let suspects { name(suspects) }
    conclude(besides: before)
    return explanation
  }

  private mutating func allocate(
    _ had: inout [Block], _ isEnding: () -> Bool
  ) throws(Failure) {
    for place in explanation.answers.indices {
      let answer = explanation.answers[place]
      for block in 1...answer.wanted.blocks {
        if isEnding() { throw .ended }
        let bytes = answer.request.count.clampedProduct(explanation.pageSize)
        if !isLarger(answer.request), let shortage = memory?.shortage(taking: bytes) {
          var witness = Witness()
          witness.cause = .noMemory
          explanation.failure = .init(answer: place, block: block, witness: witness)
          explanation.failure?.shortage = shortage
          return
        }
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

  private func witness(of request: BlockRequest) throws(Failure) -> Witness {
    if isLarger(request) {
      // The module does not pass on what no area can have.
      var witness = Witness()
      witness.cause = .larger
      return witness
    }
    return try asking { () throws(DeviceFailure) in try insight.witness(request) }
  }

  /// The memory of the machine now; nil where nothing tells.
  private var memory: MemoryState? { try? MemoryState(on: machine) }

  private func isLarger(_ request: BlockRequest) -> Bool {
    explanation.pages.map { request.count > $0 } ?? false
  }

  private mutating func release(_ block: Block) throws(Failure) {
    let release = try asking { () throws(DeviceFailure) in try file.release(block.handle) }
    if !release.isAccepted {
      explanation.notes.append("the kernel refused to take \(block.count) pages back")
    }
  }

  private func asking<Answer>(
    _ body: () throws(DeviceFailure) -> Answer
  ) throws(Failure) -> Answer {
    do throws(DeviceFailure) { return try body() } catch { throw .device(error) }
  }

  func holes() throws(DeviceFailure) -> Holes? {
    guard let frames else { return nil }
    return try Holes(of: frames, in: explanation.index, seenBy: insight)
  }

  /// Finds what would do.
  private mutating func conclude(besides before: Holes?) {
    guard var failure = explanation.failure else { return }
    guard let before else {
      explanation.notes.append(
        "how large the area should be is not known: this kernel does not tell where it is")
      return
    }
    if failure.witness.cause == .noHole { failure.order = otherOrder(in: before) }
    explanation.failure = failure
    // A larger area leaves less memory for its pages to go to.
    guard failure.witness.cause != .noMemory, let frames else { return }
    let wanted = explanation.answers.map {
      RoomNeeded.Blocks(
        pages: $0.request.count, order: $0.request.order, number: $0.wanted.blocks)
    }
    let holes = before.ranges.map {
      $0.lowerBound - frames.lowerBound..<$0.upperBound - frames.lowerBound
    }
    let room = RoomNeeded(
      for: wanted, besides: before.blocks, holes: holes, in: frames.length, block: blockPages)
    let pages = room.pages(obstacles: failure.obstacles)
    let bytes = pages.map { $0.clampedProduct(explanation.pageSize) }
    // Where no number has so many pages, the machine has not either.
    if let total = memory?.total, total > 0,
      bytes ?? (failure.witness.cause == .larger ? UInt64.max : 0) > total
    {
      explanation.notes.append(
        "this machine does not have the memory for an area in which all fit: it has \(byteCount(total))"
      )
    } else {
      explanation.pagesNeeded = pages
    }
  }

  /// Finds an order in which all blocks fit: the largest first.
  private func otherOrder(in holes: Holes) -> [Int]? {
    let answers = explanation.answers
    let order = answers.indices.sorted {
      let (one, other) = (answers[$0].request, answers[$1].request)
      return (one.count, one.order, $1) > (other.count, other.order, $0)
    }
    guard order != Array(answers.indices) else { return nil }
    var placement = Placement(holes: holes.ranges)
    for place in order {
      let (request, number) = (answers[place].request, answers[place].wanted.blocks)
      guard placement.place(request.count, order: request.order, times: number) != nil else {
        return nil
      }
    }
    return order
  }
}
