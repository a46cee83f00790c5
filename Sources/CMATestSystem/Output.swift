// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// Writes text to standard output or standard error.
///
/// - Throws: when it cannot be written whole, as to a full disk; a reader that went away (EPIPE) is
///   an error too.
public enum StandardStream: CInt, Sendable {
  case output = 1
  case error = 2

  public func write(_ text: String) throws(SystemFailure) {
    try writeAll(
      Array(text.utf8), to: rawValue, self == .output ? "standard output" : "standard error")
  }

  /// Whether a person reads it as it comes.
  public var isTerminal: Bool { isatty(rawValue) == 1 }
}

/// Whether systemd reads standard error into the journal, where a line may begin with its priority.
public func journalReadsStandardError() -> Bool {
  getenv("JOURNAL_STREAM") != nil
}
