// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import Testing

private struct Facts: MachineFacts {
  var release = "7.3.4+deb13-amd64"
  var pointerRestriction: Int? = 1
  var text: String? = "CONFIG_CMA=y\nCONFIG_DMA_CMA=y\nCONFIG_KALLSYMS_ALL=y\n"

  var configuration: (KernelConfiguration, source: String)? {
    text.map { (KernelConfiguration(parsing: $0.utf8), "/boot/config-\(release)") }
  }
}

/// A kernel with what the module needs and nothing else.
private let good = """
  ffffffff8142a1e0 T cma_alloc
  ffffffff8142a910 T cma_release
  ffffffff83a1b2c8 b dma_contiguous_default_area

  """

/// What more there may be, besides.
private let more = """
  ffffffff8142a0a0 T cma_get_name
  ffffffff8142aa40 T cma_get_base
  ffffffff8142aa80 T cma_get_size
  ffffffff8142ac00 T cma_for_each_area

  """

private func addresses(
  _ text: String, _ facts: Facts = Facts()
) throws(ConfigureFailure) -> [SymbolAddress] {
  try scan(Array(text.utf8), names: KernelSymbol.allCases.map(\.name))
    .resolve(kallsyms: "/proc/kallsyms", on: facts)
}

private func failure(_ text: String, _ facts: Facts = Facts()) -> ConfigureFailure? {
  do throws(ConfigureFailure) {
    _ = try addresses(text, facts)
    return nil
  } catch {
    return error
  }
}

extension String {
  fileprivate func without(_ name: String) -> String {
    split(separator: "\n").filter { !$0.hasSuffix(" \(name)") }.map { "\($0)\n" }.joined()
  }
}

@Suite struct ResolutionTests {
  @Test func givesOneAddressForEachParameter() throws {
    let found = try addresses(more + good)
    #expect(
      found.map(\.address)
        == [
          0xffff_ffff_83a1_b2c8, 0xffff_ffff_8142_a1e0, 0xffff_ffff_8142_a910,
          0xffff_ffff_8142_ac00, 0xffff_ffff_8142_a0a0, 0xffff_ffff_8142_aa40,
          0xffff_ffff_8142_aa80,
        ])
    #expect(
      found.map(\.symbol.parameter)
        == ["area_base", "alloc_fn", "free_fn", "for_each_fn", "name_fn", "base_fn", "size_fn"])
  }

  @Test func doesWithoutWhatIsOptional() throws {
    #expect(try addresses(good).map(\.symbol) == [.defaultArea, .allocate, .release])
    for symbol in [KernelSymbol.forEachArea, .areaName, .areaBase, .areaSize] {
      let expected = KernelSymbol.allCases.filter { $0 != symbol }
      let all = more + good
      for text in [
        all.without(symbol.name), all + "ffffffff8242a1e0 t \(symbol.name)\n",
        all.replacing("T \(symbol.name)", with: "d \(symbol.name)"),
        all.without(symbol.name) + "0000000000000000 T \(symbol.name)\n",
        all.without(symbol.name) + "ffffffff8242a1eg T \(symbol.name)\n",
      ] {
        #expect(try addresses(text).map(\.symbol) == expected, "\(text)")
      }
    }
  }

  @Test func findsTheDefaultAreaByNameWhereVariablesAreNotListed() throws {
    let unlisted = Facts(text: "CONFIG_CMA=y\nCONFIG_DMA_CMA=y\n# CONFIG_KALLSYMS_ALL is not set\n")
    let text = more + good.without("dma_contiguous_default_area")
    for facts in [unlisted, Facts(), Facts(text: nil)] {
      #expect(try addresses(text, facts).map(\.symbol) == Array(KernelSymbol.allCases.dropFirst()))
    }
    #expect(
      try addresses(text.without("cma_get_base").without("cma_get_size"), unlisted).map(\.symbol)
        == [.allocate, .release, .forEachArea, .areaName])
    for symbol in ["cma_for_each_area", "cma_get_name"] {
      #expect(failure(text.without(symbol), unlisted)?.exitStatus == .dataSymbolsNotListed)
      #expect(failure(text.without(symbol))?.exitStatus == .symbolMissing)
    }
  }

  @Test func doesNotPassOverADefaultAreaThatIsListedAndWrong() {
    for (text, code) in [
      (good.replacing("b dma", with: "t dma"), CommandStatus.kallsymsMalformed),
      (good.replacing("ffffffff83a1b2c8", with: "ffffffff83a1b2cg"), .kallsymsMalformed),
      (good.replacing("ffffffff83a1b2c8", with: "0000000000000000"), .hiddenFromProcess),
      (good + "ffffffff84a1b2c8 b dma_contiguous_default_area\n", .symbolTwice),
    ] {
      #expect(failure(more + text)?.exitStatus == code)
    }
  }

  @Test func saysThatTheKernelHasNoCMA() {
    let facts = Facts(text: "# CONFIG_CMA is not set\nCONFIG_KALLSYMS_ALL=y\n")
    let none =
      good.without("cma_alloc").without("cma_release")
      .without("dma_contiguous_default_area") + "ffffffff81000000 T _text\n"
    #expect(
      failure(none, facts)
        == .noCMA(
          option: "CONFIG_CMA", release: "7.3.4+deb13-amd64",
          source: "/boot/config-7.3.4+deb13-amd64"))
  }

  /// As at boot, where /boot is not mounted yet.
  @Test func knowsWithoutAConfigurationThatTheKernelHasNoCMA() {
    for text in [
      "ffffffff81000000 T _text\n", "0000000000000000 T _text\n", good.without("cma_alloc"),
    ] {
      #expect(
        failure(text, Facts(text: nil))
          == .noAllocator(release: "7.3.4+deb13-amd64", kallsyms: "/proc/kallsyms"))
      #expect(failure(text, Facts(text: nil))?.exitStatus == .noCMA)
    }
    // The configuration is there and says otherwise: then the symbol has another name.
    #expect(failure(good.without("cma_alloc"))?.exitStatus == .symbolMissing)
  }

  @Test func takesWhatItCanGetOfAKernelThatExportsWhatTheModuleNeeds() throws {
    let marks = KernelSymbol.exportMarks.map { "ffffffff828678b8 r \($0)\n" }.joined()
    func resolve(_ text: String) throws(ConfigureFailure) -> [KernelSymbol] {
      let findings = scan(Array(text.utf8), names: KernelSymbol.wantedNames)
      #expect(findings.areExported)
      return try findings.resolve(kallsyms: "/proc/kallsyms", on: Facts()).map(\.symbol)
    }
    #expect(try resolve(more + good + marks) == KernelSymbol.allCases)
    #expect(try resolve(good.without("cma_alloc") + marks) == [.defaultArea, .release])
    #expect(
      try resolve(good + "ffffffff8242a1e0 t cma_alloc\n" + marks) == [.defaultArea, .release])
    #expect(throws: ConfigureFailure.hiddenFromProcess(kallsyms: "/proc/kallsyms")) {
      try resolve("0000000000000000 T cma_alloc\n" + marks)
    }
  }

  @Test func saysThatTheKernelHasCMAButNotForDMA() {
    let facts = Facts(text: "CONFIG_CMA=y\n# CONFIG_DMA_CMA is not set\nCONFIG_KALLSYMS_ALL=y\n")
    for text in [good, more + good] {
      #expect(
        failure(text.without("dma_contiguous_default_area"), facts)
          == .noCMA(
            option: "CONFIG_DMA_CMA", release: "7.3.4+deb13-amd64",
            source: "/boot/config-7.3.4+deb13-amd64"))
    }
  }

  @Test func saysThatDataSymbolsAreNotListed() {
    let facts = Facts(text: "CONFIG_CMA=y\nCONFIG_DMA_CMA=y\n# CONFIG_KALLSYMS_ALL is not set\n")
    #expect(
      failure(good.without("dma_contiguous_default_area"), facts)?.exitStatus
        == .dataSymbolsNotListed)
  }

  @Test func saysThatASymbolIsMissingAndWhetherTheConfigurationWasFound() {
    #expect(
      failure(good.without("cma_release"))
        == .symbolMissing(
          symbol: "cma_release", kallsyms: "/proc/kallsyms",
          configuration: "/boot/config-7.3.4+deb13-amd64"))
    #expect(
      failure(good.without("cma_release"), Facts(text: nil))
        == .symbolMissing(symbol: "cma_release", kallsyms: "/proc/kallsyms", configuration: nil))
  }

  @Test func saysWhoHidesTheAddresses() {
    let hidden = """
      0000000000000000 T cma_alloc
      0000000000000000 T cma_release
      0000000000000000 b dma_contiguous_default_area

      """
    #expect(
      failure(hidden, Facts(pointerRestriction: 2)) == .hiddenFromAll(kallsyms: "/proc/kallsyms"))
    #expect(
      failure(hidden, Facts(pointerRestriction: 1))
        == .hiddenFromProcess(kallsyms: "/proc/kallsyms"))
    #expect(
      failure(hidden, Facts(pointerRestriction: nil))
        == .hiddenFromProcess(kallsyms: "/proc/kallsyms"))
  }

  @Test func refusesASymbolThatIsThereTwice() {
    #expect(
      failure(good + "ffffffff8242a1e0 t cma_alloc\n")
        == .symbolTwice(symbol: "cma_alloc", count: 2, kallsyms: "/proc/kallsyms"))
  }

  @Test func refusesCodeWhereDataIsMeantAndDataWhereCodeIs() {
    #expect(
      failure(good.replacing("T cma_alloc", with: "D cma_alloc"))?.exitStatus == .kallsymsMalformed)
    #expect(
      failure(good.replacing("b dma", with: "t dma"))?.exitStatus == .kallsymsMalformed)
  }

  @Test func refusesAFileThatIsNoKallsyms() {
    for text in ["", "\n\n", "garbage\n", "\u{0}\u{0}\u{0}"] {
      #expect(failure(text)?.exitStatus == .kallsymsMalformed)
    }
    #expect(
      failure(good.replacing("ffffffff8142a1e0", with: "ffffffff8142a1eg"))?.exitStatus
        == .kallsymsMalformed)
  }
}
