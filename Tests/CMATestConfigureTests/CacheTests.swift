// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestConfigure
import CMATestCore
import CMATestMachine
import CMATestSystem
import Glibc
import TestSupport
import Testing

private let cache = "/var/cache/cma-test/offsets-0123456789abcdef"

@Suite struct CacheTests {
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
    try tree.addBuildID([0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF])
    try tree.write("", to: "/var/cache/keep")
  }

  private func configure(usesCache: Bool = true) throws -> OptionsFile {
    try Configurator(machine: tree.machine, usesCache: usesCache).configure().options
  }

  /// The kernel elsewhere, and nothing of it to be read but its first symbols.
  private func bootAgain() throws {
    try tree.write("ffffffff92000000 T _stext\nffffffff92000000 T _text\n", to: "/proc/kallsyms")
  }

  @Test func secondBootReadsNoMoreThanTheFirstPage() throws {
    #expect(try configure().source == .scan)
    try bootAgain()
    let options = try configure()
    #expect(options.source == .cache)
    #expect(
      options.addresses.map(\.address)
        == [
          0xffff_ffff_94a1_b2c8, 0xffff_ffff_9242_a1e0, 0xffff_ffff_9242_a910,
          0xffff_ffff_9242_ac00, 0xffff_ffff_9242_a0a0, 0xffff_ffff_9242_aa40,
          0xffff_ffff_9242_aa80,
        ])
    #expect(tree.read(OptionsFile.path)?.contains("\n# addresses: cache\n") == true)
  }

  @Test func fileIsRootsAloneAndHoldsNoAddress() throws {
    _ = try configure()
    var status = stat()
    #expect(stat(tree.root + cache, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(tree.read(cache)?.contains("ffffffff") == false)
  }

  @Test func aDamagedOneIsAsGoodAsNone() throws {
    _ = try configure()
    let text = try #require(tree.read(cache))
    for damaged in ["", "garbage\n", text.replacing("cma_alloc 0x42", with: "cma_alloc 0x43")] {
      try tree.write(damaged, to: cache)
      #expect(chmod(tree.root + cache, 0o600) == 0)
      #expect(try configure().source == .scan)
      // What was looked up has replaced it.
      #expect(tree.read(cache) == text)
    }
  }

  /// Whole, but in the form that had three symbols always.
  @Test func oneOfAnEarlierVersionIsReplaced() throws {
    _ = try configure()
    let text = try #require(tree.read(cache))
    let body = """
      cma-test offsets 1
      build-id 0123456789abcdef
      kernel 7.3.4+deb13-amd64
      text 0x0
      dma_contiguous_default_area 0x2a1b2c8
      cma_alloc 0x42a1e0
      cma_release 0x42a910

      """
    let checksum = body.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    try tree.write("\(body)checksum 0x\(String(checksum, radix: 16))\n", to: cache)
    #expect(chmod(tree.root + cache, 0o600) == 0)
    #expect(try configure().source == .scan)
    #expect(tree.read(cache) == text)
    #expect(try configure().source == .cache)
  }

  @Test func keepsWhatThisKernelHasAndNoMore() throws {
    try tree.write(
      CopiedTree.kallsyms.replacing("b dma_contiguous_default_area", with: "T cma_other"),
      to: "/proc/kallsyms")
    let scanned = try configure()
    #expect(scanned.source == .scan && scanned.addresses.count == 6)
    try bootAgain()
    let cached = try configure()
    #expect(cached.source == .cache)
    #expect(cached.addresses.map(\.symbol) == scanned.addresses.map(\.symbol))
  }

  @Test func oneThatOthersMayTouchIsNotBelieved() throws {
    _ = try configure()
    #expect(chmod(tree.root + cache, 0o620) == 0)
    #expect(try configure().source == .scan)
    #expect(try configure().source == .cache)
  }

  @Test func anotherBuildOfTheSameNameHasItsOwn() throws {
    _ = try configure()
    try tree.addBuildID([0xFF])
    #expect(try configure().source == .scan)
    #expect(try tree.machine.names(in: "/var/cache/cma-test") == ["offsets-ff"])
  }

  @Test func oneOfAnotherKernelIsNotTakenUnderThisOnesName() throws {
    _ = try configure()
    let text = try #require(tree.read(cache))
    try tree.addBuildID([0xFF])
    try tree.write(text, to: "/var/cache/cma-test/offsets-ff")
    #expect(chmod(tree.root + "/var/cache/cma-test/offsets-ff", 0o600) == 0)
    #expect(try configure().source == .scan)
  }

  @Test func otherInstalledKernelsKeepTheirsAndGoneOnesDoNot() throws {
    _ = try configure()
    try tree.write("7.4.1+deb13-amd64\n", to: "/proc/sys/kernel/osrelease")
    try tree.addBuildID([0xFF])
    _ = try configure()
    #expect(try tree.machine.names(in: "/var/cache/cma-test").count == 2)
    try tree.remove("/lib/modules/7.3.4+deb13-amd64")
    _ = try configure(usesCache: false)
    #expect(try tree.machine.names(in: "/var/cache/cma-test") == ["offsets-ff"])
  }

  @Test func isLeftAsideWhenItIsNotWanted() throws {
    _ = try configure()
    #expect(try configure(usesCache: false).source == .scan)
  }

  @Test func hiddenAddressesAreStillToldOf() throws {
    _ = try configure()
    try tree.remove(OptionsFile.path)
    try tree.hideAddresses()
    #expect(throws: ConfigureFailure.hiddenFromProcess(kallsyms: tree.root + "/proc/kallsyms")) {
      try configure()
    }
  }

  @Test func withoutVarThereIsNoneAndNothingFails() throws {
    try tree.remove("/var/cache")
    #expect(try configure().source == .scan)
    #expect(try configure().source == .scan)
    #expect(!tree.machine.exists("/var/cache"))
  }

  @Test func aFolderThatCannotBeWrittenFailsNothing() throws {
    try tree.link("/var/cache/cma-test", to: "/proc/1/no-such-place")
    #expect(try configure().source == .scan)
  }

  @Test func withoutABuildIDOrTheTextThereIsNone() throws {
    try tree.remove("/sys/kernel/notes")
    #expect(try configure().source == .scan)
    try tree.addBuildID([0xFF])
    let withoutText = CopiedTree.kallsyms.replacing("_text", with: "_test")
    try tree.write(withoutText, to: "/proc/kallsyms")
    #expect(try configure().source == .scan)
    #expect(try Configurator(machine: tree.machine).saveCache() == false)
    #expect(try tree.machine.names(in: "/var/cache") == ["keep"])
  }

  @Test func savingAloneWritesNoOptions() throws {
    #expect(try Configurator(machine: tree.machine).saveCache())
    #expect(tree.read(cache) != nil && tree.read(OptionsFile.path) == nil)
    // And where there is one, it reads no more than the first page.
    try bootAgain()
    #expect(try Configurator(machine: tree.machine).saveCache())
  }

  @Test func savingAloneSaysWhatWentWrong() throws {
    try tree.remove("/var/cache")
    #expect {
      try Configurator(machine: tree.machine).saveCache()
    } throws: {
      ($0 as? ConfigureFailure)?.exitStatus == .cannotWrite
    }
  }
}
