// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
public import CMATestDevice
internal import CMATestReport
public import CMATestSystem

/// The area that the suite works in. Counts are in pages.
public struct AreaUnderTest: Sendable {
  public let index: UInt32
  /// The name of the area; nil where the module was not given the function that tells the name.
  public let name: String?
  /// The number of pages; nil where nothing tells. 0 stands for an area that the kernel could not activate.
  public let pages: UInt64?
  /// The page frame numbers; nil where they are not known.
  public let frames: Range<UInt64>?
  /// Whether the frames are not known because the area may be several ranges, as one for huge pages.
  public let mayHaveRanges: Bool
  /// The bytes of a page.
  public let pageSize: UInt64
  /// The name by which the kernel counts for this area; nil where another area has the counters.
  let counterName: String?

  /// - Parameters:
  ///   - area: the area as the device describes it.
  ///   - areas: all areas.
  ///   - information: the description of the module and the kernel.
  ///   - kernel: tells the size where the device does not.
  /// - Throws: the call that failed; EINVAL where the device tells of a page size that no kernel has.
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

  /// Counts the pages that nobody has allocated now; nil where the kernel does not tell.
  public func available(on kernel: any TestedKernel) -> UInt64? {
    counterName.flatMap { try? kernel.counters(of: $0) }?.available
  }

  /// The name for reports, in one line.
  public var title: String { areaTitle(name, index) }

  /// Where the area is, for what looks at its pages.
  public var place: AreaPlace {
    AreaPlace(index: index, title: title, frames: frames, pages: pages, pageSize: pageSize)
  }

  /// Whether the kernel could activate the area that it reserved; else the area has no pages.
  public var isActivated: Bool { pages != 0 }

  /// Finds the frames at which a block of an alignment can begin.
  ///
  /// - Parameters:
  ///   - count: the number of pages of the block.
  ///   - order: the order of the alignment.
  /// - Returns: the lowest and the highest frame; nil where the block does not fit, or the frames of the
  ///   area are not known.
  func starts(of count: UInt64, order: UInt32) -> ClosedRange<UInt64>? {
    guard let frames, order < 63, count <= frames.upperBound - frames.lowerBound else { return nil }
    let step: UInt64 = 1 << UInt64(order)
    let first = (frames.lowerBound + step - 1) / step * step
    let last = (frames.upperBound - count) / step * step
    return first <= last ? first...last : nil
  }
}
