// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestCore
import TestSupport
import Testing

@Suite struct SettingsTests {
  @Test(arguments: ["quick", "gcma", "large-release", "camera"])
  func everyShippedProfileIsRead(_ name: String) throws {
    var settings = BenchSettings()
    try settings.read(profile: try sourceFile("profiles/\(name).profile"), name: name)
    #expect(settings.profile == name && settings.requests > 0)
    #expect(!BenchPlan(settings, pageSize: 4096, seed: 1).cells.isEmpty)
  }

  @Test func everyFileOfProfilesIsInTheManual() throws {
    let manual = try sourceFile("man/cma-test.8")
    let names = try sourceFiles(below: "profiles").map { String($0.dropFirst(9)) }
    #expect(names.count == 4)
    for name in names {
      #expect(name.hasSuffix(".profile") && manual.contains(".Ql \(name.dropLast(8))"))
    }
  }

  @Test func cameraTakesThreeBuffersAtOnceEvery33Milliseconds() throws {
    var settings = BenchSettings()
    try settings.read(profile: try sourceFile("profiles/camera.profile"), name: "camera")
    let cells = BenchPlan(settings, pageSize: 16384, seed: 1).cells
    #expect(
      cells == [CellSettings(pages: 768, hold: 2, every: 33_000_000, load: "cache")])
  }

  @Test func gcmaHasThePublishedTimesOfEachSize() throws {
    var settings = BenchSettings()
    try settings.read(profile: try sourceFile("profiles/gcma.profile"), name: "gcma")
    #expect(settings.references.map(\.size) == settings.sizes)
    #expect(settings.references.last?.longest == 3_910_423_000)
    #expect(settings.loads.map(\.word) == ["cache+churn"])
  }

  @Test(arguments: [
    ("size 1p", "profile mine, line 1: 'size 1p' is not of the form name = value"),
    ("\n# note\nspeed = 3", "profile mine, line 3: there is no setting 'speed'"),
    ("size = 1p\nload = none\nload = nothing", "profile mine, line 3: --load takes "),
    ("published = 1p 2 3", "profile mine, line 1: published takes a size and three times"),
  ])
  func wrongLineOfAProfileIsNamed(_ text: String, _ message: String) throws {
    var settings = BenchSettings()
    #expect {
      try settings.read(profile: text, name: "mine")
    } throws: {
      ($0 as? SettingFailure)?.message.hasPrefix(message) == true
    }
  }

  @Test func sameSeedGivesTheSameOrderAndAnotherSeedAnother() throws {
    var settings = BenchSettings()
    try settings.set("size", to: "1p,2p,4p,8p,16p,32p")
    settings.loads = [.none, try BenchSettings.load("anon")]
    func order(_ seed: UInt64) -> [[Int]] {
      BenchPlan(settings, pageSize: 4096, seed: seed).order.map { $0.flatMap(\.cells) }
    }
    #expect(order(1) == order(1) && order(1) != order(2))
    #expect(order(1).count == 9 && order(1).allSatisfy { $0.sorted() == Array(0..<12) })
    #expect(Set(order(1)).count > 1)
    // Cells beside one load follow each other.
    #expect(order(1).allSatisfy { Set($0[..<6]) == Set(0..<6) || Set($0[..<6]) == Set(6..<12) })
  }

  @Test func alignmentIsAnOrderOfPages() throws {
    var settings = BenchSettings()
    try settings.set("align", to: "1p,64K,1M")
    try settings.set("size", to: "4K,1p")
    #expect(BenchPlan(settings, pageSize: 4096, seed: 1).cells.map(\.order) == [0, 4, 8])
    #expect(BenchPlan(settings, pageSize: 65536, seed: 1).cells.map(\.order) == [0, 4])
  }

  @Test(arguments: [
    ("10ms", 10_000_000, "10 ms"), ("1.5s", 1_500_000_000, "1.5 s"),
    ("72h", 259_200_000_000_000, "3 d"),
    ("90min", 5_400_000_000_000, "1.5 h"), ("250us", 250_000, "250 us"), ("7ns", 7, "7 ns"),
  ])
  func timesHaveUnits(_ text: String, _ nanoseconds: UInt64, _ words: String) throws {
    let span = try #require(TimeSpan(parsing: text))
    #expect(span.nanoseconds == nanoseconds && span.words == words)
  }

  @Test(arguments: [
    "", "10", "ms", "-1s", "1e3s", "0s", "1 s", "s1", "10001d", "1.2.3s", "nans", "infs", "٣s",
  ])
  func otherWordsAreNoTimes(_ text: String) {
    #expect(TimeSpan(parsing: text) == nil)
  }

  @Test(arguments: [
    "none", "anon", "cache+churn", "command:a+b; c", "anon+command:a+b", "anon+cache+dirty+pinned",
  ])
  func loadsAreNamedAsTheyAreRead(_ word: String) throws {
    #expect(LoadMix(parsing: word)?.word == word)
  }

  @Test(arguments: [
    "", "+", "anon+", "anon+anon", "none+anon", "none+none", "none+command:x", "ANON",
  ])
  func otherWordsAreNoLoads(_ word: String) {
    #expect(LoadMix(parsing: word) == nil)
  }
}
