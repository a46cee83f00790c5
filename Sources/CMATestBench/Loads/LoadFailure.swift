// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestSystem

/// A reason why a load did not come to be, or has not lasted.
package enum LoadFailure: Error, Equatable, Sendable {
  /// Its process cannot be started.
  case notStarted(load: String, SystemFailure)
  /// Its process has found that it cannot load.
  case notLoaded(load: String, reason: String, remedy: String)
  /// It has loaded, and then ended by itself.
  case endedEarly(load: String, reason: String, remedy: String)
  /// Something has killed its process.
  case killed(load: String, signal: CInt)
  /// Its process has ended without a word.
  case vanished(load: String, exitCode: CInt)
  /// It was told to end before it had loaded.
  case givenUp(load: String)

  /// What was done, on what, and why it failed; one line.
  package var message: String {
    switch self {
    case .notStarted(let load, let failure):
      "cannot start the load '\(printable(load))': "
        + "\(failure.call.rawValue) of \(failure.path): \(failure.reason)"
    case .notLoaded(let load, let reason, _):
      "the load '\(printable(load))' did not load: \(reason)"
    case .endedEarly(let load, let reason, _):
      "the load '\(printable(load))' ended early: \(reason)"
    case .killed(let load, let signal):
      "the load '\(printable(load))' was killed by signal \(signal)"
        + (signal == 9 ? ", perhaps by the kernel for want of memory" : "")
    case .vanished(let load, let code):
      "the load '\(printable(load))' ended without a word, with exit code \(code)"
    case .givenUp(let load): "the load '\(printable(load))' was not waited for"
    }
  }

  /// What to do; one line.
  package var remedy: String {
    switch self {
    case .notStarted: "see the limits of this user (ulimit -a), and free some memory"
    case .notLoaded(_, _, let remedy), .endedEarly(_, _, let remedy): remedy
    case .killed(_, let signal):
      signal == 9
        ? "dmesg | grep -i 'out of memory'; then end other programs, or choose a smaller load"
        : "leave its process alone while this command runs"
    case .vanished: "try the load again, and report this if it happens again"
    case .givenUp: "give it more time"
    }
  }
}
