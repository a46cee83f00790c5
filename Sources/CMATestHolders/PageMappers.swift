// SPDX-License-Identifier: GPL-2.0-or-later

/// Finds which processes map the page frames of a range: a number for each frame, whatever the number of
/// processes.
///
/// The processes of a frame are a group; a group is one process more than another group, so that a page that
/// is shared by two hundred processes takes no more than another.
package struct PageMappers: Sendable {
  /// A group: the processes of another, and one more.
  private struct Group {
    var others: Int32
    var process: Int32
    var count: Int32
  }

  /// One group more, from another.
  private struct Step: Hashable {
    var from: Int32
    var process: Int32
  }

  package let frames: Range<UInt64>
  /// The group of each frame; 0 is that of no process.
  private var groupOf: [Int32]
  private var groups = [Group(others: 0, process: 0, count: 0)]
  private var steps: [Step: Int32] = [:]

  /// - Parameter frames: page frame numbers.
  package init(of frames: Range<UInt64>) {
    self.frames = frames
    groupOf = [Int32](repeating: 0, count: Int(clamping: frames.upperBound - frames.lowerBound))
  }

  /// Notes the pages of a process.
  ///
  /// - Parameters:
  ///   - process: its PID. All pages of one process are noted before those of the next.
  ///   - entries: as /proc/PID/pagemap has them.
  package mutating func note(_ process: Int32, _ entries: UnsafeBufferPointer<UInt64>) {
    let first = frames.lowerBound
    let count = UInt64(groupOf.count)
    // What the last frame of this process went from and to: mostly the same for the next.
    var last = (from: Int32(-1), to: Int32(0))
    // Moved out and back, not copied: the closure changes the groups, too.
    var numbers: [Int32] = []
    swap(&numbers, &groupOf)
    defer { swap(&numbers, &groupOf) }
    numbers.withUnsafeMutableBufferPointer { groupOf in
      for entry in entries where entry >> 63 == 1 {
        let index = (entry & (1 << 55 - 1)) &- first
        guard index < count else { continue }
        let group = groupOf[Int(index)]
        if group != last.from {
          let next = groups[Int(group)].process == process && group != 0 ? group : -1
          last = (group, next >= 0 ? next : self.group(group, with: process))
        }
        groupOf[Int(index)] = last.to
      }
    }
  }

  private mutating func group(_ others: Int32, with process: Int32) -> Int32 {
    let step = Step(from: others, process: process)
    if let known = steps[step] { return known }
    let group = Int32(groups.count)
    groups.append(
      Group(others: others, process: process, count: groups[Int(others)].count + 1))
    steps[step] = group
    return group
  }

  /// Returns the group of a frame of the range; 0 where no process maps the frame.
  package func group(of frame: UInt64) -> Int32 {
    frames.contains(frame) ? groupOf[Int(frame - frames.lowerBound)] : 0
  }

  /// Returns how many processes a group has.
  package func count(of group: Int32) -> Int { Int(groups[Int(group)].count) }

  /// Returns the processes of a group, the first that was noted first.
  ///
  /// - Parameters:
  ///   - group: as `group(of:)` returned it.
  ///   - most: the most that are returned.
  /// - Returns: PIDs.
  package func processes(of group: Int32, most: Int = .max) -> [Int32] {
    var processes: [Int32] = []
    var group = group
    while group != 0 {
      processes.append(groups[Int(group)].process)
      group = groups[Int(group)].others
    }
    return Array(processes.reversed().prefix(most))
  }
}
