// SPDX-License-Identifier: GPL-2.0-or-later

/// How a page looks: light, dark and printed, from 390 points of width on.
enum PageStyle {
  static let sheet = general + "\n" + MapSVG.colors

  private static let general = """
    :root{--ground:#fff;--ink:#1a1c20;--soft:#5b6069;--line:#d9dce1;--bar:#2f6f9f;--worse:#b3261e;
    --better:#1b7340;--c0:#2f6f9f;--c1:#c25e00;--c2:#1b7340;--c3:#8a3fa0;--c4:#b3261e;--c5:#6b5b00;
    --c6:#0b7a86;--c7:#5b6069}
    @media (prefers-color-scheme:dark){:root{--ground:#15171a;--ink:#e7e9ec;--soft:#a2a8b1;--line:#363a41;
    --bar:#6fb1e0;--worse:#ff8a80;--better:#74d39b;--c0:#6fb1e0;--c1:#ffb066;--c2:#74d39b;--c3:#d29be6;
    --c4:#ff8a80;--c5:#d9c650;--c6:#5fd0dc;--c7:#a2a8b1}}
    *{box-sizing:border-box}
    body{margin:0 auto;padding:16px;max-width:980px;background:var(--ground);color:var(--ink);
    font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
    h1{font-size:1.6em;line-height:1.2}h2{font-size:1.25em;margin-top:2em}h3{font-size:1.05em;margin:1.6em 0 0}
    p,figcaption,.soft{color:var(--soft)}p.lead{color:var(--ink);font-size:1.1em}
    figure{margin:1em 0;max-width:820px}svg{display:block;width:100%;height:auto}
    svg text{font:17px system-ui,sans-serif;fill:var(--ink)}svg .small{font-size:14px}
    .end{text-anchor:end}.centre{text-anchor:middle}.middle{dominant-baseline:central}
    .grid{stroke:var(--line);fill:none}.curve{fill:none;stroke-width:2.5}.dashed{stroke-dasharray:7 5}
    .bar{fill:var(--bar)}.heat{fill:var(--bar)}svg text.onheat{fill:var(--ground)}
    @media (prefers-color-scheme:dark){svg text.onwarmth{fill:var(--ground)}}
    .whisker{stroke:var(--ink);stroke-width:2.5;fill:none}circle{fill:var(--ink)}
    .whisker.worse{stroke:var(--worse)}circle.worse{fill:var(--worse)}
    .whisker.better{stroke:var(--better)}circle.better{fill:var(--better)}
    .c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}
    .c4{stroke:var(--c4)}.c5{stroke:var(--c5)}.c6{stroke:var(--c6)}.c7{stroke:var(--c7)}
    table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.86em}
    td,th{overflow-wrap:normal}a{color:inherit}
    th,td{padding:4px 8px;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}
    th:first-child,td:first-child,td.words,th.words{text-align:left}
    details>summary{cursor:pointer;margin:.5em 0}
    @media (max-width:640px){thead{display:none}tr{display:block;padding:8px 0;border-bottom:1px solid var(--line)}
    td{display:flex;justify-content:space-between;gap:16px;border:0;padding:2px 0;text-align:right}
    td::before{content:attr(data-name);color:var(--soft);text-align:left}td:first-child{font-weight:600}}
    @media print{body{max-width:none;font-size:11pt}figure,tr{break-inside:avoid}details>*{display:block}
    details::details-content{content-visibility:visible;block-size:auto}}
    """
}

/// A text whose numbers stay on one line with their units.
private func unbroken(_ text: String) -> String {
  var result = ""
  for (place, word) in text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
    let isUnit = ["ns", "µs", "ms", "s", "%", "min", "h", "d"].contains {
      word == $0 || word == $0 + ")"
    }
    result += place == 0 ? word : (isUnit ? "\u{A0}" : " ") + word
  }
  return result
}

/// A field of a table, which may lead to another page.
struct TableField: ExpressibleByStringLiteral {
  var text: String
  /// Relative to the page; nil where the field leads nowhere.
  var link: String?

  init(_ text: String, link: String? = nil) {
    self.text = text
    self.link = link
  }

  init(stringLiteral text: String) { self.init(text) }

  var html: String {
    let words = xmlText(unbroken(text))
    guard let link else { return words }
    return "<a href=\"\(xmlText(link))\">\(words)</a>"
  }
}

/// A table that becomes a list of cards on a narrow screen.
///
/// - Parameters:
///   - head: The names of the columns.
///   - rows: As many fields as there are columns, each.
///   - classes: The class of each column; none for a column of numbers.
/// - Returns: The element.
func htmlTable(_ head: [String], _ rows: [[String]], classes: [String] = []) -> String {
  htmlTable(head, rows.map { row in row.map { TableField($0) } }, classes: classes)
}

/// A table whose fields may have links.
///
/// - Parameters:
///   - head: The names of the columns.
///   - rows: As many fields as there are columns, each.
///   - classes: The class of each column; none for a column of numbers.
/// - Returns: The element.
func htmlTable(_ head: [String], _ rows: [[TableField]], classes: [String] = []) -> String {
  let marks = head.indices.map { column in
    column < classes.count && !classes[column].isEmpty ? " class=\"\(classes[column])\"" : ""
  }
  var text = "<table>\n<thead><tr>"
  for (name, mark) in zip(head, marks) {
    text += "<th scope=\"col\"\(mark)>\(xmlText(name))</th>"
  }
  text += "</tr></thead>\n<tbody>\n"
  for row in rows {
    text += "<tr>"
    for (column, value) in row.enumerated() {
      text +=
        "<td data-name=\"\(xmlText(head[column]))\"\(marks[column])>\(value.html)</td>"
    }
    text += "</tr>\n"
  }
  return text + "</tbody>\n</table>\n"
}
