// SPDX-License-Identifier: GPL-2.0-or-later

/// The physical memory of a machine, as far as it bounds what CMA can reserve. All in bytes.
public struct PhysicalMemory: Equatable, Sendable {
  /// MemTotal of /proc/meminfo.
  public var total: UInt64
  /// The kernel reserves whole page blocks: sizes and addresses are multiples of this.
  public var blockSize: UInt64
  /// The ranges of "System RAM" in /proc/iomem, ascending, adjacent ones joined; nil where the
  /// kernel hides them, as it does from all but root.
  public var ranges: [Range<UInt64>]?
  /// The parts of these ranges that the kernel, or somebody else, has taken since boot.
  public var occupied: [OccupiedMemory] = []
  /// The bytes that every device can reach, from which an arm64 kernel takes an area without an
  /// address; nil where there is no such bound.
  public var reachableByAll: UInt64?

  public init(
    total: UInt64, blockSize: UInt64, ranges: [Range<UInt64>]? = nil,
    occupied: [OccupiedMemory] = [], reachableByAll: UInt64? = nil
  ) {
    self.total = total
    self.blockSize = blockSize
    self.ranges = ranges
    self.occupied = occupied
    self.reachableByAll = reachableByAll
  }

  /// The bytes that must be left to the kernel and the programs: memory of CMA is lent to movable
  /// pages only, so that a machine without other memory does not boot.
  public var margin: UInt64 { max(total / 4, 128 << 20) }

  /// The size of the largest area that `cma-test reserve` allows.
  public var largestArea: UInt64 {
    total > margin ? (total - margin) / blockSize * blockSize : 0
  }
}

/// The lines `Name:   N kB` of /proc/meminfo.
public struct MemoryInformation: Equatable, Sendable {
  private let values: [String: UInt64]

  public init(parsing text: [UInt8]) {
    var values: [String: UInt64] = [:]
    for line in text.split(separator: .newline) {
      let fields = line.split { $0 == .space || $0 == UInt8(ascii: ":") }
      guard fields.count == 3, let kibibytes = UInt64(String(decoding: fields[1], as: UTF8.self)),
        kibibytes <= .max >> 10
      else { continue }
      values[String(decoding: fields[0], as: UTF8.self)] = kibibytes << 10
    }
    self.values = values
  }

  /// - Returns: bytes; nil where the kernel has no such line, as `CmaTotal` without CMA.
  public subscript(name: String) -> UInt64? { values[name] }
}

/// A part of the memory that is in use at a fixed place, as /proc/iomem names it.
public struct OccupiedMemory: Equatable, Sendable {
  public var range: Range<UInt64>
  /// The owner in /proc/iomem, as `Kernel code`, `Reserved`, `Crash kernel`.
  public var owner: String

  public init(_ range: Range<UInt64>, _ owner: String) {
    self.range = range
    self.owner = owner
  }
}

/// The ranges of the lines `START-END : System RAM` of /proc/iomem, END inclusive there.
///
/// - Parameter text: the file; lines that are indented are parts of others.
/// - Returns: the ranges, ascending, adjacent ones joined; nil where all are hidden.
public func systemRAM(inIOMemory text: [UInt8]) -> [Range<UInt64>]? {
  var ranges: [Range<UInt64>] = []
  for line in text.split(separator: .newline) {
    guard let (range, owner) = ioMemory(line[...]), owner == "System RAM" else { continue }
    if let before = ranges.last, before.upperBound == range.lowerBound {
      ranges[ranges.count - 1] = before.lowerBound..<range.upperBound
    } else {
      ranges.append(range)
    }
  }
  return ranges.isEmpty ? nil : ranges
}

/// The parts of `System RAM` in /proc/iomem, the innermost ones.
///
/// - Parameter text: the file.
/// - Returns: where each is and what it is for; none where the kernel hides them.
public func occupiedMemory(inIOMemory text: [UInt8]) -> [OccupiedMemory] {
  var parts: [OccupiedMemory] = []
  var isMemory = false
  for line in text.split(separator: .newline) {
    let indented = line.drop { $0 == .space }
    guard let (range, owner) = ioMemory(indented) else { continue }
    if indented.count == line.count {
      isMemory = owner == "System RAM"
    } else if isMemory {
      // One that has parts itself stands before them.
      parts.removeAll {
        $0.range.lowerBound <= range.lowerBound && range.upperBound <= $0.range.upperBound
      }
      parts.append(OccupiedMemory(range, owner))
    }
  }
  return parts
}

/// One line of /proc/iomem without its indentation.
private func ioMemory(_ line: ArraySlice<UInt8>) -> (range: Range<UInt64>, owner: String)? {
  guard let dash = line.firstIndex(of: UInt8(ascii: "-")),
    let blank = line.firstIndex(of: .space), dash < blank,
    line[blank...].starts(with: " : ".utf8),
    let first = UInt64(hexadecimal: line[..<dash]),
    let last = UInt64(hexadecimal: line[(dash + 1)..<blank]), first < last, last < .max
  else { return nil }
  return (first..<last + 1, String(decoding: line[(blank + 3)...], as: UTF8.self))
}

/// - Parameter text: /proc/pagetypeinfo, which is root's alone.
/// - Returns: its `Pages per block`; nil where it has none.
public func pagesPerBlock(inPageTypeInformation text: [UInt8]) -> UInt64? {
  for line in text.split(separator: .newline) where line.starts(with: "Pages per block:".utf8) {
    guard let number = line.split(separator: .space).last else { return nil }
    return UInt64(String(decoding: number, as: UTF8.self))
  }
  return nil
}

/// Returns the number of pages that the zones of one name hold, over all nodes.
///
/// - Parameters:
///   - zone: as `DMA`; nil for all zones.
///   - text: /proc/zoneinfo.
/// - Returns: the sum of their `present`.
public func presentPages(ofZone zone: String?, inZoneInformation text: [UInt8]) -> UInt64 {
  var isInZone = false
  var pages: UInt64 = 0
  for line in text.split(separator: .newline) {
    let fields = line.split(separator: .space)
    if fields.first?.elementsEqual("Node".utf8) == true {
      isInZone = zone.map { fields.last?.elementsEqual($0.utf8) == true } ?? true
    } else if isInZone, fields.count == 2, fields[0].elementsEqual("present".utf8) {
      pages += UInt64(String(decoding: fields[1], as: UTF8.self)) ?? 0
    }
  }
  return pages
}
