// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestCore
import CMATestDevice
import CMATestReport
import CMATestSuite
import Testing

@testable import cma_test

/// Machines on which the area is most of the memory that is left.
@Suite struct LittleMemoryTests {
  private static let reserve: UInt64 = 24 << 20

  /// A machine that has room for so many pages besides what should stay.
  private func kernel(roomFor pages: UInt64) -> SimulatedKernel {
    let kernel = SimulatedKernel()
    kernel.memoryLeft = Self.reserve + pages * 4096
    return kernel
  }

  @Test(arguments: [0, 1, 2, 5, 8, 64, 300, 1024, 2047])
  func whatOthersNeedIsLeftAndWhatCannotBeShownIsSkipped(_ pages: UInt64) throws {
    for test in TestCase.all {
      let kernel = kernel(roomFor: pages)
      let outcome = try run(kernel, filter: test.name).cases[0].outcome
      switch outcome {
      case .failed(let reason): Issue.record("\(test.name) failed: \(reason)")
      case .notRun: Issue.record("\(test.name) was not run")
      case .skipped(let reason):
        #expect(reason.contains("of the machine's memory would be left"), "\(test.name): \(reason)")
      case .passed:
        #expect(
          kernel.givenPages > 0 || ["zero", "foreign-page"].contains(test.name), "\(test.name)")
      }
      #expect(kernel.leastMemoryLeft >= Self.reserve, "\(test.name)")
      #expect(kernel.usedPages == 0, "\(test.name)")
    }
  }

  @Test func wholeAreaIsNotShownWhereItCannotBeTaken() throws {
    for name in ["exhaust", "release-order", "fragmentation", "inside-area", "pinned-page"] {
      let outcome = try run(kernel(roomFor: 2047), filter: name).cases[0].outcome
      #expect(
        outcome
          == .skipped(
            "2048 pages were not asked for, since less than 24 MiB of the machine's memory would be left "
              + "for everything else (\(byteCount(Self.reserve + 2047 * 4096)) without the block)"),
        "\(name)")
    }
  }

  @Test func allPassWhereThereIsRoomForTheWholeArea() throws {
    for test in try run(kernel(roomFor: 2048)).cases {
      #expect(test.outcome == .passed, "\(test.name)")
    }
  }

  @Test(arguments: [0, 1, 100, 1024, 2047])
  func largestBlockIsALowerBoundWhereALargerOneWouldHarmOthers(_ pages: UInt64) throws {
    let kernel = kernel(roomFor: pages)
    let told = try outcome(of: ["areas", "--largest"], on: FakeHost(kernel))
    #expect(told.code == 0 && told.output.contains("  >="))
    #expect(
      told.output.contains(
        "\nA larger block of simulated was not asked for, since less than 24 MiB of the machine's ")
    )
    #expect(kernel.leastMemoryLeft >= Self.reserve)
    // A little is left for what others take meanwhile.
    let json = try outcome(of: ["areas", "--largest", "--json"], on: FakeHost(kernel)).output
    #expect(json.contains("\"largest_block_pages\": \(pages / 8 * 7)"))
    #expect(json.contains("\"largest_block_limited\": true"))
    #expect(json.contains("\"in_the_way\": \"less than 24 MiB of "))
  }

  @Test func largestBlockIsNoLowerBoundWhereLessThanThatIsToBeHad() throws {
    let kernel = kernel(roomFor: 1600)
    kernel.pinnedFrames = FrameRanges([
      SimulatedKernel.base + 1000..<SimulatedKernel.base + 1001
    ])
    let told = try outcome(of: ["areas", "--largest", "--json"], on: FakeHost(kernel)).output
    #expect(told.contains("\"largest_block_pages\": 1047"))
    #expect(told.contains("\"largest_block_limited\": false"))
    #expect(kernel.leastMemoryLeft >= Self.reserve)
  }

  @Test(arguments: [
    ["--size", "8M"], ["--size", "1M", "--hold", "9"], ["--size", "4M", "--threads", "2"],
  ])
  func measurementThatWouldHarmOthersIsRefused(_ arguments: [String]) throws {
    let host = try FakeHost(kernel(roomFor: 2047))
    let told = try outcome(of: ["bench", "--count", "5", "--rounds", "1"] + arguments, on: host)
    #expect(told.code == CommandStatus.deviceRefused.rawValue)
    #expect(host.kernel.givenPages == 0)
    let small = try outcome(
      of: ["bench", "--count", "5", "--rounds", "1", "--size", "4M"], on: host)
    #expect(small.code == 0)
  }

  @Test func measurementSaysWhatToAskForInstead() {
    let shortage = MemoryShortage(left: 30 << 20, least: Self.reserve)
    let failure = BenchCommandFailure.noMemory(CellSettings(pages: 2048, threads: 2), shortage)
    #expect(
      failure.explanation.message
        == "blocks of 2048 pages, 2 threads were not asked for, since less than 24 MiB of the machine's "
        + "memory would be left for everything else (30 MiB without the block)")
    #expect(failure.explanation.remedy.contains("smaller '--hold'"))
  }
}
