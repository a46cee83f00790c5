// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestCore
internal import CMATestDevice
package import CMATestHolders

extension AreaExplanation {
  /// Writes the explanation for people.
  ///
  /// - Parameter reserve: the command that reserves a larger area; nil where none is known to do.
  /// - Returns: lines, each with its newline.
  package func text(reserve: String?) -> String {
    var lines = [sentence]
    if let failure {
      if !failure.inTheWay.isEmpty {
        lines.append(failure.witness.cause == .noHole ? "Beside the largest range:" : "In the way:")
        for holder in failure.inTheWay {
          let pages = "\(holder.pages) page\(holder.pages == 1 ? "" : "s")"
          lines.append("  \(padded(pages, 12))  \(holder.line)")
        }
      }
      let advice = advice
      if !advice.isEmpty || reserve != nil { lines.append("What to do:") }
      lines += advice.map { "  - \($0)" }
      if let reserve { lines.append("  - Or reserve a larger area, in which all fit: \(reserve)") }
    }
    lines += notes.map { "Note: \(printable($0))." }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The explanation as an object with stable keys, which `ExplanationSummary` reads; counts are in pages, and
  /// null is not known.
  ///
  /// - Parameters:
  ///   - facts: what made the explanation, and when.
  ///   - reserve: the command that reserves a larger area; nil where none is known to do.
  /// - Returns: the object.
  package func json(_ facts: HolderFacts, reserve: String?) -> JSON {
    .object(facts.members(format: ExplanationSummary.format) + members(reserve))
  }

  private func members(_ reserve: String?) -> [JSON.Member] {
    let area: JSON = [
      "name": .string(title), "index": .int(Int64(index)), "pages": JSON(pages),
      "free_pages": JSON(available), "page_size": JSON(pageSize),
    ]
    return [
      JSON.Member("area", area),
      JSON.Member("fits", .bool(fits)),
      JSON.Member("summary", .string(sentence)),
      JSON.Member("requests", .array(answers.map(\.json))),
      JSON.Member("ns", JSON(nanoseconds)),
      JSON.Member("largest_left_pages", JSON(largestLeft)),
      JSON.Member("failure", failure.map { json(of: $0) } ?? .null),
      JSON.Member("advice", .array(advice.map { .string($0) })),
      JSON.Member("pages_needed", JSON(pagesNeeded)),
      JSON.Member("reserve", JSON(reserve)),
      JSON.Member("notes", .array(notes.map { .string($0) })),
    ]
  }

  private func json(of failure: Failure) -> JSON {
    let witness = failure.witness
    return [
      "request": .string(answers[failure.answer].wanted.text),
      "block": .int(Int64(failure.block)),
      "cause": .string((witness.cause ?? .notKnown).rawValue),
      "errno": witness.errno.map { .int(Int64($0)) } ?? .null,
      "ns": JSON(witness.nanoseconds),
      "attempts": JSON(witness.failed),
      "refused": JSON(witness.refused),
      "migrated_pages": JSON(witness.migrated),
      "unmigrated_pages": JSON(witness.unmigrated),
      "largest_hole_pages": JSON(failure.largestHole),
      "in_the_way": .array(failure.inTheWay.map(\.json)),
    ]
  }
}

extension AreaExplanation.Answer {
  fileprivate var json: JSON {
    [
      "request": .string(wanted.text), "pages": JSON(request.count),
      "order": .int(Int64(request.order)), "blocks": .int(Int64(wanted.blocks)),
      "allocated": .int(Int64(allocated)),
    ]
  }
}
