// SPDX-License-Identifier: GPL-2.0-or-later

/// What every load is told.
package struct LoadSettings: Equatable, Sendable {
  /// The folder for files.
  package var folder: String
  /// The page frame numbers of the area that is measured; nil where they are not known.
  package var area: Range<UInt64>?
  /// Bytes besides that stay free outside the area.
  package var spare: UInt64
  /// The most bytes that the load may have.
  package var most: UInt64

  package init(
    folder: String, area: Range<UInt64>? = nil, spare: UInt64 = 0, most: UInt64 = .max
  ) {
    self.folder = folder
    self.area = area
    self.spare = spare
    self.most = most
  }

  /// The options of the command that runs a load.
  var arguments: [String] {
    var words = ["--folder=\(folder)", "--spare=\(spare)"]
    if most != .max { words.append("--most=\(most)") }
    if let area { words.append("--frames=\(area.lowerBound)-\(area.upperBound)") }
    return words
  }

  /// Reads the page frame numbers of an area.
  ///
  /// - Parameter text: as `arguments` has it, `FIRST-END`.
  /// - Returns: nil where it is something else.
  package static func frames(parsing text: String) -> Range<UInt64>? {
    let words = text.split(separator: "-", omittingEmptySubsequences: false)
    guard words.count == 2, let first = UInt64(words[0]), let end = UInt64(words[1]), first < end
    else { return nil }
    return first..<end
  }
}
