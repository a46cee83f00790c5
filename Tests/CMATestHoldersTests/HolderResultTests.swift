// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestCore
import CMATestDevice
import CMATestHolders
import TestSupport
import Testing

@testable import CMATestReport

private let facts = HolderFacts(
  program: "1.0", kernel: "7.3.4", host: "board", time: "2026-11-26T21:00:00Z")

private let evil = "<script>alert(\"1\")</script>&\u{202E}\n"

/// A holder of each kind of file, process and block.
private func holders() -> [Holder] {
  var free = Holder(.free)
  (free.pages, free.pieces, free.canMove) = (16000, 3, true)
  var block = Holder(.block)
  (block.pages, block.pieces, block.canMove) = (300, 2, false)
  (block.blocks, block.blockPages, block.since) = (2, 150, 1_764_200_000_000_000_000)
  block.taker = Holder.Taker(process: 812, command: "v4l2-ctl", stack: ["vb2_dc_alloc [dma]"])
  block.taker?.function = "vb2_dc_alloc [dma]"
  block.taker?.driver = "vivid"
  var pinned = Holder(.pageCache)
  (pinned.pages, pinned.pieces, pinned.canMove, pinned.isPinned) = (84, 84, false, true)
  pinned.processes = [Holder.Process(id: 7, command: evil, controlGroup: "/a")]
  pinned.processCount = 1
  pinned.file = Holder.File(path: "/\(evil)", fileSystem: "ext4", device: "vda1")
  return [free, block, pinned]
}

/// A map of 64 MiB with two blocks, and a pinned page beside each of many others.
private func map(_ change: (inout AreaMap) -> Void = { _ in }) -> AreaMap {
  var map = AreaMap(
    title: "reserved", index: 1, pageSize: 4096, pages: 16384, time: facts.time,
    ledger: Ledger(isKept: true, live: 2, missed: 0, began: 1_764_100_000_000_000_000))
  map.holders = holders()
  map.runs = [.init(offset: 0, pages: 300, holder: 1)]
  var offset: UInt64 = 300
  for _ in 0..<84 {
    map.runs.append(.init(offset: offset, pages: 1, holder: 2))
    map.runs.append(.init(offset: offset + 1, pages: 9, holder: 0))
    offset += 10
  }
  map.runs.append(.init(offset: offset, pages: 16384 - offset, holder: 0))
  map.notes = ["two processes could not be looked at"]
  change(&map)
  return map
}

private func explanation(fits: Bool) throws -> AreaExplanation {
  var told = AreaExplanation(
    title: "reserved", index: 1, isDefault: true, pageSize: 4096, pages: 16384, available: 16000)
  let wanted = try #require(WantedBlocks(parsing: "32M@1Mx2"))
  told.answers = [.init(wanted, wanted.request(in: 1, pageSize: 4096))]
  told.answers[0].allocated = fits ? 2 : 1
  told.nanoseconds = 3_500_000
  if fits {
    told.largestLeft = 256
    return told
  }
  var witness = Witness()
  witness.cause = .inUse
  (witness.failed, witness.migrated, witness.nanoseconds) = (2, 31, 2_100_000)
  var failure = AreaExplanation.Failure(answer: 0, block: 2, witness: witness)
  failure.inTheWay = Array(holders().dropFirst().reversed())
  told.failure = failure
  told.pagesNeeded = 20480
  told.notes = ["one page was there no more"]
  return told
}

private func bytes(_ json: JSON) -> [UInt8] { Array((json.text + "\n").utf8) }

private func summary(_ map: AreaMap) throws -> MapSummary {
  try MapSummary(reading: bytes(map.json(facts)), name: "x")
}

@Suite struct HolderFileTests {
  /// scripts/results-check validates the files by their schemas.
  @Test func filesAreWhatTheSourceTreeShows() throws {
    let texts = [
      ("map", map().json(facts)),
      ("explain-fits", try explanation(fits: true).json(facts, reserve: nil)),
      (
        "explain-fails",
        try explanation(fits: false).json(facts, reserve: "cma-test reserve 80M")
      ),
    ]
    for (name, json) in texts {
      let text = json.text + "\n"
      #expect(try snapshot("Tests/Fixtures/holders/\(name).json", current: text) == text)
    }
  }

  @Test func mapIsReadAsItWasMade() throws {
    let made = map()
    let read = try summary(made)
    #expect(read.facts == facts)
    #expect(read.picture == made.picture(columns: MapPicture.columnsOfPage))
    #expect(read.picture.classes.map(\.of) == [.free, .blocks, .pinned])
    #expect(read.holders.first.count == 2 && read.holders.others == 0)
    #expect(
      read.holders.first.first?.line
        == "2 blocks of 150 pages by 812 (v4l2-ctl), taken by vb2_dc_alloc [dma] for vivid, "
        + "since 2025-11-26T23:33:20Z")
    #expect(read.notes == made.notes)
  }

  @Test func explanationIsReadAsItWasMade() throws {
    let fits = try explanation(fits: true)
    let good = try ExplanationSummary(reading: bytes(fits.json(facts, reserve: nil)), name: "x")
    #expect(good.fits && good.cause == nil && good.sentence == fits.sentence)
    let fails = try explanation(fits: false)
    let json = fails.json(facts, reserve: "cma-test reserve 80M")
    let bad = try ExplanationSummary(reading: bytes(json), name: "x")
    #expect(!bad.fits && bad.cause == "pages in use" && bad.wanted == "32M@1Mx2")
    #expect(bad.inTheWay.first.map(\.pages) == [84, 300])
    #expect(bad.advice == fails.advice.map(printable) && bad.reserve == "cma-test reserve 80M")
    #expect(bad.notes == fails.notes && bad.facts == facts)
  }

  @Test func holdersBeyondTheFirstAreSummedUp() throws {
    let made = map { map in
      map.holders[0].pages -= (0..<50).reduce(0, +)
      for number in 0..<50 as Range<UInt64> {
        var holder = Holder(.anonymous)
        (holder.pages, holder.pieces) = (number, 2)
        map.holders.append(holder)
      }
    }
    let read = try summary(made)
    #expect(read.holders.first.count == HolderList.most && read.holders.others == 32)
    #expect(read.holders.piecesOfOthers == 64)
    let page = MapSection.html(read, id: "a")
    #expect(page.contains("<p>32 more have \((18..<50).reduce(0, +)) pages in 64 pieces.</p>"))
  }

  @Test(arguments: [
    ("\"schema\": 1", "\"schema\": 2", "newer"),
    ("\"schema\": 1", "\"schema\": \"1\"", "unreadable"),
    ("\"page_size\": 4096", "\"page_size\": 0", "inconsistent"),
    ("\"pages\": 16384", "\"pages\": 16000", "inconsistent"),
    ("\"pages\": 16384", "\"pages\": 99999999999999999999999", "unreadable"),
    ("[0, 300, 1, 1]", "[0, 301, 1, 1]", "inconsistent"),
    ("[0, 300, 1, 1]", "[0, 18446744073709551615, 1, 1]", "inconsistent"),
    ("[0, 300, 1, 1]", "[18446744073709551615, 2, 1, 1]", "inconsistent"),
    ("[0, 300, 1, 1]", "[0, 300, 9, 1]", "inconsistent"),
    ("[0, 300, 1, 1]", "[0, 300]", "inconsistent"),
    ("\"runs\": [", "\"other\": [", "inconsistent"),
    ("\"holders\": [", "\"other\": [", "inconsistent"),
    ("\"notes\": [", "\"notes\": [[", "unreadable"),
  ])
  func mapThatCannotBeUsedIsRefused(old: String, new: String, kind: String) throws {
    let text = map().json(facts).text
    #expect(text.contains(old))
    let changed = Array(text.replacing(old, with: new, maxReplacements: 1).utf8)
    #expect {
      try HolderResult(reading: changed, name: "x")
    } throws: { error in
      let found =
        switch error as? ResultFailure {
        case .newer(_, 2): "newer"
        case .unreadable: "unreadable"
        case .inconsistent: "inconsistent"
        default: "another"
        }
      return found == kind
    }
  }

  @Test func largestAreaIsReadWithoutMemoryForItsPages() throws {
    let made = map { map in
      map.pages = .max
      map.runs = [.init(offset: 0, pages: 1 << 62, holder: 1)]
    }
    let text = made.json(facts).text.replacing("\(Int64.max)", with: "\(UInt64.max)")
    let read = try MapSummary(reading: Array(text.utf8), name: "x")
    #expect(read.picture.cells.first == .blocks && read.picture.cells.last == .notKnown)
    #expect(MapSection.html(read, id: "a").contains("<svg "))
  }

  @Test func cutAndStrayBytesAreRefusedAndNeverTrap() throws {
    var generator = SeededGenerator(state: 5)
    for json in [map().json(facts), try explanation(fits: false).json(facts, reserve: nil)] {
      let good = bytes(json)
      for _ in 0..<400 {
        var spoilt = Array(good.prefix(Int.random(in: 0...good.count, using: &generator)))
        if !spoilt.isEmpty, Bool.random(using: &generator) {
          let place = Int.random(in: 0..<spoilt.count, using: &generator)
          spoilt[place] = UInt8.random(in: 0...255, using: &generator)
        }
        guard let read = try? HolderResult(reading: spoilt, name: "x") else { continue }
        let page = ResultPage.html([], holders: [NamedHolderResult(name: "x", result: read)])
        #expect(!page.contains("<script"))
      }
    }
  }

  @Test func otherFilesAreNeither() throws {
    #expect(resultFormat(of: Array("{\"a\": {}, \"format\": \"x\", broken".utf8)) == "x")
    for text in ["", "[]", "{}", "{\"format\": 1}", "{\"format\": \"cma-test bench\"}"] {
      #expect(try HolderResult(reading: Array(text.utf8), name: "x") == nil)
    }
  }
}

@Suite struct HolderPageTests {
  @Test func pageShowsThePictureAndTheHolders() throws {
    let result = NamedHolderResult(name: "map.json", result: .map(try summary(map())))
    let page = ResultPage.html([], holders: [result, result])
    #expect(page.contains("<h2>Map map.json</h2>"))
    #expect(page.contains("reserved has 64 MiB in 16384 pages, on Linux 7.3.4, at 2026-11-26"))
    #expect(page.contains("97.6 % is free, and 84 pages are pinned."))
    #expect(page.contains("2 blocks of 150 pages by 812 (v4l2-ctl)"))
    #expect(page.contains("pinned: 84 pages, 0.5 %</text>"))
    // Each picture has its own title, and none the colours of the other pictures.
    #expect(page.contains("id=\"map0-t\"") && page.contains("id=\"map1-t\""))
    #expect(page.ranges(of: "<style>").count == 1)
  }

  @Test func namesOfProcessesAndFilesCannotChangeThePage() throws {
    let failed = try explanation(fits: false).json(facts, reserve: nil)
    let told = try ExplanationSummary(reading: bytes(failed), name: evil)
    let page = ResultPage.html(
      [],
      holders: [
        NamedHolderResult(name: evil, result: .map(try summary(map { $0.title = evil }))),
        NamedHolderResult(name: evil, result: .explanation(told)),
      ])
    #expect(page.contains("&lt;script&gt;"))
    #expect(!page.contains("<script") && !page.contains("\u{202E}"))
  }

  @Test func explanationTellsWhatToDo() throws {
    let json = try explanation(fits: false).json(facts, reserve: "cma-test reserve 80M")
    let told = try ExplanationSummary(reading: bytes(json), name: "x")
    let page = ExplanationSection.html(told)
    #expect(page.contains("32M@1Mx2 does not fit into the area reserved"))
    #expect(page.contains("<li>Or reserve a larger area, in which all fit: cma-test reserve 80M"))
    #expect(page.contains("<li>Wait until 7 ("))
  }
}

@Suite struct HoldersOfManyMachinesTests {
  private func file(_ path: String) -> FoundFile { FoundFile(path, folders: ["folder"]) }

  private func at(_ time: String, _ kernel: String = "7.3.4", host: String = "board") -> HolderFacts
  {
    HolderFacts(program: "1.0", kernel: kernel, host: host, time: time)
  }

  @Test func mapsAreCountedAsWhatTheyAre() throws {
    var many = ManyResults(.host)
    let older = map { $0.title = "older" }
    many.add(bytes(older.json(at("2026-11-01T00:00:00Z"))), of: file("1.json"))
    many.add(bytes(map().json(at("2026-11-02T00:00:00Z"))), of: file("2.json"))
    many.add(bytes(map().json(at("2026-11-03T00:00:00Z"))), of: file("3.json"))
    many.add(bytes(map().json(at("2026-11-03T00:00:00Z"))), of: file("copy.json"))
    let clean = map { map in
      map.holders.removeLast()
      map.runs = []
    }
    many.add(bytes(clean.json(at("2026-11-03T00:00:00Z", host: "clean"))), of: file("4.json"))
    let failed = try explanation(fits: false)
    many.add(
      bytes(failed.json(at("2026-11-03T00:00:00Z"), reserve: nil)), of: file("explain.json"))
    let later = map().json(facts).text.replacing("\"schema\": 1", with: "\"schema\": 7")
    many.add(Array(later.utf8), of: file("later.json"))
    many.add(Array(bytes(map().json(facts)).prefix(500)), of: file("cut.json"))
    let reasons = many.leftOut.map { "\($0.path): \($0.reason.prefix(16))" }
    #expect(
      reasons == [
        "copy.json: the same as 3.js", "later.json: version 7 of the", "cut.json: damaged: the end",
      ])
    var pages: [String: String] = [:]
    let place = ManyPage.Place(page: "all.html", folder: "all-machines")
    let page = ManyPage.html(many, machines: place) { name, page in pages[name] = page }
    #expect(page.contains("5 results of 2 machines with 1 kernel."))
    #expect(page.contains("Among the results are 4 maps of areas and 1 explanation."))
    let rows = page.split(separator: "\n").filter { $0.contains(">reserved</td>") }
    // The one with pinned pages is first; of an area, the newest map counts.
    #expect(rows.count == 2 && rows[0].contains("all-machines/board.html"))
    #expect(rows[0].contains(">84</td>") && rows[0].contains("2026-11-03"))
    #expect(page.contains(">pages in use</td>"))
    let machine = try #require(pages["board.html"])
    #expect(machine.ranges(of: "<svg ").count == 2)
    #expect(
      machine.contains("<h3>reserved, 7.3.4</h3>") && machine.contains("<h3>older, 7.3.4</h3>"))
    #expect(machine.contains("<h3>32M@1Mx2</h3>") && !machine.contains("Kernels and profiles"))
    #expect(!page.contains("<script") && !machine.contains("<script"))
  }

  @Test func pagesOfMachinesWithManyMapsAreSummedUp() throws {
    var many = ManyResults(.host)
    for number in 10..<60 {
      // Every second cell is another one: the most that a picture can have.
      let made = map { map in
        map.runs = (0..<1024 as Range<UInt64>).map {
          .init(offset: $0 * 16, pages: 16, holder: Int($0 % 2))
        }
      }
      many.add(
        bytes(made.json(at("2026-11-02T00:00:00Z", "7.\(number)"))), of: file("\(number).json"))
    }
    var pages: [String] = []
    let place = ManyPage.Place(page: "all.html", folder: "all-machines")
    let page = ManyPage.html(many, machines: place) { _, page in pages.append(page) }
    #expect(pages.count == 1 && pages[0].utf8.count < 300 << 10, "\(pages[0].utf8.count)")
    #expect(pages[0].contains("The first 6 of 50 areas and kernels."))
    #expect(pages[0].contains("<h3>reserved, 7.59</h3>"))
    #expect(page.utf8.count < 300 << 10)
  }
}
