// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Synchronization

/// The descriptors that a process has from its start.
public enum StandardStream: CInt, CaseIterable, Sendable {
  case input = 0
  case output = 1
  case error = 2

  /// Opens /dev/null in place of each stream that is closed, so that no file or device that is
  /// opened later becomes one of them and is written to.
  ///
  /// Standard output is opened for reading: a write to it fails, as one to a closed descriptor does.
  public static func fillClosed() {
    for stream in allCases where fcntl(stream.rawValue, F_GETFD) < 0 {
      let mode =
        switch stream {
        case .input: O_WRONLY
        case .output: O_RDONLY
        case .error: O_RDWR
        }
      // A bare chroot has no devices. A folder takes the place, and neither reads nor writes.
      if open("/dev/null", mode) < 0 { _ = open("/", O_RDONLY | O_DIRECTORY) }
    }
  }
}

/// Standard output, which nothing else writes to.
///
/// A program has one, and ends where a write fails: a report that is cut short, or is nowhere, must
/// not look like one that is complete.
public final class StandardOutput: Sendable {
  private let code = Atomic<CInt>(0)
  private let sink: @Sendable ([UInt8]) throws(SystemFailure) -> Void

  public init() {
    sink = { bytes throws(SystemFailure) in try writeAll(bytes, toStream: .output) }
  }

  /// - Parameter sink: takes the bytes in place of the stream, as in a test that reads them.
  package init(to sink: @escaping @Sendable ([UInt8]) throws(SystemFailure) -> Void) {
    self.sink = sink
  }

  /// Writes a text whole.
  ///
  /// - Parameter text: whole lines.
  /// - Throws: the failure of this call, or of an earlier one: nothing is written after that.
  public func write(_ text: String) throws(OutputFailure) {
    if let failure { throw failure }
    try keepingFailure { () throws(SystemFailure) in
      try sink(Array(text.utf8))
    }
  }

  /// Closes standard output: some file systems report only then that they are full.
  public func close() throws(OutputFailure) {
    if let failure { throw failure }
    try keepingFailure { () throws(SystemFailure) in
      try valueOrErrno(.close, "standard output") { Glibc.close(StandardStream.output.rawValue) }
    }
  }

  /// The failure that ended the output; nil while all of it was written. Any thread may ask.
  public var failure: OutputFailure? {
    let code = code.load(ordering: .relaxed)
    return code == 0 ? nil : OutputFailure(code)
  }

  private func keepingFailure(
    _ body: () throws(SystemFailure) -> Void
  ) throws(OutputFailure) {
    do throws(SystemFailure) {
      try body()
    } catch {
      code.store(error.code, ordering: .relaxed)
      throw OutputFailure(error.code)
    }
  }
}

/// A write to standard output that failed, as to a full disk or to a reader that has gone.
public struct OutputFailure: Error, Equatable, Sendable {
  /// A value of errno(3).
  public var code: CInt

  public init(_ code: CInt) {
    self.code = code
  }

  /// One line.
  public var message: String {
    "write to standard output: \(SystemFailure(.write, "", code).reason)"
  }
}

/// Standard error, for messages to people.
public enum StandardError {
  /// Writes a message. A failure has no other place to be reported in; the exit code of the program
  /// still tells the result.
  public static func write(_ text: String) {
    try? writeAll(Array(text.utf8), toStream: .error)
  }
}

/// Whether systemd reads standard error into the journal, where a line may begin with its priority.
public func journalReadsStandardError() -> Bool {
  getenv("JOURNAL_STREAM") != nil
}

private func writeAll(
  _ bytes: [UInt8], toStream stream: StandardStream
) throws(SystemFailure) {
  // A reader that has gone is an error like others, where the signal would end the program without a
  // word. Only for this moment: a child that is started later has the signal as usual.
  let before = signal(SIGPIPE, SIG_IGN)
  defer { signal(SIGPIPE, before) }
  let name = stream == .output ? "standard output" : "standard error"
  var rest = bytes[...]
  while !rest.isEmpty {
    do throws(SystemFailure) {
      rest = rest.dropFirst(try writeSome(rest, to: stream.rawValue, name))
    } catch {
      // Another program that has the same terminal or pipe may have made it non-blocking.
      guard error.code == EAGAIN else { throw error }
      var writable = pollfd(fd: stream.rawValue, events: Int16(POLLOUT), revents: 0)
      try valueOrErrno(.poll, name) { poll(&writable, 1, -1) }
    }
  }
}
