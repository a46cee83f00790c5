// SPDX-License-Identifier: GPL-2.0-or-later

/// A kind of load that keeps memory busy while cells are measured, as `--load` names it.
package enum LoadKind: Hashable, Sendable {
  case none
  /// Memory of a process, which is kept in use.
  case anon
  /// Clean page cache of a file that is read again and again.
  case cache
  /// Pages of a file that are written and on their way to the disk.
  case dirty
  /// Memory of a process, some pages of which cannot be moved for a moment.
  case pinned
  /// Processes that come and go.
  case churn
  /// A command of the user, for the shell.
  case command(String)

  private static let prefix = "command:"
  private static let plain: [(word: String, kind: Self)] = [
    ("none", .none), ("anon", .anon), ("cache", .cache), ("dirty", .dirty), ("pinned", .pinned),
    ("churn", .churn),
  ]

  /// The words of all kinds, for messages and help.
  package static var words: [String] { plain.map(\.word) + [prefix + "…"] }

  /// - Parameter word: as `anon` or `command:stress-ng --vm 1`; nil for an unknown or an empty one.
  package init?(parsing word: String) {
    if let kind = Self.plain.first(where: { $0.word == word })?.kind {
      self = kind
    } else if word.hasPrefix(Self.prefix) {
      let command = word.dropFirst(Self.prefix.count)
      // The line of a process ends at a zero byte.
      guard command.contains(where: { !$0.isWhitespace }), !command.utf8.contains(0) else {
        return nil
      }
      self = .command(String(command))
    } else {
      return nil
    }
  }

  /// The word that `init(parsing:)` takes.
  package var word: String {
    if case .command(let command) = self { return Self.prefix + command }
    return Self.plain.first { $0.kind == self }?.word ?? ""
  }
}
