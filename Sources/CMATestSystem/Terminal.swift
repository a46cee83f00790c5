// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// What standard output can show.
public struct Terminal: Sendable {
  /// More than ASCII.
  public var showsUnicode: Bool
  public var showsColor: Bool

  public init(showsUnicode: Bool, showsColor: Bool) {
    self.showsUnicode = showsUnicode
    self.showsColor = showsColor
  }

  /// A pipe or a file: plain text, for other programs.
  public static let none = Terminal(showsUnicode: false, showsColor: false)

  /// That of this process. The kernel's own console has few characters, so it counts as plain.
  public static func ofStandardOutput() -> Terminal {
    guard isatty(StandardStream.output.rawValue) == 1 else { return .none }
    func variable(_ name: String) -> String {
      getenv(name).map { String(cString: $0) } ?? ""
    }
    let kind = variable("TERM")
    // The first of these that is set is the one that counts: locale(7).
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable).first { !$0.isEmpty } ?? ""
    let letters = locale.lowercased().filter { $0 != "-" }
    return Terminal(
      showsUnicode: letters.hasSuffix("utf8") && kind != "linux" && kind != "dumb",
      // no-color.org: set and not empty.
      showsColor: variable("NO_COLOR").isEmpty && kind != "dumb")
  }
}
