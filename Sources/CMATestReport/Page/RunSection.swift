// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// The results of `cma-test run` on a page.
enum RunSection {
  static func html(_ run: NamedRun) -> String {
    let result = run.result
    let facts = result.facts
    var words = "\(result.tally), in \(seconds(result.nanoseconds)) s"
    if !facts.kernel.isEmpty { words += ", on Linux \(facts.kernel)" }
    if let area = facts.area { words += ", in the area \(printable(area))" }
    words += "."
    if let partial = result.partial { words += " The run was \(partial)." }
    let rows = result.cases.map { test in
      [
        test.name, test.outcome.word, seconds(test.nanoseconds) + " s",
        oneLine(test.outcome.reason ?? test.purpose),
      ]
    }
    return "<h2>Run \(xmlText(run.name))</h2>\n<p class=\"lead\">\(xmlText(words))</p>\n"
      + htmlTable(["case", "result", "time", "what"], rows, classes: ["", "", "", "words"])
  }
}
