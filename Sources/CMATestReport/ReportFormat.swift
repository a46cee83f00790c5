// SPDX-License-Identifier: GPL-2.0-or-later

/// A form in which a run is reported.
///
/// A new format is one file, which makes a value of this type, and the value's entry in `allCases`.
public struct ReportFormat: RawRepresentable, CaseIterable, Sendable {
  /// All formats, in the order in which help texts list them.
  public static let allCases: [ReportFormat] = [.text, .ktap, .tap, .json, .junit]

  /// The name that a user passes.
  public let rawValue: String
  /// Whether a line is written as soon as a case has ended.
  public let isLive: Bool
  private let list: (@Sendable ([CaseTitle]) -> String)?
  private let makeReporter: @Sendable (@escaping (String) -> Void) -> any RunObserver

  /// - Parameters:
  ///   - name: the name that a user passes, in lower case.
  ///   - isLive: whether a line is written as soon as a case has ended.
  ///   - list: makes the list of some cases; nil for a format that has no form for cases without
  ///     results.
  ///   - makeReporter: makes the observer that passes the report, piece by piece, to its argument.
  init(
    _ name: String, isLive: Bool, list: (@Sendable ([CaseTitle]) -> String)? = nil,
    makeReporter: @escaping @Sendable (@escaping (String) -> Void) -> any RunObserver
  ) {
    rawValue = name
    self.isLive = isLive
    self.list = list
    self.makeReporter = makeReporter
  }

  /// Finds the format of a name; nil for a name that no format has.
  public init?(rawValue: String) {
    guard let format = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = format
  }

  /// Makes the observer that writes a report of the run that it follows.
  ///
  /// - Parameter write: takes the next piece of the report, whole lines.
  /// - Returns: the observer.
  public func reporter(write: @escaping (String) -> Void) -> any RunObserver {
    makeReporter(write)
  }

  /// Lists cases without running them.
  ///
  /// - Parameter cases: the cases, in their order.
  /// - Returns: whole lines; nil where the format has no form for cases without results.
  public func list(of cases: [CaseTitle]) -> String? { list?(cases) }

  /// The formats in which cases can be listed without running them.
  public static var listing: [ReportFormat] { allCases.filter { $0.list != nil } }
}
