// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore

extension CommandStatus {
  /// Makes the status of a command that a signal ended; nil for a signal that ends no command.
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
  /// Returns the status of the command after this run.
  ///
  /// - Parameter forAutopkgtest: whether a skipped run is 77, not 4.
  /// - Returns: the status of the signal for a run that a signal ended, whatever was found before.
  public func exitStatus(forAutopkgtest: Bool) -> CommandStatus {
    if let code = endedBy.flatMap({ CommandStatus(signal: $0) }) { return code }
    if failed > 0 { return .failed }
    if passed > 0 { return .success }
    return forAutopkgtest ? .skippedForAutopkgtest : .skipped
  }
}
