// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import CMATestSystem
internal import Glibc

/// Pages of this process that lay in an area when they were written.
final class PlacedPages: UserPages {
  private let mapping: Mapping
  /// The numbers of the pages in the mapping, ascending.
  private let pages: [Int]
  private let pageSize: Int
  private let pattern: PagePattern
  private var pinned: (page: Int, pipe: Pipe)?

  /// - Parameters:
  ///   - mapping: the mapping that has the pages.
  ///   - pages: the numbers of the pages in the mapping, ascending.
  ///   - pageSize: the bytes of a page.
  ///   - seed: the seed of the patterns that are written now.
  init(_ mapping: consuming Mapping, pages: [Int], pageSize: Int, seed: UInt64) {
    self.mapping = mapping
    self.pages = pages
    self.pageSize = pageSize
    pattern = PagePattern(seed: seed, wordsInPage: pageSize / 8)
    for page in pages { pattern.write(page, to: bytes(of: page)) }
  }

  /// Writes pages of the page cache.
  ///
  /// They are written through the file, since a full disk is then an error and no signal.
  ///
  /// - Parameters:
  ///   - mapping: the mapping of the file.
  ///   - pages: the numbers of the pages in the mapping, ascending.
  ///   - pageSize: the bytes of a page.
  ///   - seed: the seed of the patterns that are written now.
  ///   - file: the file, open for writing.
  /// - Throws: the write that failed.
  init(
    _ mapping: consuming Mapping, pages: [Int], pageSize: Int, seed: UInt64,
    file: borrowing Descriptor
  ) throws(SystemFailure) {
    let pattern = PagePattern(seed: seed, wordsInPage: pageSize / 8)
    let page = UnsafeMutableRawBufferPointer.allocate(byteCount: pageSize, alignment: 8)
    defer { page.deallocate() }
    if let bytes = page.baseAddress {
      for number in pages {
        pattern.write(number, to: bytes)
        try file.write(UnsafeRawBufferPointer(page), at: number * pageSize)
      }
    }
    self.mapping = mapping
    self.pages = pages
    self.pageSize = pageSize
    self.pattern = pattern
  }

  private func bytes(of page: Int) -> UnsafeMutableRawPointer {
    mapping.base + page * pageSize
  }

  func frames() throws(SystemFailure) -> [UInt64?] {
    guard let first = pages.first, let last = pages.last else { return [] }
    let stretch = UnsafeMutableRawBufferPointer(
      rebasing: mapping.bytes[first * pageSize..<(last + 1) * pageSize])
    let all = try PageFrames(pageSize: pageSize).frames(of: stretch)
    return pages.map { all[$0 - first] }
  }

  func firstWrongPage() -> Int? {
    pages.indices.first { !pattern.matches(pages[$0], bytes(of: pages[$0])) }
  }

  func pin(_ page: Int) throws(SystemFailure) {
    let pipe = try Pipe()
    let count = try valueOrErrno(.vmsplice, "a pipe") {
      cma_test_vmsplice(pipe.writeEnd.raw, bytes(of: pages[page]), pageSize)
    }
    guard count == pageSize else { throw SystemFailure(.vmsplice, "a pipe", EIO) }
    pinned = (page, pipe)
  }

  func unpin() throws(SystemFailure) -> Bool {
    guard let (page, pipe) = pinned else { return true }
    pinned = nil
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: pageSize, alignment: 8)
    defer { copy.deallocate() }
    guard let base = copy.baseAddress else { return false }
    var done = 0
    while done < pageSize {
      let start = done
      let count = try valueOrErrno(.read, "a pipe") {
        read(pipe.readEnd.raw, base + start, pageSize - start)
      }
      if count == 0 { return false }
      done += count
    }
    return pattern.matches(pages[page], base)
  }
}

/// Both ends of a pipe. They are closed when the last owner goes, which gives back the pages in the pipe.
private final class Pipe {
  let readEnd: Descriptor
  let writeEnd: Descriptor

  init() throws(SystemFailure) {
    var ends: [CInt] = [-1, -1]
    try valueOrErrno(.pipe, "a pipe") { pipe(&ends) }
    readEnd = Descriptor(owning: ends[0], path: "a pipe")
    writeEnd = Descriptor(owning: ends[1], path: "a pipe")
    for end in ends { try valueOrErrno(.fcntl, "a pipe") { fcntl(end, F_SETFD, FD_CLOEXEC) } }
  }
}
