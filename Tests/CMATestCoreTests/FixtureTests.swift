// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import Foundation
import TestSupport
import Testing

/// A kernel's /proc/kallsyms, cut; Tests/Fixtures/README.md says from what.
struct Kernel: Sendable, CustomTestStringConvertible {
  var release: String
  /// In the order of `KernelSymbol.allCases`.
  var addresses: [UInt64]

  var testDescription: String { release }

  static let all = [
    Kernel(
      release: "7.3.4+deb13-amd64",
      addresses: [
        0xffff_ffff_8b00_0d20, 0xffff_ffff_8879_d280, 0xffff_ffff_8879_c580, 0xffff_ffff_8879_dab0,
        0xffff_ffff_8879_bfd0, 0xffff_ffff_8879_d890, 0xffff_ffff_8879_d8d0,
      ]),
    Kernel(
      release: "6.12.107+deb13-arm64",
      addresses: [
        0xffff_b83a_6122_83f0, 0xffff_b83a_5f23_3f50, 0xffff_b83a_5f23_40c8, 0xffff_b83a_5f23_4290,
        0xffff_b83a_5f23_3f38, 0xffff_b83a_5f23_3ef8, 0xffff_b83a_5f23_3f18,
      ]),
  ]
}

@Suite struct FixtureTests {
  private let names = KernelSymbol.allCases.map(\.name)

  @Test(arguments: Kernel.all)
  func findsTheSymbolsOfAStockKernel(_ kernel: Kernel) throws {
    let text = Array(try sourceFile("Tests/Fixtures/kallsyms/\(kernel.release)").utf8)
    let findings = scan(text, names: names)
    #expect(findings.sightings.allSatisfy { $0.count == 1 })
    #expect(findings.sightings.map(\.address) == kernel.addresses)
    #expect(findings == naiveFindings(text, names: names))
  }

  /// From 7.1 on.
  @Test(arguments: Kernel.all)
  func knowsWhatAStockKernelExports(_ kernel: Kernel) throws {
    let text = Array(try sourceFile("Tests/Fixtures/kallsyms/\(kernel.release)").utf8)
    let findings = scan(text, names: KernelSymbol.wantedNames)
    #expect(findings.areExported == kernel.release.hasPrefix("7."))
  }

  @Test(arguments: Kernel.all)
  func findsThemWhereverTheKernelsPagesEnd(_ kernel: Kernel) throws {
    let text = Array(try sourceFile("Tests/Fixtures/kallsyms/\(kernel.release)").utf8)
    let whole = scan(text, names: names)
    for size in [1, 2, 3, 7, 61, 509, 4095, 4096] {
      let cuts = Array(stride(from: size, to: text.count, by: size))
      #expect(scan(text, names: names, cuts: cuts) == whole, "pieces of \(size)")
    }
  }
}
