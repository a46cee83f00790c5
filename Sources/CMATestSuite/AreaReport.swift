// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore
internal import CMATestDevice

/// What `areas` tells, as text or as JSON with stable keys.
public enum AreaReport {
  /// A table, one line an area.
  public static func text(_ surveys: [AreaSurvey]) -> String {
    var rows = [["INDEX", "NAME", "BASE", "SIZE", "FREE", "LARGEST", "ALLOCATED", "FAILED"]]
    for survey in surveys {
      func size(_ pages: UInt64?) -> String {
        pages.map { byteCount($0.clampedProduct(survey.pageSize)) } ?? "?"
      }
      let largest =
        if let largest = survey.largest {
          (largest.isLimited ? ">=" : "") + size(largest.pages)
        } else {
          survey.estimate.map { "~" + size($0) } ?? "?"
        }
      let title = AreaChoice.title(survey.area.name, survey.area.index)
      rows.append([
        "\(survey.area.index)", title + (survey.area.isDefault ? "*" : ""),
        survey.area.base?.hexadecimal ?? "?",
        survey.isActivated ? size(survey.pages) : "not activated", size(survey.free), largest,
        size(survey.allocated), size(survey.failed),
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let line = zip(row, widths).map(padded).joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }

  /// Numbers of pages, and of bytes where the key says so; null where the kernel does not tell.
  public static func json(_ surveys: [AreaSurvey], kernel: String) -> JSON {
    ["schema": 1, "ok": true, "kernel": .string(kernel), "areas": .array(surveys.map(json))]
  }

  private static func json(_ survey: AreaSurvey) -> JSON {
    [
      "index": .int(Int64(survey.area.index)),
      "name": JSON(survey.area.name),
      "default": .bool(survey.area.isDefault),
      "activated": .bool(survey.isActivated),
      "base": JSON(survey.area.base),
      "size_bytes": JSON(survey.pages.map { $0.clampedProduct(survey.pageSize) }),
      "page_size_bytes": JSON(survey.pageSize),
      "free_pages": JSON(survey.free),
      "held_pages": JSON(survey.area.heldPages),
      "largest_block_pages": JSON(survey.largest?.pages),
      "largest_block_limited": survey.largest.map { .bool($0.isLimited) } ?? .null,
      "largest_block_estimate_pages": JSON(survey.estimate),
      "alloc_pages_success": JSON(survey.allocated),
      "alloc_pages_fail": JSON(survey.failed),
      "release_pages_success": JSON(survey.released),
    ]
  }
}
