// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore
internal import CMATestDevice

/// Renders the surveys of areas as text, or as JSON with stable keys.
public enum AreaReport {
  /// Makes a table with a line for each area.
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
      let title = areaTitle(survey.name, survey.index)
      rows.append([
        "\(survey.index)", title + (survey.isDefault ? "*" : ""),
        survey.base?.hexadecimal ?? "?",
        survey.isActivated ? size(survey.pages) : "not activated", size(survey.free), largest,
        size(survey.allocated), size(survey.failed),
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let table = rows.map { row in
      let line = zip(row, widths).map(padded).joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }
    let notes = surveys.compactMap { survey in
      survey.obstacle.map { "A larger block of \(areaTitle(survey.name, survey.index)) \($0)\n" }
    }
    return (table + notes).joined()
  }

  /// Makes an object whose numbers are pages, or bytes where the key says so, and null where the kernel
  /// does not tell.
  ///
  /// - Parameters:
  ///   - surveys: the areas.
  ///   - kernel: the release.
  ///   - areAll: false where the kernel has areas that the module does not know.
  /// - Returns: the object.
  public static func json(_ surveys: [AreaSurvey], kernel: String, areAll: Bool = true) -> JSON {
    [
      "schema": 1, "ok": true, "kernel": .string(kernel), "complete": .bool(areAll),
      "areas": .array(surveys.map(json)),
    ]
  }

  private static func json(_ survey: AreaSurvey) -> JSON {
    [
      "index": .int(Int64(survey.index)),
      "name": JSON(survey.name),
      "default": .bool(survey.isDefault),
      "activated": .bool(survey.isActivated),
      "base": JSON(survey.base),
      "size_bytes": JSON(survey.pages.map { $0.clampedProduct(survey.pageSize) }),
      "page_size_bytes": JSON(survey.pageSize),
      "free_pages": JSON(survey.free),
      "held_pages": JSON(survey.held),
      "largest_block_pages": JSON(survey.largest?.pages),
      "largest_block_limited": survey.largest.map { .bool($0.isLimited) } ?? .null,
      "largest_block_estimate_pages": JSON(survey.estimate),
      "in_the_way": JSON(survey.inTheWay ?? survey.largest?.shortage?.words),
      "alloc_pages_success": JSON(survey.allocated),
      "alloc_pages_fail": JSON(survey.failed),
      "release_pages_success": JSON(survey.released),
    ]
  }
}

extension AreaSurvey {
  /// Why there is no larger block, as a part of a sentence.
  fileprivate var obstacle: String? {
    if let shortage = largest?.shortage { return "was not asked for, since \(shortage.words)" }
    return inTheWay.map { "meets: \(printable($0))" }
  }
}
