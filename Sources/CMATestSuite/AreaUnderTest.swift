// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestDevice
public import CMATestSystem

/// The area that the suite works in. Counts are in pages.
public struct AreaUnderTest: Sendable {
  public let index: UInt32
  /// Nil where the module has not been given what tells it.
  public let name: String?
  /// All its pages; nil where nothing tells.
  public let pages: UInt64?
  /// Page frame numbers; nil where they are not known.
  public let frames: Range<UInt64>?
  /// Bytes.
  public let pageSize: UInt64

  /// - Parameters:
  ///   - area: what the device says of it.
  ///   - information: what it says of itself.
  ///   - kernel: asked for the size where the device does not know it.
  /// - Throws: where the counters cannot be read.
  public init(
    _ area: AreaInformation, _ information: DeviceInformation, on kernel: some Kernel
  ) throws(SystemFailure) {
    index = area.index
    name = area.name
    pageSize = information.pageSize
    let size = area.size.map { $0 / information.pageSize }
    pages = if let size { size } else { try kernel.counters(of: area.name).total }
    frames =
      if let base = area.base, let size {
        base / information.pageSize..<base / information.pageSize + size
      } else {
        nil
      }
  }

  /// What to call it.
  public var title: String { name ?? "area \(index)" }

  /// The frames at which a block of an alignment can begin.
  ///
  /// - Parameters:
  ///   - count: pages of the block.
  ///   - order: its alignment.
  /// - Returns: the lowest and the highest; nil where it does not fit, or the frames are not known.
  func starts(of count: UInt64, order: UInt32) -> ClosedRange<UInt64>? {
    guard let frames, order < 63, count <= frames.upperBound - frames.lowerBound else { return nil }
    let step: UInt64 = 1 << UInt64(order)
    let first = (frames.lowerBound + step - 1) / step * step
    let last = (frames.upperBound - count) / step * step
    return first <= last ? first...last : nil
  }
}
