// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestDevice
package import CMATestMachine
internal import CMATestSystem

/// Looks at who has the pages of an area.
package struct AreaObserver {
  private let insight: any AreaInsight
  private let machine: Machine
  private let place: AreaPlace
  private let frames: Range<UInt64>

  /// - Parameters:
  ///   - insight: the module.
  ///   - machine: the running machine.
  ///   - place: the area; nil is returned where its page frame numbers are not known.
  package init?(insight: any AreaInsight, machine: Machine, place: AreaPlace) {
    guard let frames = place.frames else { return nil }
    self.insight = insight
    self.machine = machine
    self.place = place
    self.frames = frames
  }

  /// Makes a map of the whole area.
  ///
  /// - Throws: the request of the module that failed.
  package func map() throws(DeviceFailure) -> AreaMap {
    let looked = try look(at: [frames])
    let found = named(looked)
    let ledger = looked.ledger
    var map = AreaMap(
      title: place.title, index: place.index, pageSize: place.pageSize,
      pages: frames.upperBound - frames.lowerBound, time: utcTimestamp(), ledger: ledger)
    map.notes = found.notes
    let order = found.holders.indices.sorted {
      (found.holders[$0].pages, $1) > (found.holders[$1].pages, $0)
    }
    var placeOf = [Int](repeating: 0, count: order.count)
    for (place, holder) in order.enumerated() {
      placeOf[holder] = place
      map.holders.append(found.holders[holder])
    }
    for (frames, holder) in found.runs {
      let place = placeOf[holder]
      let count = frames.upperBound - frames.lowerBound
      let offset = frames.lowerBound - self.frames.lowerBound
      if let last = map.runs.last, last.holder == place, last.offset + last.pages == offset {
        map.runs[map.runs.count - 1].pages += count
      } else {
        map.runs.append(AreaMap.Run(offset: offset, pages: count, holder: place))
        map.holders[place].pieces += 1
      }
    }
    if !ledger.isKept {
      map.notes.append(
        "who took the blocks is not known: cmatest keeps no ledger here (cmatest(4))")
    } else if ledger.missed > 0 {
      let blocks = ledger.missed == 1 ? "1 block" : "\(ledger.missed) blocks"
      map.notes.append(
        "who took \(blocks), of all areas, for which cmatest's ledger of \(ledger.most) had no room; "
          + "some may be free again (ledger= in cmatest(4))")
    }
    return map
  }

  /// Who has some pages.
  package struct PageHolders {
    /// Each once.
    package var holders: [Holder] = []
    /// The page frame numbers, with the places of their holders.
    package var pages: [(frame: UInt64, holder: Int)] = []
    /// What is not known, and why, each in a line.
    package var notes: [String] = []
  }

  /// Pages as they were at one moment, whose holders have no names yet.
  package struct Looked {
    fileprivate var runs: [FrameRun] = []
    fileprivate var ledger: Ledger
    fileprivate var blocks: [Ledger.Block]
  }

  /// Looks at some pages, which takes little time and memory.
  ///
  /// - Parameter pages: page frame numbers; those of other areas are left out.
  /// - Returns: the pages as they are now.
  /// - Throws: the request of the module that failed.
  package func look(atPages pages: [UInt64]) throws(DeviceFailure) -> Looked {
    try look(at: pages.filter(frames.contains).map { $0..<$0 + 1 })
  }

  /// Names who has the pages, for which all processes are looked through.
  package func holders(of looked: Looked) -> PageHolders {
    var result = PageHolders()
    guard !looked.runs.isEmpty else { return result }
    let found = named(looked)
    result.notes = found.notes
    result.holders = found.holders
    for (frames, place) in found.runs {
      result.pages.append((frames.lowerBound, place))
      result.holders[place].pieces += 1
    }
    return result
  }

  private func look(at ranges: [Range<UInt64>]) throws(DeviceFailure) -> Looked {
    let (ledger, blocks) = try BlockTakers.blocks(in: frames, of: insight)
    var looked = Looked(ledger: ledger, blocks: blocks)
    var runs: [FrameRun] = []
    for range in ranges { try insight.look(at: range, in: place.index) { runs.append($0) } }
    for run in runs {
      let isKnown = blocks.contains { $0.frames.overlaps(run.frames) }
      guard run.isOfBlock, ledger.isKept, !isKnown else {
        looked.runs.append(run)
        continue
      }
      // A page on its way to a process or file looks like an old block, but not for long.
      try insight.look(at: run.frames, in: place.index) { again in
        looked.runs.append(again.isOfBlock ? again : FrameRun(again.frames, .changing))
      }
    }
    return looked
  }

  private struct Found {
    var holders: [Holder] = []
    /// The frames with the places of their holders.
    var runs: [(Range<UInt64>, Int)] = []
    var notes: [String] = []
  }

  private func named(_ looked: Looked) -> Found {
    let low = looked.runs.map(\.frames.lowerBound).min() ?? frames.lowerBound
    let high = looked.runs.map(\.frames.upperBound).max() ?? frames.upperBound
    var mappers = PageMappers(of: low..<high)
    var reader = PagemapReader(on: machine, pageSize: place.pageSize)
    reader.read(into: &mappers)
    var table = HolderTable(
      mappers: mappers, ledger: looked.ledger, blocks: looked.blocks, machine: machine)
    var found = Found()
    for run in looked.runs { table.add(run) { found.runs.append(($0, $1)) } }
    found.holders = table.holders(naming: insight, in: place.index, on: machine)
    found.notes = reader.notes
    return found
  }
}
