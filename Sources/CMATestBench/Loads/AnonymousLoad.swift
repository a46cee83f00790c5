// SPDX-License-Identifier: GPL-2.0-or-later

/// Memory of a process, which fills what is movable and is kept in use.
///
/// Pages that a request has moved out of the area do not come back by themselves. So all the time some
/// pages of the area are given back and as many taken, and those too that others have left: the kernel
/// takes these from the area while more is free there than outside. That takes some milliseconds; a
/// request that comes sooner finds the place of the one before it empty.
struct AnonymousLoad {
  /// Pages that are given back and taken anew at a time.
  private static let turn = 512

  private let work: LoadWork
  private let filling: MemoryFilling

  var memory: HeldMemory { filling.memory }

  init(_ work: LoadWork) throws(LoadObstacle) {
    self.work = work
    filling = try MemoryFilling(work)
  }

  func run() throws(LoadObstacle) {
    try begin()
    while !work.isOver {
      try turnOver()
      work.pause(milliseconds: 1)
    }
  }

  /// Fills the memory, and tells that it is filled.
  func begin() throws(LoadObstacle) {
    try filling.fill(isFirst: true)
    makeSpare()
    if !work.isOver { work.loaded(held: UInt64(memory.count), inArea: memory.countInArea()) }
  }

  /// Takes what has become free, gives back as much elsewhere, and uses a part of it all.
  func turnOver() throws(LoadObstacle) {
    try filling.fill()
    try filling.yieldWhatOthersNeed()
    makeSpare()
    memory.touch(max(Self.turn, memory.count / 16))
  }

  private func makeSpare() {
    let spare = Int(clamping: work.settings.spare / UInt64(work.pageSize))
    if spare > 0 { memory.giveBack(min(spare, memory.count / 2), .outside) }
    let place: PagePlace = work.settings.area == nil ? .anywhere : .inside
    memory.giveBack(min(Self.turn, memory.count / 4), place)
  }
}
