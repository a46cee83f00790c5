// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestSystem
import Glibc
import Testing

@Suite struct HelperTests {
  @Test func saysALineAndIsKilled() throws {
    var helper = try Helper("/bin/sh", ["-c", "echo ready; exec sleep 1000"])
    #expect(try helper.line() == "ready")
    #expect(try helper.kill())
    #expect(try !helper.kill())
  }

  @Test func lineOfOneThatHasEndedIsNone() throws {
    let helper = try Helper("/bin/sh", ["-c", "printf half"])
    #expect(try helper.line() == nil)
  }

  @Test func doesNotInheritSignalsThatAreHeldBack() throws {
    let lines = try inThreads(1) { _ -> String? in
      _ = PendingSignal.hold()
      // It would not end by SIGTERM if that were blocked there, too.
      let helper = try? Helper("/bin/sh", ["-c", "sh -c 'kill -TERM $$'; echo $?"])
      return try? helper?.line()
    }
    #expect(lines == ["143"])
  }

  @Test func tellsAProgramThatIsNotThere() {
    #expect(throws: SystemFailure(.spawn, "/nonexistent", ENOENT)) {
      _ = try Helper("/nonexistent", [])
    }
  }
}

@Suite struct ThreadTests {
  @Test func eachThreadHasItsNumberAndItsResult() throws {
    #expect(
      try inThreads(2 * processorCount()) { $0 * $0 }
        == (0..<2 * processorCount()).map { $0 * $0 })
    #expect(try inThreads(0) { $0 } == [])
  }

  @Test func signalThatIsHeldBackIsSeenAndStays() throws {
    let seen = try inThreads(1) { _ -> [PendingSignal?] in
      blockOnly([])
      signal(SIGINT, SIG_DFL)
      let signals = PendingSignal.hold()
      let before = signals.pending
      // To this thread alone, with which it goes.
      pthread_kill(pthread_self(), SIGINT)
      return [before, signals.pending, signals.pending]
    }
    #expect(seen == [[nil, .interrupt, .interrupt]])
  }

  @Test func signalThatIsIgnoredIsNotSeen() throws {
    // Of the whole process: no other test here sends or awaits this one.
    signal(SIGHUP, SIG_IGN)
    defer { signal(SIGHUP, SIG_DFL) }
    let seen = try inThreads(1) { _ -> [PendingSignal?] in
      blockOnly([])
      let signals = PendingSignal.hold()
      pthread_kill(pthread_self(), SIGHUP)
      let before = signals.pending
      pthread_kill(pthread_self(), SIGTERM)
      return [before, signals.pending]
    }
    #expect(seen == [[nil, .terminate]])
  }

  @Test func signalThatTheParentHasBlockedIsNotSeen() throws {
    let seen = try inThreads(1) { _ -> [PendingSignal?] in
      blockOnly([SIGTERM])
      signal(SIGINT, SIG_DFL)
      let signals = PendingSignal.hold()
      pthread_kill(pthread_self(), SIGTERM)
      let before = signals.pending
      pthread_kill(pthread_self(), SIGINT)
      return [before, signals.pending]
    }
    #expect(seen == [[nil, .interrupt]])
  }
}

@Suite struct MappingTests {
  private let size = 8 * Int(sysconf(CInt(_SC_PAGESIZE)))

  @Test func forgottenPagesAreZeroAgainAndOthersStay() throws {
    let mapping = try Mapping(anonymous: size)
    for index in 0..<size { mapping.bytes[index] = 7 }
    mapping.forget(size / 4..<size / 2)
    #expect(mapping.bytes[size / 4 - 1] == 7 && mapping.bytes[size / 4] == 0)
    #expect(mapping.bytes[size / 2 - 1] == 0 && mapping.bytes[size / 2] == 7)
  }

  @Test func fileHasNoNameAndKeepsWhatIsWritten() throws {
    let file = try Descriptor.unnamedFile(in: "/tmp", byteCount: size)
    let one = try Mapping(of: file, byteCount: size)
    let other = try Mapping(of: file, byteCount: size)
    one.bytes[size - 1] = 9
    #expect(other.bytes[size - 1] == 9)
  }

  @Test func tellsAFolderThatIsNotThere() {
    #expect(throws: SystemFailure(.open, "/nonexistent", ENOENT)) {
      _ = try Descriptor.unnamedFile(in: "/nonexistent", byteCount: 1)
    }
  }
}

/// Swift's own threads, which the tests run in, have all signals blocked, and those made by them too.
private func blockOnly(_ signals: [CInt]) {
  var blocked = sigset_t()
  sigemptyset(&blocked)
  for signal in signals { sigaddset(&blocked, signal) }
  pthread_sigmask(SIG_SETMASK, &blocked, nil)
}
