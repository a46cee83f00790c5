// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestSystem
import Glibc
import TestSupport
import Testing

@Suite struct ProcessLockTests {
  @Test func anotherProcessIsToldWhoHasIt() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/lock"
    // A record lock is the process's own, so a second one has to ask. util-linux has a tool only for
    // flock(2): python3 is not everywhere, perl is essential on Debian.
    guard case .taken(let lock) = try ProcessLock.take(path) else {
      Issue.record("somebody else has \(path)")
      return
    }
    let ask = """
      use Fcntl; open(my $f, '+<', '\(path)') or die; \
      my $l = pack('s s l! l! i x4', F_WRLCK, 0, 0, 0, 0); fcntl($f, F_GETLK, $l) or die; \
      my ($type, $whence, $start, $length, $pid) = unpack('s s x4 l! l! i', $l); \
      print $type == F_UNLCK ? 'free' : 'held';
      """
    func asked() throws -> String {
      let (bytes, code) = try output(of: "/usr/bin/perl", ["-e", ask])
      #expect(code == 0)
      return String(decoding: bytes, as: UTF8.self)
    }
    #expect(try asked() == "held")
    withExtendedLifetime(lock) {}
  }

  @Test func linkIsNotFollowed() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/lock"
    #expect(symlink("/etc/passwd", path) == 0)
    #expect(throws: SystemFailure(.open, path, ELOOP)) { _ = try ProcessLock.take(path) }
  }
}
