// SPDX-License-Identifier: GPL-2.0-or-later

/// A file that may have a result, and where it lies.
package struct FoundFile: Equatable, Sendable {
  /// The name for messages.
  package var path: String
  /// The names of the folder that the file is in and of that above it; fewer at the root.
  package var folders: [String]

  package init(_ path: String, folders: [String]) {
    self.path = path
    self.folders = folders
  }

  /// The name of the machine whose results the folder holds: of `BOARD/KERNEL/bench.json` the board's.
  func machine(_ kernel: String) -> String {
    folders.first { $0 != kernel && !$0.isEmpty } ?? "unknown"
  }
}

/// A file that the page cannot use.
package struct LeftOutFile: Equatable, Sendable {
  package var path: String
  /// One line.
  package var reason: String
}

/// What tells machines apart.
package enum MachineNaming: Equatable, Sendable {
  /// The name that the machine has itself, or else the folder.
  case host
  /// The folder alone: for boards that all have the name of their image.
  case folder
}
