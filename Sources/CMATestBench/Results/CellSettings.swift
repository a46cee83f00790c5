// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// What is asked of the allocator in one cell of a measurement.
package struct CellSettings: Hashable, Sendable {
  /// The size of a request.
  package var pages: UInt64
  /// The alignment of a request, as a power of two of pages.
  package var order: UInt64
  /// How many threads ask at the same time.
  package var threads: UInt64
  /// How many blocks each thread keeps before it releases the oldest; 0 where a block is released at
  /// once.
  package var hold: UInt64
  /// The time from one intended request to the next, in ns; 0 where each follows at once.
  package var every: UInt64
  /// What keeps the area busy meanwhile, as `none`.
  package var load: String

  package init(
    pages: UInt64, order: UInt64 = 0, threads: UInt64 = 1, hold: UInt64 = 0, every: UInt64 = 0,
    load: String = "none"
  ) {
    self.pages = pages
    self.order = order
    self.threads = threads
    self.hold = hold
    self.every = every
    self.load = load
  }

  /// The most pages that all threads have at one moment.
  package var pagesAtOnce: UInt64 {
    pages.clampedProduct(threads).clampedProduct(hold.clampedSum(1))
  }

  /// As in `16 pages, 2 threads, load anon`, in one line that a terminal can show: what is usual is left out.
  package var words: String {
    var words = ["\(pages) \(pages == 1 ? "page" : "pages")"]
    if order > 0 { words.append("order \(order)") }
    if threads != 1 { words.append("\(threads) threads") }
    if hold > 0 { words.append("hold \(hold)") }
    if every > 0 { words.append("every \(TimeSpan(nanoseconds: every).words)") }
    if load != "none" { words.append("load \(printable(load))") }
    return words.joined(separator: ", ")
  }
}
