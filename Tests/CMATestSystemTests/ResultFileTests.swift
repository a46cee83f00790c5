// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestSystem
import Glibc
import TestSupport
import Testing

@Suite struct ResultFileTests {
  private func text(of path: String) throws -> String {
    String(decoding: try contents(of: path), as: UTF8.self)
  }

  @Test func fileIsReplacedAsAWhole() throws {
    let folder = try TemporaryFolder()
    let file = try ResultFile(folder.path + "/new/result.json")
    #expect(file.isReplaced)
    try file.write("a long first text\n")
    try file.write("second\n")
    #expect(try text(of: folder.path + "/new/result.json") == "second\n")
  }

  @Test func linkStaysALink() throws {
    let folder = try TemporaryFolder()
    let target = folder.path + "/target"
    let link = folder.path + "/link"
    try ResultFile(target).write("old\n")
    #expect(symlink("target", link) == 0)
    try ResultFile(link).write("new\n")
    var status = stat()
    #expect(lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    #expect(try text(of: target) == "new\n")
  }

  @Test func deviceIsWrittenToAndStaysADevice() throws {
    let file = try ResultFile("/dev/null")
    #expect(!file.isReplaced)
    try file.write("text\n")
    var status = stat()
    #expect(lstat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test func fullDiskIsAnError() throws {
    #expect {
      try ResultFile("/dev/full").write("text\n")
    } throws: {
      ($0 as? SystemFailure)?.code == ENOSPC
    }
  }

  @Test func pipeWithoutAReaderIsAnErrorAndNoWait() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.path + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect {
      try ResultFile(pipe).write("text\n")
    } throws: {
      ($0 as? SystemFailure)?.code == ENXIO
    }
  }

  @Test func folderIsAnError() throws {
    let folder = try TemporaryFolder()
    #expect(throws: SystemFailure.self) { try ResultFile(folder.path).write("text\n") }
  }
}

@Suite struct InterruptedThreadsTests {
  @Test func callsOfThreadsEndWhenThereIsAReason() throws {
    var asked = 0
    let began = monotonicNanoseconds()
    let codes = try inThreads(
      3,
      interruptedWhen: { _ in
        asked += 1
        return asked > 2
      },
      { _ in usleep(60_000_000) == 0 ? 0 : errno })
    #expect(codes == [EINTR, EINTR, EINTR])
    #expect(monotonicNanoseconds() - began < 20_000_000_000)
  }

  @Test func oneThatEndsCanEndTheOthers() throws {
    let codes = try inThreads(
      3, interruptedWhen: { $0.contains(7) },
      { number in number == 1 ? 7 : usleep(60_000_000) == 0 ? 0 : errno })
    #expect(codes == [EINTR, 7, EINTR])
  }
}
