// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import TestSupport
import Testing

private let names = ["dma_contiguous_default_area", "cma_alloc", "cma_release"]

@Suite struct KallsymsScannerTests {
  private let small = Array(
    """
    ffffffff81000000 T _text
    ffffffff8142a1d0 t __pfx_cma_alloc
    ffffffff8142a1e0 T cma_alloc
    ffffffff8142a900 T cma_release.cfi_jt
    ffffffff8142a910 T cma_release
    ffffffffc0400000 t cma_alloc\t[other]
    ffffffff83a1b2c8 b dma_contiguous_default_area

    """.utf8)

  @Test func findsEachSymbolOnceWithItsAddressAndType() {
    let findings = scan(small, names: names)
    #expect(findings.wellFormedLines == 7)
    #expect(findings.sightings.map(\.count) == [1, 1, 1])
    #expect(
      findings.sightings.map(\.address)
        == [0xffff_ffff_83a1_b2c8, 0xffff_ffff_8142_a1e0, 0xffff_ffff_8142_a910])
    #expect(findings.sightings.map(\.type) == Array("bTT".utf8))
  }

  @Test func findsTheSameWhereverOneReadEnds() {
    let whole = scan(small, names: names)
    for cut in 0...small.count {
      #expect(scan(small, names: names, cuts: [cut]) == whole, "cut at \(cut)")
    }
  }

  @Test func findsTheSameWhenEveryReadGivesOneByte() {
    #expect(
      scan(small, names: names, cuts: Array(0...small.count)) == naiveFindings(small, names: names))
  }

  @Test(arguments: [
    ("CRLF", "ffffffff8142a1e0 T cma_alloc\r\n"),
    ("no last newline", "ffffffff8142a1e0 T cma_alloc"),
    ("upper case", "FFFFFFFF8142A1E0 T cma_alloc\n"),
    ("blank at the end", "ffffffff8142a1e0 T cma_alloc \n"),
    ("tab at the end", "ffffffff8142a1e0 T cma_alloc\t\n"),
  ])
  func reads(_ what: String, _ line: String) {
    let sighting = scan(Array(line.utf8), names: ["cma_alloc"]).sightings[0]
    #expect(sighting.count == 1 && sighting.address == 0xffff_ffff_8142_a1e0, "\(what)")
  }

  @Test(arguments: [("c01d", 0xc01d as UInt64), ("c01dcafe", 0xc01d_cafe), ("1", 1)])
  func readsShortAddresses(_ digits: String, _ address: UInt64) {
    let line = Array("\(digits) T cma_alloc\n".utf8)
    #expect(scan(line, names: ["cma_alloc"]).sightings[0].address == address)
  }

  @Test(arguments: [
    "cma_alloc.cfi_jt", "cma_alloc.llvm.123", "cma_alloc\t[vendor]", "cma_alloc [vendor]",
    "cma_alloc_frozen", "__cma_alloc", "__pfx_cma_alloc", "xcma_alloc", "cma_allo", "CMA_ALLOC",
    "cma_alloc\u{0}", "cma_alloc\u{B}",
  ])
  func passesOverOtherSymbols(_ name: String) {
    let line = Array("ffffffff8142a1e0 T \(name)\n".utf8)
    #expect(scan(line, names: ["cma_alloc"]).sightings[0] == SymbolSighting())
  }

  @Test func countsDuplicatesAndKeepsTheFirst() {
    let text = Array("1000 t cma_alloc\n2000 t cma_alloc\n3000 t cma_alloc\n".utf8)
    let sighting = scan(text, names: ["cma_alloc"]).sightings[0]
    #expect(sighting.count == 3 && sighting.address == 0x1000)
  }

  @Test(arguments: ["zzzz T cma_alloc", "0x10 T cma_alloc", "-1 T cma_alloc", "+1 T cma_alloc"])
  func tellsALineWithoutAnAddress(_ line: String) {
    #expect(scan(Array(line.utf8), names: ["cma_alloc"]).sightings[0].isMalformed)
  }

  @Test func passesOverWhatIsNoLineOfKallsyms() {
    for text in [
      "", "\n", "\n\n\n", "   \n", "0\n", "0 T\n", "0 T \n", " T cma_alloc\n", "0  cma_alloc\n",
      "10000000000000000 T cma_alloc\n", "0 TT cma_alloc\n", "0\tT\tcma_alloc\n",
    ] {
      let sighting = scan(Array(text.utf8), names: ["cma_alloc"]).sightings[0]
      #expect(sighting == SymbolSighting(), "\(text)")
    }
  }

  @Test func survivesALineOfAMegabyteBeforeInAndAfterASymbol() {
    let long = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
    var text = long + Array("\nffffffff8142a1e0 T cma_alloc\n".utf8) + long
    text += Array("\nffffffff8142a1e0 T cma_release".utf8) + long
    text += Array("\nffffffff8142a1e0 T cma_release ".utf8) + long
    let findings = scan(
      text, names: names, cuts: Array(stride(from: 4095, to: text.count, by: 4095)))
    #expect(findings == naiveFindings(text, names: names))
    #expect(findings.sightings.map(\.count) == [0, 1, 1])
  }

  @Test func survivesNULBytes() {
    let text = Array("\u{0}\u{0}\nffffffff8142a1e0 T cma_alloc\n\u{0}".utf8)
    #expect(scan(text, names: names).sightings[1].count == 1)
  }

  /// Texts put together at random from what a line is made of, and from what it is not, cut at
  /// random places.
  @Test(arguments: 0..<64 as Range<UInt64>)
  func agreesWithANaiveReferenceOnRandomTexts(_ seed: UInt64) {
    var random = SeededGenerator(state: seed)
    let names = KernelSymbol.allCases.map(\.name)
    let tokens =
      names + [
        " ", " ", " ", "\t", "\n", "\n", "\r\n", "\u{0}", "[", "]", "[mod]", "T", "t", "b", "f",
        "ffffffff8142a1e0", "0000000000000000", "FFFF800080001234", "c0de", "c0decafe", "12g4",
        ".cfi_jt", ".llvm.9", "__pfx_", "cma_", "dma_contiguous_default_are", "é",
        String(repeating: "x", count: 130), "ffffffff8142a1e0 T ", "ffff800080001234 D ",
      ]
    for _ in 0..<40 {
      var text: [UInt8] = []
      for _ in 0..<Int.random(in: 0..<60, using: &random) {
        text += Array((tokens.randomElement(using: &random) ?? "").utf8)
      }
      let cuts = (0..<Int.random(in: 0..<6, using: &random))
        .map { _ in Int.random(in: 0...text.count, using: &random) }.sorted()
      #expect(
        scan(text, names: names, cuts: cuts) == naiveFindings(text, names: names),
        "seed \(seed), cuts \(cuts): \(String(decoding: text, as: UTF8.self).debugDescription)")
    }
  }
}
