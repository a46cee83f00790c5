// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestCore
internal import CMATestDevice
package import CMATestHolders
internal import CMATestSystem

extension AreaMap {
  /// The map as an object with stable keys. Places are counted from the beginning of the area: where that is
  /// in memory is nobody's business.
  package func json(kernel: String) -> JSON {
    let classes = self.classes
    let places = holders.map { holder in
      classes.firstIndex { $0.of == holder.mapClass } ?? 0
    }
    return [
      "schema": 1,
      "ok": true,
      "format": "cma-test map",
      "kernel": .string(kernel),
      "time": .string(time),
      "area": ["name": .string(title), "index": .int(Int64(index)), "pages": JSON(pages)],
      "page_size": JSON(pageSize),
      "classes": .array(
        classes.map { ["class": .string($0.of.rawValue), "pages": JSON($0.pages)] }),
      "holders": .array(holders.map(\.json)),
      "runs": .array(runs.map { Self.json($0, places) }),
      "ledger": [
        "on": .bool(ledger.isKept), "live": .int(Int64(ledger.live)), "missed": JSON(ledger.missed),
        "since": JSON(
          ledger.isKept ? utcTimestamp(Int(clamping: ledger.began / 1_000_000_000)) : nil),
      ],
      "notes": .array(notes.map { .string($0) }),
    ]
  }

  /// First page, pages, place of the class, place of the holder.
  private static func json(_ run: Run, _ classes: [Int]) -> JSON {
    .array([
      JSON(run.offset), JSON(run.pages), .int(Int64(classes[run.holder])), .int(Int64(run.holder)),
    ])
  }
}
