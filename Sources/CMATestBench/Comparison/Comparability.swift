// SPDX-License-Identifier: GPL-2.0-or-later

extension Comparison {
  /// Why results cannot be compared; `nil` where they can.
  package static func hindrance(
    _ before: [ResultSummary], _ after: [ResultSummary]
  ) -> String? {
    let all = before + after
    guard let first = all.first else { return "there is no result" }
    for other in all.dropFirst() {
      if other.areaPages != first.areaPages {
        return
          "the area of \(first.name) has \(first.areaPages) pages and that of \(other.name) has "
          + "\(other.areaPages)"
      }
      if other.pageSize != first.pageSize {
        return "a page has \(first.pageSize) bytes in \(first.name) and \(other.pageSize) in "
          + "\(other.name)"
      }
    }
    let (loads, others) = (loads(of: before), loads(of: after))
    if !loads.isEmpty, !others.isEmpty, Set(loads).isDisjoint(with: others) {
      return "the loads are others: \(printable(loads.joined(separator: ", "))) before, and "
        + "\(printable(others.joined(separator: ", "))) after"
    }
    return nil
  }

  /// Finds why a measurement that is to come cannot be compared with an earlier result.
  ///
  /// - Parameters:
  ///   - before: the earlier result.
  ///   - planned: what is to be measured, without rounds.
  /// - Returns: the reason; `nil` where both can be compared.
  package static func hindrance(
    _ before: ResultSummary, toMeasuring planned: ResultSummary
  ) -> String? {
    if let hindrance = hindrance([before], [planned]) { return hindrance }
    let known = Set(before.cells.map(\.settings))
    return planned.cells.contains { known.contains($0.settings) }
      ? nil : "\(before.name) has none of the cells that are to be measured"
  }

  /// Two results of several that have the same rounds; `nil` where none have.
  ///
  /// A copy of a file would count the same rounds twice, and make of noise a certainty.
  package static func sameResults(
    in results: [ResultSummary]
  ) -> (ResultSummary, ResultSummary)? {
    for (place, result) in results.enumerated() where result.hasRounds {
      for other in results[(place + 1)...] where result.cells == other.cells {
        return (result, other)
      }
    }
    return nil
  }

  private static func loads(of results: [ResultSummary]) -> [String] {
    var loads: [String] = []
    for cell in results.lazy.flatMap(\.cells) where !loads.contains(cell.settings.load) {
      loads.append(cell.settings.load)
    }
    return loads
  }

  /// Gives the cells of two results with one load each the same name of their load.
  static func joinLoads(_ first: inout [CellSummary], _ second: inout [CellSummary]) {
    let loads = (Set(first.map(\.settings.load)), Set(second.map(\.settings.load)))
    guard loads.0.count == 1, loads.1.count == 1, loads.0 != loads.1,
      let before = loads.0.first, let after = loads.1.first
    else { return }
    for index in first.indices { first[index].settings.load = "\(before) -> \(after)" }
    for index in second.indices { second[index].settings.load = "\(before) -> \(after)" }
  }

  /// Properties of the machines, and of the areas, that differ between two sides.
  static func differences(_ before: [ResultSummary], _ after: [ResultSummary]) -> [Difference] {
    var names: [String] = []
    for fact in (before + after).flatMap(\.facts) where !names.contains(fact.name) {
      names.append(fact.name)
    }
    return names.compactMap { name in
      let values = (value(name, before), value(name, after))
      return values.0 == values.1
        ? nil : Difference(name: name, before: values.0, after: values.1)
    }
  }

  /// A property as all results of a side have it; several values, with ` / ` between them, where they
  /// differ.
  private static func value(_ name: String, _ results: [ResultSummary]) -> String? {
    var values: [String] = []
    for result in results {
      for fact in result.facts where fact.name == name && !values.contains(fact.value) {
        values.append(fact.value)
      }
    }
    return values.isEmpty ? nil : values.joined(separator: " / ")
  }
}

extension ResultSummary {
  fileprivate var hasRounds: Bool { cells.contains { $0.requests > 0 } }

  /// What the machine was, with what else makes results differ.
  fileprivate var facts: [Fact] {
    var facts = environment
    facts.append(Fact("area", area))
    facts.append(Fact("area_pages", "\(areaPages)"))
    if !program.isEmpty { facts.append(Fact("cma-test", program)) }
    return facts
  }
}
