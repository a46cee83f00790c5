// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestDevice

/// Describes an area at one moment. Counts are in pages; nil stands for a number that the kernel does
/// not tell.
public struct AreaSurvey: Equatable, Sendable {
  public var index: UInt32
  /// The name as below /sys/kernel/mm/cma.
  public var name: String?
  public var isDefault: Bool
  /// The physical address of the first byte.
  public var base: UInt64?
  /// Pages that the module has: those of all open files, and those held since it was loaded.
  public var held: UInt64
  public var pages: UInt64?
  /// Bytes of a page.
  public var pageSize: UInt64
  public var free: UInt64?
  /// The largest block that can be had, found by search; nil where none was made.
  public var largest: LargestBlock?
  /// Why a block of one page more is refused, and who is in the way; nil where nothing is, or no search was
  /// made.
  public var inTheWay: String?
  /// The largest block by the kinds of pages that the kernel shows, with nothing allocated: of pages
  /// that seem movable some may be pinned.
  public var estimate: UInt64?
  /// Pages allocated since boot, as the kernel counts.
  public var allocated: UInt64?
  /// Pages refused since boot.
  public var failed: UInt64?
  /// Pages released since boot.
  public var released: UInt64?

  public init(index: UInt32, name: String?, isDefault: Bool, held: UInt64, pageSize: UInt64) {
    self.index = index
    self.name = name
    self.isDefault = isDefault
    self.held = held
    self.pageSize = pageSize
  }

  /// Whether the kernel, which reserved the area, could also activate it.
  public var isActivated: Bool { pages != 0 }
}

/// The largest block that can be had from an area now.
public struct LargestBlock: Equatable, Sendable {
  /// 0 where not even one page can be had.
  public var pages: UInt64
  /// Whether a larger block was not asked for: the module's own limit of pages stands against it, or it would
  /// leave too little memory.
  public var isLimited: Bool
  /// Why a larger block would leave too little memory; nil where that was no reason.
  public var shortage: MemoryShortage?

  public init(pages: UInt64, isLimited: Bool = false, shortage: MemoryShortage? = nil) {
    self.pages = pages
    self.isLimited = isLimited || shortage != nil
    self.shortage = shortage
  }
}

/// Names an area in one line: by its name, and by its index where that is not known.
package func areaTitle(_ name: String?, _ index: UInt32) -> String {
  guard let name, !name.isEmpty else { return "area \(index)" }
  return printable(name)
}
