// SPDX-License-Identifier: GPL-2.0-or-later

/// Memory of this process that fills what is outside the area, so that the pages of a small load come from
/// the area: the kernel takes them from there once more than half of what is free lies there.
struct Ballast {
  private let filling: MemoryFilling?

  /// Takes the memory; none where it is not known where the area is.
  init(_ work: LoadWork) throws(LoadObstacle) {
    guard work.settings.area != nil else {
      filling = nil
      return
    }
    let filling = try MemoryFilling(work)
    try filling.fill()
    let memory = filling.memory
    memory.giveBack(memory.count, .inside)
    memory.giveBack(Int(clamping: work.settings.spare / UInt64(work.pageSize)), .outside)
    self.filling = filling
  }

  /// Gives back what the kernel or others need more.
  func yieldWhatOthersNeed() throws(LoadObstacle) {
    try filling?.yieldWhatOthersNeed(mayEnd: false)
  }
}
