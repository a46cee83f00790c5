// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// Signals that ask for the end, held back so that the program can look for them between two
/// operations and end with its memory given back and its report written. The kernel releases what a
/// killed program had in any case; this is about the report.
///
/// They are blocked rather than handled: there is nothing that a handler may do here but to set a
/// flag, and the kernel has that flag already. SIGQUIT is not held back, for the impatient.
public enum PendingSignal: CInt, CaseIterable, Sendable {
  case interrupt = 2
  case hangUp = 1
  case terminate = 15

  public var name: String {
    switch self {
    case .interrupt: "SIGINT"
    case .hangUp: "SIGHUP"
    case .terminate: "SIGTERM"
    }
  }

  /// Holds them back in this thread and those that it makes from now on. One that is ignored, as
  /// SIGHUP under nohup(1), stays so.
  public static func hold() {
    var signals = all
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// The one that has come, if any has. It stays.
  public static var current: Self? {
    var pending = sigset_t()
    guard sigpending(&pending) == 0 else { return nil }
    return allCases.first { sigismember(&pending, $0.rawValue) == 1 }
  }

  private static var all: sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in allCases { sigaddset(&signals, signal.rawValue) }
    return signals
  }
}
