// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import Testing

@Suite struct OptionsTests {
  private let file = OptionsFile(
    release: "7.3.4+deb13-amd64", bootID: "b150f113-566d-40fe-b3aa-28f7727416a3",
    time: "2026-11-22T11:53:51Z", source: .scan,
    addresses: [
      SymbolAddress(symbol: .defaultArea, address: 0xffff_ffff_83a1_b2c8),
      SymbolAddress(symbol: .allocate, address: 0xffff_ffff_8142_a1e0),
      SymbolAddress(symbol: .release, address: 0xffff_ffff_8142_a910),
    ])

  @Test func fileNamesKernelBootTimeAndSourceAndHasOneLineOfOptions() {
    #expect(
      file.text == """
        # Written by cma-test configure. Do not edit, copy or keep: it is made anew at each boot.
        # kernel: 7.3.4+deb13-amd64
        # boot: b150f113-566d-40fe-b3aa-28f7727416a3
        # time: 2026-11-22T11:53:51Z
        # addresses: scan
        options cmatest area_base=0xffffffff83a1b2c8 alloc_fn=0xffffffff8142a1e0 \
        free_fn=0xffffffff8142a910

        """)
  }

  @Test func fileOfAKernelWithoutSomeOfTheSymbolsIsReadBackAsWell() {
    func fileWith(_ symbols: [KernelSymbol]) -> OptionsFile {
      var changed = file
      changed.addresses = symbols.enumerated().map {
        SymbolAddress(symbol: $1, address: 0xffff_ffff_8142_a1e0 + UInt64($0))
      }
      return changed
    }
    for symbols: [KernelSymbol] in [
      KernelSymbol.allCases, [.allocate, .release, .forEachArea, .areaName],
      [.defaultArea, .allocate, .release, .areaSize],
    ] {
      let whole = fileWith(symbols)
      #expect(OptionsFile(parsing: Array(whole.text.utf8)) == whole)
    }
    for symbols: [KernelSymbol] in [
      [], [.defaultArea, .allocate], [.allocate, .release, .areaName, .areaBase, .areaSize],
      Array(KernelSymbol.allCases.dropFirst(2)), KernelSymbol.allCases.reversed(),
    ] {
      #expect(OptionsFile(parsing: Array(fileWith(symbols).text.utf8)) == nil)
    }
  }

  @Test func fileIsReadBackAsItWasWritten() {
    let options = ModprobeOptions(inConfiguration: Array(file.text.utf8), for: "cmatest")
    for (name, value) in file.parameters { #expect(options[name] == value) }
    #expect(OptionsFile(parsing: Array(file.text.utf8)) == file)
  }

  @Test func fileThatSomebodyChangedIsNoneOfOurs() {
    for text in [
      "", file.text + "options cmatest alloc_count=1\n", String(file.text.dropLast(2)),
      file.text.replacing("# boot: ", with: "# bot: "), file.text.replacing("0x", with: ""),
    ] {
      #expect(OptionsFile(parsing: Array(text.utf8)) == nil)
    }
  }

  @Test func laterValueOfAParameterWins() {
    var options = ModprobeOptions()
    options.append("area_base=0x1 alloc_fn=0x2")
    options.append("area_base=0x3")
    #expect(options["area_base"] == "0x3")
    #expect(options["alloc_fn"] == "0x2")
    #expect(options["free_fn"] == nil)
  }

  @Test func quotedValuesKeepTheirBlanks() {
    var options = ModprobeOptions()
    options.append(#"name="a b" flag other=1"#)
    #expect(options["name"] == "a b")
    #expect(options["flag"] == "")
    #expect(options["other"] == "1")
  }

  @Test func onlyTheOptionsOfTheModuleCount() {
    let text = """
      # options cmatest area_base=0x1
      options other area_base=0x2
      options\tcmatest  area_base=0x3 \\
        alloc_fn=0x4
      alias cmatest foo

      """
    let options = ModprobeOptions(inConfiguration: Array(text.utf8), for: "cmatest")
    #expect(options["area_base"] == "0x3")
    #expect(options["alloc_fn"] == "0x4")
  }

  @Test func kernelCommandLineCountsToo() {
    let options = ModprobeOptions(
      commandLine: Array("root=/dev/vda cma=64M cmatest.area_base=0x5\n".utf8))
    #expect(options["cmatest.area_base"] == "0x5")
  }
}

@Suite struct KernelConfigurationTests {
  @Test func tellsWhatIsSet() {
    let configuration = KernelConfiguration(
      parsing: "# CONFIG_CMA is not set\nCONFIG_DMA_CMA=y\nCONFIG_CMA_SIZE_MBYTES=64\nX=y\n".utf8)
    #expect(!configuration.enables("CONFIG_CMA"))
    #expect(configuration.enables("CONFIG_DMA_CMA"))
    #expect(configuration["CONFIG_CMA_SIZE_MBYTES"] == "64")
    #expect(configuration["X"] == nil)
  }

  @Test func isEmptyWhenNoLineIsAnOption() {
    #expect(KernelConfiguration(parsing: "# a comment\n".utf8).isEmpty)
  }
}

@Suite struct JSONTests {
  @Test func escapesWhatMustBeAndKeepsTheOrderOfKeys() {
    let value: JSON = ["b": "a\"\\\n\t\u{1}é", "a": [1, true, nil, [], [:]]]
    #expect(
      value.text == """
        {
          "b": "a\\"\\\\\\n\\t\\u0001é",
          "a": [
            1,
            true,
            null,
            [],
            {}
          ]
        }
        """)
  }
}
