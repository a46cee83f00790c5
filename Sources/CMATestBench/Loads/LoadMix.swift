// SPDX-License-Identifier: GPL-2.0-or-later

/// What keeps memory busy beside one cell: no load, one, or several at the same time.
package struct LoadMix: Hashable, Sendable {
  /// The loads, none of which is `LoadKind.none`.
  package let kinds: [LoadKind]

  package static let none = LoadMix([])

  private init(_ kinds: [LoadKind]) {
    self.kinds = kinds
  }

  /// - Parameter word: as `none`, `anon` or `cache+churn`; a command is the last, and takes all that follows.
  ///   Nil for an unknown load, or one that comes twice.
  package init?(parsing word: String) {
    var kinds: [LoadKind] = []
    var rest: Substring? = word[...]
    while let words = rest {
      let end = words.hasPrefix("command:") ? nil : words.firstIndex(of: "+")
      guard let kind = LoadKind(parsing: String(end.map { words[..<$0] } ?? words)),
        !kinds.contains(kind)
      else { return nil }
      kinds.append(kind)
      rest = end.map { words[words.index(after: $0)...] }
    }
    if kinds == [.none] { kinds = [] }
    guard !kinds.contains(.none) else { return nil }
    self.kinds = kinds
  }

  /// The word in one line that a terminal can show.
  package var words: String { printable(word) }

  /// The word that `init(parsing:)` takes.
  package var word: String {
    kinds.isEmpty ? LoadKind.none.word : kinds.map(\.word).joined(separator: "+")
  }
}

/// Several loads that run at the same time.
package struct RunningLoads: RunningLoad {
  private let loads: [any RunningLoad]

  /// Starts all loads of a mix, or none.
  ///
  /// - Parameters:
  ///   - mix: the loads.
  ///   - start: starts one.
  /// - Throws: the failure of the first that did not load; the others have ended by then.
  package init(
    _ mix: LoadMix, starting start: (LoadKind) throws(LoadFailure) -> any RunningLoad
  ) throws(LoadFailure) {
    var started: [any RunningLoad] = []
    do throws(LoadFailure) {
      for kind in mix.kinds { started.append(try start(kind)) }
    } catch {
      for load in started { load.stop() }
      throw error
    }
    loads = started
  }

  package func check() throws(LoadFailure) {
    for load in loads { try load.check() }
  }

  package func stop() {
    for load in loads { load.stop() }
  }
}
