// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import Foundation
import TestSupport
import Testing

@Suite struct SymbolOffsetsTests {
  private let text: UInt64 = 0xffff_ffff_8100_0000
  private let addresses = [
    SymbolAddress(symbol: .defaultArea, address: 0xffff_ffff_83a1_b2c8),
    SymbolAddress(symbol: .allocate, address: 0xffff_ffff_8142_a1e0),
    SymbolAddress(symbol: .release, address: 0xffff_ffff_8142_a910),
    SymbolAddress(symbol: .areaName, address: 0xffff_ffff_8142_a0a0),
  ]

  private func offsets() throws -> SymbolOffsets {
    try #require(
      SymbolOffsets(buildID: "0a1b", release: "7.3.4", text: text, addresses: addresses))
  }

  @Test func fileIsReadBackAsItWasWritten() throws {
    let offsets = try offsets()
    #expect(
      offsets.text.hasPrefix(
        """
        cma-test offsets 3
        build-id 0a1b
        kernel 7.3.4
        exported no
        text 0x0
        dma_contiguous_default_area 0x2a1b2c8
        cma_alloc 0x42a1e0
        cma_release 0x42a910
        cma_get_name 0x42a0a0
        checksum 0x
        """))
    #expect(SymbolOffsets(parsing: Array(offsets.text.utf8)) == offsets)
  }

  @Test func nextBootHasTheKernelElsewhere() throws {
    let moved = try #require(try offsets().addresses(fromText: 0xffff_ffff_8800_0000))
    #expect(
      moved.map(\.address)
        == [
          0xffff_ffff_8aa1_b2c8, 0xffff_ffff_8842_a1e0, 0xffff_ffff_8842_a910,
          0xffff_ffff_8842_a0a0,
        ])
    #expect(moved.map(\.symbol) == addresses.map(\.symbol))
  }

  /// Real kernels: what one page tells is what the whole file does.
  @Test(arguments: Kernel.all)
  func firstPageOfAStockKernelIsEnough(_ kernel: Kernel) throws {
    let page = Array(try sourceFile("Tests/Fixtures/kallsyms/\(kernel.release)").utf8.prefix(800))
    let text = try #require(textAddress(inFirstPage: page))
    let found = zip(KernelSymbol.allCases, kernel.addresses).map {
      SymbolAddress(symbol: $0, address: $1)
    }
    let offsets = SymbolOffsets(
      buildID: "00", release: kernel.release, text: text, addresses: found)
    #expect(offsets?.addresses(fromText: text) == found)
  }

  @Test func everyDamageOfTheFileIsFoundOut() throws {
    let whole = Array(try offsets().text.utf8)
    for index in whole.indices {
      var damaged = whole
      damaged[index] ^= 0x01
      #expect(SymbolOffsets(parsing: damaged) == nil, "byte \(index)")
      #expect(SymbolOffsets(parsing: Array(whole[..<index])) == nil, "cut at \(index)")
    }
    #expect(SymbolOffsets(parsing: whole + [0x0A]) == nil)
    #expect(SymbolOffsets(parsing: whole + whole) == nil)
    #expect(SymbolOffsets(parsing: []) == nil)
  }

  @Test(
    arguments: [
      0, 0x8100_0000, 0x7fff_ffff_8100_0000, 0xffff_ffff_8100_0010, 0xffff_ffff_ffff_f000,
    ] as [UInt64])
  func refusesAPlaceWhereTheKernelCannotBe(_ text: UInt64) throws {
    #expect(try offsets().addresses(fromText: text) == nil)
  }

  @Test func keepsNothingThatCannotBeInTheKernelsImage() {
    func offsets(_ changes: [(Int, UInt64)]) -> SymbolOffsets? {
      var addresses = addresses
      for (index, address) in changes { addresses[index].address = address }
      return SymbolOffsets(buildID: "00", release: "r", text: text, addresses: addresses)
    }
    #expect(offsets([]) != nil)
    #expect(offsets([(0, 0xffff_ffff_80ff_ffff)]) == nil, "before the text")
    #expect(offsets([(1, text + (1 << 30))]) == nil, "beyond the image")
    #expect(offsets([(1, text)]) == nil, "the text itself")
    #expect(offsets([(1, addresses[2].address)]) == nil, "two at one address")
    for few in [[], Array(addresses.prefix(2)), Array(addresses.dropFirst()), addresses.reversed()]
    {
      #expect(SymbolOffsets(buildID: "00", release: "r", text: text, addresses: few) == nil)
    }
  }
}

@Suite struct TextAddressTests {
  private func address(_ text: String) -> UInt64? { textAddress(inFirstPage: Array(text.utf8)) }

  @Test func isThatOfTheTextAndOfNothingLikeIt() {
    #expect(
      address(
        "ffffffff81000000 T _stext\nffffffff81000000 T __pi__text\n"
          + "ffffffff81000000 T _text\nffffffff81000010 T x\n") == 0xffff_ffff_8100_0000)
    #expect(address("ffffffff81000000 T __pi__text\nffffffff81000000 T _text_end\n") == nil)
    #expect(address("ffffffff81000000 t _text\t[module]\n") == nil)
    #expect(address("ffffffff81000000 D _text\n") == nil)
  }

  /// x86 before 6.15: the page has nothing but variables of each processor.
  @Test func isNotThereInOlderKernelsOfX86() {
    let lines = (0..<80).map {
      "0000000000000\(String($0 + 256, radix: 16)) A cpu_variable_\($0)\n"
    }
    #expect(address(lines.joined()) == nil)
  }

  @Test func isNotKnownWhereItIsHiddenOrCutOrThereTwice() {
    #expect(address("0000000000000000 T _text\n0000000000000000 T x\n") == nil)
    #expect(address("ffffffff81000000 T _text") == nil)
    #expect(address("ffffffff81000000 T _text\nffffffff82000000 T _text\n") == nil)
    #expect(address("") == nil)
    #expect(address("\n\n\u{0}") == nil)
  }
}

@Suite struct BuildIDTests {
  private func note(_ name: String, _ type: UInt8, _ description: [UInt8]) -> [UInt8] {
    func padded(_ bytes: [UInt8]) -> [UInt8] {
      bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    }
    let name = Array("\(name)\0".utf8)
    return [UInt8(name.count), 0, 0, 0, UInt8(description.count), 0, 0, 0, type, 0, 0, 0]
      + padded(name) + padded(description)
  }

  @Test func isFoundBehindOtherNotes() {
    let notes =
      note("Xen", 3, [9, 9, 9]) + note("GNU", 1, [1]) + note("GNU", 3, [0, 0x1A, 0xFF]) + [7]
    #expect(buildID(inNotes: notes) == "001aff")
  }

  @Test func isNotMadeUp() {
    let whole = note("GNU", 3, [1, 2, 3, 4])
    for end in 0..<whole.count {
      #expect(buildID(inNotes: Array(whole[..<end])) == nil, "cut at \(end)")
    }
    #expect(buildID(inNotes: note("GNU", 3, [])) == nil)
    #expect(buildID(inNotes: note("GNU", 2, [1, 2])) == nil)
    #expect(buildID(inNotes: [UInt8](repeating: 0xFF, count: 64)) == nil)
  }
}
