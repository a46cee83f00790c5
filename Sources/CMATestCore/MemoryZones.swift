// SPDX-License-Identifier: GPL-2.0-or-later

/// A zone of a node: a range of physical memory that the kernel allocates from under rules of its own.
public struct MemoryZone: Equatable, Sendable {
  public var node: Int
  /// The zone's name, as `DMA32` or `Movable`.
  public var name: String
  /// The page frame numbers from the zone's first to its last; there may be holes between them.
  public var frames: Range<UInt64>

  public init(node: Int, name: String, frames: Range<UInt64>) {
    self.node = node
    self.name = name
    self.frames = frames
  }
}

/// The zones that have memory.
///
/// - Parameter text: /proc/zoneinfo.
/// - Returns: one for each `Node N, zone NAME` whose `spanned` is not 0, in the file's order.
public func memoryZones(inZoneInformation text: [UInt8]) -> [MemoryZone] {
  var zones: [MemoryZone] = []
  var place: (node: Int, name: String)?
  var spanned: UInt64 = 0
  for line in text.split(separator: .newline) {
    let fields = line.split { $0 == .space || $0 == .tab || $0 == UInt8(ascii: ",") }
      .map { String(decoding: $0, as: UTF8.self) }
    guard let first = fields.first else { continue }
    if first == "Node", fields.count == 4, let node = Int(fields[1]) {
      place = (node, fields[3])
      spanned = 0
    } else if first == "spanned", fields.count == 2 {
      spanned = UInt64(fields[1]) ?? 0
    } else if first == "start_pfn:", fields.count == 2, let start = UInt64(fields[1]), let place,
      // More is no memory, and its bytes would not be a number of 64 bits.
      spanned > 0, start < 1 << 44, spanned < 1 << 44
    {
      zones.append(
        MemoryZone(node: place.node, name: place.name, frames: start..<start + spanned))
    }
  }
  return zones
}
