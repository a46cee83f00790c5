// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestMachine
import CMATestSystem
import Glibc
import TestSupport
import Testing

@Suite struct AtomicFileTests {
  private let folder: TemporaryFolder
  private let path: String
  private let file: AtomicFile
  private let machine: Machine

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path + "/modprobe.d/x.conf"
    file = AtomicFile(path)
    machine = Machine(root: folder.path)
  }

  private func mode(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
  }

  @Test func makesItsFolderAndAFileThatOnlyTheOwnerReads() throws {
    try file.replace(with: Array("one\n".utf8), mode: 0o600)
    #expect(try contents(of: path) == Array("one\n".utf8))
    #expect(mode(path) == 0o600)
    #expect(mode(folder.path + "/modprobe.d") == 0o755)
    #expect(try machine.names(in: "/modprobe.d") == ["x.conf"])
  }

  @Test func replacesAnOlderFileWholeAndItsModeToo() throws {
    try file.replace(with: Array("a longer text than the next\n".utf8), mode: 0o644)
    try file.replace(with: Array("two\n".utf8), mode: 0o600)
    #expect(try contents(of: path) == Array("two\n".utf8))
    #expect(mode(path) == 0o600)
  }

  @Test(arguments: [
    (SystemCall.write, ENOSPC), (.openat, EACCES), (.openat, EROFS), (.fsync, EIO),
    (.renameat, EACCES), (.fchmod, EPERM), (.flock, ENOLCK), (.mkdir, EROFS),
  ])
  func keepsTheOlderFileWhenACallFails(_ call: SystemCall, _ code: CInt) throws {
    try file.replace(with: Array("old\n".utf8), mode: 0o600)
    #expect {
      try SystemCallFault.during(call, code: code) {
        try file.replace(with: Array("new\n".utf8), mode: 0o600)
      }
    } throws: { error in
      let failure = error as? SystemFailure
      return failure?.call == call && failure?.code == code
    }
    #expect(try contents(of: path) == Array("old\n".utf8))
    #expect(try machine.names(in: "/modprobe.d") == ["x.conf"])
  }

  @Test func takesOverFromAWriterThatWasKilled() throws {
    try file.replace(with: [], mode: 0o600)
    try AtomicFile(folder.path + "/modprobe.d/.x.conf.new").replace(with: [1], mode: 0o644)
    try file.replace(with: Array("two\n".utf8), mode: 0o600)
    #expect(try contents(of: path) == Array("two\n".utf8))
    #expect(try machine.names(in: "/modprobe.d") == ["x.conf"])
  }

  /// Any user may hold the lock of a folder that can be read.
  @Test(.timeLimit(.minutes(2))) func givesUpWhereAnotherHoldsTheLockForEver() throws {
    try file.replace(with: Array("old\n".utf8), mode: 0o600)
    let holder = open(folder.path + "/modprobe.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(holder) }
    try #require(flock(holder, LOCK_EX) == 0)
    #expect(throws: SystemFailure(.flock, folder.path + "/modprobe.d", EWOULDBLOCK)) {
      try file.replace(with: Array("new\n".utf8), mode: 0o600)
    }
    #expect(try contents(of: path) == Array("old\n".utf8))
  }

  @Test func doesNotFollowALinkLaidInItsWay() throws {
    try file.replace(with: [], mode: 0o600)
    let victim = folder.path + "/victim"
    try AtomicFile(victim).replace(with: Array("mine\n".utf8), mode: 0o600)
    #expect(symlink(victim, folder.path + "/modprobe.d/.x.conf.new") == 0)
    try file.replace(with: Array("two\n".utf8), mode: 0o600)
    #expect(try contents(of: victim) == Array("mine\n".utf8))
  }

  @Test func removesItselfAndIsContentWhenThereIsNothing() throws {
    try file.remove()
    try file.replace(with: [], mode: 0o600)
    try file.remove()
    try file.remove()
    #expect(try machine.names(in: "/modprobe.d") == [])
  }
}
