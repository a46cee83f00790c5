// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestCore
import CMATestDevice
import Glibc
import TestSupport
import Testing

@testable import CMATestReport

/// A result of one machine, of one cell of nine rounds.
private func bench(
  _ host: String?, _ kernel: String, scale: UInt64 = 20_000, seed: UInt64 = 1, failed: Int = 0,
  refused: UInt64 = 0, pages: UInt64 = 65536, rounds: UInt64 = 9,
  change: (inout BenchResult) -> Void = { _ in }
) -> [UInt8] {
  var facts: [ResultSummary.Fact] = [.init("kernel", kernel), .init("page_size", "4096")]
  if let host { facts.append(.init("host", host)) }
  var result = BenchResult(
    version: "1.0", time: "2026-11-26T21:00:00Z", seed: seed, area: "reserved", areaPages: pages,
    environment: facts, cells: [CellSettings(pages: 16)])
  result.profile = "quick"
  for number in 0..<rounds {
    var round = BenchRound()
    for step in 0..<20 as Range<UInt64> {
      round.measured.allocations.add(scale + (number * 7919 + seed * 104_729) % 31 * 20 + step * 90)
    }
    for _ in 0..<failed { round.measured.failures.add(scale * 5) }
    if failed > 0 { round.measured.withoutHole = 1 }
    round.measured.refused = refused
    result.cells[0].rounds.append(round)
  }
  change(&result)
  return Array(result.json.text.utf8)
}

private func run(_ host: String, _ kernel: String, failure: String? = nil) -> [UInt8] {
  let failing = failure.map {
    ",{\"name\": \"exhaust\", \"outcome\": \"fail\", \"reason\": \"\($0)\"}"
  }
  let text = """
    {"schema": 1, "version": "1.0", "kernel": "\(kernel)", "host": "\(host)", "time": "now", "seed": 7,
     "totals": {}, "cases": [{"name": "single-page", "outcome": "pass"}\(failing ?? "")]}
    """
  return Array(text.utf8)
}

private func file(_ path: String) -> FoundFile {
  FoundFile(path, folders: path.split(separator: "/").dropLast().reversed().map(String.init))
}

private func page(_ many: ManyResults) -> String {
  ManyPage.html(many, machines: nil) { _, _ in }
}

/// The rows of a page that have a word, without the tags.
private func rows(_ page: String, with word: String) -> [String] {
  page.split(separator: "\n").filter { $0.hasPrefix("<tr><td") && $0.contains(word) }.map { line in
    var text = ""
    var isTag = false
    for character in line {
      if character == "<" { isTag = true }
      if !isTag { text.append(character) }
      if character == ">" {
        isTag = false
        text += "|"
      }
    }
    return text.split(separator: "|").joined(separator: "|")
  }
}

@Suite struct ManyResultsTests {
  @Test func worstMachineIsFirst() {
    var many = ManyResults(.host)
    many.add(bench("fast", "7.3"), of: file("1.json"))
    many.add(bench("slow", "7.3", scale: 90_000), of: file("2.json"))
    many.add(bench("failing", "7.3", failed: 3), of: file("3.json"))
    many.add(bench("faulty", "7.3", refused: 1), of: file("4.json"))
    let order = rows(page(many), with: "quick").map { $0.prefix { $0 != "|" } }
    #expect(order.prefix(4) == ["faulty", "failing", "slow", "fast"])
    #expect(many.used == 4 && many.leftOut.isEmpty)
  }

  @Test func whatCannotBeUsedIsNamedAndNothingElseIsLost() {
    var many = ManyResults(.host)
    many.add(bench("a", "7.3"), of: file("good.json"))
    many.add(Array(bench("a", "7.3").prefix(900)), of: file("cut.json"))
    many.add([], of: file("empty.json"))
    many.add(Array("{\"name\": 1}".utf8), of: file("foreign.json"))
    many.add(Array("{\"schema\": 2, \"totals\": {}}".utf8), of: file("later-run.json"))
    let later = String(decoding: bench("a", "7.3"), as: UTF8.self)
      .replacing("\"version\": 1", with: "\"version\": 2")
    many.add(Array(later.utf8), of: file("later.json"))
    many.add(
      bench("a", "7.3", seed: 2) { $0.endedBy = "SIGTERM" }, of: file("part.json"))
    many.add(bench("a", "7.3"), of: file("copy.json"))
    many.leaveOut(file("secret.json"), because: "Permission denied")
    let reasons = many.leftOut.map { "\($0.path): \($0.reason.prefix(9))" }
    #expect(
      reasons == [
        "cut.json: damaged: ", "empty.json: empty, or", "foreign.json: no result",
        "later-run.json: version 2", "later.json: version 2", "part.json: a part of",
        "copy.json: the same ", "secret.json: Permissio",
      ])
    #expect(many.used == 1)
    let text = page(many)
    for left in many.leftOut { #expect(rows(text, with: left.path).count == 1, "\(left.path)") }
  }

  @Test func machineHasItsOwnNameOrThatOfTheFolder() {
    var many = ManyResults(.host)
    many.add(bench("a", "7.3"), of: file("x/7.3/1.json"))
    many.add(bench(nil, "7.3"), of: file("y/7.3/1.json"))
    many.add(bench(nil, "7.3", seed: 2), of: file("y/2.json"))
    #expect(many.machines.keys.sorted() == ["a", "y"])
    // Boards that all have the name of their image.
    var boards = ManyResults(.folder)
    for name in ["one", "two"] {
      boards.add(bench("debian", "7.3"), of: file("\(name)/7.3/1.json"))
    }
    #expect(boards.machines.keys.sorted() == ["one", "two"])
  }

  @Test func nameOfSeveralMachinesIsTold() {
    var many = ManyResults(.host)
    for (seed, processor) in [(1, "one"), (2, "other")] as [(UInt64, String)] {
      many.add(
        bench("debian", "7.3", seed: seed) { $0.environment.append(.init("cpu", processor)) },
        of: file("\(processor).json"))
    }
    #expect(page(many).contains("debian stands for machines with different processors"))
  }

  @Test func kernelThatBecameSlowerIsFoundOnItsBoard() {
    var many = ManyResults(.host)
    for number in 0..<6 {
      let name = "board-\(number)"
      many.add(bench(name, "7.10.1-amd64"), of: file("\(name)/new.json"))
      many.add(bench(name, "7.9.2-amd64", seed: 3), of: file("\(name)/old.json"))
      // Of another flavour, and of another area: neither is compared with these.
      many.add(bench(name, "7.11-cloud-amd64", scale: 70_000), of: file("\(name)/cloud.json"))
      many.add(bench(name, "7.11-amd64", scale: 70_000, pages: 16), of: file("\(name)/area.json"))
    }
    many.add(bench("board-x", "7.9.2-amd64"), of: file("slower/old.json"))
    many.add(bench("board-x", "7.10.1-amd64", scale: 30_000), of: file("slower/new.json"))
    let text = page(many)
    let steps = rows(text, with: "7.10.1-amd64").filter { $0.hasPrefix("quick|7.9.2-amd64|") }
    #expect(
      steps.count == 1 && steps[0].hasPrefix("quick|7.9.2-amd64|7.10.1-amd64|7|1|"), "\(steps)")
    #expect(steps.allSatisfy { $0.hasSuffix("|more than chance") })
    let worse = rows(text, with: ">slower</td>")
    #expect(
      worse.count == 1 && worse[0].hasPrefix("board-x|quick|7.9.2-amd64|7.10.1-amd64|16 pages|"))
  }

  @Test func moreMachinesThanByChanceAreToldFromFew() {
    var many = ManyResults(.host)
    for number in 0..<8 {
      many.add(bench("board-\(number)", "7.2"), of: file("\(number)/old.json"))
      many.add(
        bench("board-\(number)", "7.3", scale: number < 4 ? 30_000 : 20_000),
        of: file("\(number)/new.json"))
    }
    #expect(rows(page(many), with: "more than chance").count == 1)
  }

  @Test func oneOfManyMachinesMayBeByChance() {
    var many = ManyResults(.host)
    for number in 0..<20 {
      // Four rounds show nothing that is sure.
      many.add(bench("board-\(number)", "7.2", rounds: 4), of: file("\(number)/old.json"))
      many.add(
        bench("board-\(number)", "7.3", scale: number == 7 ? 30_000 : 20_000, rounds: 4),
        of: file("\(number)/new.json"))
    }
    let text = page(many)
    #expect(rows(text, with: "as many as by chance").count == 1)
  }

  @Test func failuresAreToldByTheirCauses() {
    var many = ManyResults(.host)
    many.add(bench("a", "7.3", failed: 3), of: file("a.json"))
    many.add(run("b", "7.3", failure: "7 pages are lost"), of: file("b.json"))
    many.add(run("c", "7.3", failure: "12 pages are lost"), of: file("c.json"))
    let slow = BenchResult.Slow(
      cell: 0, round: 1, seen: .init(time: 1_000_000), inTheWay: "anonymous memory")
    many.add(bench("d", "7.3") { $0.slow = slow }, of: file("d.json"))
    many.add(
      bench("e", "7.3", failed: 3) { $0.cells[0].rounds[4].inTheWay = "PID 12 pins 3 pages" },
      of: file("e.json"))
    let text = page(many)
    #expect(
      rows(text, with: "# pins # pages") == [
        "allocation|pages in the way could not be moved|PID # pins # pages|2|1|e"
      ])
    #expect(
      rows(text, with: "no free range") == [
        "allocation|no free range is large enough|not told|18|2|a"
      ])
    #expect(
      rows(text, with: "could not be moved").filter { $0.contains("not told") } == [
        "allocation|pages in the way could not be moved|not told|34|2|a"
      ])
    #expect(rows(text, with: "# pages are lost") == ["exhaust|# pages are lost|not told|2|2|b"])
    #expect(rows(text, with: "anonymous memory").count == 1)
  }

  @Test func tablesOfManyMachinesAreSummedUp() {
    var many = ManyResults(.host)
    for number in 0..<2300 {
      many.add(
        run("board-\(number)", "7.3", failure: "board-\(number) \(number)x"),
        of: file("\(number).json"))
    }
    for number in 0..<400 {
      many.add([], of: file("\(String(repeating: "x", count: 400))\(number)"))
    }
    let text = page(many)
    #expect(text.utf8.count < 2 << 20)
    #expect(text.contains("The 200 worst of 2300 rows: 2100 are left out here."))
    #expect(text.contains("The 2000 worst of 2300 machines: 300 are left out here."))
    #expect(text.contains("The first 300 of 400"))
  }

  @Test func textOfAFileCannotChangeThePage() {
    var many = ManyResults(.host)
    let evil = "<script>alert(1)</script>&\u{202E}"
    many.add(run(evil, "\(evil)", failure: evil), of: file("\(evil)/1.json"))
    many.add([], of: file(evil))
    #expect(!page(many).contains("<script") && !page(many).contains("\u{202E}"))
  }

  @Test func costGrowsWithTheNumberOfFiles() {
    func nanoseconds(_ count: Int) -> Double {
      let files = (0..<count).map { number in
        bench("board-\(number / 10)", number % 2 == 0 ? "7.2" : "7.3", seed: UInt64(number))
      }
      var begin = timespec()
      var end = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin)
      var many = ManyResults(.host)
      for (number, bytes) in files.enumerated() { many.add(bytes, of: file("\(number).json")) }
      #expect(page(many).contains("\(count) results of \(count / 10) machines"))
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
      return Double(end.tv_sec - begin.tv_sec) * 1e9 + Double(end.tv_nsec - begin.tv_nsec)
    }
    let few = nanoseconds(100)
    let ten = nanoseconds(1000)
    // Ten times as many: squares would be a hundred times as much.
    #expect(ten < few * 30, "\(few / 1e6) ms for 100, \(ten / 1e6) ms for 1,000")
  }
}

@Suite struct MachinePageTests {
  @Test func eachMachineHasAPageThatLeadsBack() {
    var many = ManyResults(.host)
    for name in ["a b", "a/b", "A b", "..", ""] {
      many.add(bench(name, "7.2"), of: file("\(name)1"))
      many.add(bench(name, "7.3", scale: 30_000), of: file("\(name)2"))
    }
    var pages: [String: String] = [:]
    let place = ManyPage.Place(page: "all.html", folder: "all-machines")
    let text = ManyPage.html(many, machines: place) { name, page in pages[name] = page }
    #expect(
      pages.keys.sorted() == ["A_b.html", "_..html", "a_b-2.html", "a_b-3.html", "unknown.html"])
    for (name, page) in pages {
      #expect(text.contains("<a href=\"all-machines/\(name)\">"))
      #expect(page.contains("<a href=\"../all.html\">") && page.contains("1 is slower"))
      // A curve of each kernel: from the fastest allocation to the slowest of twenty.
      let curves = page.split(separator: "\n").filter {
        $0.hasPrefix("<path class=\"curve c0\" d=")
      }
      #expect(curves.map { $0.filter { $0 == "L" }.count }.filter { $0 > 0 } == [3, 3])
    }
  }
}

@Suite struct KernelReleaseTests {
  @Test func kernelsAreOrderedByTheirVersions() {
    let sorted = [
      "6.1.0-44-amd64", "6.12.107+deb13-amd64", "7.2.9", "7.3.0-rc4-00012-g0123abcd", "7.3.0-rc10",
      "7.3.0", "7.3.4", "7.10.0",
    ]
    for (place, older) in sorted.enumerated() {
      for newer in sorted[(place + 1)...] {
        #expect(KernelRelease(older).isBefore(KernelRelease(newer)), "\(older) \(newer)")
        #expect(!KernelRelease(newer).isBefore(KernelRelease(older)), "\(older) \(newer)")
      }
    }
  }

  @Test(arguments: [
    ("6.1.0-44-amd64", "amd64"), ("7.3.4+deb13-arm64-16k", "arm64-16k"), ("7.3.0-rc4", ""),
    ("7.3.0-rc4-00012-g0123abcd-dirty", ""), ("7.3.0-rt5-amd64", "rt5-amd64"), ("", ""),
  ])
  func flavourIsWhatFollowsTheVersion(_ name: String, _ flavour: String) {
    #expect(KernelRelease(name).flavour == flavour)
  }
}
