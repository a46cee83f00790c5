// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestDevice
internal import CMATestReport

/// How an area is called, and found by what a user calls it.
public enum AreaChoice {
  /// Why no area was found.
  public enum Failure: Error, Equatable, Sendable {
    case unknown(String, areas: [String])
    case several(String, indices: [UInt32])
    /// The kernel has none that is the default.
    case noDefault

    /// One line.
    public var message: String {
      switch self {
      case .unknown(let name, let areas):
        "there is no area '\(oneLine(name))' here: the areas are \(areas.joined(separator: ", "))"
      case .several(let name, let indices):
        "several areas are called '\(oneLine(name))': pass one of the indices "
          + indices.map { "\($0)" }.joined(separator: ", ")
      case .noDefault: "no area is the default one"
      }
    }
  }

  /// The area that a user means.
  ///
  /// - Parameters:
  ///   - word: a name as the kernel has it, or as `areas` prints it; or an index; nil for the
  ///     default area.
  ///   - areas: all of them.
  /// - Returns: the area.
  /// - Throws: where there is none, or more than one of that name.
  public static func area(
    _ word: String?, among areas: [AreaInformation]
  ) throws(Failure) -> AreaInformation {
    guard let word else {
      guard let area = areas.first(where: \.isDefault) else { throw .noDefault }
      return area
    }
    let named = areas.filter { area in
      area.name == word || area.name.map(printable) == word
    }
    if named.count > 1 { throw .several(word, indices: named.map(\.index)) }
    if let area = named.first { return area }
    // As an area without a name is called, too.
    let digits = word.hasPrefix("area ") ? String(word.dropFirst(5)) : word
    if let index = UInt32(digits), let area = areas.first(where: { $0.index == index }) {
      return area
    }
    throw .unknown(word, areas: areas.map { "\($0.index) (\(areaTitle($0.name, $0.index)))" })
  }
}
