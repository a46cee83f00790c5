// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench

/// The tables that the page of many machines, and those of each, have in common.
enum PageTables {
  /// A name for a table: on one line, and not longer than a field can be.
  static func name(_ text: String) -> String { label(printable(text), 80) }

  static func percent(_ share: Double) -> String {
    share == 0 ? "0 %" : exactPercent(share)
  }

  /// `so many of so many` and a sentence for what is left out; nothing where all is shown.
  static func leftOut(_ shown: Int, of all: Int, _ what: String) -> String {
    guard shown < all else { return "" }
    return "<p>The \(shown) worst of \(all) \(what): \(all - shown) are left out here.</p>\n"
  }

  /// Shows the first rows, and has the others at hand.
  static func folded(_ head: [String], _ rows: [[TableField]], classes: [String]) -> String {
    let first = 30
    let text = htmlTable(head, Array(rows.prefix(first)), classes: classes)
    guard rows.count > first else { return text }
    return text + "<details><summary>\(rows.count - first) more</summary>\n"
      + htmlTable(head, Array(rows.dropFirst(first)), classes: classes) + "</details>\n"
  }

  /// The results by machine, kernel and profile.
  ///
  /// - Parameters:
  ///   - rows: What to show, in that order.
  ///   - links: The pages of machines; nil where all rows are of one.
  /// - Returns: The table.
  static func rows(_ rows: [BoardRow], links: [String: String]?) -> String {
    let fields = rows.map { row -> [TableField] in
      var fields = links.map { [TableField(name(row.machine), link: $0[row.machine])] } ?? []
      let texts = [
        name(row.kernel), name(row.profile), "\(row.files)", "\(row.requests)",
        row.profile == BoardRow.run ? "\(row.failed)" : percent(row.failedShare), "\(row.faults)",
      ]
      fields += texts.map { TableField($0) }
      let slowest = row.slowest
      let times = [
        slowest.map { shortTime($0.p50) }, slowest.map { shortTime($0.p99) },
        slowest.map { shortTime($0.max) }, slowest.map { name($0.settings.words) },
      ]
      fields += times.map { TableField($0 ?? "") }
      return fields
    }
    let head = [
      "kernel", "profile", "results", "requests", "failed", "faults", "p50", "p99", "max",
      "slowest cell",
    ]
    let classes = ["words", "words", "", "", "", "", "", "", "", "words"]
    return links == nil
      ? htmlTable(head, fields, classes: classes)
      : folded(["machine"] + head, fields, classes: [""] + classes)
  }

  /// Failures by cause; the machines are how many, and one of them.
  static func causes(
    _ causes: [(FailureCause, CauseCounts)], links: [String: String], isOneMachine: Bool
  ) -> String {
    let fields = causes.map { cause, counts -> [TableField] in
      var fields = [
        TableField(name(cause.subject)), TableField(printable(cause.reason)),
        // What had the pages, of results that tell.
        TableField(cause.holder.map(name) ?? "not told"), TableField("\(counts.count)"),
      ]
      if !isOneMachine {
        fields.append(TableField("\(counts.machines)"))
        fields.append(TableField(name(counts.example), link: links[counts.example]))
      }
      return fields
    }
    let head = ["what", "cause", "holder", "how often"]
    let classes = ["", "words", "words", "", "", "words"]
    return folded(
      isOneMachine ? head : head + ["machines", "one of them"], fields, classes: classes)
  }

  /// Areas, with who has most of each.
  static func areas(_ areas: [AreaEntry], links: [String: String]) -> String {
    let fields = areas.map { area -> [TableField] in
      var fields = [TableField(name(area.machine), link: links[area.machine])]
      let texts = [
        name(area.kernel), name(area.area), area.size, area.freeWords, "\(area.pinned)",
        label(area.largest, 120), name(area.time),
      ]
      fields += texts.map { TableField($0) }
      return fields
    }
    let head = [
      "machine", "kernel", "area", "size", "free", "pinned pages", "largest holder", "at",
    ]
    return folded(head, fields, classes: ["", "words", "words", "", "", "", "words", "words"])
  }

  /// Cells that became worse.
  static func regressions(
    _ regressions: [Regression], _ steps: [KernelStep: StepCounts], links: [String: String]
  ) -> String {
    let fields = regressions.map { found -> [TableField] in
      var fields = [TableField(name(found.machine), link: links[found.machine])]
      let texts = [
        name(found.profile), name(found.before), name(found.after), name(found.settings.words),
        found.times.map { shortTime($0.before) } ?? "?",
        found.times.map { shortTime($0.after) } ?? "?",
        found.times == nil ? "?" : changeInPercent(found.ratio), percent(found.failed.before),
        percent(found.failed.after), found.words,
        probability(steps[found.step]?.onAll(found.p) ?? 1),
      ]
      fields += texts.map { TableField($0) }
      return fields
    }
    let quantity = Comparison.Rules().quantity.rawValue
    let head = [
      "machine", "profile", "kernel", "newer kernel", "cell", "\(quantity) before",
      "\(quantity) after", "change", "failed before", "failed after", "verdict", "by chance",
    ]
    let classes = ["", "words", "words", "words", "words", "", "", "", "", "", "words", "words"]
    return folded(head, fields, classes: classes)
  }
}
