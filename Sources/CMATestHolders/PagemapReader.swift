// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import CMATestCore
package import CMATestMachine
internal import CMATestSystem
internal import Glibc

/// Reads where the pages of all processes are, from /proc/PID/pagemap.
/// (`Documentation/admin-guide/mm/pagemap.rst`)
///
/// The file has 8 bytes for each page of address space, whether there is memory or not. From Linux 6.7 on
/// the kernel says first which ranges have some, so that a mapping of terabytes costs nothing; before,
/// /proc/PID/smaps does, for whole mappings.
package struct PagemapReader {
  private static let entriesAtOnce = 1 << 16
  /// A gap that is read over, in pages: less work than another call.
  private static let gap: UInt64 = 256
  /// The largest mapping, in pages, that is read where the kernel does not say which part of it has memory.
  private static let mostPages: UInt64 = 1 << 28

  private let machine: Machine
  private let pageSize: UInt64
  private var entries = [UInt64](repeating: 0, count: entriesAtOnce)
  private var regions = [cma_test_region](repeating: cma_test_region(), count: 128)
  /// The end of what a process can have, which differs by kernel and processor; nil until one was taken.
  private var end: UInt64?
  private var scans = true
  /// What could not be read, each in a line.
  package private(set) var notes: [String] = []

  /// - Parameters:
  ///   - machine: the running machine.
  ///   - pageSize: bytes of a page.
  package init(on machine: Machine, pageSize: UInt64) {
    self.machine = machine
    self.pageSize = pageSize
  }

  /// Notes the pages of all processes.
  ///
  /// A process that ends meanwhile is left out from there on.
  ///
  /// - Parameter mappers: takes the pages.
  package mutating func read(into mappers: inout PageMappers) {
    let names = (try? machine.names(in: "/proc")) ?? []
    for process in names.compactMap({ Int32($0) }) {
      do throws(SystemFailure) {
        try read(process, into: &mappers)
      } catch {
        // ESRCH and ENOENT: the process has ended.
        if error.code != ESRCH, error.code != ENOENT {
          notes.append("the pages of process \(process) are not known: \(error.reason)")
        }
      }
    }
  }

  private mutating func read(
    _ process: Int32, into mappers: inout PageMappers
  ) throws(SystemFailure) {
    do throws(SystemFailure) {
      if try read("/proc/\(process)", of: process, into: &mappers) { return }
    } catch {
      guard error.code == ESRCH else { throw error }
    }
    for folder in machine.foldersOfOtherThreads(of: process) {
      if try read(folder, of: process, into: &mappers) { return }
    }
  }

  /// - Returns: whether the thread of that folder has memory.
  private mutating func read(
    _ folder: String, of process: Int32, into mappers: inout PageMappers
  ) throws(SystemFailure) -> Bool {
    let pagemap = try Descriptor(reading: machine.path("\(folder)/pagemap"))
    if scans {
      do throws(SystemFailure) {
        return try scan(pagemap, process, into: &mappers)
      } catch {
        guard error.code == ENOTTY || error.code == EINVAL else { throw error }
        scans = false
      }
    }
    let mappings = try occupiedMappings(in: folder)
    for mapping in mappings {
      guard (mapping.upperBound - mapping.lowerBound) / pageSize <= Self.mostPages else {
        notes.append(
          "a mapping of process \(process) is too large to be read: a kernel from 6.7 on tells which "
            + "part of it has memory")
        continue
      }
      try read(pagemap, mapping, process, into: &mappers)
    }
    return !mappings.isEmpty
  }

  /// Reads the ranges that the kernel finds to have memory.
  ///
  /// - Returns: whether there are any.
  private mutating func scan(
    _ pagemap: borrowing Descriptor, _ process: Int32, into mappers: inout PageMappers
  ) throws(SystemFailure) -> Bool {
    var next: UInt64 = 0
    var pending: Range<UInt64>?
    while true {
      let (found, walked, end) = try regions(of: pagemap, from: next)
      for region in regions.prefix(found) {
        let region = region.start..<max(region.start, region.end)
        if let before = pending,
          region.lowerBound.clampedDifference(before.upperBound) < Self.gap * pageSize
        {
          pending = before.lowerBound..<max(before.upperBound, region.upperBound)
        } else {
          if let before = pending { try read(pagemap, before, process, into: &mappers) }
          pending = region
        }
      }
      guard walked > next, walked < end else { break }
      next = walked
    }
    guard let pending else { return false }
    try read(pagemap, pending, process, into: &mappers)
    return true
  }

  private mutating func regions(
    of pagemap: borrowing Descriptor, from start: UInt64
  ) throws(SystemFailure) -> (found: Int, walked: UInt64, end: UInt64) {
    let (raw, pageSize) = (pagemap.raw, pageSize)
    // The kernel refuses an end beyond what it can give a process, with EFAULT: of the sizes of an address
    // space that there are, the largest that is taken.
    let ends = end.map { [$0] } ?? [56, 52, 48, 47, 42, 39].map { (1 << UInt64($0)) - pageSize }
    var failure = SystemFailure(.ioctl, pagemap.path, EFAULT)
    for end in ends {
      var walked: UInt64 = 0
      do throws(SystemFailure) {
        let found = try valueOrErrno(.ioctl, pagemap.path) {
          regions.withUnsafeMutableBufferPointer {
            cma_test_present_regions(raw, start, end, $0.baseAddress, $0.count, &walked)
          }
        }
        self.end = end
        return (found, walked, end)
      } catch {
        failure = error
        guard error.code == EFAULT else { throw error }
      }
    }
    throw failure
  }

  /// Reads the entries of a range of addresses.
  private mutating func read(
    _ pagemap: borrowing Descriptor, _ range: Range<UInt64>, _ process: Int32,
    into mappers: inout PageMappers
  ) throws(SystemFailure) {
    var page = range.lowerBound / pageSize
    let last = range.upperBound / pageSize
    let raw = pagemap.raw
    while page < last {
      let wanted = Int(clamping: min(UInt64(Self.entriesAtOnce), last - page))
      guard let offset = off_t(exactly: page * 8) else { return }
      let read = try valueOrErrno(.pread, pagemap.path) {
        entries.withUnsafeMutableBytes { pread(raw, $0.baseAddress, wanted * 8, offset) }
      }
      // Nothing: the address space ends here, or its process did.
      guard read >= 8 else { return }
      entries.withUnsafeBufferPointer { entries in
        mappers.note(process, UnsafeBufferPointer(rebasing: entries[..<(read / 8)]))
      }
      page += UInt64(read / 8)
    }
  }

  /// Finds the mappings of a thread's folder that have memory.
  private func occupiedMappings(in folder: String) throws(SystemFailure) -> [Range<UInt64>] {
    let text = try contents(of: machine.path("\(folder)/smaps"), limit: 256 << 20)
    var mappings: [Range<UInt64>] = []
    var current: Range<UInt64>?
    for line in text.split(separator: UInt8(ascii: "\n")) {
      if line.starts(with: "Rss:".utf8) {
        let kilobytes = line.dropFirst(4).drop { $0 == UInt8(ascii: " ") }
        if let mapping = current, kilobytes.first != UInt8(ascii: "0") { mappings.append(mapping) }
      } else if let range = Self.range(line) {
        current = range
      }
    }
    return mappings
  }

  /// Reads the addresses at the start of a mapping's line, as `7f0000-8f0000 rw-p`.
  private static func range(_ line: ArraySlice<UInt8>) -> Range<UInt64>? {
    let word = line.prefix { $0 != UInt8(ascii: " ") }
    let ends = word.split(separator: UInt8(ascii: "-"))
    guard ends.count == 2, let start = UInt64(String(decoding: ends[0], as: UTF8.self), radix: 16),
      let end = UInt64(String(decoding: ends[1], as: UTF8.self), radix: 16), start < end
    else { return nil }
    return start..<end
  }
}
