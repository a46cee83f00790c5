// SPDX-License-Identifier: GPL-2.0-or-later

/// Tells whether a run must end before its last case. Any thread asks between two operations.
public struct Ending: Sendable {
  private let deadline: UInt64?
  private let now: @Sendable () -> UInt64
  private let signal: @Sendable () -> String?

  /// - Parameters:
  ///   - deadline: the end, in nanoseconds by the clock; nil for none.
  ///   - now: tells the time by the clock.
  ///   - signal: returns the name of a signal that has come.
  public init(
    deadline: UInt64?, now: @escaping @Sendable () -> UInt64,
    signal: @escaping @Sendable () -> String?
  ) {
    self.deadline = deadline
    self.now = now
    self.signal = signal
  }

  /// The reason to end now; nil to go on.
  public var reason: CaseEnd? {
    if let name = signal() { return .interrupted(by: name) }
    if let deadline, now() >= deadline { return .timeUp }
    return nil
  }
}
