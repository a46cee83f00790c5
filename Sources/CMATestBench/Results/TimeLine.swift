// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc

/// What a cell's rounds were over time, from the pieces that a result keeps of them.
package struct TimeLine: Sendable {
  package var settings: CellSettings
  /// The pieces in the order of time.
  package var slices: [SliceSummary]

  /// Fewer pieces than this show nothing of a time line.
  private static let fewest = 4
  /// A trend is sought in so many points at most; more are put together by their medians.
  private static let most = 200

  /// Collects the pieces; `nil` where there are too few.
  package init?(_ cell: CellSummary) {
    settings = cell.settings
    slices = cell.rounds.flatMap { $0.details?.slices ?? [] }.sorted { $0.time < $1.time }
    guard slices.count >= Self.fewest, let first = slices.first, let last = slices.last,
      last.time > first.time
    else { return nil }
  }

  /// The time from the first piece to the last, in ns.
  package var span: Double {
    Double(slices.last?.time ?? 0) - Double(slices.first?.time ?? 0)
  }

  /// How a quantity changed from the beginning to the end.
  package struct Drift: Equatable, Sendable {
    /// The values of the line at either end, within those that were seen.
    package var before: Double
    package var after: Double
    /// Whether the change is more than chance.
    package var isSure: Bool
  }

  /// The drift of a time; `nil` where it is known of too few pieces.
  package func drift(of time: (SliceSummary) -> Double?) -> Drift? {
    drift(time, logarithmic: true)
  }

  /// The drift of free pages; `nil` where they are known of too few pieces.
  package var driftOfFreePages: Drift? {
    drift({ $0.freePages.map { Double($0) } }, logarithmic: false)
  }

  private func drift(_ value: (SliceSummary) -> Double?, logarithmic: Bool) -> Drift? {
    var points: [(x: Double, y: Double)] = []
    for slice in slices {
      guard let found = value(slice), found > 0 || !logarithmic else { continue }
      points.append((Double(slice.time), logarithmic ? log(found) : found))
    }
    let thinned = Self.thinned(points)
    guard let line = TheilSen(thinned.map(\.x), thinned.map(\.y)), let first = points.first,
      let last = points.last
    else { return nil }
    // What grows in another way than a line does ends elsewhere, but nowhere that nothing was seen.
    let seen = thinned.map(\.y)
    let (least, most) = (seen.min() ?? 0, seen.max() ?? 0)
    let ends = [first.x, last.x].map { max(least, min(most, line.intercept + line.slope * $0)) }
    let values = logarithmic ? ends.map { exp($0) } : ends
    return Drift(before: values[0], after: values[1], isSure: line.isSure)
  }

  private static func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    guard points.count > most else { return points }
    return (0..<most).compactMap { part in
      let range = part * points.count / most..<(part + 1) * points.count / most
      guard let x = points[range].map(\.x).median, let y = points[range].map(\.y).median else {
        return nil
      }
      return (x, y)
    }
  }
}
