// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestDevice
import CMATestReport
import CMATestSuite
import Testing

/// The areas of a machine with memory for huge pages on node 1, and one that a device has alone.
private func severalAreas(loadedPages: Int = 0) -> SimulatedKernel {
  SimulatedKernel(areas: [
    SimulatedArea("reserved", base: 0x4_0000, pages: 2048, loaded: [0..<loadedPages]),
    SimulatedArea("hugetlb1", base: 0x8_0000, pages: 4096),
    SimulatedArea("camera@a0000000", base: 0xA_0000, pages: 1024, others: [0..<64]),
  ])
}

private func areas(of kernel: SimulatedKernel) throws -> [AreaInformation] {
  try (0..<UInt32(kernel.areas.count)).map { try kernel.area($0) }
}

private func survey(
  _ kernel: SimulatedKernel, _ index: UInt32 = 0, searches: Bool = true
) throws -> AreaSurvey {
  try AreaSurvey.survey(
    kernel.area(index), among: areas(of: kernel), kernel.information(), on: kernel,
    searches: searches, ending: Ending(deadline: nil, now: { 0 }, signal: { nil }))
}

@Suite struct LargestBlockTests {
  @Test func largestBlockIsFoundAndGivenBack() throws {
    let kernel = SimulatedKernel(others: 500..<700)
    let survey = try survey(kernel)
    #expect(survey.largest?.pages == UInt64(SimulatedKernel.pageCount - 700))
    #expect(survey.free == UInt64(SimulatedKernel.pageCount - 200))
    #expect(kernel.usedPages == 200)
  }

  /// One page to empty the lists of the processors, and the answer.
  @Test(arguments: [0..<0, 0..<1, 500..<700, 1..<2047])
  func onQuietMachinesOnlyTheAnswerIsTaken(_ others: Range<Int>) throws {
    let kernel = SimulatedKernel(others: others)
    let largest = try #require(try survey(kernel).largest?.pages)
    #expect(kernel.givenPages == Int(largest) + 1)
  }

  @Test(arguments: [[100], [2047], [0], [300, 1500], [1023, 1024], [700, 900, 1100, 1300]])
  func pinnedPagesCostRefusalsAndNoMemory(_ pinned: [UInt64]) throws {
    let kernel = SimulatedKernel()
    kernel.pinnedFrames = FrameRanges(
      pinned.map { SimulatedKernel.base + $0..<SimulatedKernel.base + $0 + 1 })
    let largest = try #require(try survey(kernel).largest?.pages)
    let edges = ([-1] + pinned.map(Int.init) + [SimulatedKernel.pageCount]).sorted()
    #expect(Int(largest) == zip(edges, edges.dropFirst()).map { $1 - $0 - 1 }.max())
    #expect(kernel.givenPages == Int(largest) + 1)
    #expect(kernel.usedPages == 0)
  }

  @Test(arguments: [0..<0, 500..<700]) func searchWithoutAHintFindsTheSame(_ others: Range<Int>)
    throws
  {
    for knowsAvailable in [true, false] {
      let kernel = SimulatedKernel(knowsAvailable: knowsAvailable, others: others)
      let hinted = try survey(kernel).largest
      kernel.knowsUses = false
      #expect(try survey(kernel).largest == hinted)
    }
  }

  @Test func fullAreaHasNone() throws {
    let kernel = SimulatedKernel(others: 0..<SimulatedKernel.pageCount)
    #expect(try survey(kernel).largest == LargestBlock(pages: 0))
    #expect(kernel.givenPages == 0)
  }

  @Test func limitOfTheModuleIsNoFailure() throws {
    let kernel = SimulatedKernel()
    kernel.limits.pages = 1000
    let survey = try survey(kernel)
    #expect(survey.largest == LargestBlock(pages: 1000, isLimited: true))
    #expect(AreaReport.text([survey]).contains("  >=3.9 MiB  "))
  }
}

@Suite struct ListingTests {
  @Test func listingAllocatesNothing() throws {
    let kernel = severalAreas()
    let surveys = try (0..<UInt32(3)).map { try survey(kernel, $0, searches: false) }
    #expect(kernel.givenPages == 0)
    #expect((0..<3).allSatisfy { kernel.allocatedPages($0) == 0 })
    #expect(
      AreaReport.text(surveys) == """
        INDEX  NAME             BASE        SIZE    FREE     LARGEST   ALLOCATED  FAILED
        0      reserved*        0x40000000  8 MiB   8 MiB    ~8 MiB    0 bytes    0 bytes
        1      hugetlb1         0x80000000  16 MiB  16 MiB   ~16 MiB   0 bytes    0 bytes
        2      camera@a0000000  0xa0000000  4 MiB   3.7 MiB  ~3.7 MiB  0 bytes    0 bytes

        """)
  }

  @Test func searchInOneAreaLeavesTheOthersAlone() throws {
    let kernel = severalAreas()
    _ = try survey(kernel, 2)
    #expect(kernel.allocatedPages(0) == 0 && kernel.allocatedPages(1) == 0)
    #expect(kernel.allocatedPages(2) == 961)
  }

  @Test func whatIsHeldInOneAreaIsNotMissingInAnother() throws {
    let kernel = severalAreas(loadedPages: 256)
    #expect(try survey(kernel, 1).largest?.pages == 4096)
    // The strict checks, too: every order is aligned in an area that is whole.
    let result = try run(kernel, in: 1, filter: "every-order")
    #expect(result.cases[0].metrics.contains(Metric("largest_pages", 4096)))
    #expect(result.facts.occupancy == Occupancy(pages: 4096, others: 0, isExact: true))
  }

  @Test func suitePassesInEveryArea() throws {
    for index in 0..<UInt32(3) {
      let kernel = severalAreas(loadedPages: 256)
      let before = kernel.usedPages
      for test in try run(kernel, in: index).cases {
        #expect(test.outcome == .passed, "\(test.name) in area \(index)")
      }
      #expect(kernel.usedPages == before)
    }
  }

  @Test func whatIsNotToldIsAQuestionMarkAndNull() throws {
    let survey = try survey(SimulatedKernel(knowsPlaces: false))
    #expect(AreaReport.text([survey]).contains("simulated*  ?     8 MiB"))
    #expect(AreaReport.json([survey], kernel: "x").text.contains("\"base\": null"))
  }

  @Test func areaThatWasNotActivatedIsNamedSo() throws {
    let survey = try survey(
      SimulatedKernel(areas: [SimulatedArea("reserved", base: 0x4_0000, pages: 0)]))
    #expect(!survey.isActivated && survey.largest == nil)
    #expect(AreaReport.text([survey]).contains("  not activated  "))
    #expect(AreaReport.json([survey], kernel: "x").text.contains("\"activated\": false"))
  }

  @Test func namesWithControlCharactersStayOnTheirLine() throws {
    let kernel = SimulatedKernel(areas: [
      SimulatedArea("cma1\n", base: 0x4_0000, pages: 512),
      SimulatedArea("a\u{1B}[31m\tb\r", base: 0x5_0000, pages: 512),
    ])
    let text = AreaReport.text(try (0..<UInt32(2)).map { try survey(kernel, $0) })
    #expect(text.split(separator: "\n").count == 3)
    #expect(text.contains("cma1\\n*") && text.contains("a\\x1b[31m\\tb\\xd"))
    for format in ReportFormat.allCases {
      var report = ""
      _ = try run(kernel, in: 1, filter: "zero", observers: [format.reporter { report += $0 }])
      #expect(!report.contains("\u{1B}") && !report.contains("\r"))
    }
  }
}

@Suite struct AreaChoiceTests {
  private func areas(_ names: String?...) -> [AreaInformation] {
    names.enumerated().map { index, name in
      var area = AreaInformation(index: UInt32(index))
      area.name = name
      area.isDefault = index == 0
      return area
    }
  }

  @Test func areaIsChosenByNameOrByIndex() throws {
    let areas = areas("reserved", nil, "cma1\n", "3")
    for (word, index) in [
      (nil, 0), ("reserved", 0), ("1", 1), ("area 1", 1), ("cma1\n", 2), ("cma1\\n", 2), ("2", 2),
      ("3", 3), ("0", 0),
    ] as [(String?, UInt32)] {
      #expect(try AreaChoice.area(word, among: areas).index == index, "\(word ?? "nil")")
    }
  }

  @Test func nameOfSeveralAreasIsNoChoice() throws {
    let areas = areas("cma", "other", "cma")
    #expect(throws: AreaChoice.Failure.several("cma", indices: [0, 2])) {
      try AreaChoice.area("cma", among: areas)
    }
    #expect(
      AreaChoice.Failure.several("cma", indices: [0, 2]).message
        == "several areas are called 'cma': pass one of the indices 0, 2")
    #expect(try AreaChoice.area("2", among: areas).index == 2)
  }

  @Test(arguments: ["", "7", "-1", "4294967296", "area", "area x", "none"])
  func areaThatIsNotThereNamesThoseThatAre(_ word: String) throws {
    do throws(AreaChoice.Failure) {
      _ = try AreaChoice.area(word, among: areas("reserved", nil))
      Issue.record("'\(word)' was found")
    } catch {
      #expect(error.message.hasSuffix("the areas are 0 (reserved), 1 (area 1)"))
    }
  }

  @Test func areaIsNotTakenForItsNamesake() throws {
    let kernel = SimulatedKernel(areas: [
      SimulatedArea("cma", base: 0x4_0000, pages: 512, others: [0..<512]),
      SimulatedArea("cma", base: 0x5_0000, pages: 512),
    ])
    // The kernel counts the first by that name.
    #expect(try survey(kernel, 1).largest?.pages == 512)
    #expect(try survey(kernel, 1).free == nil)
  }
}
