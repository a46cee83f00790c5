// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Testing

@testable import CMATestSystem

@Suite struct HelperTests {
  @Test func saysALineAndIsKilled() throws {
    var helper = try BackgroundProcess("/bin/sh", ["-c", "echo ready; exec sleep 1000"])
    #expect(try helper.line() == "ready")
    #expect(try helper.kill())
    #expect(try !helper.kill())
  }

  @Test func lineOfOneThatHasEndedIsNone() throws {
    let helper = try BackgroundProcess("/bin/sh", ["-c", "printf half"])
    #expect(try helper.line() == nil)
  }

  @Test func doesNotInheritSignalsThatAreHeldBack() throws {
    let lines = try inThreads(1) { _ -> String? in
      _ = PendingSignal.hold()
      // It would not end by SIGTERM if that were blocked there, too.
      let helper = try? BackgroundProcess("/bin/sh", ["-c", "sh -c 'kill -TERM $$'; echo $?"])
      return try? helper?.line()
    }
    #expect(lines == ["143"])
  }

  @Test func parentThatEndedFirstIsSeen() throws {
    var ends: [CInt] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    #expect(!ParentProcess.isClosed(ends[0]))
    close(ends[1])
    #expect(ParentProcess.isClosed(ends[0]))
    // Nor does a program that somebody else started wait for a parent that never was.
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(null) }
    #expect(ParentProcess.isClosed(null))
  }

  @Test func helperSeesThatItsParentLives() throws {
    let helper = try BackgroundProcess("/bin/sh", ["-c", "timeout 0.3 cat; echo $?"])
    #expect(try helper.line() == "124")
  }

  @Test func tellsAProgramThatIsNotThere() {
    #expect(throws: SystemFailure(.spawn, "/nonexistent", ENOENT)) {
      _ = try BackgroundProcess("/nonexistent", [])
    }
  }
}

@Suite struct ChildRunnerTests {
  @Test func aSignalEndsTheProgramAndAllThatItStarted() throws {
    let clock = ContinuousClock()
    let begin = clock.now
    let results = try inThreads(1) { _ -> [CInt?] in
      blockOnly([])
      let runner = ChildRunner(holding: PendingSignal.hold())
      let before = try? runner.run("/bin/sh", ["-c", "exit 3"], untilSignal: true)
      pthread_kill(pthread_self(), SIGTERM)
      // Its own child would keep the shell waiting.
      let ended = try? runner.run("/bin/sh", ["-c", "sleep 1000; true"], untilSignal: true)
      let toItsEnd = try? runner.run("/bin/sh", ["-c", "sleep 0.1; exit 4"], untilSignal: false)
      return [before, ended, toItsEnd, runner.signal?.rawValue]
    }
    #expect(results == [[3, 143, 4, SIGTERM]])
    #expect(clock.now - begin < .seconds(60))
  }

  @Test func tellsAProgramThatIsNotThere() throws {
    let failures = try inThreads(1) { _ -> SystemFailure? in
      do throws(SystemFailure) {
        _ = try ChildRunner(holding: PendingSignal.hold())
          .run("/nonexistent", [], untilSignal: true)
        return nil
      } catch {
        return error
      }
    }
    #expect(failures == [SystemFailure(.spawn, "/nonexistent", ENOENT)])
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

  @Test func writesToAFileAtAnOffset() throws {
    let file = try Descriptor.unnamedFile(in: "/tmp", byteCount: size)
    let bytes: [UInt8] = [1, 2, 3]
    try bytes.withUnsafeBytes { try file.write($0, at: size - 3) }
    let mapping = try Mapping(of: file, byteCount: size)
    #expect(mapping.bytes.suffix(4).elementsEqual([0, 1, 2, 3]))
  }

  @Test func fileHasNoNameAndKeepsWhatIsWritten() throws {
    let file = try Descriptor.unnamedFile(in: "/tmp", byteCount: size)
    try [UInt8(0)].withUnsafeBytes { try file.write($0, at: size - 1) }
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
