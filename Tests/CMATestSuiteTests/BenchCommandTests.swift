// SPDX-License-Identifier: GPL-2.0-or-later

import ArgumentParser
import CMATestBench
import CMATestCore
import CMATestDevice
import CMATestSuite
import CMATestSystem
import Glibc
import TestSupport
import Testing

@testable import cma_test

/// `cma-test bench` on a simulated kernel, whose times are known.
@Suite struct BenchCommandTests {
  private func bench(_ arguments: [String] = [], on host: FakeHost) throws -> CommandOutcome {
    try outcome(of: ["bench", "--seed", "5"] + arguments, on: host)
  }

  private func result(
    _ arguments: [String] = [], on host: FakeHost, keepsTimes: Bool = true
  ) throws -> ResultSummary {
    let told = try bench(["--format", "json"] + arguments, on: host)
    return try ResultSummary(reading: Array(told.output.utf8), name: "out", keepsTimes: keepsTimes)
  }

  @Test func everyCombinationIsMeasuredInEveryRound() throws {
    let host = try FakeHost()
    let read = try result(
      [
        "--size", "1p,64K", "--align", "1p,16K", "--threads", "1,2", "--rounds", "3", "--count",
        "20",
      ],
      on: host)
    #expect(read.isComplete && read.cells.count == 8)
    #expect(Set(read.cells.map(\.settings)).count == 8)
    #expect(read.cells.allSatisfy { $0.rounds.count == 3 && $0.allocated == 60 && $0.failed == 0 })
    #expect(Set(read.cells.map(\.settings.pages)) == [1, 16])
    #expect(Set(read.cells.map(\.settings.order)) == [0, 2])
    #expect(host.kernel.usedPages == 0)
    #expect(host.steps == ["lock", "load", "open", "unload"])
  }

  @Test func tellsWhatAUserAsksOfEachCell() throws {
    let told = try bench(["--size", "16p", "--count", "10"], on: FakeHost())
    #expect(told.code == 0)
    #expect(
      told.output.contains("area simulated, 2048 pages of 4096 bytes, 2048 of them free; seed 5"))
    #expect(told.output.contains("\n16 pages\n  90 requests in 9 rounds, none failed\n"))
    #expect(told.output.contains("                p50      p90      p99    p99.9      max\n"))
    #expect(told.output.contains("\n  95 % intervals over rounds: p50 "))
    #expect(told.output.contains("\n  for each request: 0.00 busy retries, 0.00 pages migrated\n"))
  }

  @Test func warmUpDoesNotCount() throws {
    let host = try FakeHost()
    host.kernel.measuredDelays = { $0 % 15 < 5 ? 1_000_000_000 : 0 }
    let cell = try result(
      ["--size", "1p", "--rounds", "4", "--count", "10", "--warm-up", "5"], on: host
    ).cells[0]
    let times = try #require(cell.times)
    #expect(cell.allocated == 40 && times.allocations.largest < 1_000_000)
  }

  @Test func failuresAreCountedWithTheirCause() throws {
    let full = SimulatedKernel(areas: [
      SimulatedArea("reserved", base: 0x4_0000, pages: 64, others: [0..<40])
    ])
    let told = try bench(["--size", "1p,32p,128p", "--count", "10"], on: FakeHost(full))
    #expect(
      told.output.contains(
        "\n32 pages\n  90 requests in 9 rounds, 90 failed (100.0 %: 90 found no hole)\n"))
    #expect(
      told.output.contains(
        "\n128 pages\n  90 requests in 9 rounds, 90 failed (100.0 %: larger than the area)\n"))
    #expect(told.output.contains("\n1 page\n  90 requests in 9 rounds, none failed\n"))
    #expect(told.errors.contains("128 pages are more than the area has, 64: such a request fails"))
  }

  @Test func stopsAtTheFirstAllocationThatIsSlower() throws {
    let host = try FakeHost()
    host.kernel.measuredDelays = { $0 == 33 ? 60_000_000 : 0 }
    let arguments = [
      "--size", "1p", "--rounds", "4", "--count", "10", "--warm-up", "0", "--stop-above", "50ms",
    ]
    let told = try bench(arguments, on: host)
    #expect(told.code == CommandStatus.failed.rawValue)
    #expect(
      told.output.contains(
        "an allocation took 60.0 ms: 1 page, round 4; 3 busy retries, 40 pages migrated; "
          + "the last page in its way is anonymous memory now\n"))
    host.kernel.measuredAllocations = 0
    let read = try result(arguments, on: host)
    #expect(!read.isComplete && read.cells[0].rounds.map(\.allocated) == [10, 10, 10, 4])
  }

  @Test func timeIsSharedByAllRounds() throws {
    let host = try FakeHost()
    let read = try result(["--size", "1p,2p", "--duration", "180ms", "--warm-up", "0"], on: host)
    let counts = read.cells.flatMap { $0.rounds.map(\.allocated) }
    #expect(counts.count == 18 && counts.allSatisfy { $0 > 500 && $0 < 10_000 })
  }

  @Test func signalLeavesAValidPart() throws {
    let host = try FakeHost()
    let folder = try TemporaryFolder()
    let file = folder.path + "/result.json"
    let recorded = RecordedOutput()
    let command = try #require(
      CMATest.parseAsRoot(["bench", "--seed", "5", "--output", file]) as? Bench)
    let kernel = host.kernel
    let ending = Ending(
      deadline: nil, now: { 0 },
      signal: { kernel.measuredAllocations > 300 ? "SIGINT" : nil })
    do {
      try command.run(
        printing: recorded.output(),
        in: DeviceSession(host: host, ending: ending, warn: { _ in }))
      Issue.record("the command succeeded")
    } catch {
      #expect(CMATest.exitCode(for: error).rawValue == CommandStatus.interrupted.rawValue)
    }
    #expect(recorded.text.contains("ended by SIGINT: this is a part of the measurement"))
    let read = try ResultSummary(reading: contents(of: file), name: file)
    #expect(!read.isComplete && read.cells.contains { $0.allocated > 0 })
    #expect(host.kernel.usedPages == 0 && host.steps.last == "unload")
  }

  @Test func refusalOfTheModuleIsToldWithWhatToDo() throws {
    let host = try FakeHost()
    host.kernel.refusedMeasurement = DeviceFailure("measure: 1 page", ENOSPC)
    let told = try bench(["--format", "json"], on: host)
    #expect(told.code == CommandStatus.deviceRefused.rawValue)
    #expect(told.output.contains("ask for smaller blocks, fewer threads or a smaller '--hold'"))
    #expect(host.steps.last == "unload")
  }

  @Test func areaThatWasNotActivatedIsNotMeasured() throws {
    let host = try FakeHost(
      SimulatedKernel(areas: [SimulatedArea("reserved", base: 0x4_0000, pages: 0)]))
    #expect(try bench(on: host).code == CommandStatus.deviceRefused.rawValue)
    #expect(host.kernel.givenPages == 0)
  }

  @Test func fileThatCannotBeWrittenIsToldBeforeTheMeasurement() throws {
    let host = try FakeHost()
    let told = try bench(["--output", "/proc/no/such/file"], on: host)
    #expect(told.code == CommandStatus.cannotWrite.rawValue && told.output.isEmpty)
    #expect(host.kernel.givenPages == 0)
  }

  @Test func directoryIsNoFileAndIsToldBeforeTheMeasurement() throws {
    let folder = try TemporaryFolder()
    let host = try FakeHost()
    let told = try bench(["--output", folder.path], on: host)
    #expect(told.code == CommandStatus.cannotWrite.rawValue && told.output.isEmpty)
    #expect(host.kernel.givenPages == 0)
  }

  /// The disk is full, or goes away, while the measurement lasts.
  @Test func whatWasMeasuredIsPrintedEvenWhereItCannotBeKept() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/disk/result.json"
    let host = try FakeHost()
    mkdir(folder.path + "/disk", 0o755)
    host.kernel.measuredDelays = { number in
      if number == 30 {
        // A file where the folder was, into which nothing can be written.
        rename(folder.path + "/disk", folder.path + "/gone")
        close(creat(folder.path + "/disk", 0o644))
      }
      return 0
    }
    let told = try bench(
      ["--size", "1p", "--rounds", "4", "--count", "10", "--warm-up", "0", "--output", file],
      on: host)
    #expect(told.code == CommandStatus.cannotWrite.rawValue)
    #expect(told.output.contains("\n1 page\n  40 requests in 4 rounds, none failed\n"))
  }

  @Test(arguments: ["text", "json"])
  func loadThatEndsLaterLeavesWhatWasMeasured(_ format: String) throws {
    let host = try FakeHost()
    host.loadEnds = (.churn, 4)
    let told = try bench(
      [
        "--size", "1p,2p,3p", "--load", "churn", "--rounds", "2", "--count", "10", "--format",
        format,
      ], on: host)
    #expect(told.code == CommandStatus.loadFailed.rawValue)
    if format == "json" {
      let read = try ResultSummary(reading: Array(told.output.utf8), name: "out")
      #expect(!read.isComplete && read.endedBy?.contains("it was over") == true)
      #expect(read.cells.contains { $0.allocated == 10 })
    } else {
      #expect(told.output.contains("\n  10 requests in 1 round, none failed\n"))
      #expect(told.output.contains("ended by the load 'churn' ended early: it was over"))
    }
  }

  @Test func oneRequestIsOne() throws {
    let told = try bench(["--size", "1p", "--rounds", "1", "--count", "1"], on: FakeHost())
    #expect(told.output.contains("\n  1 request in 1 round, none failed\n"))
  }

  @Test func baselineThatWasFasterIsARegression() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/before.json"
    let arguments = ["--size", "1p", "--warm-up", "0", "--rounds", "12"]
    let host = try FakeHost()
    host.kernel.measuredDelays = { UInt64($0 / 100) }
    #expect(try bench(arguments + ["--output", file], on: host).code == 0)
    let same = try bench(arguments + ["--baseline", file], on: host)
    #expect(same.code == 0 && same.output.contains("\n1 page"))
    host.kernel.measuredDelays = { 2_000_000 + UInt64($0 / 100) }
    let slower = try bench(arguments + ["--baseline", file], on: host)
    #expect(slower.code == CommandStatus.failed.rawValue)
    let missing = try bench(["--baseline", folder.path + "/none"], on: host)
    #expect(missing.code != 0 && missing.output.isEmpty)
  }

  @Test func baselineThatCannotBeComparedIsToldBeforeTheMeasurement() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/before.json"
    let host = try FakeHost()
    #expect(
      try bench(["--size", "1p", "--load", "churn", "--rounds", "2", "--output", file], on: host)
        .code == 0)
    let small = SimulatedKernel(areas: [SimulatedArea("reserved", base: 0x4_0000, pages: 64)])
    for (arguments, kernel, words) in [
      (["--size", "1p", "--load", "churn"], small, "has 2048 pages"),
      (
        ["--size", "1p", "--load", "cache"], SimulatedKernel(), "the loads are others: churn before"
      ),
      (["--size", "9p", "--load", "churn"], SimulatedKernel(), "has none of the cells"),
    ] {
      let other = try FakeHost(kernel)
      let told = try bench(arguments + ["--baseline", file, "--format", "json"], on: other)
      #expect(told.code == CommandStatus.notComparable.rawValue)
      #expect(told.output.contains("\"kind\": \"not-comparable\""))
      #expect(told.output.contains(words), "\(told.output)")
      #expect(kernel.givenPages == 0 && other.steps.last == "unload")
    }
  }

  @Test func baselineThatIsAPartIsWarnedOf() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/part.json"
    let host = try FakeHost()
    let arguments = ["--size", "1p", "--rounds", "3", "--count", "20", "--warm-up", "0"]
    host.kernel.measuredDelays = { $0 == 50 ? 60_000_000 : 0 }
    #expect(
      try bench(arguments + ["--stop-above", "50ms", "--output", file], on: host).code
        == CommandStatus.failed.rawValue)
    let told = try bench(arguments + ["--baseline", file], on: host)
    #expect(told.errors.contains("is a part of a measurement that was ended"), "\(told.errors)")
  }

  @Test func measurementOfManyMinutesTellsWhatChanged() throws {
    let host = try FakeHost()
    host.kernel.measuredDelays = { 1_000_000_000 + UInt64($0) * 1_000_000 }
    let told = try bench(
      ["--size", "1p", "--rounds", "1", "--duration", "30min", "--warm-up", "0"], on: host)
    #expect(told.code == 0)
    #expect(
      told.output.contains("\nOver 29.5 min, 1 page: the p50 went from 1.20 s to 2.14 s"),
      "\(told.output)")
    #expect(told.output.contains("No page was lost: 2048 were free at first, 2048 at the end."))
    #expect(try !bench(["--size", "1p"], on: FakeHost()).output.contains("\nOver "))
  }

  @Test func loadsWordsCannotControlTheTerminal() throws {
    let host = try FakeHost()
    let load = "command:sleep 99 # \u{1B}[2J\n\u{202E}x"
    let told = try bench(["--size", "1p", "--load", load], on: host)
    #expect(told.code == 0 && told.output.contains("\n1 page, load command:sleep 99 #  [2J  x\n"))
    #expect(host.steps.contains("+" + load))
    // The file has the load as it was.
    let read = try result(["--size", "1p", "--load", load], on: FakeHost())
    #expect(read.cells[0].settings.load == load)
  }

  @Test(arguments: [
    (1, 100_000, "1 failed (0.001 %: "), (99_999, 100_000, "99999 failed (99.999 %: "),
    (1, 10, "1 failed (10.0 %: "), (9_996, 10_000, "9996 failed (99.960 %: "),
  ])
  func shareOfFailuresIsNeverAllWhereItIsNot(_ failed: Int, _ count: Int, _ words: String) throws {
    let host = try FakeHost()
    host.kernel.failsMeasured = { $0 < failed }
    let told = try bench(
      ["--size", "1p", "--rounds", "1", "--warm-up", "0", "--count", "\(count)"], on: host)
    #expect(told.output.contains(words), "\(told.output)")
  }

  @Test(arguments: [
    ["--size", "0"], ["--size", "1p,"], ["--size", "1p,1p"], ["--size", "4K@1G"],
    ["--align", "3p"],
    ["--threads", "0"], ["--threads", "1025"], ["--every", "10"], ["--every", "2h"],
    ["--duration", "-1s"], ["--count", "0"], ["--rounds", "0"], ["--load", "nonsense"],
    ["--load", "command:"], ["--stop-above", "fast"],
  ])
  func wrongValueIsAUsageError(_ arguments: [String]) throws {
    let host = try FakeHost()
    #expect(throws: (any Error).self) { try CMATest.parseAsRoot(["bench"] + arguments) }
    #expect(host.steps.isEmpty)
  }

  @Test func profileSetsWhatOptionsLeaveOpen() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/mine.profile"
    try AtomicFile(file).replace(
      with: Array("# mine\nsize = 2p, 4p\n".utf8), mode: 0o644)
    #expect(throws: (any Error).self) {
      try BenchProfileFile(name: file).read()
    }
    try AtomicFile(file).replace(
      with: Array("# mine\nsize = 2p,4p\nrounds=2 # few\npublished = 2p 1 300 20\n".utf8),
      mode: 0o644)
    let told = try bench(["--profile", file, "--rounds", "3", "--count", "5"], on: FakeHost())
    #expect(told.code == 0 && told.output.contains("\n4 pages\n  15 requests in 3 rounds"))
    #expect(told.output.contains("1.00 µs  20.0 µs  300 µs\n"))
    #expect(
      try bench(["--profile", "none-such"], on: FakeHost()).code
        == CommandStatus.unreadable.rawValue)
  }

  @Test func loadsRunBesideTheirCellsAlone() throws {
    let host = try FakeHost()
    let told = try bench(
      ["--size", "1p,2p", "--rounds", "2", "--load", "none", "--load", "cache+churn"], on: host)
    #expect(told.code == 0)
    let loads = host.steps.filter { $0.hasPrefix("+") || $0.hasPrefix("-") }
    let once = ["+cache", "+churn", "-cache", "-churn"]
    #expect(loads == once + once)
    #expect(told.output.contains("\n1 page, load cache+churn\n"))
    #expect(told.output.contains("\n  the load had 200 of 2048 pages when a round began\n"))
  }

  @Test(arguments: [0, 1, 2])
  func loadThatDoesNotLoadIsAnError(_ checks: Int) throws {
    let host = try FakeHost()
    host.loadEnds = (.churn, checks)
    let told = try bench(["--size", "1p", "--load", "cache+churn", "--format", "json"], on: host)
    #expect(told.code == CommandStatus.loadFailed.rawValue)
    #expect(told.output.contains("\"kind\": \"load-failed\""))
    #expect(host.steps.count { $0 == "+cache" } == host.steps.count { $0 == "-cache" })
    #expect(host.kernel.usedPages == 0 && host.steps.last == "unload")
  }
}
