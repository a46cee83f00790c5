// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestConfigure
import CMATestCore
import CMATestMachine
import CMATestStatus
import CMATestSystem
import Glibc
import TestSupport
import Testing

private let linked = [
  "cma_alloc", "cma_release", "dev_get_cma_area", "cma_for_each_area", "memcpy",
]

/// A kernel that exports what the module links to.
@Suite struct ExportTests {
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
    try tree.addWorkingModule(version: packageVersion)
    try addModule(needs: linked)
    try tree.exportSymbols()
  }

  private func addModule(needs: [String]) throws {
    var module = ModuleFile.cmatest(version: packageVersion, release: "7.3.4+deb13-amd64")
    module.needs = needs
    try tree.addModule(module)
  }

  private func hide() throws {
    try tree.hideAddresses()
    try tree.exportSymbols()
    try tree.write("2\n", to: "/proc/sys/kernel/kptr_restrict")
  }

  private func configure() throws -> Configured {
    try Configurator(machine: tree.machine).configure()
  }

  private var status: Status { Status(of: tree.machine) }

  private func texts(_ name: String) -> [String] {
    status.entries.first { $0.name == name }?.findings.map(\.text) ?? []
  }

  @Test func noOptionsAreNeeded() throws {
    #expect(status.exitStatus == .success)
    #expect(texts("symbols").first?.contains("needs no address") == true)
    #expect(texts("options").first?.contains("is not there, and not needed") == true)
  }

  @Test func optionsAreWrittenAllTheSameAndSayThatTheyAreNotNeeded() throws {
    let configured = try configure()
    #expect(configured.options.addresses.count == KernelSymbol.allCases.count)
    #expect(tree.read(OptionsFile.path)?.contains("\n# needed: no, this kernel exports") == true)
    #expect(
      ConfigureReport.text(configured, at: "/x").contains(
        "the module loads without them too: this kernel"))
    #expect(status.exitStatus == .success)
    #expect(texts("options").first?.contains("is what modprobe would pass") == true)
  }

  @Test func theNextBootKnowsFromTheCache() throws {
    try tree.addBuildID([1, 2])
    try tree.write("", to: "/var/cache/keep")
    #expect(try configure().options.source == .scan)
    let again = try configure().options
    #expect(again.source == .cache && again.areExported)
  }

  @Test func hiddenAddressesFailNothing() throws {
    try hide()
    let configured = try configure()
    #expect(
      configured
        == .unneeded(
          configured.options,
          because: .hiddenFromAll(kallsyms: tree.root + "/proc/kallsyms")))
    #expect(configured.options.addresses.isEmpty && tree.read(OptionsFile.path) == nil)
    #expect(try Configurator(machine: tree.machine).preview() == configured)
    #expect(ConfigureReport.text(configured, at: "/x").hasPrefix("no options are needed: "))
    #expect(status.exitStatus == .success)
  }

  @Test func noOptionsOfAnotherBootStayWhereAddressesAreHidden() throws {
    _ = try configure()
    try hide()
    try tree.write("00000000-566d-40fe-b3aa-28f7727416a3\n", to: "/proc/sys/kernel/random/boot_id")
    #expect(status.exitStatus == .optionsMissing)
    guard case .unneeded = try configure() else {
      Issue.record("the options of another boot were taken")
      return
    }
    #expect(tree.read(OptionsFile.path) == nil && status.exitStatus == .success)
  }

  @Test func aSymbolThatIsInDoubtIsLeftOut() throws {
    try tree.write(
      (tree.read("/proc/kallsyms") ?? "") + "ffffffff8242a1e0 t cma_alloc\n", to: "/proc/kallsyms")
    #expect(try !configure().options.addresses.contains { $0.symbol == .allocate })
    #expect(status.exitStatus == .success)
    #expect(texts("options").first?.contains("is what modprobe would pass") == true)
  }

  @Test(arguments: [(SystemCall.openat, EROFS), (.write, ENOSPC)])
  func aFileThatCannotBeWrittenFailsNothing(_ call: SystemCall, _ code: CInt) throws {
    let configured = try SystemCallFault.during(call, code: code) { try configure() }
    guard case .unneeded(_, because: .cannotWrite) = configured else {
      Issue.record("\(configured)")
      return
    }
  }

  @Test func aMaskedFileFailsNothing() throws {
    try tree.link("/etc/modprobe.d/cma-test-symbols.conf", to: "/dev/null")
    guard case .unneeded(_, because: .overridden) = try configure() else {
      Issue.record("a masked file was taken for one that counts")
      return
    }
    #expect(status.exitStatus == .success)
    #expect(texts("options").first?.contains("the file is not needed") == true)
  }

  /// The module proves what is passed, whatever it links to.
  @Test(arguments: [true, false])
  func anAddressOfSomebodyElseIsStillRefused(_ isHidden: Bool) throws {
    try tree.write("options cmatest area_base=0x1234\n", to: "/etc/modprobe.d/zz.conf")
    if isHidden { try hide() }
    #expect { try configure() } throws: { ($0 as? ConfigureFailure)?.exitStatus == .overridden }
    #expect(status.exitStatus == .overridden)
    #expect(texts("options").first?.contains("/etc/modprobe.d/zz.conf") == true)
  }

  @Test func aModuleThatTakesAddressesOnlyNeedsThem() throws {
    try addModule(needs: ["memcpy"])
    #expect(status.exitStatus == .optionsMissing)
    #expect(texts("symbols").first?.contains("was built to take addresses only") == true)
    _ = try configure()
    #expect(status.exitStatus == .success)
    try tree.remove(OptionsFile.path)
    try hide()
    #expect(status.exitStatus == .hiddenFromAll)
  }

  @Test func aKernelThatExportsSomeOfItNeedsAddresses() throws {
    let text = tree.read("/proc/kallsyms") ?? ""
    try tree.write(
      text.replacing("ksymtab_dev_get", with: "ksymtab_devm_get"), to: "/proc/kallsyms")
    #expect(status.exitStatus == .optionsMissing)
    // A module's own table says nothing of the kernel.
    try tree.write(
      text.replacing("__ksymtab_cma_alloc", with: "__ksymtab_cma_alloc\t[other]"),
      to: "/proc/kallsyms")
    #expect(status.exitStatus == .optionsMissing)
  }
}
