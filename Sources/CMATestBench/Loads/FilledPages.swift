// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice
package import CMATestMachine
package import CMATestSystem

/// Counts the pages of an area that have what a kind of load makes.
///
/// The kernel does not tell whose a page is, so those of other programs count that are of the same kind:
/// what was there before the load is for the caller to subtract, by the same function.
///
/// - Parameters:
///   - kind: the kind of the load; for `none` and for commands every page that can be moved counts.
///   - frames: the page frame numbers of the area.
///   - machine: the running machine, or a copied tree.
/// - Returns: nil where the kernel does not show the kinds of its pages.
/// - Throws: the call that failed, as without the right to ask.
package func filledPages(
  by kind: LoadKind, in frames: Range<UInt64>, on machine: Machine
) throws(SystemFailure) -> UInt64? {
  let wanted: PageUses.Kind =
    switch kind {
    case .anon, .pinned, .churn: .anonymous
    case .cache, .dirty: .pageCache
    case .none, .command: .movable
    }
  return try PageUses.count(wanted, on: machine, frames)
}
