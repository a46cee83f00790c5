// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import CMATestSystem

extension SimulatedKernel {
  func placePages(
    _ kind: UserPageKind, in area: UInt32, _ frames: Range<UInt64>, wanted: Int, seed: UInt64,
    isEnding: () -> Bool
  ) throws(PlacementFailure) -> any UserPages {
    locked {
      let area = areas.first { $0.frames == frames }
      let free = area?.used.indices.filter { area?.used[$0] == false }.suffix(min(wanted, 100))
      let pages = SimulatedPages((free ?? []).map { frames.lowerBound + UInt64($0) })
      places = [pages]
      return pages
    }
  }
}

/// Pages of a process in a simulated area.
final class SimulatedPages: UserPages {
  private var places: [UInt64]
  private var pinned: Int?
  private var wasPinned: Int?
  private var harmed: Int?

  init(_ places: [UInt64]) { self.places = places }

  func frames() throws(SystemFailure) -> [UInt64?] { places }
  func firstWrongPage() -> Int? { harmed }
  func pin(_ page: Int) throws(SystemFailure) { (pinned, wasPinned) = (page, page) }

  func unpin() throws(SystemFailure) -> Bool {
    pinned = nil
    return true
  }

  /// Where those are that the kernel cannot move.
  func stuckFrames(_ fault: Fault?) -> [UInt64] {
    switch fault {
    case .movesPinnedPages: []
    case .neverForgetsAPin: wasPinned.map { [places[$0]] } ?? []
    case .neverMoves: places
    default: pinned.map { [places[$0]] } ?? []
    }
  }

  func move(from frames: Range<UInt64>, harming: Bool) {
    for page in places.indices where frames.contains(places[page]) {
      if page != pinned { places[page] += 1 << 30 }
      if harming { harmed = page }
    }
  }
}
