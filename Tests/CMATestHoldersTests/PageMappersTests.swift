// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestHolders
import CMATestMachine
import CMATestSystem
import Glibc
import Testing

@Suite struct PageMappersTests {
  /// An entry of /proc/PID/pagemap for a page in memory.
  private func entry(_ frame: UInt64) -> UInt64 { 1 << 63 | 1 << 61 | frame }

  private func mappers(_ pages: [(process: Int32, frames: [UInt64])]) -> PageMappers {
    var mappers = PageMappers(of: 1000..<2000)
    for (process, frames) in pages {
      frames.map(entry).withUnsafeBufferPointer { mappers.note(process, $0) }
    }
    return mappers
  }

  @Test func pageHasTheProcessesThatMapIt() {
    let mappers = mappers([(7, [999, 1000, 1999, 2000]), (8, [1000]), (9, [1000, 1500])])
    func processes(_ frame: UInt64) -> [Int32] {
      mappers.processes(of: mappers.group(of: frame))
    }
    #expect(processes(1000) == [7, 8, 9])
    #expect(processes(1999) == [7])
    #expect(processes(1500) == [9])
    #expect(processes(1501).isEmpty)
    // Other areas' frames are nobody's here.
    #expect(processes(999).isEmpty && processes(2000).isEmpty)
  }

  @Test func pageThatOneProcessMapsTwiceCountsOnce() {
    let mappers = mappers([(7, [1000, 1001, 1000]), (8, [1000, 1001, 1000])])
    #expect(mappers.processes(of: mappers.group(of: 1000)) == [7, 8])
    #expect(mappers.count(of: mappers.group(of: 1000)) == 2)
  }

  @Test func sharedPagesOfManyProcessesAreOneGroup() {
    let frames = Array<UInt64>(1000..<2000)
    let mappers = mappers((1...200).map { ($0, frames) })
    let group = mappers.group(of: 1000)
    #expect(frames.allSatisfy { mappers.group(of: $0) == group })
    #expect(mappers.count(of: group) == 200)
    #expect(mappers.processes(of: group, most: 3) == [1, 2, 3])
  }

  @Test func pageThatIsSwappedOutIsNobodys() {
    var mappers = PageMappers(of: 0..<10)
    [UInt64(1 << 62 | 5), 5].withUnsafeBufferPointer { mappers.note(7, $0) }
    #expect(mappers.group(of: 5) == 0)
  }

  @Test func memoryOfThisProcessIsFound() throws {
    let size = 64 << 12
    let memory = try #require(
      mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(memory, size) }
    memset(memory, 1, size)
    // Terabytes of nothing must cost nothing.
    let nothing = mmap(nil, 1 << 43, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    defer { munmap(nothing, 1 << 43) }
    let machine = Machine()
    var mappers = PageMappers(of: 0..<1 << 22)
    var reader = PagemapReader(on: machine, pageSize: machine.pageSize())
    let began = monotonicNanoseconds()
    reader.read(into: &mappers)
    #expect(monotonicNanoseconds() - began < 60_000_000_000)
    // Without root the kernel hides where pages are, and with another kernel's bound the machine is larger.
    guard geteuid() == 0 else { return }
    let own = (0..<UInt64(1 << 22)).contains { frame in
      mappers.processes(of: mappers.group(of: frame)).contains(getpid())
    }
    #expect(own)
  }
}
