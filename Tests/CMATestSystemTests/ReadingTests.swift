// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestSystem
import Glibc
import TestSupport
import Testing

@Suite struct ReadingTests {
  @Test func readsAllOfProcKallsymsNotJustItsFirstPage() throws {
    // Foundation's readers stop after the first 4071 bytes here, in silence.
    var bytes = 0
    var lastByte: UInt8?
    try forEachPiece(of: "/proc/kallsyms") { piece in
      bytes += piece.count
      lastByte = piece.last ?? lastByte
    }
    #expect(bytes > 1 << 20)
    #expect(lastByte == UInt8(ascii: "\n"))
  }

  @Test func givesEveryByteOfAFileInOrder() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/file"
    let all = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try AtomicFile(path).replace(with: all, mode: 0o600)
    var read: [UInt8] = []
    try forEachPiece(of: path) { read += $0 }
    #expect(read == all)
    #expect(try contents(of: path) == all)
  }

  @Test func refusesAFileBeyondItsLimit() throws {
    #expect(throws: SystemFailure(.read, "/dev/zero", EFBIG)) {
      try contents(of: "/dev/zero", limit: 1 << 16)
    }
  }

  @Test func neverWaitsForAPipeInThePlaceOfAFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/pipe"
    try #require(mkfifo(path, 0o600) == 0)
    #expect(try contents(of: path) == [])
    // Somebody has it open, and writes nothing.
    let writer = open(path, O_RDWR | O_CLOEXEC)
    defer { close(writer) }
    #expect(throws: SystemFailure(.read, path, EAGAIN)) { try contents(of: path) }
  }

  @Test func readsNoFileWithoutEnd() {
    #expect(throws: SystemFailure(.read, "/dev/zero", EFBIG)) {
      try forEachPiece(of: "/dev/zero") { _ in }
    }
  }

  @Test func tellsWhichFileCouldNotBeOpened() {
    #expect(throws: SystemFailure(.open, "/nonexistent", ENOENT)) {
      try contents(of: "/nonexistent")
    }
  }

  @Test func tellsAReadThatFailsInTheMiddle() {
    #expect(throws: SystemFailure(.read, "/proc/kallsyms", EIO)) {
      try SystemCallFault.during(.read, code: EIO) {
        try forEachPiece(of: "/proc/kallsyms") { _ in }
      }
    }
  }
}

@Suite struct ChildProcessTests {
  @Test func givesOutputAndExitCode() throws {
    let result = try output(of: "/bin/sh", ["-c", "echo out; exit 3"])
    #expect(result.output == Array("out\n".utf8))
    #expect(result.exitCode == 3)
  }

  @Test func tellsTheSignalThatEndedIt() throws {
    #expect(try output(of: "/bin/sh", ["-c", "kill -9 $$"]).exitCode == 128 + SIGKILL)
  }

  @Test func tellsAProgramThatIsNotThere() {
    #expect(throws: SystemFailure(.spawn, "/nonexistent", ENOENT)) {
      try output(of: "/nonexistent", [])
    }
  }

  @Test func endsAProgramThatPrintsWithoutEnd() {
    #expect(throws: SystemFailure(.read, "/usr/bin/yes", EFBIG)) {
      try output(of: "/usr/bin/yes", [], limit: 1 << 16)
    }
  }
}

@Suite struct TimestampTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
    (951_868_799, "2000-02-29T23:59:59Z"), (951_868_800, "2000-03-01T00:00:00Z"),
    (1_709_164_800, "2024-02-29T00:00:00Z"), (1_735_689_599, "2024-12-31T23:59:59Z"),
    (1_795_347_291, "2026-11-22T11:34:51Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
  ])
  func saysTheTimeInUTC(_ seconds: Int, _ text: String) {
    #expect(utcTimestamp(seconds) == text)
  }

  @Test func agreesWithTheCLibraryOnEveryDayOfTwoCenturies() {
    for day in 0..<73_000 {
      var moment = day * 86400
      var parts = tm()
      gmtime_r(&moment, &parts)
      var bytes = [CChar](repeating: 0, count: 32)
      let count = strftime(&bytes, bytes.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
      let text = String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard utcTimestamp(moment) == text else {
        Issue.record("day \(day): \(utcTimestamp(moment))")
        return
      }
    }
  }
}
