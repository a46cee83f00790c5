// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore

/// One page of the results of many machines, and a page of each machine, which it leads to.
package enum ManyPage {
  /// More rows than these are summed up, so that a page of any number of results opens at once.
  private enum Most {
    static let rows = 200
    static let regressions = 200
    static let steps = 100
    static let causes = 100
    static let areas = 100
    static let leftOut = 300
    static let machines = 2000
    static let spreads = 4
  }

  /// The addresses of the page, in its folder, and of the folder of machines' pages beside it.
  package struct Place: Sendable {
    package var page: String
    package var folder: String

    package init(page: String, folder: String) {
      self.page = page
      self.folder = folder
    }
  }

  /// Makes the page, and before it those of the machines.
  ///
  /// - Parameters:
  ///   - results: What was read.
  ///   - place: Where the pages of machines are; nil where there are none.
  ///   - write: Takes the page of a machine with its name in the folder.
  /// - Returns: The page.
  /// - Throws: What `write` throws.
  package static func html<Failure: Error>(
    _ results: ManyResults, machines place: Place?,
    write: (String, String) throws(Failure) -> Void
  ) throws(Failure) -> String {
    var summary = ManySummary()
    var names = PageNames()
    for name in results.machines.keys.sorted() {
      guard let machine = results.machines[name] else { continue }
      let rows = machine.rows()
      let changes = machine.changes()
      let failures = machine.failures()
      var link: String?
      if let place {
        let file = names.name(for: name)
        link = place.folder + "/" + file
        try write(
          file, MachinePage.html(machine, rows, changes, failures, back: "../" + place.page))
      }
      summary.add(machine, page: link, rows: rows, changes: changes, failures: failures)
    }
    return page(summary, results)
  }

  private static func page(_ summary: ManySummary, _ results: ManyResults) -> String {
    let pages = summary.machines.compactMap { entry in entry.page.map { (entry.name, $0) } }
    let links = Dictionary(pages, uniquingKeysWith: { first, _ in first })
    let rows = summary.rows.sorted { $0.isWorse(than: $1) }
    var body = "<h1>Contiguous memory allocation on many machines</h1>\n"
    body += "<p class=\"lead\">\(xmlText(sentence(summary, results)))</p>\n"
    body +=
      "<h2>Machines, kernels and profiles</h2>\n<p>The worst first: faults, then the share of requests "
    body +=
      "that failed, then the p99. Times are those of the slowest cell. A fault is a case of a run "
    body +=
      "that failed, a release that the kernel refused, or an allocation longer than the limit.</p>\n"
    let shown = Array(rows.prefix(Most.rows))
    body += PageTables.leftOut(shown.count, of: rows.count, "rows")
    body += PageTables.rows(shown, links: links)
    body += kernels(summary, links)
    body += causes(summary, links)
    body += areas(summary, links)
    body += spreads(rows)
    body += machines(summary) + leftOut(results.leftOut)
    return PageFrame.html("Contiguous memory allocation on many machines", body)
  }

  private static func sentence(_ summary: ManySummary, _ results: ManyResults) -> String {
    func count(_ number: Int, _ word: String) -> String {
      "\(number) \(word)\(number == 1 ? "" : "s")"
    }
    let kernels = summary.kernels.count
    var words =
      "\(count(results.used, "result")) of \(count(summary.machines.count, "machine")) with "
      + "\(count(kernels, "kernel")). Faults on \(count(summary.faultyMachines, "machine"))."
    let regressed = Set(summary.regressions.map(\.machine)).count
    words += " A newer kernel is worse on \(count(regressed, "machine"))."
    if summary.maps + summary.explanations > 0 {
      words +=
        " Among the results are \(count(summary.maps, "map")) of areas and "
        + "\(count(summary.explanations, "explanation"))."
    }
    if !results.leftOut.isEmpty {
      words += " \(count(results.leftOut.count, "file")) left out: the last section names them."
    }
    if let several = summary.machines.first(where: \.isSeveral) {
      words +=
        " The name \(PageTables.name(several.name)) stands for machines with different processors: "
        + "'--machines folder' tells them apart by their folders."
    }
    return words
  }

  /// The files that are left out, each with its reason.
  private static func leftOut(_ files: [LeftOutFile]) -> String {
    guard !files.isEmpty else { return "" }
    let shown = files.prefix(Most.leftOut)
    let rows = shown.map { [label(printable($0.path), 200), label(printable($0.reason), 300)] }
    var text = "<h2>Files that are left out</h2>\n"
    if shown.count < files.count {
      text += "<p>The first \(shown.count) of \(files.count); standard error has named all.</p>\n"
    }
    return text + htmlTable(["file", "reason"], rows, classes: ["words", "words"])
  }

  /// The distribution of times over machines, of the profiles that most machines have.
  private static func spreads(_ rows: [BoardRow]) -> String {
    var profiles: [String: Int] = [:]
    for row in rows where row.slowest != nil { profiles[row.profile, default: 0] += 1 }
    let order = profiles.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    var text = ""
    for (number, profile) in order.prefix(Most.spreads).enumerated() {
      guard let spread = MachineSpread(profile, rows) else { continue }
      text += "<h3>\(xmlText(PageTables.name(profile)))</h3>\n<figure>\n"
      text += spread.picture(id: "spread\(number)")
      text +=
        "<figcaption>p99 of the slowest cell of \(spread.count == 1 ? "one machine" : "up to \(spread.count) machines") a kernel"
      if spread.kernelCount > MachineSpread.mostKernels {
        text += "; the newest \(MachineSpread.mostKernels) of \(spread.kernelCount) kernels"
      }
      text += ".</figcaption>\n</figure>\n"
    }
    guard !text.isEmpty else { return "" }
    let note =
      order.count > Most.spreads
      ? "<p>The \(Most.spreads) profiles of most machines; of \(order.count) in all.</p>\n" : ""
    return "<h2>Distribution over machines</h2>\n" + note + text
  }

  /// Which kernels became worse, and on which machines.
  private static func kernels(_ summary: ManySummary, _ links: [String: String]) -> String {
    guard !summary.steps.isEmpty else { return "" }
    let steps = summary.steps.sorted { one, other in
      if one.value.isMoreThanChance != other.value.isMoreThanChance {
        return one.value.isMoreThanChance
      }
      if one.value.regressed != other.value.regressed {
        return one.value.regressed > other.value.regressed
      }
      return (one.key.profile, one.key.before, one.key.after)
        < (other.key.profile, other.key.before, other.key.after)
    }
    let rows = steps.prefix(Most.steps).map { step, counts in
      [
        PageTables.name(step.profile), PageTables.name(step.before), PageTables.name(step.after),
        "\(counts.all)", "\(counts.regressed)", "\(counts.same)", "\(counts.notKnown)",
        counts.regressed == 0
          ? "" : counts.isMoreThanChance ? "more than chance" : "as many as by chance",
      ]
    }
    var text =
      "<h2>Kernels</h2>\n<p>Each kernel with the next newer one of its flavour, on each machine that "
    text +=
      "has both, as 'cma-test compare' does it. Each comparison alone finds a regression with a chance "
    text +=
      "of 5 % where nothing changed; 'by chance' is the probability that any of so many machines shows as much.</p>\n"
    text += PageTables.leftOut(rows.count, of: steps.count, "steps")
    text += htmlTable(
      [
        "profile", "kernel", "newer kernel", "machines", "worse", "not worse", "not known",
        "in all",
      ],
      rows, classes: ["words", "words", "words", "", "", "", "", "words"])
    guard !summary.regressions.isEmpty else { return text }
    let regressions = summary.regressions.sorted { $0.isWorse(than: $1) }
    let shown = Array(regressions.prefix(Most.regressions))
    text += "<h3>Which machines, and which cells</h3>\n"
    text += PageTables.leftOut(shown.count, of: regressions.count, "cells")
    return text + PageTables.regressions(shown, summary.steps, links: links)
  }

  private static func causes(_ summary: ManySummary, _ links: [String: String]) -> String {
    let causes = summary.causes.map { ($0.key, $0.value) }.sorted { one, other in
      if one.1.machines != other.1.machines { return one.1.machines > other.1.machines }
      if one.1.count != other.1.count { return one.1.count > other.1.count }
      return one.0.sortKey < other.0.sortKey
    }
    guard !causes.isEmpty else { return "" }
    let shown = Array(causes.prefix(Most.causes))
    return "<h2>Failures by cause</h2>\n"
      + PageTables.leftOut(shown.count, of: causes.count, "causes")
      + PageTables.causes(shown, links: links, isOneMachine: false)
  }

  /// Who has the pages of areas, by the newest map of each.
  private static func areas(_ summary: ManySummary, _ links: [String: String]) -> String {
    guard !summary.areas.isEmpty else { return "" }
    let areas = summary.areas.sorted { $0.isWorse(than: $1) }
    let shown = Array(areas.prefix(Most.areas))
    return
      "<h2>Who has the pages</h2>\n<p>The newest map of each area with each kernel, that with most "
      + "pinned pages first, and then that with the least free.</p>\n"
      + PageTables.leftOut(shown.count, of: areas.count, "areas")
      + PageTables.areas(shown, links: links)
  }

  /// All machines, the worst first.
  private static func machines(_ summary: ManySummary) -> String {
    let machines = summary.machines.sorted { one, other in
      one.faults == other.faults ? one.name < other.name : one.faults > other.faults
    }
    let shown = machines.prefix(Most.machines)
    var text =
      "<h2>Machines</h2>\n" + PageTables.leftOut(shown.count, of: machines.count, "machines")
    text += "<p>"
    for (number, machine) in shown.enumerated() {
      if number > 0 { text += ",\n" }
      text += TableField(label(printable(machine.name), 60), link: machine.page).html
      if machine.faults > 0 { text += " (\(machine.faults))" }
    }
    return text + ".</p>\n"
  }
}
