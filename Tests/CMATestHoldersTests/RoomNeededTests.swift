// SPDX-License-Identifier: GPL-2.0-or-later

import Testing

@testable import CMATestHolders

/// How much larger an area must be, tried by placing everything in an area of that size.
@Suite struct RoomNeededTests {
  private let drivers = [RoomNeeded.Blocks(pages: 1013, order: 8, number: 4)]

  private func room(
    _ wanted: [RoomNeeded.Blocks], besides others: [UInt64] = [], holes: [Range<UInt64>]? = nil,
    in pages: UInt64 = 512
  ) -> RoomNeeded {
    let taken = others.reduce(0, +)
    return RoomNeeded(
      for: wanted, besides: others, holes: holes ?? [taken..<pages], in: pages, block: 512)
  }

  /// Whether all find a place in an area that begins there.
  private func fits(
    _ wanted: [RoomNeeded.Blocks], besides others: [UInt64] = [], _ area: Range<UInt64>
  ) -> Bool {
    var placement = Placement(holes: [area])
    for pages in others where placement.place(pages, order: usualOrder(of: pages)) == nil {
      return false
    }
    return wanted.allSatisfy {
      placement.place($0.pages, order: $0.order, times: $0.number) != nil
    }
  }

  @Test func areaIsLargeEnoughForTheBlocksOfOthersToo() throws {
    #expect(room(drivers).pages(obstacles: 0) == 4096)
    let pages = try #require(room(drivers, besides: [32]).pages(obstacles: 0))
    #expect(pages == 4608)
    for start in stride(from: UInt64(0), through: 8192, by: 512) {
      #expect(fits(drivers, besides: [32], start..<start + pages))
    }
  }

  @Test func areaMayBeginAnywhereWhateverTheAlignment() throws {
    // 20 MiB at 32 MiB, four times, and 127 MiB at 128 MiB: the kernel's own pages take the first such place
    // where the area begins at one.
    let sets: [[RoomNeeded.Blocks]] = [
      [.init(pages: 5120, order: 13, number: 4)], [.init(pages: 32512, order: 15)],
      [.init(pages: 1, order: 15), .init(pages: 25600, order: 8)],
    ]
    for wanted in sets {
      let pages = try #require(
        room(wanted, besides: [128], in: 32768).pages(obstacles: 0))
      for start in stride(from: UInt64(0), to: 32768, by: 512) {
        #expect(fits(wanted, besides: [128], start..<start + pages), "\(pages) from \(start)")
      }
    }
    let pages = room(sets[0], besides: [128], in: 32768).pages(obstacles: 0)
    #expect(pages == 148 << 8, "148 MiB")
  }

  @Test func blocksThatSomebodyHasWithHolesBetweenStayWhereTheyAre() throws {
    // Each second block of 512 pages is somebody's, all through the area.
    let others = [UInt64](repeating: 512, count: 32)
    var holes: [Range<UInt64>] = []
    for start in stride(from: UInt64(512), to: 32768, by: 1024) {
      holes.append(start..<start + 512)
    }
    let wanted = [RoomNeeded.Blocks(pages: 25600, order: 8)]
    let pages = try #require(
      room(wanted, besides: others, holes: holes, in: 32768).pages(obstacles: 0))
    #expect(pages == 32768 - 512 + 25600)
    let small = [RoomNeeded.Blocks(pages: 2048, order: 8, number: 2)]
    let more = try #require(
      room(small, besides: others, holes: holes, in: 32768).pages(obstacles: 0))
    #expect(more > 32768, "it does not fit now: a size that is there already is no advice")
  }

  @Test func onePinnedPageMayBeAnywhere() throws {
    let wanted = [RoomNeeded.Blocks(pages: 1000, order: 0)]
    let pages = try #require(room(wanted).pages(obstacles: 1))
    for page in 0..<pages {
      var placement = Placement(holes: [0..<page, page + 1..<pages])
      #expect(placement.place(1000, order: 0) != nil)
    }
    #expect(room(wanted).pages(obstacles: 9) == nil)
  }

  @Test(.timeLimit(.minutes(1))) func manyBlocksOfALargeAlignmentTakeNoTimeToSpeakOf() throws {
    let wanted = [RoomNeeded.Blocks(pages: 16, order: 18, number: 65536)]
    #expect(try #require(room(wanted).pages(obstacles: 0)) >= 65535 << 18)
  }
}
