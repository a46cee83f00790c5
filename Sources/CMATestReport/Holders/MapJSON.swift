// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestCore
internal import CMATestDevice
package import CMATestHolders
internal import CMATestSystem

extension AreaMap {
  /// The map as an object with stable keys, which `MapSummary` reads. Places are counted from the beginning of
  /// the area: where that is in memory is nobody's business.
  ///
  /// - Parameter facts: what made the map, and when.
  /// - Returns: the object.
  package func json(_ facts: HolderFacts) -> JSON {
    .object(facts.members(format: MapSummary.format) + members)
  }

  private var members: [JSON.Member] {
    let classes = self.classes
    let places = holders.map { holder in
      classes.firstIndex { $0.of == holder.mapClass } ?? 0
    }
    let area: JSON = [
      "name": .string(title), "index": .int(Int64(index)), "pages": JSON(pages),
    ]
    let shares = classes.map { share -> JSON in
      ["class": .string(share.of.rawValue), "pages": JSON(share.pages)]
    }
    return [
      JSON.Member("area", area),
      JSON.Member("page_size", JSON(pageSize)),
      JSON.Member("classes", .array(shares)),
      JSON.Member("holders", .array(holders.map(\.json))),
      JSON.Member("runs", .array(runs.map { Self.json($0, places) })),
      JSON.Member("ledger", ledgerJSON),
      JSON.Member("notes", .array(notes.map { .string($0) })),
    ]
  }

  private var ledgerJSON: JSON {
    let since = ledger.isKept ? utcTimestamp(Int(clamping: ledger.began / 1_000_000_000)) : nil
    return [
      "on": .bool(ledger.isKept), "live": .int(Int64(ledger.live)), "missed": JSON(ledger.missed),
      "since": JSON(since),
    ]
  }

  /// First page, pages, place of the class, place of the holder.
  private static func json(_ run: Run, _ classes: [Int]) -> JSON {
    .array([
      JSON(run.offset), JSON(run.pages), .int(Int64(classes[run.holder])), .int(Int64(run.holder)),
    ])
  }
}
