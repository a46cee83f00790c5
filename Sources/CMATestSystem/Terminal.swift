// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// The abilities and the width of the terminal that a stream goes to.
public struct Terminal: Sendable {
  private static let usualColumns = 80

  /// The stream that the text goes to; nil for none of this process.
  public let stream: StandardStream?
  /// Whether more than ASCII is shown.
  public var showsUnicode: Bool
  public var showsColor: Bool
  /// Whether a line can be cleared and written anew.
  public var rewritesLines: Bool

  public init(
    _ stream: StandardStream? = nil, showsUnicode: Bool = false, showsColor: Bool = false,
    rewritesLines: Bool = false
  ) {
    self.stream = stream
    self.showsUnicode = showsUnicode
    self.showsColor = showsColor
    self.rewritesLines = rewritesLines
  }

  /// No terminal: plain text, for other programs.
  public static let none = Terminal()

  /// Returns the terminal of a stream. The kernel's own console has few characters, so it counts as
  /// plain.
  ///
  /// - Parameter stream: where the text goes.
  /// - Returns: for a pipe or a file one that shows plain text alone, for other programs.
  public static func of(_ stream: StandardStream) -> Terminal {
    guard isatty(stream.rawValue) == 1 else { return Terminal(stream) }
    let kind = variable("TERM")
    // One that is not known is not sent what it may show as letters.
    let takesEscapes = kind != "dumb" && !kind.isEmpty
    // The first of these that is set is the one that counts: locale(7).
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable).first { !$0.isEmpty } ?? ""
    let letters = locale.lowercased().filter { $0 != "-" }
    return Terminal(
      stream, showsUnicode: letters.hasSuffix("utf8") && takesEscapes && kind != "linux",
      // no-color.org: set and not empty.
      showsColor: takesEscapes && variable("NO_COLOR").isEmpty,
      rewritesLines: takesEscapes)
  }

  /// The present number of columns, at least 1, which a user may change at any time. A stream
  /// without a width of its own, such as a serial line or a file, has the width that COLUMNS says,
  /// or else 80.
  public var columns: Int {
    var size = winsize()
    if let stream, ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    if let columns = Int(Self.variable("COLUMNS")), columns > 0 { return columns }
    return Self.usualColumns
  }

  /// Sets COLUMNS, from which the argument parser takes the width.
  ///
  /// - Parameter fewest: the value for a terminal that is narrower.
  public func exportColumns(atLeast fewest: Int) {
    setenv("COLUMNS", "\(max(fewest, columns))", 1)
  }

  private static func variable(_ name: String) -> String {
    getenv(name).map { String(cString: $0) } ?? ""
  }
}
