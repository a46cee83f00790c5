// SPDX-License-Identifier: GPL-2.0-or-later

import ArgumentParser
import CMATestCore
import CMATestDevice
import CMATestSystem
import Glibc
import TestSupport
import Testing

@testable import cma_test

/// `cma-test map` and `cma-test explain`.
@Suite struct HolderCommandTests {
  private let base = SimulatedKernel.base

  private func pinned(_ page: UInt64) -> SimulatedKernel {
    let kernel = SimulatedKernel()
    kernel.pinnedFrames = FrameRanges([base + page..<base + page + 1])
    var run = FrameRun(base + page..<base + page + 1, .anonymous, .mayBePinned)
    run.extra = 1
    kernel.runs = [run]
    return kernel
  }

  @Test func setThatFitsIsGivenBack() throws {
    let host = try FakeHost()
    let told = try outcome(of: ["explain", "1Mx3", "4M"], on: host)
    #expect(told.code == 0 && told.errors.isEmpty)
    #expect(
      told.output
        == "1Mx3 4M fits into the area simulated (8 MiB, 8 MiB without a block): allocated in 0.0 ms, "
        + "and the largest range left is 1 MiB.\n")
    #expect(host.kernel.usedPages == 0)
    #expect(host.steps == ["lock", "load", "open", "unload"])
  }

  @Test func pageInTheWayIsNamed() throws {
    let host = try FakeHost(pinned(1024))
    let told = try outcome(of: ["explain", "6M"], on: host)
    #expect(told.code == CommandStatus.failed.rawValue)
    #expect(
      told.output.hasPrefix(
        "6M does not fit into the area simulated (8 MiB, 8 MiB without a block): it failed after 0.0 ms, "
          + "since pages in use could not be moved away (1 range tried, 31 pages moved).\nIn the way:\n"
          + "  1 page        pinned anonymous memory of no process that can be seen (it may have ended)\n"
          + "What to do:\n"))
    #expect(
      told.output.contains("  - Or reserve a larger area, in which all fit: cma-test reserve 14M\n")
    )
    #expect(
      told.output.hasSuffix(
        "Note: others may be in the way, too, which the kernel did not come to; 'cma-test map' shows all.\n"
      ))
    #expect(host.kernel.usedPages == 0)
  }

  @Test func holesAreTooSmallAndTheOtherOrderFits() throws {
    let host = try FakeHost(SimulatedKernel(others: 1024..<1025))
    let told = try outcome(of: ["explain", "1M@1p", "4M@1p"], on: host)
    #expect(told.code == 1)
    #expect(
      told.output.contains(
        "block 2 of 2 (4M@1p) found no range of 1024 pages without a block, the largest has 1023"))
    #expect(told.output.contains("blocks allocated before cmatest was loaded"))
    #expect(
      told.output.contains(
        "Ask in another order, the largest block first: cma-test explain 4M@1p 1M@1p\n"))
  }

  @Test func setThatWouldLeaveNoMemoryForOthersIsNotAskedFor() throws {
    let host = try FakeHost()
    // 4 MiB more than what is left for everything else, of which swap is a part.
    try host.tree.write(
      "MemTotal: 131072 kB\nMemAvailable: 20480 kB\nCmaFree: 8192 kB\nSwapFree: 8192 kB\n",
      to: "/proc/meminfo")
    #expect(try outcome(of: ["explain", "4M"], on: host).code == 0)
    let told = try outcome(of: ["explain", "5M"], on: host)
    #expect(told.code == CommandStatus.failed.rawValue)
    #expect(
      told.output
        == "5M does not fit into the area simulated (8 MiB, 8 MiB without a block): it was not asked for, "
        + "since less than 24 MiB of the machine's memory would be left for everything else (28 MiB "
        + "without the block).\nWhat to do:\n  - Free memory, or add swap: the kernel would end "
        + "processes for want of memory.\n")
    #expect(host.kernel.usedPages == 0)
  }

  @Test func alignmentThatTheAllocatorDoesNotTakeIsAMistake() throws {
    let host = try FakeHost()
    #expect(try outcome(of: ["explain", "1p@1E"], on: host).code == 64)
    #expect(host.steps == ["lock", "load", "open", "unload"])
    #expect(try outcome(of: ["explain", "1p@4G"], on: host).code == 1)
  }

  @Test func tooLargeForTheAreaIsThat() throws {
    let told = try outcome(of: ["explain", "16M", "--json"], on: try FakeHost())
    #expect(told.code == 1)
    #expect(told.output.contains("\"cause\": \"larger-than-area\""))
    #expect(told.output.contains("\"reserve\": \"cma-test reserve 16M\""))
  }

  @Test func areaThatTheMachineCannotHaveIsNotAdvised() throws {
    let told = try outcome(of: ["explain", "3500M"], on: try FakeHost())
    #expect(told.code == 1 && !told.output.contains("Or reserve"))
    #expect(
      told.output.contains(
        "Note: an area of 3500M would do, but cannot be reserved: this machine has 3.8 GiB, of which"
      ))
  }

  @Test(arguments: ["64G", "8E", "18446744073709551615", "3Gx2"])
  func memoryThatTheMachineDoesNotHaveIsNotAdvised(size: String) throws {
    let told = try outcome(of: ["explain", size], on: try FakeHost())
    #expect(
      told.code == 1 && !told.output.contains("What to do") && !told.output.contains("would do"))
    #expect(
      told.output.contains(
        "Note: this machine does not have the memory for an area in which all fit: it has 3.8 GiB.\n"
      ))
  }

  @Test func limitOfTheModuleIsNoAnswerOfTheArea() throws {
    let kernel = SimulatedKernel()
    kernel.limits.pages = 100
    let told = try outcome(of: ["explain", "1M", "--json"], on: try FakeHost(kernel))
    #expect(told.code == CommandStatus.deviceRefused.rawValue)
    #expect(told.output.contains("the module's limit of pages, max_pages, is too low"))
  }

  @Test func areaWhosePlaceIsNotKnownHasNoMap() throws {
    let host = try FakeHost(SimulatedKernel(knowsPlaces: false))
    let told = try outcome(of: ["map", "--json"], on: host)
    #expect(told.code == CommandStatus.deviceRefused.rawValue)
    #expect(told.output.contains("this kernel does not tell where the area simulated is"))
  }

  @Test func mapShowsBlocksAndWhoHasThem() throws {
    let kernel = SimulatedKernel(others: 0..<512)
    kernel.ledgerBlocks = [
      Ledger.Block(
        base..<base + 256, time: 0, process: 99, command: "cma-test", stack: [], isOfModule: true)
    ]
    let told = try outcome(of: ["map", "--width", "8"], on: try FakeHost(kernel))
    #expect(told.code == 0)
    #expect(told.output.contains("BBBBBBBB\n"))
    #expect(
      told.output.contains(
        "256       1  no       block of 256 pages by 99 (cma-test, ended), since 1970"))
    #expect(
      told.output.contains("256       1  no       blocks allocated before cmatest was loaded\n"))
  }

  @Test(arguments: [
    ["map", "--width", "7"], ["map", "--watch", "0"], ["map", "--watch", "soon"],
    ["map", "--watch", "1s", "--json"], ["explain"], ["explain", "16Mx0"],
  ])
  func wrongOptionsAreErrorsOfUsage(arguments: [String]) throws {
    let host = try FakeHost()
    #expect(try outcome(of: arguments, on: host).code == CommandStatus.usage.rawValue)
    #expect(host.steps.isEmpty)
  }

  @Test func failedCaseNamesWhoIsInTheWay() throws {
    let kernel = SimulatedKernel(.refusesLargeOrders)
    kernel.obstacle = "pages in use: pinned anonymous memory of 812 (python3)"
    let told = try outcome(of: ["run", "--filter", "alignment"], on: try FakeHost(kernel))
    #expect(told.code == 1)
    #expect(told.output.contains("812 (python3)"))
  }
}
