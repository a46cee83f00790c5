// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// A number of pages, as a user writes it.
package enum BlockSize: Hashable, Sendable {
  case pages(UInt64)
  case bytes(UInt64)

  /// Reads `16p` for pages, or bytes with a suffix of the kernel, as `64K`.
  package init?(parsing text: String) {
    if text.hasSuffix("p") {
      guard let pages = UInt64(text.dropLast()), pages > 0 else { return nil }
      self = .pages(pages)
      return
    }
    guard !text.contains("@"), let bytes = try? CMAReservation(parsing: text).size, bytes > 0
    else { return nil }
    self = .bytes(bytes)
  }

  /// Returns the size in pages, rounded up.
  package func pages(of pageSize: UInt64) -> UInt64 {
    switch self {
    case .pages(let pages): pages
    case .bytes(let bytes): bytes / pageSize + (bytes % pageSize == 0 ? 0 : 1)
    }
  }

  /// The number as it was given, of pages or of bytes.
  private var number: UInt64 {
    switch self {
    case .pages(let number), .bytes(let number): number
    }
  }

  package var isPowerOfTwo: Bool { number.nonzeroBitCount == 1 }
}
