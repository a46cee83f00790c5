// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore

extension CommandStatus {
  /// That of a command which a signal ended; nil for a signal that ends none.
  public init?(signal: String) {
    switch signal {
    case "SIGINT": self = .interrupted
    case "SIGTERM": self = .terminated
    case "SIGHUP": self = .hungUp
    default: return nil
    }
  }
}

extension RunResult {
  /// How the command ends after this run.
  ///
  /// - Parameter forAutopkgtest: a skipped run is 77 there, not 4.
  /// - Returns: a run that a signal ended says so whatever it has found until then.
  public func exitStatus(forAutopkgtest: Bool) -> CommandStatus {
    if let code = endedBy.flatMap({ CommandStatus(signal: $0) }) { return code }
    if failed > 0 { return .failed }
    if passed > 0 { return .success }
    return forAutopkgtest ? .skippedForAutopkgtest : .skipped
  }
}
