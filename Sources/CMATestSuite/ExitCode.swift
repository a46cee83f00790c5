// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore

extension RunResult {
  /// How the command ends after this run.
  ///
  /// - Parameter forAutopkgtest: a skipped run is 77 there, not 4.
  /// - Returns: a run that a signal ended says so whatever it has found until then.
  public func exitCode(forAutopkgtest: Bool) -> ExitCode {
    switch endedBy {
    case "SIGINT": return .interrupted
    case "SIGTERM": return .terminated
    case "SIGHUP": return .hungUp
    default: break
    }
    if failed > 0 { return .failed }
    if passed > 0 { return .success }
    return forAutopkgtest ? .skippedForAutopkgtest : .skipped
  }
}
