// SPDX-License-Identifier: GPL-2.0-or-later

/// The forms in which a run is reported.
public enum ReportFormat: String, CaseIterable, Sendable {
  case text, ktap, tap, json, junit

  /// What writes it.
  ///
  /// - Parameter write: takes the next piece of the report, whole lines.
  /// - Returns: an observer of the run.
  public func reporter(write: @escaping (String) -> Void) -> any RunObserver {
    switch self {
    case .text: TextReporter(write: write)
    case .ktap: TAPReporter(.ktap, write: write)
    case .tap: TAPReporter(.tap13, write: write)
    case .json: JSONReporter(write: write)
    case .junit: JUnitReporter(write: write)
    }
  }

  /// Whether a line is written as soon as a case has ended.
  public var isLive: Bool { self == .text || self == .ktap || self == .tap }
}
