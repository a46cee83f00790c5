// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice
internal import CMATestMachine
internal import CMATestSystem
internal import Glibc

/// Memory of this process that is taken and given back page by page.
final class HeldMemory {
  /// The pages that are taken or given back at once.
  private static let step = 1024

  private let mapping: Mapping
  private let pageSize: Int
  private let frames: PageFrames?
  private let area: Range<UInt64>?
  /// Whether each page of the mapping is held.
  private var isHeld: [Bool]
  /// The numbers of those that are not held; the next one to take is the last.
  private var others: [Int32]
  /// Where the next search for pages to give back begins.
  private var cursor = 0
  /// Where the next use of pages begins.
  private var touched = 0

  /// Maps memory without taking any of it.
  ///
  /// - Parameters:
  ///   - byteCount: the most that can be taken.
  ///   - pageSize: the bytes of a page.
  ///   - area: page frame numbers of the area; nil where they are not known.
  /// - Throws: where no memory can be mapped.
  init(byteCount: UInt64, pageSize: Int, area: Range<UInt64>?) throws(LoadObstacle) {
    let count = Int(clamping: min(byteCount / UInt64(pageSize), UInt64(Int32.max)))
    do throws(SystemFailure) {
      mapping = try Mapping(anonymous: max(1, count) * pageSize)
      // A process that is forked, of which there may be many, has nothing of this.
      try mapping.keepFromChildren()
    } catch {
      throw .call(error)
    }
    self.pageSize = pageSize
    self.area = area
    frames = try? PageFrames(pageSize: pageSize)
    isHeld = [Bool](repeating: false, count: count)
    others = (0..<Int32(count)).reversed()
  }

  /// Pages that are held now.
  var count: Int { isHeld.count - others.count }

  /// Whether nothing more can be taken.
  var isFull: Bool { others.isEmpty }

  /// Takes pages, by writing to each.
  func take(_ pages: Int) {
    for _ in 0..<min(pages, others.count) {
      guard let page = others.popLast() else { return }
      isHeld[Int(page)] = true
      // Another number in each page: the same in all would be merged where KSM is told to.
      address(Int(page)).storeBytes(of: UInt64(page) + 1, as: UInt64.self)
    }
  }

  /// Gives pages back, those first that lie where they are asked for.
  ///
  /// - Parameters:
  ///   - wanted: how many.
  ///   - place: where the pages lie; where it is not known where pages lie, any will do outside the area,
  ///     and none in it.
  /// - Returns: how many were given back.
  @discardableResult
  func giveBack(_ wanted: Int, _ place: PagePlace) -> Int {
    var done = 0
    var seen = 0
    while done < wanted, seen < isHeld.count {
      let first = cursor
      let end = min(isHeld.count, first + Self.step)
      for page in chosen(first..<end, place).prefix(wanted - done) {
        drop(page)
        done += 1
      }
      seen += end - first
      cursor = end == isHeld.count ? 0 : end
    }
    return done
  }

  /// Uses some pages, so that the kernel takes them for pages in use; each time the next ones.
  func touch(_ pages: Int) {
    guard !isHeld.isEmpty else { return }
    for _ in 0..<min(pages, isHeld.count) {
      touched = touched + 1 < isHeld.count ? touched + 1 : 0
      guard isHeld[touched] else { continue }
      let word = address(touched)
      word.storeBytes(of: word.load(as: UInt64.self) &+ 1, as: UInt64.self)
    }
  }

  /// Finds some pages that lie in the area, one in a stretch at most.
  ///
  /// - Parameters:
  ///   - stretch: pages.
  ///   - share: one stretch of so many has a page; which ones is another choice each time.
  ///   - most: the most pages.
  /// - Returns: their addresses.
  func scattered(_ stretch: Int, share: Int, most: Int) -> [UnsafeMutableRawPointer] {
    var found: [UnsafeMutableRawPointer] = []
    var start = 0
    while start < isHeld.count, found.count < most {
      let end = min(isHeld.count, start + stretch)
      if Int.random(in: 0..<share) == 0 {
        let pages = area == nil ? (start..<end).filter { isHeld[$0] } : chosen(start..<end, .inside)
        if let page = pages.randomElement() { found.append(address(page)) }
      }
      start = end
    }
    return found
  }

  /// Pages that are held and lie in the area; nil where it is not known where pages lie.
  func countInArea() -> UInt64? {
    guard area != nil, frames != nil else { return nil }
    var count: UInt64 = 0
    var start = 0
    while start < isHeld.count {
      let end = min(isHeld.count, start + Self.step)
      count += UInt64(chosen(start..<end, .inside).count)
      start = end
    }
    return count
  }

  private func chosen(_ pages: Range<Int>, _ place: PagePlace) -> [Int] {
    let held = pages.filter { isHeld[$0] }
    if place == .anywhere { return held }
    guard let area, !held.isEmpty,
      let places = try? frames?.frames(
        of: UnsafeMutableRawBufferPointer(
          rebasing: mapping.bytes[pages.lowerBound * pageSize..<pages.upperBound * pageSize]))
    else { return place == .outside ? held : [] }
    return held.filter { page in
      // What is on its way from one place to another, or not to be seen, is taken to be outside.
      let isInside = places[page - pages.lowerBound].map { area.contains($0) } ?? false
      return isInside == (place == .inside)
    }
  }

  private func drop(_ page: Int) {
    guard madvise(address(page), pageSize, MADV_DONTNEED) == 0 else { return }
    isHeld[page] = false
    others.append(Int32(page))
  }

  private func address(_ page: Int) -> UnsafeMutableRawPointer { mapping.base + page * pageSize }
}

/// Where a page lies.
enum PagePlace {
  case inside, outside, anywhere
}
