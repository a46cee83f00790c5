// SPDX-License-Identifier: GPL-2.0-or-later

extension KernelConfiguration {
  /// The size of a page in bytes; nil where the configuration does not say it, as that of an x86
  /// kernel before 6.9.
  public var pageSize: UInt64? {
    if let shift = self["CONFIG_PAGE_SHIFT"].flatMap({ UInt64($0) }), (12...18).contains(shift) {
      return 1 << shift
    }
    let options: [(String, UInt64)] = [
      ("CONFIG_ARM64_4K_PAGES", 4 << 10), ("CONFIG_ARM64_16K_PAGES", 16 << 10),
      ("CONFIG_ARM64_64K_PAGES", 64 << 10), ("CONFIG_X86", 4 << 10),
    ]
    return options.first { enables($0.0) }?.1
  }
}

/// Computes the size of a page from the number of all pages.
///
/// - Parameters:
///   - text: /proc/zoneinfo.
///   - memory: MemTotal of /proc/meminfo in bytes, which is somewhat less than all pages hold.
/// - Returns: bytes; nil where the two do not go together.
public func pageSize(inZoneInformation text: [UInt8], holding memory: UInt64) -> UInt64? {
  let pages = presentPages(ofZone: nil, inZoneInformation: text)
  guard pages > 0 else { return nil }
  // The sizes differ by a factor of 4, and the kernel keeps far less than half for itself.
  return [4 << 10, 16 << 10, 64 << 10].first { memory <= pages * $0 && memory > pages * $0 / 2 }
}
