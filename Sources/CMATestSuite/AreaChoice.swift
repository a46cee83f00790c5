// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestDevice
internal import CMATestReport

/// Finds the area that a user names.
public enum AreaChoice {
  /// A reason why no area was found.
  public enum Failure: Error, Equatable, Sendable {
    case unknown(String, areas: [String])
    case several(String, indices: [UInt32])
    /// The kernel has no default area.
    case noDefault

    /// Whether the area may be one that the module does not know.
    public var isUnknown: Bool {
      if case .unknown = self { true } else { false }
    }

    /// The reason in one line.
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

  /// Finds an area.
  ///
  /// - Parameters:
  ///   - word: a name as the kernel has it, or as `areas` prints it; or an index; nil for the default
  ///     area.
  ///   - areas: all areas.
  /// - Returns: the area.
  /// - Throws: the reason, where no area or more than one has the name.
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
