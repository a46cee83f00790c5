// SPDX-License-Identifier: GPL-2.0-or-later

import Foundation

/// One of this package's programs, as it was built beside the tests.
public struct Program: Sendable {
  private let name: String

  public init(_ name: String) {
    self.name = name
  }

  /// What one run gave.
  public struct Outcome: Sendable {
    public var output: String
    public var errors: String
    public var exitCode: Int32
  }

  /// Runs the program on 80 columns, away from a terminal.
  ///
  /// - Parameter arguments: without the program's own name.
  /// - Returns: what it printed and how it ended.
  /// - Throws: when it cannot be started.
  public func run(_ arguments: String...) throws -> Outcome { try run(arguments) }

  public func run(_ arguments: [String]) throws -> Outcome {
    let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appendingPathComponent(name).path
    let output = Pipe()
    let errors = Pipe()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(
      &actions, output.fileHandleForWriting.fileDescriptor, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(
      &actions, errors.fileHandleForWriting.fileDescriptor, STDERR_FILENO)
    let environment = ["COLUMNS=80", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C"]
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { (words + variables).forEach { free($0) } }
    // Not Foundation's Process: in swiftlang 6.0.3, with two at once in a build, its waitUntilExit
    // did not return though both had ended.
    var child: pid_t = 0
    let code = posix_spawn(&child, path, &actions, nil, &words, &variables)
    guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .ENOEXEC) }
    try output.fileHandleForWriting.close()
    try errors.fileHandleForWriting.close()
    // Nothing here prints more than a pipe holds on standard error.
    let outputData = output.fileHandleForReading.readDataToEndOfFile()
    let errorData = errors.fileHandleForReading.readDataToEndOfFile()
    var status: CInt = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .ECHILD) }
    }
    let signal = status & 0x7F
    return Outcome(
      output: String(decoding: outputData, as: UTF8.self),
      errors: String(decoding: errorData, as: UTF8.self),
      exitCode: signal == 0 ? (status >> 8) & 0xFF : 128 + signal)
  }
}

/// A file of the source tree.
///
/// - Parameter path: from the top of the tree.
/// - Returns: its text.
/// - Throws: Foundation's error.
public func sourceFile(_ path: String) throws -> String {
  try String(contentsOfFile: sourcePath(path), encoding: .utf8)
}

/// A file of the source tree.
///
/// - Parameter path: from the top of the tree.
/// - Returns: its bytes.
/// - Throws: Foundation's error.
public func sourceBytes(_ path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: sourcePath(path))))
}

private func sourcePath(_ path: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent(path).path
}

/// Text that is kept in the source tree: what users see, or what is installed as it stands.
///
/// With `CMA_TEST_UPDATE_SNAPSHOTS=1` in the environment it is written anew, to be reviewed as any
/// other change.
///
/// - Parameters:
///   - path: from the top of the tree.
///   - current: what the program says now.
/// - Returns: what the tree has.
/// - Throws: Foundation's error.
public func snapshot(_ path: String, current: String) throws -> String {
  if ProcessInfo.processInfo.environment["CMA_TEST_UPDATE_SNAPSHOTS"] == "1" {
    try current.write(toFile: sourcePath(path), atomically: true, encoding: .utf8)
  }
  return try sourceFile(path)
}
