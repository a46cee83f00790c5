// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
public import CMATestDevice
internal import CMATestReport
public import CMATestSystem

/// The area that the suite works in. Counts are in pages.
public struct AreaUnderTest: Sendable {
  public let index: UInt32
  /// Nil where the module has not been given what tells it.
  public let name: String?
  /// All its pages; nil where nothing tells. 0 is an area that the kernel could not activate.
  public let pages: UInt64?
  /// Page frame numbers; nil where they are not known.
  public let frames: Range<UInt64>?
  /// Whether they are not known because there may be several ranges, as of areas for huge pages.
  let mayHaveRanges: Bool
  /// Bytes.
  public let pageSize: UInt64
  /// The name by which the kernel counts for this area; nil where it has none of its own.
  let counterName: String?

  /// - Parameters:
  ///   - area: what the device says of it.
  ///   - areas: what the device says of all areas.
  ///   - information: what it says of itself.
  ///   - kernel: asked for the size where the device does not know it.
  /// - Throws: where the counters cannot be read, or the device says what no kernel can be.
  public init(
    _ area: AreaInformation, among areas: [AreaInformation], _ information: DeviceInformation,
    on kernel: any TestedKernel
  ) throws(SystemFailure) {
    guard information.pageSize.nonzeroBitCount == 1, information.pageSize <= 1 << 24 else {
      throw SystemFailure(.ioctl, KernelDevice.path, SystemFailure.invalid)
    }
    index = area.index
    name = area.name
    pageSize = information.pageSize
    mayHaveRanges = area.mayHaveRanges
    // The kernel counts by name: of two areas of one name it has the first alone.
    let isAlone = areas.count { $0.name == area.name } < 2
    counterName = isAlone ? area.name : nil
    let size = area.size.map { $0 / information.pageSize }
    let count = if let size { size } else { try kernel.counters(of: counterName).total }
    // More than any machine can have is not believed: sums with that could overflow.
    pages = count.flatMap { $0 < 1 << 52 ? $0 : nil }
    let first = area.base.map { $0 / information.pageSize }
    frames =
      if let first, let size, size > 0, first < 1 << 52, size < 1 << 52 {
        first..<first + size
      } else {
        nil
      }
  }

  /// What to call it, in one line.
  public var title: String { areaTitle(name, index) }

  /// Whether the kernel reserved the area, but could not activate it: it then has no pages.
  public var isActivated: Bool { pages != 0 }

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
