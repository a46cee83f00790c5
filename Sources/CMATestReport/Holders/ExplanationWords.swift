// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestHolders

extension AreaExplanation {
  /// The answer in one sentence.
  var sentence: String {
    let set = answers.map(\.wanted.text).joined(separator: " ")
    var place = "the area \(title)"
    if let pages {
      place += " (\(bytes(pages))" + (available.map { ", \(bytes($0)) without a block)" } ?? ")")
    }
    guard let failure else {
      var text = "\(set) fits into \(place): allocated in \(shortDuration(nanoseconds))"
      if let largestLeft { text += ", and the largest range left is \(bytes(largestLeft))" }
      return text + "."
    }
    let answer = answers[failure.answer]
    let number = answers[..<failure.answer].reduce(failure.block) { $0 + $1.wanted.blocks }
    let total = answers.reduce(0) { $0 + $1.wanted.blocks }
    let which = total == 1 ? "it" : "block \(number) of \(total) (\(answer.wanted.text))"
    return "\(set) does not fit into \(place): \(which) \(failure.words(answer.request))."
  }

  func bytes(_ pages: UInt64) -> String { byteCount(pages.clampedProduct(pageSize)) }

  /// The area that would do, as cma= takes its size; nil where none is known.
  package var sizeNeeded: String? {
    guard let pagesNeeded else { return nil }
    let mebibyte: UInt64 = 1 << 20
    let bytes = pagesNeeded.clampedProduct(pageSize)
    return kernelSize(bytes.clampedSum(mebibyte - 1) / mebibyte * mebibyte)
  }

  /// Writes back what is dirty, and drops what is clean then.
  fileprivate static let dropsCache = "sync; echo 1 > /proc/sys/vm/drop_caches"

  /// The next steps, each in a sentence. A command is what follows the last colon, as a shell takes it.
  var advice: [String] {
    guard let failure else { return [] }
    var steps: [String] = []
    for holder in failure.inTheWay {
      guard let step = holder.advice, !steps.contains(step) else { continue }
      steps.append(step)
    }
    if failure.inTheWay.isEmpty,
      failure.witness.cause == .inUse || failure.witness.cause == .refused
    {
      steps.append("Ask again: what was in the way is there no more, or was not seen.")
    }
    if failure.shortage != nil {
      steps.append("Free memory, or add swap: the kernel would end processes for want of memory.")
    } else if failure.witness.cause == .noMemory {
      steps.append(
        "Free memory outside the area, for its pages to go to: end processes, or drop page cache: "
          + Self.dropsCache)
    }
    if let order = failure.order {
      steps.append(
        "Ask in another order, the largest block first: cma-test explain "
          + (isDefault ? "" : "--area \(index) ")
          + order.map { answers[$0].wanted.text }.joined(separator: " "))
    } else if failure.witness.cause == .noHole, failure.inTheWay.contains(where: \.isTaken) {
      steps.append("Allocate the blocks early after boot, before those, and keep them.")
    }
    if !isDefault, let sizeNeeded {
      steps.append("Make the area \(sizeNeeded) large, where it is declared.")
    }
    return steps
  }
}

extension AreaExplanation.Failure {
  /// What became of a request, and why.
  func words(_ request: BlockRequest) -> String {
    if let shortage {
      return "was not asked for, since \(shortage.words)"
    }
    let time = " after \(shortDuration(witness.nanoseconds))"
    switch witness.cause {
    case .larger: return "has \(pageCount(request.count)), more than the area"
    case .noHole:
      let alignment =
        request.order > 0 ? " (aligned to \(UInt64(1) << UInt64(min(63, request.order))))" : ""
      return "found no range of \(pageCount(request.count))\(alignment) without a block"
        + largestWords(request)
    case .inUse:
      return "failed\(time), since pages in use could not be moved away\(counts)"
    case .refused: return "failed\(time), since no range could be isolated\(counts)"
    case .noMemory:
      return "failed\(time), since there was no memory elsewhere to move pages to\(counts)"
    case .killed: return "was ended"
    case .notKnown, nil:
      return "failed\(time); why is not known, because this kernel does not tell enough"
    }
  }

  /// The largest range; where one is large enough, but not aligned, the largest that is.
  private func largestWords(_ request: BlockRequest) -> String {
    guard let largestHole else { return "" }
    guard largestHole >= request.count, let largestAligned else {
      return ", the largest has \(largestHole)"
    }
    guard largestAligned > 0 else {
      return ", the largest has \(largestHole), but none has a page that is aligned so"
    }
    return ", the largest that is aligned so has \(largestAligned)"
  }

  private var counts: String {
    var parts: [String] = []
    // For want of memory the kernel ends at once, and counts no range as failed.
    if let failed = witness.failed, failed > 0 || witness.cause != .noMemory {
      parts.append("\(failed) range\(failed == 1 ? "" : "s") tried")
    }
    if let migrated = witness.migrated { parts.append("\(pageCount(migrated)) moved") }
    return parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
  }
}

extension Holder {
  /// Whether these are blocks that somebody took after boot.
  fileprivate var isTaken: Bool { kind == .block && taker != nil }

  /// What a user can do about the holder, in a sentence; nil for nothing.
  fileprivate var advice: String? {
    let who = processes.first.map { printable($0.words) }
    switch kind {
    case .free: return nil
    case .block:
      guard let taker else { return adviceOnUnnamed }
      return advice(on: taker)
    case .anonymous, .sharedMemory, .hugePages:
      if isPinned {
        return adviceOnPin
          ?? "Wait: the pages are free as soon as their pipe, request or process has ended."
      }
      return "Ask again: the kernel can move this memory" + (who.map { " of \($0)." } ?? ".")
    case .pageCache:
      if isPinned {
        return adviceOnPin
          ?? "Wait until the reads, writes and pipes that use the file have ended."
      }
      if file?.isDevice == true {
        return "Write back and drop the metadata: sync; echo 3 > /proc/sys/vm/drop_caches"
      }
      return "Drop clean page cache: \(AreaExplanation.dropsCache)"
    case .kernel:
      return canMove == true ? "Ask again: the kernel can move this memory." : nil
    case .notKnown: return "Ask again."
    }
  }

  /// The advice on blocks of which nothing tells who took them; nil where no advice would help.
  private var adviceOnUnnamed: String? {
    switch unnamed {
    case .older, nil:
      "Load cmatest before the drivers to learn whose the older blocks are; what the kernel itself takes "
        + "while it boots stays without a name."
    case .olderOrMissed(let room):
      "Load cmatest before the drivers, and with a ledger= of more than \(room) blocks (cmatest(4)), to "
        + "learn whose these blocks are."
    case .ledgerIsOff:
      "Load cmatest with its ledger, so without ledger=0 (cmatest(4)), and before the drivers, to learn "
        + "whose these blocks are."
    case .notTold: nil
    }
  }

  /// The advice on pages that some process has pinned; nil where none maps them.
  private var adviceOnPin: String? {
    guard let process = processes.first else { return nil }
    guard processCount == 1 else {
      let more = processCount - processes.count
      let names = processes.map { printable($0.words) }.joined(separator: ", ")
      return
        "Wait until these have done their input and output, or end the one that does it: \(names)"
        + (more > 0 ? " and \(more) more." : ".")
    }
    return
      "Wait until \(printable(process.words)) has done its input and output, or end that process, "
      + "whose pages are free when its devices have answered: kill \(process.id)"
  }

  /// The advice on blocks that somebody took.
  private func advice(on taker: Taker) -> String {
    let ended = takerHasEnded ? ", which has ended," : ""
    let who = "\(taker.process) (\(printable(taker.command)))\(ended)"
    let what = blocks == 1 ? "the block" : "the blocks"
    if let advice = adviceOnDeviceUsers(taker, what) { return advice }
    if takerCanEnd {
      return "End, or restart later, \(who), which has \(what): kill \(taker.process)"
    }
    if let driver = taker.driver {
      return
        "Remove the driver that has \(what), or load it later: modprobe -r \(printable(driver))"
    }
    if taker.function == nil {
      return "Remove cmatest, which has \(what) by its parameter alloc_count: rmmod cmatest"
    }
    return
      "Find the driver for which \(who) took \(what), by the function that asked, and remove it."
  }
}

extension Holder {
  /// The advice on blocks through /dev/cmatest whose process has it open no more; nil where it has, and where
  /// nobody has it open, as for the module's own.
  private func adviceOnDeviceUsers(_ taker: Taker, _ what: String) -> String? {
    guard let user = deviceUsers.first else { return nil }
    let what = "\(what) of \(taker.process) (\(printable(taker.command)))"
    let why = takerHasEnded ? "which has ended" : "which has it open no more"
    guard deviceUserCount > 1 else {
      return
        "End, or restart later, \(printable(user.words)), which has /dev/cmatest open, and with it "
        + "\(what), \(why): kill \(user.id)"
    }
    let more = deviceUserCount - deviceUsers.count
    let names = deviceUsers.map { printable($0.words) }.joined(separator: ", ")
    return
      "End, or restart later, the one of these that has \(what), \(why); all have /dev/cmatest open: "
      + names + (more > 0 ? " and \(more) more." : ".")
  }
}

/// Writes a number of pages.
func pageCount(_ pages: UInt64) -> String { "\(pages) page\(pages == 1 ? "" : "s")" }

/// Writes a time in milliseconds, or from a second on in seconds, with one decimal.
func shortDuration(_ nanoseconds: UInt64) -> String {
  if nanoseconds >= 1_000_000_000 {
    let tenths = nanoseconds / 100_000_000
    return "\(tenths / 10).\(tenths % 10) s"
  }
  let tenths = nanoseconds / 100_000
  return "\(tenths / 10).\(tenths % 10) ms"
}
