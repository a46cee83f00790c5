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

  /// Blocks the signals in this thread and in the threads that it starts from now on.
  ///
  /// A signal that is blocked already, or ignored, as SIGHUP under nohup(1) and SIGINT in a
  /// script's background, is left alone, since whoever started the program did not want it to end.
  /// The kernel would queue an ignored signal once it is blocked.
  ///
  /// - Returns: the signals that are held back now.
  public static func hold() -> HeldSignals {
    var blocked = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &blocked)
    let held = allCases.filter { !$0.isIgnored && sigismember(&blocked, $0.rawValue) == 0 }
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in held { sigaddset(&signals, signal.rawValue) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    return HeldSignals(held, maskBefore: blocked)
  }

  private var isIgnored: Bool {
    var action = sigaction()
    sigaction(rawValue, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
      == unsafeBitCast(SIG_IGN, to: UInt.self)
  }
}

/// The signals that a program holds back.
public struct HeldSignals: Sendable {
  private let signals: [PendingSignal]

  /// The signals that were blocked before, which a program that this one starts gets as blocked.
  let maskBefore: sigset_t

  fileprivate init(_ signals: [PendingSignal], maskBefore: sigset_t) {
    self.signals = signals
    self.maskBefore = maskBefore
  }

  /// The signal that has come, if any has; it stays pending.
  public var pending: PendingSignal? {
    var pending = sigset_t()
    guard sigpending(&pending) == 0 else { return nil }
    return signals.first { sigismember(&pending, $0.rawValue) == 1 }
  }
}
