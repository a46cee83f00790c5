// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestSystem
import Glibc
import TestSupport
import Testing

@testable import CMATestBench

@Suite struct LoadKindTests {
  @Test func eachLoadIsNamedByItsWord() {
    for word in ["none", "anon", "cache", "dirty", "pinned", "churn", "command:stress-ng --vm 1"] {
      #expect(LoadKind(parsing: word)?.word == word)
    }
    #expect(LoadKind(parsing: "command:a:b  c") == .command("a:b  c"))
    #expect(LoadKind.words.count == 7)
  }

  @Test(arguments: [
    "", "memory", "Anon", "anon ", "command", "command:", "command:  ", "command:a\0b",
  ])
  func unknownLoadIsRefused(_ word: String) {
    #expect(LoadKind(parsing: word) == nil)
  }
}

@Suite struct LoadFailureTests {
  @Test func eachFailureNamesTheLoadAndSaysWhatToDo() {
    let call = SystemFailure(.spawn, "/proc/self/exe", EAGAIN)
    let failures: [(LoadFailure, String)] = [
      (.notStarted(load: "anon", call), "posix_spawn of /proc/self/exe: Resource temporarily"),
      (.notLoaded(load: "anon", reason: "why", remedy: "what"), "did not load: why"),
      (.endedEarly(load: "anon", reason: "why", remedy: "what"), "ended early: why"),
      (.killed(load: "anon", signal: 9), "killed by signal 9, perhaps by the kernel"),
      (.killed(load: "anon", signal: 15), "killed by signal 15"),
      (.vanished(load: "anon", exitCode: 3), "exit code 3"),
      (.givenUp(load: "anon"), "not waited for"),
    ]
    for (failure, words) in failures {
      #expect(failure.message.contains("load 'anon'") && failure.message.contains(words))
      #expect(!failure.remedy.isEmpty && !failure.message.contains("\n"))
    }
  }

  @Test func eachObstacleSaysWhatIsInTheWay() {
    let obstacles: [(LoadObstacle, String, String)] = [
      (.noRoom(limit: "memory.max", bytes: 1 << 20), "memory.max leaves 1 MiB", "end other"),
      (
        .file(folder: "/x", SystemFailure(.pwrite, "/x", ENOSPC)),
        "pwrite of a file in /x: No space left on device", "free some space"
      ),
      (
        .file(folder: "/x", SystemFailure(.open, "/x", EROFS)),
        "open of a file in /x: Read-only file system", "choose a folder"
      ),
      (.notCached(folder: "/x"), "/x does not stay in the page cache", "choose a folder"),
      (.notWritten(folder: "/x"), "/x is not written to a disk", "choose a folder"),
      (.givenUp, "others need", "end other"),
      (.command("a\nb", end: "ended", last: ""), "the command 'a b' ended", "in a shell first"),
      (.call(SystemFailure(.mmap, "memory", ENOMEM)), "mmap on memory: Cannot", "ulimit"),
    ]
    for (obstacle, reason, remedy) in obstacles {
      #expect(obstacle.reason.contains(reason) && obstacle.remedy.contains(remedy))
    }
  }

  @Test func whatALoadReportsIsReadBack() {
    for report: LoadReport in [
      .loaded(held: 7, inArea: nil), .loaded(held: 7, inArea: 5),
      .failed(reason: "why", remedy: "what"),
    ] {
      #expect(LoadReport(String(report.line.dropLast())) == report)
    }
    // A tab of a user's command is not one of the line's.
    #expect(LoadReport.failed(reason: "a\tb\nc", remedy: "d").line == "failed\ta b c\td\n")
    for line in ["", "loaded", "loaded\t-1\t-", "failed\tx", "word\t1\t2"] {
      #expect(LoadReport(line) == nil)
    }
  }
}

@Suite struct LoadMemoryTests {
  @Test func areaIsReadBack() {
    #expect(LoadSettings.frames(parsing: "189440-254976") == 189440..<254976)
    for text in ["", "5", "5-5", "6-5", "-5", "a-b", "1-2-3"] {
      #expect(LoadSettings.frames(parsing: text) == nil)
    }
  }

  @Test func kernelsReserveIsTheSumOfItsZones() {
    let text = """
      Node 0, zone      DMA
        pages free     3840
              boost    0
              min      170
              low      212
              high     254
      Node 0, zone    DMA32
              low      11000
      """
    #expect(lowWatermarks(inZoneInformation: Array(text.utf8)) == 11212)
  }

  @Test func pagesOfTheAreaAreCountedByWhatALoadMakes() throws {
    let tree = try CopiedTree()
    // Outside; free; of a process; its shared memory; page cache; a driver's; page cache of a large folio's tail.
    let flags: [UInt64] = [
      1 << 12, 1 << 10, 1 << 12 | 1 << 5, 1 << 14 | 1 << 5, 1 << 5, 0, 1 << 22, 1 << 12,
    ]
    let bytes = flags.flatMap { flag in (0..<8).map { UInt8(truncatingIfNeeded: flag >> ($0 * 8)) }
    }
    let count = { (kind: LoadKind) in try filledPages(by: kind, in: 1..<7, on: tree.machine) }
    #expect(try count(.anon) == nil)
    try tree.write(bytes, to: "/proc/kpageflags")
    #expect(try count(.anon) == 1)
    #expect(try count(.pinned) == 1)
    #expect(try count(.cache) == 2)
    #expect(try count(.command("x")) == 4)
    #expect(try count(.none) == 4)
  }
}
