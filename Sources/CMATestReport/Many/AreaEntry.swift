// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestHolders

/// The newest map of an area of a machine, in the table of all machines.
struct AreaEntry {
  var machine: String
  var kernel: String
  var area: String
  /// Its size for people.
  var size: String
  /// Pages of the area, and of these the ones that nobody has, and that are pinned.
  var pages: UInt64
  var free: UInt64
  var pinned: UInt64
  /// Who has most of it.
  var largest: String
  var time: String

  init(_ map: MapSummary, of machine: String) {
    self.machine = machine
    kernel = map.facts.kernel
    area = map.picture.title
    size = map.picture.bytes(map.picture.pages)
    pages = map.picture.pages
    free = map.pages(of: .free)
    pinned = map.pages(of: .pinned)
    largest = map.holders.first.first?.line ?? "nobody"
    time = map.facts.time
  }

  private var freeShare: Double { Double(free) / Double(max(1, pages)) }

  /// Whether this area is the worse one: by its pinned pages, and then by how little of it is free.
  func isWorse(than other: AreaEntry) -> Bool {
    if pinned != other.pinned { return pinned > other.pinned }
    if freeShare != other.freeShare { return freeShare < other.freeShare }
    return "\(machine)\u{0}\(kernel)\u{0}\(area)"
      < "\(other.machine)\u{0}\(other.kernel)\u{0}\(other.area)"
  }

  var freeWords: String { PageTables.percent(freeShare) }
}

extension BoardResults {
  /// The newest map of each kernel and area; those of the newest kernel first.
  func maps() -> [MapSummary] {
    newest { content in
      if case .map(let map) = content { (map, map.facts, map.picture.title) } else { nil }
    }
  }

  /// The newest explanation of each kernel, area and set of blocks; those of the newest kernel first.
  func explanations() -> [ExplanationSummary] {
    newest { content in
      guard case .explanation(let found) = content else { return nil }
      return (found, found.facts, "\(found.title)\u{0}\(found.wanted)")
    }
  }

  private func newest<Summary>(
    _ summary: (BoardContent) -> (Summary, HolderFacts, String)?
  ) -> [Summary] {
    var found: [[String]: (summary: Summary, facts: HolderFacts)] = [:]
    for result in results {
      guard let (summary, facts, name) = summary(result.content) else { continue }
      let key = [facts.kernel, name]
      if let known = found[key], known.facts.time >= facts.time { continue }
      found[key] = (summary, facts)
    }
    let sorted = found.map { (KernelRelease($0.value.facts.kernel), $0.key, $0.value.summary) }
      .sorted { one, other in
        one.0 == other.0
          ? one.1.lexicographicallyPrecedes(other.1) : other.0.isBefore(one.0)
      }
    return sorted.map(\.2)
  }
}
