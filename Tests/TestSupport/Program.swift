// SPDX-License-Identifier: GPL-2.0-or-later

import Foundation

/// One of this package's programs, as it was built beside the tests.
public struct Program: Sendable {
  private let name: String

  public init(_ name: String) {
    self.name = name
  }

  /// Where it was built.
  public var path: String {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appendingPathComponent(name).path
  }

  /// What one run gave.
  public struct Outcome: Sendable {
    public var output: String
    public var errors: String
    public var exitCode: Int32
  }

  /// Where standard output of a run goes.
  public enum Output: Sendable {
    /// Into the outcome.
    case captured
    /// Into a file that exists.
    case file(String)
    /// Into a socket whose reader has gone, which fails as a pipe does.
    case brokenPipe
    /// Nowhere: the descriptor is closed, and that of standard input too.
    case closed
  }

  /// Runs the program on 80 columns, away from a terminal.
  ///
  /// - Parameter arguments: without the program's own name.
  /// - Returns: what it printed and how it ended.
  /// - Throws: when it cannot be started.
  public func run(_ arguments: String...) throws -> Outcome { try run(arguments) }

  public func run(_ arguments: [String], output target: Output = .captured) throws -> Outcome {
    let output = Pipe()
    let errors = Pipe()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    // Not a pipe: a child that another test starts at this moment would inherit its end for reading, and
    // keep the pipe whole.
    var gone: [CInt] = [-1, -1]
    defer { gone.filter { $0 >= 0 }.forEach { close($0) } }
    switch target {
    case .captured:
      posix_spawn_file_actions_adddup2(
        &actions, output.fileHandleForWriting.fileDescriptor, STDOUT_FILENO)
    case .brokenPipe:
      guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &gone) == 0,
        shutdown(gone[0], CInt(SHUT_RDWR)) == 0
      else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EPIPE) }
      posix_spawn_file_actions_adddup2(&actions, gone[1], STDOUT_FILENO)
    case .file(let file):
      posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, file, O_WRONLY, 0)
    case .closed:
      posix_spawn_file_actions_addclose(&actions, STDIN_FILENO)
      posix_spawn_file_actions_addclose(&actions, STDOUT_FILENO)
    }
    posix_spawn_file_actions_adddup2(
      &actions, errors.fileHandleForWriting.fileDescriptor, STDERR_FILENO)
    let child = try spawn(arguments, Self.environment, &actions)
    try output.fileHandleForWriting.close()
    try errors.fileHandleForWriting.close()
    // Nothing here prints more than a pipe holds on standard error.
    var outputData = Data()
    if case .captured = target { outputData = output.fileHandleForReading.readDataToEndOfFile() }
    let errorData = errors.fileHandleForReading.readDataToEndOfFile()
    return Outcome(
      output: String(decoding: outputData, as: UTF8.self),
      errors: String(decoding: errorData, as: UTF8.self), exitCode: try Self.exitCode(of: child))
  }

  /// Runs the program in a terminal of its own.
  ///
  /// - Parameters:
  ///   - arguments: without the program's own name.
  ///   - columns: the terminal's width.
  ///   - environment: more variables than a run has away from a terminal, as `TERM=dumb`.
  /// - Returns: what the terminal was sent, standard error too, and how the program ended.
  /// - Throws: when it cannot be started.
  public func runInTerminal(
    _ arguments: [String], columns: UInt16, environment: [String]
  ) throws -> Outcome {
    let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard terminal >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .ENXIO) }
    defer { close(terminal) }
    // What unlockpt(3) and ptsname(3) do, which Swift's Glibc module leaves out: TIOCSPTLCK and
    // TIOCGPTN of ioctl_tty(2).
    var isLocked: CInt = 0
    var number: CInt = -1
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    guard ioctl(terminal, 0x4004_5431, &isLocked) == 0, ioctl(terminal, 0x8004_5430, &number) == 0,
      ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0
    else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .ENOTTY) }
    let line = "/dev/pts/\(number)"
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, line, O_RDWR | O_NOCTTY, 0)
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO)
    let child = try spawn(
      arguments, Self.environment.filter { !$0.hasPrefix("COLUMNS=") } + environment, &actions)
    var sent: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    // The end of a terminal whose last user has gone is EIO.
    while true {
      let count = read(terminal, &piece, piece.count)
      guard count > 0 || errno == EINTR else { break }
      sent += piece[..<max(0, count)]
    }
    return Outcome(
      output: String(decoding: sent, as: UTF8.self), errors: "",
      exitCode: try Self.exitCode(of: child))
  }

  private static let environment = [
    "COLUMNS=80", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C",
  ]

  private func spawn(
    _ arguments: [String], _ environment: [String], _ actions: inout posix_spawn_file_actions_t
  ) throws -> pid_t {
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { (words + variables).forEach { free($0) } }
    // Not Foundation's Process: in swiftlang 6.0.3, with two at once in a build, its waitUntilExit
    // did not return though both had ended.
    var child: pid_t = 0
    let code = posix_spawn(&child, path, &actions, nil, &words, &variables)
    guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .ENOEXEC) }
    return child
  }

  private static func exitCode(of child: pid_t) throws -> Int32 {
    var status: CInt = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .ECHILD) }
    }
    let signal = status & 0x7F
    return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
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

/// The files of a folder of the source tree, and of those in it.
///
/// - Parameter folder: from the top of the tree.
/// - Returns: paths from the top of the tree.
/// - Throws: Foundation's error.
public func sourceFiles(below folder: String) throws -> [String] {
  try FileManager.default.subpathsOfDirectory(atPath: sourcePath(folder)).map { "\(folder)/\($0)" }
}

/// The path of a file of the source tree.
///
/// - Parameter path: from the top of the tree.
/// - Returns: an absolute path.
public func sourcePath(_ path: String) -> String {
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
