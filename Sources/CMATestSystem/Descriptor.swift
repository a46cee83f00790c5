// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// An open file descriptor, closed when its owner goes.
public struct Descriptor: ~Copyable, Sendable {
  package let raw: CInt
  /// The path that was opened, for messages.
  package let path: String

  package init(owning raw: CInt, path: String) {
    self.raw = raw
    self.path = path
  }

  deinit { close(raw) }

  /// Opens a file or folder for reading; close-on-exec.
  ///
  /// Never waits: a pipe or a device in the place of a file is empty, or fails with EAGAIN.
  public init(reading path: String) throws(SystemFailure) {
    let raw = try valueOrErrno(.open, path) {
      open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    }
    self.init(owning: raw, path: path)
  }

  /// - Returns: the bytes read into `buffer`; 0 at the end of the file.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemFailure) -> Int {
    try valueOrErrno(.read, path) { Glibc.read(raw, buffer.baseAddress, buffer.count) }
  }

  func write(_ bytes: [UInt8]) throws(SystemFailure) {
    try writeAll(bytes, to: raw, path)
  }

  func sync() throws(SystemFailure) {
    try valueOrErrno(.fsync, path) { fsync(raw) }
  }

  /// Waits until no other process holds the lock of this file or folder, for ten seconds at most, as any
  /// user may hold that of a folder; held until the owner goes.
  func lock() throws(SystemFailure) {
    try valueOrErrno(.flock, path) {
      var tries = 500
      while true {
        let result = flock(raw, LOCK_EX | LOCK_NB)
        guard result < 0, errno == EWOULDBLOCK, tries > 0 else { return result }
        tries -= 1
        usleep(20_000)
      }
    }
  }
}

/// Writes all of `bytes`, however many calls that takes.
func writeAll(_ bytes: [UInt8], to raw: CInt, _ path: String) throws(SystemFailure) {
  var rest = bytes[...]
  // Not within valueOrErrno: in Swift 6.0, Debian's, this rethrows `any Error`.
  while !rest.isEmpty { rest = rest.dropFirst(try writeSome(rest, to: raw, path)) }
}

/// Writes as many bytes as one call takes.
///
/// - Parameters:
///   - bytes: at least one.
///   - raw: the descriptor.
///   - path: what it was opened on, for the error.
/// - Returns: how many were written.
/// - Throws: the call that failed.
func writeSome(_ bytes: ArraySlice<UInt8>, to raw: CInt, _ path: String) throws(SystemFailure)
  -> Int
{
  try valueOrErrno(.write, path) {
    bytes.withUnsafeBufferPointer { Glibc.write(raw, $0.baseAddress, $0.count) }
  }
}

/// Reads a whole file in pieces of at most 32 KiB, so that memory is bounded whatever its size.
///
/// The kernel gives at most a page at a time of /proc/kallsyms, so a piece is what several reads
/// filled. Foundation's own readers stop after the first of them in silence, hence this.
///
/// - Parameters:
///   - path: the file.
///   - body: takes each piece, which is valid only during the call.
/// - Throws: the call that failed, EFBIG for a file beyond 256 MiB, as a device that never ends;
///   `body` may have had pieces before.
public func forEachPiece(
  of path: String, _ body: (UnsafeRawBufferPointer) -> Void
) throws(SystemFailure) {
  let file = try Descriptor(reading: path)
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 64)
  defer { buffer.deallocate() }
  var filled = 0
  var left = 256 << 20
  while true {
    let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
    filled += count
    left -= count
    guard left >= 0 else { throw SystemFailure(.read, path, EFBIG) }
    if count == 0 || filled == buffer.count {
      body(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
      filled = 0
    }
    if count == 0 { return }
  }
}

/// Reads a small file whole.
///
/// - Parameters:
///   - path: the file.
///   - limit: more bytes than this are an error (EFBIG), so that no file exhausts memory.
/// - Returns: all its bytes.
/// - Throws: the call that failed.
public func contents(of path: String, limit: Int = 4 << 20) throws(SystemFailure) -> [UInt8] {
  try Descriptor(reading: path).contents(limit: limit)
}

/// Reads a whole small file that only this user may read or write.
///
/// - Parameters:
///   - path: the file.
///   - limit: more bytes than this are an error (EFBIG).
/// - Returns: all its bytes.
/// - Throws: the call that failed; EPERM where others have a right to it.
public func privateContents(of path: String, limit: Int) throws(SystemFailure) -> [UInt8] {
  let file = try Descriptor(reading: path)
  var status = stat()
  try valueOrErrno(.fstat, path) { fstat(file.raw, &status) }
  guard status.st_mode & (S_IFMT | 0o077) == S_IFREG, status.st_uid == geteuid() else {
    throw SystemFailure(.fstat, path, EPERM)
  }
  return try file.contents(limit: limit)
}

/// Reads the beginning of a file by one call, which gives a page of a file in /proc.
///
/// - Parameters:
///   - path: the file.
///   - limit: the most bytes.
/// - Returns: bytes from the beginning.
/// - Throws: the call that failed.
public func beginning(of path: String, limit: Int) throws(SystemFailure) -> [UInt8] {
  let file = try Descriptor(reading: path)
  let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: limit, alignment: 16)
  defer { piece.deallocate() }
  let count = try file.read(into: piece)
  return Array(piece[..<count])
}

extension Descriptor {
  /// Reads the rest of the file, pipe or device.
  ///
  /// - Parameters:
  ///   - limit: more bytes than this are an error (EFBIG).
  ///   - expecting: how many bytes there probably are, so that room for more is not made.
  /// - Returns: all the bytes.
  /// - Throws: the call that failed.
  func contents(limit: Int, expecting: Int = 0) throws(SystemFailure) -> [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(expecting)
    let size = expecting > 1 << 20 ? 256 << 10 : 16 << 10
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
    defer { piece.deallocate() }
    while true {
      let count = try read(into: piece)
      if count == 0 { return all }
      guard all.count + count <= limit else { throw SystemFailure(.read, path, EFBIG) }
      all += piece[..<count]
    }
  }
}
