// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import Glibc

/// Pages that were in the way, or beside the largest hole, as they were while the other blocks were held.
struct Suspects {
  var pages: [UInt64] = []
  var looked: AreaObserver.Looked?
  /// Whether another allocation was emptying one of the ranges.
  var isBeingEmptied = false
}

extension Explainer {
  /// The attempts that are looked at where ranges could not be isolated, and the pages of each.
  private static let attempts = 8
  private static let pagesOfAttempt = 8

  /// Looks at the area while the blocks are held: for what comes later the pages must be known as they were.
  mutating func look() throws(DeviceFailure) -> Suspects? {
    let holes = try holes()
    let largest = holes.map { $0.largest?.length ?? 0 }
    guard var failure = explanation.failure else {
      explanation.largestLeft = largest
      return nil
    }
    failure.largestHole = largest
    let request = explanation.answers[failure.answer].request
    failure.largestAligned = holes.map { $0.largest(alignedTo: request.order) }
    if failure.witness.cause == .noHole, let holes {
      var placement = Placement(holes: holes.ranges)
      if placement.place(request.count, order: request.order) != nil {
        // The kernel gave up for another reason, which nothing tells apart from that one.
        failure.witness.cause = .notKnown
      }
    }
    explanation.failure = failure
    var suspects = Suspects()
    switch failure.witness.cause {
    case .inUse, .noMemory: suspects.pages = failure.witness.inTheWay
    case .refused: try findRefused(failure, request, &suspects)
    case .noHole: suspects.pages = holes.map { besideLargest($0) } ?? []
    case .larger, .killed, .notKnown, nil: return nil
    }
    suspects.looked = try observer?.look(atPages: suspects.pages)
    return suspects
  }

  /// The last page before the largest hole, and the first one after.
  private func besideLargest(_ holes: Holes) -> [UInt64] {
    guard let frames else { return [] }
    guard let hole = holes.largest else { return [frames.lowerBound] }
    var pages: [UInt64] = []
    if hole.lowerBound > frames.lowerBound { pages.append(hole.lowerBound - 1) }
    if hole.upperBound < frames.upperBound { pages.append(hole.upperBound) }
    return pages
  }

  /// Looks for pages that no allocation can have isolated.
  private func findRefused(
    _ failure: AreaExplanation.Failure, _ request: BlockRequest, _ suspects: inout Suspects
  ) throws(DeviceFailure) {
    guard let frames else { return }
    for attempt in failure.witness.attempts.prefix(Self.attempts) {
      let range = attempt.frame..<attempt.frame.clampedSum(request.count)
      var found = 0
      try insight.look(at: range.clamped(to: frames), in: explanation.index) { run in
        if run.flags.contains(.isolated) { suspects.isBeingEmptied = true }
        let isKernels = run.isOfBlock || run.kind == .slab || run.kind == .pageTable
        if isKernels, found < Self.pagesOfAttempt {
          suspects.pages.append(run.frames.lowerBound)
          found += 1
        }
      }
    }
  }

  /// Names the pages, once the blocks are released.
  mutating func name(_ suspects: Suspects) {
    guard var failure = explanation.failure else { return }
    guard let observer, let looked = suspects.looked else {
      explanation.notes.append(
        "whose pages they are is not known: this kernel does not tell where the area is")
      return
    }
    let found = observer.holders(of: looked)
    explanation.notes += found.notes
    failure.inTheWay = found.holders.filter { $0.kind != .free && !$0.isOfThisProcess }
      .sorted { $0.pages > $1.pages }
    switch failure.witness.cause {
    case .inUse:
      if suspects.pages.isEmpty {
        explanation.notes.append("which pages they are is not known: this kernel does not tell")
      } else if !failure.inTheWay.isEmpty {
        // Of each range the kernel tells the first page alone, and the next attempt meets the next one.
        let area = explanation.isDefault ? "" : " --area \(explanation.index)"
        explanation.notes.append(
          "others may be in the way, too, which the kernel did not come to; 'cma-test map\(area)' shows all"
        )
      }
      noteFree(found)
    case .refused where suspects.isBeingEmptied:
      explanation.notes.append("another allocation was emptying the same range at that moment")
    case .refused where suspects.pages.isEmpty:
      explanation.notes.append(
        "what stood against the ranges is not known, because nothing is left of it: another "
          + "allocation at the same moment, mostly")
    default: break
    }
    if failure.witness.cause == .inUse || failure.witness.cause == .refused {
      let fixed = found.pages.filter { page in
        let holder = found.holders[page.holder]
        return holder.kind != .free && holder.canMove != true
      }
      failure.obstacles = places(
        of: fixed.map(\.frame), apart: explanation.answers[failure.answer].request.count)
    }
    explanation.failure = failure
  }

  private mutating func noteFree(_ found: AreaObserver.PageHolders) {
    let free = found.pages.count { found.holders[$0.holder].kind == .free }
    guard free > 0 else { return }
    explanation.notes.append(
      "\(free) page\(free == 1 ? " that was in the way is" : "s that were in the way are") free by "
        + "now: the next request may succeed")
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
}

extension Holder {
  /// Whether these are blocks of the set itself.
  fileprivate var isOfThisProcess: Bool {
    taker.map { $0.process == getpid() && $0.function == nil } ?? false
  }
}
