// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// What a stream can show.
public struct Terminal: Sendable {
  private static let usualColumns = 80

  /// More than ASCII.
  public var showsUnicode: Bool
  public var showsColor: Bool
  /// Whether a line can be cleared and written anew.
  public var rewritesLines: Bool

  public init(showsUnicode: Bool, showsColor: Bool, rewritesLines: Bool = false) {
    self.showsUnicode = showsUnicode
    self.showsColor = showsColor
    self.rewritesLines = rewritesLines
  }

  /// A pipe or a file: plain text, for other programs.
  public static let none = Terminal(showsUnicode: false, showsColor: false)

  /// That of this process. The kernel's own console has few characters, so it counts as plain.
  ///
  /// - Parameter stream: where the text goes.
  /// - Returns: `none` where that is no terminal.
  public static func of(_ stream: StandardStream) -> Terminal {
    guard isatty(stream.rawValue) == 1 else { return .none }
    let kind = variable("TERM")
    // One that is not known is not sent what it may show as letters.
    let takesEscapes = kind != "dumb" && !kind.isEmpty
    // The first of these that is set is the one that counts: locale(7).
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable).first { !$0.isEmpty } ?? ""
    let letters = locale.lowercased().filter { $0 != "-" }
    return Terminal(
      showsUnicode: letters.hasSuffix("utf8") && takesEscapes && kind != "linux",
      // no-color.org: set and not empty.
      showsColor: takesEscapes && variable("NO_COLOR").isEmpty,
      rewritesLines: takesEscapes)
  }

  /// How many columns a stream's terminal has now: a user may change them at any time.
  ///
  /// - Parameter stream: where the text goes.
  /// - Returns: at least 1; for a terminal that does not know, as a serial line, what COLUMNS says,
  ///   and 80 without.
  public static func columns(of stream: StandardStream) -> Int {
    var size = winsize()
    if ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    if let columns = Int(variable("COLUMNS")), columns > 0 { return columns }
    return usualColumns
  }

  /// Sets COLUMNS, which the argument parser takes the width from.
  ///
  /// - Parameters:
  ///   - stream: the terminal's.
  ///   - fewest: what to say of a narrower one.
  public static func exportColumns(of stream: StandardStream, atLeast fewest: Int) {
    setenv("COLUMNS", "\(max(fewest, columns(of: stream)))", 1)
  }

  private static func variable(_ name: String) -> String {
    getenv(name).map { String(cString: $0) } ?? ""
  }
}
