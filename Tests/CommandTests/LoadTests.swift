// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestSystem
import Foundation
import TestSupport
import Testing

private let program = Program("cma-test").path
/// Whether file systems can be mounted where no other process sees them.
private let canMount: Bool =
  (try? output(of: "/usr/bin/unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]))?.exitCode
  == 0

/// A command of the shell that runs a load with a file system of its own.
private func mounting(_ options: String, _ folder: String) -> String {
  "exec unshare -m sh -c 'mount -t tmpfs \(options) none \(folder); $load' \"$0\" \"$@\""
}

/// Starts loads, none of which has more than a few MiB: this machine is not for that.
///
/// - Parameters:
///   - folder: the folder for files.
///   - shell: runs the load by a command of the shell, in which `$load` stands for that.
/// - Returns: the starter.
private func starter(in folder: String, by shell: String = "$load") -> LoadStarter {
  let command = shell.replacingOccurrences(of: "$load", with: "exec \"$0\" load \"$@\"")
  return LoadStarter(
    child: ["/bin/sh", "-c", command, program], folder: folder, most: 8 << 20)
}

/// Starts a load that must fail.
private func failure(_ kind: LoadKind, in folder: String, by shell: String = "$load") -> String? {
  do throws(LoadFailure) {
    let load = try starter(in: folder, by: shell).start(kind, ending: { false })
    load.stop()
    return nil
  } catch {
    return error.message
  }
}

/// Waits until something is so, for a minute at most.
private func becomes(_ condition: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<3000 {
    if try condition() { return true }
    usleep(20_000)
  }
  return false
}

private func isThere(_ process: Int32) -> Bool { kill(process, 0) == 0 }

private func processes(in file: String) -> [Int32] {
  ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(separator: "\n")
    .compactMap { Int32($0) }
}

/// Folders of a machine: this one's for temporary files may be on tmpfs, where no page cache is.
private let isOnDisk: Bool = {
  guard let load = try? starter(in: "/var/tmp").start(.cache, ending: { false }) else {
    return false
  }
  load.stop()
  return true
}()

@Suite struct LoadTests {
  @Test(arguments: [LoadKind.none, .anon, .pinned, .churn, .command("sleep 1000")])
  func runsUntilItIsStopped(_ kind: LoadKind) throws {
    let load = try starter(in: "/var/tmp").start(kind, ending: { false })
    usleep(200_000)
    try load.check()
    load.stop()
    load.stop()
  }

  @Test(.enabled(if: isOnDisk, "/var/tmp is on no disk"), arguments: [LoadKind.cache, .dirty])
  func ofFilesRunsUntilItIsStopped(_ kind: LoadKind) throws {
    let load = try starter(in: "/var/tmp").start(kind, ending: { false })
    usleep(200_000)
    try load.check()
    load.stop()
  }

  @Test func isNotWaitedForByWhoIsToEnd() {
    #expect(throws: LoadFailure.givenUp(load: "anon")) {
      _ = try starter(in: "/var/tmp").start(.anon, ending: { true })
    }
  }

  @Test(arguments: [LoadKind.anon, .pinned, .churn, .command("sleep 1000")])
  func endsWithItsParentEvenIfThatIsKilled(_ kind: LoadKind) throws {
    let words = ["-c", "\"$0\" load --most=8000000 -- \"$1\" & echo $!; wait", program, kind.word]
    var parent = try BackgroundProcess("/bin/sh", words)
    let load = try #require(try parent.line().flatMap { Int32($0) })
    #expect(try parent.line()?.hasPrefix("loaded") == true)
    #expect(isThere(load))
    #expect(try parent.kill())
    #expect(becomes { !isThere(load) })
  }

  @Test func thatIsKilledIsTold() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/process"
    let load = try starter(in: "/var/tmp", by: "echo $$ >\(file); $load").start(
      .anon, ending: { false })
    kill(try #require(processes(in: file).first), SIGKILL)
    var seen: LoadFailure?
    #expect(
      becomes {
        do throws(LoadFailure) { try load.check() } catch { seen = error }
        return seen != nil
      })
    #expect(seen == .killed(load: "anon", signal: SIGKILL))
    load.stop()
  }

  @Test func isTheFirstThatTheKernelEnds() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/process"
    let load = try starter(in: "/var/tmp", by: "echo $$ >\(file); $load").start(
      .anon, ending: { false })
    let process = try #require(processes(in: file).first)
    let badness = try String(
      contentsOfFile: "/proc/\(process)/oom_score_adj", encoding: .utf8)
    #expect(badness == "1000\n")
    load.stop()
    #expect(!isThere(process))
  }

  @Test func programThatIsNotThereIsNamed() {
    #expect(
      throws: LoadFailure.notStarted(load: "anon", SystemFailure(.spawn, "/nonexistent", ENOENT))
    ) {
      _ = try LoadStarter(child: ["/nonexistent"], folder: "/var/tmp").start(
        .anon, ending: { false })
    }
  }
}

@Suite struct LoadFolderTests {
  @Test(arguments: [LoadKind.cache, .dirty])
  func folderThatIsNotThereIsNamed(_ kind: LoadKind) {
    let message = failure(kind, in: "/nonexistent")
    #expect(message?.contains("open of a file in /nonexistent: No such file or directory") == true)
  }

  @Test(
    .enabled(if: canMount, "no file system can be mounted"), arguments: [LoadKind.cache, .dirty])
  func folderThatCannotBeWrittenIsNamed(_ kind: LoadKind) throws {
    let folder = try TemporaryFolder()
    let message = failure(kind, in: folder.path, by: mounting("-r", folder.path))
    #expect(message?.contains("open of a file in \(folder.path): Read-only file system") == true)
  }

  @Test(.enabled(if: canMount, "no file system can be mounted"))
  func fullDiskIsNamed() throws {
    let folder = try TemporaryFolder()
    let message = failure(.dirty, in: folder.path, by: mounting("-o size=1M", folder.path))
    #expect(message?.contains("in \(folder.path): No space left on device") == true)
  }

  @Test(
    .enabled(if: canMount, "no file system can be mounted"), arguments: [LoadKind.cache, .dirty])
  func folderInMemoryIsRefused(_ kind: LoadKind) throws {
    let folder = try TemporaryFolder()
    let message = failure(kind, in: folder.path, by: mounting("-o size=64M", folder.path))
    #expect(message?.contains("as on tmpfs") == true)
  }

  @Test(arguments: [LoadKind.cache, .dirty])
  func limitOnFilesIsAnErrorAndNoSignal(_ kind: LoadKind) {
    let message = failure(kind, in: "/var/tmp", by: "ulimit -f 1; $load")
    #expect(message?.contains("of a file in /var/tmp: File too large") == true)
  }
}

@Suite struct LoadCommandTests {
  @Test func commandThatFailsIsToldWithWhatItSaidLast() {
    let message = failure(.command("echo one; echo two >&2; exit 3"), in: "/var/tmp")
    #expect(message?.contains("did not load: the command 'echo one") == true)
    #expect(message?.hasSuffix("ended with exit code 3: two") == true)
  }

  @Test(arguments: ["true", "sleep 1"])
  func commandThatEndsBeforeTheMeasurementIsTold(_ command: String) throws {
    let load = try starter(in: "/var/tmp").start(.command(command), ending: { false })
    var seen: String?
    #expect(
      becomes {
        do throws(LoadFailure) { try load.check() } catch { seen = error.message }
        return seen != nil
      })
    #expect(seen?.contains("ended early: the command '\(command)' ended with exit code 0") == true)
    load.stop()
  }

  @Test func commandEndsWithAllThatItHasStarted() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/processes"
    // One in its group, one in another session, and one of a shell that has gone.
    let command = """
      sleep 1000 & echo $! >>\(file)
      setsid sh -c 'echo $$ >>\(file); exec sleep 1000' &
      (setsid sh -c 'sleep 1000 & echo $! >>\(file)' &)
      trap '' TERM
      while :; do sleep 0.1; done
      """
    let load = try starter(in: "/var/tmp").start(.command(command), ending: { false })
    #expect(becomes { processes(in: file).count == 3 })
    #expect(processes(in: file).allSatisfy(isThere))
    load.stop()
    #expect(processes(in: file).allSatisfy { !isThere($0) })
  }

  @Test func commandEndsWithAllThatItHasStartedWhenItsParentIsKilled() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/processes"
    let command = "command:setsid sh -c 'echo $$ >\(file); exec sleep 1000' & wait"
    let words = ["-c", "\"$0\" load -- \"$1\" & echo $!; wait", program, command]
    var parent = try BackgroundProcess("/bin/sh", words)
    #expect(try parent.line() != nil)
    #expect(becomes { processes(in: file).count == 1 })
    #expect(try parent.kill())
    #expect(becomes { processes(in: file).allSatisfy { !isThere($0) } })
  }

  @Test func helperOfMeasurementsIsNotShown() throws {
    #expect(try !Program("cma-test").run("--help").output.contains("Load the machine"))
    #expect(try Program("cma-test").run("load", "nothing").exitCode == 64)
  }
}
