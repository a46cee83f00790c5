// SPDX-License-Identifier: GPL-2.0-or-later

/// An area that the kernel reserved and then could not activate: its memory is not CMA's, and nothing
/// can be allocated from it. (`cma_activate_area` in `mm/cma.c`)
///
/// The one cause that is not a lack of memory for the area's own bitmap is an area in two zones:
/// `alloc_contig_range()` works inside one.
public struct UnactivatedArea: Equatable, Sendable {
  /// The area's name in the kernel: `reserved` is the default area of the command line.
  public var name: String
  /// The physical addresses, in bytes; nil where the log no longer tells them.
  public var range: Range<UInt64>?
  /// The zones that the area lies in, two or more; empty where they are not known or not the cause.
  public var zones: [MemoryZone]
  /// `SIZE@START-END` of a place for it inside one zone; nil where none is known.
  public var otherPlace: String?

  /// Finds the cause and another place.
  ///
  /// - Parameters:
  ///   - name: of the area.
  ///   - size: bytes, as they were asked for; nil where that is not known.
  ///   - log: the kernel's.
  ///   - zones: the machine's.
  ///   - memory: its physical memory; nil where that is not known.
  ///   - pageSize: bytes.
  ///   - blockSize: bytes of a page block, which areas are made of.
  public init(
    name: String, size: UInt64?, log: AreaLog, zones: [MemoryZone], memory: [Range<UInt64>]?,
    pageSize: UInt64, blockSize: UInt64
  ) {
    self.name = name
    let reservation = size.flatMap { log.reservation(ofSize: $0) } ?? log.reservations.last
    range = reservation.map { $0.base..<$0.base + $0.mebibytes << 20 }
    let spans = zones.map { zone in
      (zone, zone.frames.lowerBound * pageSize..<zone.frames.upperBound * pageSize)
    }
    if let range {
      let touched = spans.filter { $0.1.overlaps(range) }
      self.zones = touched.count > 1 ? touched.map(\.0) : []
    } else {
      self.zones = []
    }
    let wanted = reservation.map { $0.mebibytes << 20 } ?? size
    otherPlace = wanted.flatMap {
      Self.place(for: $0, spans, memory ?? [0..<UInt64.max], blockSize)
    }
  }

  /// The most spacious part of memory in one zone, as `SIZE@START-END`.
  ///
  /// Not in ZONE_MOVABLE, whose place moves with the options that made it. The size is halved until it
  /// leaves a part of that memory to the kernel, which has some of it already.
  private static func place(
    for size: UInt64, _ spans: [(MemoryZone, Range<UInt64>)], _ memory: [Range<UInt64>],
    _ block: UInt64
  ) -> String? {
    let parts = spans.filter { !["Movable", "Device"].contains($0.0.name) }.flatMap { _, span in
      memory.compactMap { range -> Range<UInt64>? in
        let low = (max(range.lowerBound, span.lowerBound) + block - 1) / block * block
        let high = min(range.upperBound, span.upperBound) / block * block
        return low < high ? low..<high : nil
      }
    }
    func room(_ part: Range<UInt64>) -> UInt64 { part.upperBound - part.lowerBound }
    guard let part = parts.max(by: { room($0) < room($1) }) else { return nil }
    var size = (size + block - 1) / block * block
    while size > room(part) - room(part) / 8 { size = size / 2 / block * block }
    guard size > 0 else { return nil }
    return "\(kernelSize(size))@\(kernelSize(part.lowerBound))-\(kernelSize(part.upperBound))"
  }

  /// The fact and its cause, in one line.
  public var message: String {
    let place = range.map {
      " at \($0.lowerBound.hexadecimal)-\(($0.upperBound - 1).hexadecimal)"
    }
    let what = "the area '\(name)' was reserved\(place ?? ""), but the kernel could not activate it"
    guard !zones.isEmpty else { return "\(what), and its log does not say why" }
    let names = zones.map(\.name).joined(separator: " and ")
    return "\(what): the area lies in the zones \(names), and must lie in one"
  }

  /// The command that makes the area usable from the next boot on or, where no other place is
  /// known, shows what the kernel says.
  public var remedy: String {
    otherPlace.map { "cma-test reserve \($0)" } ?? "dmesg | grep -i cma"
  }
}
