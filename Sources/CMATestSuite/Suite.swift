// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// All cases, in the order in which they run: what others build upon comes first.
public let allCases: [TestCase] = [
  TestCase("single-page", "one page can be had and given back", singlePage),
  TestCase("every-order", "a block of each power of two, up to the whole area", everyOrder),
  TestCase("odd-counts", "blocks whose size is no power of two", oddCounts),
  TestCase("alignment", "a block begins where its alignment says", alignment),
  TestCase("contiguity", "all pages of a block are in one zone, and nobody else's", contiguity),
  TestCase("inside-area", "no block reaches beyond its area", insideArea),
  TestCase("patterns", "many blocks at once keep what each was filled with", patterns),
  TestCase("exhaust", "the whole area can be had, and once more after it was given back", exhaust),
  TestCase("accounting", "every counter of the kernel moves by just what was taken", accounting),
  TestCase("too-large", "more than the area has is refused, and does no harm", tooLarge),
  TestCase("zero", "a block of no pages is refused", needsPages: false, zeroPages),
  TestCase(
    "foreign-page", "a page that is not CMA's is not taken back", needsPages: false, foreignPage),
  TestCase("release-twice", "a block can be given back once only", releaseTwice),
  TestCase("release-order", "blocks can be given back in any order", releaseOrder),
  TestCase("fragmentation", "holes are of no use together, until they are joined", fragmentation),
  TestCase("concurrency", "all processors allocate at once", concurrency),
  TestCase("owner-killed", "what a killed process had comes back", ownerKilled),
  TestCase("movable-anonymous", "a program's memory makes way, unharmed", movableAnonymous),
  TestCase("movable-page-cache", "a file's memory makes way, unharmed", movablePageCache),
  TestCase("pinned-page", "a pinned page stops the block that needs it", pinnedPage),
]

/// The cases whose names match a pattern of glob(7).
///
/// - Parameter pattern: nil for all.
/// - Returns: them, in their order.
public func cases(matching pattern: String?) -> [TestCase] {
  guard let pattern else { return allCases }
  return allCases.filter { fnmatch(pattern, $0.name, 0) == 0 }
}
