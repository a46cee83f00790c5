// SPDX-License-Identifier: GPL-2.0-or-later

/// A mistake that a simulated allocator makes. The first six are those of the module's debug build.
enum Fault: String, CaseIterable, Sendable {
  case leak, misalign, overlap, wrongRelease, corrupt, staleAccounting
  case givesZeroPages, givesTooMuch, releasesTwice, keepsBlocksOfTheDead, leavesTheArea
  case mixesZones, movesPinnedPages, neverForgetsAPin, harmsWhatItMoves, neverMoves
  case neverJoinsHoles, refusesOddCounts, refusesLargeOrders, miscountsReleases
  case showsOtherBits, showsAnotherHole
}
