// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestSystem

/// A reason why a load does not load, found by the process that makes it.
enum LoadObstacle: Error, Equatable, Sendable {
  /// There is no room for even a little; the limit in words, and the bytes that it leaves.
  case noRoom(limit: String, bytes: UInt64)
  /// A file cannot be made, read or written in the folder.
  case file(folder: String, SystemFailure)
  /// What is read in this folder does not stay in the page cache.
  case notCached(folder: String)
  /// What is written in this folder is not written to a disk.
  case notWritten(folder: String)
  /// The kernel takes the memory that the load holds for others.
  case givenUp
  /// The user's command has ended, as told; with the last line that it printed.
  case command(String, end: String, last: String)
  /// Another call has failed.
  case call(SystemFailure)

  /// What was done, on what, and why it failed; one line.
  var reason: String {
    switch self {
    case .noRoom(let limit, let bytes): "\(limit) leaves \(byteCount(bytes))"
    case .file(let folder, let failure):
      "\(failure.call.rawValue) of a file in \(folder): \(failure.reason)"
    case .notCached(let folder):
      "what is read of a file in \(folder) does not stay in the page cache, as on tmpfs"
    case .notWritten(let folder):
      "what is written to a file in \(folder) is not written to a disk, as on tmpfs"
    case .givenUp: "others need so much memory that nothing is left for it"
    case .command(let command, let end, let last):
      "the command '\(printable(command))' \(end)" + (last.isEmpty ? "" : ": \(printable(last))")
    case .call(let failure): "\(failure.call.rawValue) on \(failure.path): \(failure.reason)"
    }
  }

  /// What to do; one line.
  var remedy: String {
    switch self {
    case .noRoom: "end other programs, or measure without this load"
    case .file(_, let failure) where failure.code == SystemFailure.noSpace:
      "free some space there, or choose another folder on a disk"
    case .file, .notCached, .notWritten: "choose a folder on a disk that can be written"
    case .givenUp: "end other programs, or choose a load that needs less"
    case .command: "choose a command that runs until it is ended, and try it in a shell first"
    case .call: "see the call in section 2 of the manual, and the limits of this user (ulimit -a)"
    }
  }
}

/// A text in one line, without what a terminal would obey, or what turns the direction of a text.
func printable(_ text: String) -> String {
  String(
    String.UnicodeScalarView(
      text.unicodeScalars.map { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: " "
        default: scalar
        }
      }))
}
