// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestHolders

/// The map of an area on a page: its picture, and who has the pages.
enum MapSection {
  /// Makes the part of a page, without a head.
  ///
  /// - Parameters:
  ///   - map: What to show.
  ///   - id: What no other picture of the page has.
  /// - Returns: Elements.
  static func html(_ map: MapSummary, id: String) -> String {
    let cell = MapSVG.ofPage.cellWords(map.picture)
    return "<p>\(xmlText(sentence(map)))</p>\n<figure>\n"
      + MapSVG.ofPage.element(map.picture, id: id)
      + "<figcaption>A cell is \(cell); one with a pinned page is pinned.</figcaption>\n</figure>\n"
      + HolderTables.html(map.holders, none: "Nobody has a page of the area.")
      + HolderTables.notes(map.notes)
  }

  /// What the map comes to, in a sentence or two.
  static func sentence(_ map: MapSummary) -> String {
    let picture = map.picture
    var words = "\(picture.title) has \(picture.bytes(picture.pages)) in \(picture.pages) pages"
    words += ", on Linux \(PageTables.name(map.facts.kernel)), at \(PageTables.name(picture.time))."
    words += " \(picture.share(map.pages(of: .free))) is free"
    let pinned = map.pages(of: .pinned)
    if pinned > 0 { words += ", and \(pinned) page\(pinned == 1 ? " is" : "s are") pinned" }
    return words + "."
  }
}

/// An answer of `cma-test explain` on a page.
enum ExplanationSection {
  /// Makes the part of a page, without a head.
  static func html(_ explanation: ExplanationSummary) -> String {
    let facts = explanation.facts
    var text = "<p>\(xmlText(explanation.sentence)) On Linux "
    text +=
      "\(xmlText(PageTables.name(facts.kernel))), at \(xmlText(PageTables.name(facts.time))).</p>\n"
    guard explanation.cause != nil else { return text + HolderTables.notes(explanation.notes) }
    text += HolderTables.html(explanation.inTheWay, none: "Who was in the way is not known.")
    var steps = explanation.advice
    if let reserve = explanation.reserve {
      steps.append("Or reserve a larger area, in which all fit: \(reserve)")
    }
    if !steps.isEmpty {
      text += "<p>What to do:</p>\n<ul>\n"
      for step in steps { text += "<li>\(xmlText(step))</li>\n" }
      text += "</ul>\n"
    }
    return text + HolderTables.notes(explanation.notes)
  }
}

/// Tables of holders.
enum HolderTables {
  static func html(_ holders: HolderList, none: String) -> String {
    guard !holders.first.isEmpty else { return "<p>\(xmlText(none))</p>\n" }
    let rows = holders.first.map { holder in
      [holder.line, "\(holder.pages)", "\(holder.pieces)", movesWords(holder.canMove)]
    }
    var text = htmlTable(["holder", "pages", "pieces", "moves"], rows, classes: ["words"])
    if holders.others > 0 {
      text += "<p>\(holders.others) more have \(holders.pagesOfOthers) pages in "
      text += "\(holders.piecesOfOthers) pieces.</p>\n"
    }
    return text
  }

  static func notes(_ notes: [String]) -> String {
    notes.map { "<p>Not known: \(xmlText($0)).</p>\n" }.joined()
  }
}
