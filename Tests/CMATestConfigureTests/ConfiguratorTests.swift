// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestConfigure
import CMATestCore
import CMATestMachine
import CMATestSystem
import Glibc
import TestSupport
import Testing

@Suite struct ConfiguratorTests {
  private let tree: CopiedTree

  init() throws { tree = try CopiedTree() }

  private func configure() -> ConfigureFailure? {
    do throws(ConfigureFailure) {
      _ = try Configurator(machine: tree.machine).configure()
      return nil
    } catch {
      return error
    }
  }

  private var fileIsThere: Bool { access(tree.optionsPath, F_OK) == 0 }

  @Test func writesTheOptionsOfThisKernelAndBootForRootAlone() throws {
    let written = try Configurator(machine: tree.machine).configure().options
    #expect(written.release == "7.3.4+deb13-amd64")
    #expect(written.bootID == "b150f113-566d-40fe-b3aa-28f7727416a3")
    #expect(try contents(of: tree.optionsPath) == Array(written.text.utf8))
    var status = stat()
    #expect(stat(tree.optionsPath, &status) == 0 && status.st_mode & 0o7777 == 0o600)
  }

  @Test func dryRunWritesNothing() throws {
    let plan = try Configurator(machine: tree.machine).plan()
    #expect(plan.addresses.map(\.symbol) == KernelSymbol.allCases)
    #expect(!fileIsThere)
  }

  @Test func leavesNoFileOfAnEarlierBootWhenSomethingIsWrong() throws {
    #expect(configure() == nil)
    try tree.write("ffffffff81000000 T _text\n", to: "/proc/kallsyms")
    #expect(configure()?.exitStatus == .symbolMissing)
    #expect(!fileIsThere)
  }

  @Test func saysWhichConfigurationHasNoCMA() throws {
    try tree.write("ffffffff81000000 T _text\n", to: "/proc/kallsyms")
    try tree.write("# CONFIG_CMA is not set\nCONFIG_X=y\n", to: "/boot/config-7.3.4+deb13-amd64")
    #expect(
      configure()
        == .noCMA(
          option: "CONFIG_CMA", release: "7.3.4+deb13-amd64",
          source: tree.root + "/boot/config-7.3.4+deb13-amd64"))
  }

  @Test func readsTheConfigurationOfAKernelThatCarriesItsOwn() throws {
    try tree.write("ffffffff81000000 T _text\n", to: "/proc/kallsyms")
    try tree.write("", to: "/boot/config-7.3.4+deb13-amd64")
    try tree.write("CONFIG_X=y\n", to: "/config")
    let packed = try output(of: "/usr/bin/gzip", ["-c", tree.root + "/config"]).output
    try tree.write(packed, to: "/proc/config.gz")
    #expect(
      configure()
        == .noCMA(
          option: "CONFIG_CMA", release: "7.3.4+deb13-amd64",
          source: tree.root + "/proc/config.gz"))
  }

  @Test func saysWhetherTheRestrictionOrThePrivilegeHidesAddresses() throws {
    try tree.hideAddresses()
    #expect(configure()?.exitStatus == .hiddenFromProcess)
    try tree.write("2\n", to: "/proc/sys/kernel/kptr_restrict")
    #expect(configure()?.exitStatus == .hiddenFromAll)
    #expect(!fileIsThere)
  }

  @Test(arguments: ["0", "2"])
  func keepsTheOptionsOfThisBootWhenAddressesAreHiddenLater(_ restriction: String) throws {
    let written = try Configurator(machine: tree.machine).configure()
    try tree.hideAddresses()
    try tree.write("\(restriction)\n", to: "/proc/sys/kernel/kptr_restrict")
    let kept = try Configurator(machine: tree.machine).configure()
    let kallsyms = tree.root + "/proc/kallsyms"
    #expect(
      kept
        == .kept(
          written.options,
          because: restriction == "2"
            ? .hiddenFromAll(kallsyms: kallsyms) : .hiddenFromProcess(kallsyms: kallsyms)))
    #expect(try contents(of: tree.optionsPath) == Array(written.options.text.utf8))
  }

  @Test func leavesNoOptionsOfAnotherBootKernelOrHandWhenAddressesAreHidden() throws {
    let spoilt: [(String, String)] = [
      ("another boot\n", "/proc/sys/kernel/random/boot_id"),
      ("7.2.1+deb13-amd64\n", "/proc/sys/kernel/osrelease"),
      ("options cmatest area_base=0x1\n", OptionsFile.path),
    ]
    for (text, file) in spoilt {
      let tree = try CopiedTree()
      _ = try Configurator(machine: tree.machine).configure()
      try tree.hideAddresses()
      try tree.write(text, to: file)
      #expect(throws: ConfigureFailure.self) {
        try Configurator(machine: tree.machine).configure()
      }
      #expect(tree.read(OptionsFile.path) == nil, "\(file)")
    }
  }

  @Test func keepsNothingThatIsToBeLookedUpAnewOrThatAnotherFileOverrides() throws {
    _ = try Configurator(machine: tree.machine).configure()
    try tree.hideAddresses()
    #expect(throws: ConfigureFailure.self) {
      try Configurator(machine: tree.machine, usesCache: false).configure()
    }
    #expect(!fileIsThere)

    let other = try CopiedTree()
    _ = try Configurator(machine: other.machine).configure()
    try other.hideAddresses()
    try other.write("options cmatest area_base=0x1234\n", to: "/etc/modprobe.d/zz.conf")
    do throws(ConfigureFailure) {
      _ = try Configurator(machine: other.machine).configure()
      Issue.record("it did not see the other file")
    } catch {
      #expect(error.exitStatus == .overridden)
    }
    #expect(other.read(OptionsFile.path) == nil)
  }

  @Test func saysThatKallsymsCannotBeRead() throws {
    #expect(remove(tree.root + "/proc/kallsyms") == 0)
    #expect(
      configure()
        == .unreadable(
          operation: "open", path: tree.root + "/proc/kallsyms",
          reason: "No such file or directory"))
  }

  @Test(arguments: [(SystemCall.write, ENOSPC), (.openat, EROFS), (.renameat, EACCES)])
  func saysWhatCouldNotBeWritten(_ call: SystemCall, _ code: CInt) throws {
    let failure = SystemCallFault.during(call, code: code) { configure() }
    #expect(failure?.exitStatus == .cannotWrite)
    #expect(failure?.message.hasPrefix(call.rawValue) == true)
    #expect(!fileIsThere)
  }

  @Test func saysThatAStaleFileMayRemainWhenItCannotBeRemoved() throws {
    #expect(configure() == nil)
    try tree.write("garbage\n", to: "/proc/kallsyms")
    let failure = SystemCallFault.during(.unlinkat, code: EROFS) { configure() }
    #expect(failure?.exitStatus == .cannotWrite)
    #expect(failure?.message.contains("may remain") == true)
  }

  @Test func namesTheFileThatMasksItsOwn() throws {
    try tree.write("# mine\n", to: "/etc/modprobe.d/cma-test-symbols.conf")
    let failure = configure()
    #expect(failure?.exitStatus == .overridden)
    #expect(
      failure?.message.contains("\(tree.root)/etc/modprobe.d/cma-test-symbols.conf") == true)
    #expect(!fileIsThere)
  }

  @Test(arguments: [
    "/etc/modprobe.d/zz.conf", "/usr/lib/modprobe.d/zz.conf", "/run/modprobe.d/zz.conf",
  ])
  func namesTheFileThatOverridesAParameter(_ file: String) throws {
    try tree.write("options cmatest area_base=0x1234\n", to: file)
    let failure = configure()
    #expect(failure?.exitStatus == .overridden)
    #expect(failure?.message.contains(tree.root + file) == true)
    #expect(!fileIsThere)
  }

  @Test(arguments: ["for_each_fn=0x1234", "for_each_fn=0", "size_fn=0xffffffff8142aa81"])
  func namesTheFileThatOverridesAnOptionalParameter(_ option: String) throws {
    try tree.write("options cmatest \(option)\n", to: "/etc/modprobe.d/zz.conf")
    let failure = configure()
    #expect(failure?.exitStatus == .overridden)
    #expect(failure?.message.contains("\(tree.root)/etc/modprobe.d/zz.conf") == true)
    #expect(!fileIsThere)
  }

  @Test func namesTheFileThatSetsAParameterWhoseSymbolThisKernelLacks() throws {
    try tree.write(
      CopiedTree.kallsyms.replacing("T cma_get_size", with: "T cma_get_length"),
      to: "/proc/kallsyms")
    #expect(configure() == nil)
    try tree.write("options cmatest size_fn=0x1234\n", to: "/etc/modprobe.d/aa.conf")
    let failure = configure()
    #expect(failure?.exitStatus == .overridden)
    #expect(
      failure?.message.contains(
        "with size_fn from elsewhere, because of \(tree.root)/etc/modprobe.d/aa.conf") == true)
    #expect(!fileIsThere)
  }

  @Test func leavesOutWhatThisKernelDoesNotList() throws {
    try tree.write(
      CopiedTree.kallsyms.replacing("b dma_contiguous_default_area", with: "T cma_other"),
      to: "/proc/kallsyms")
    let written = try Configurator(machine: tree.machine).configure().options
    #expect(
      written.parameters.map(\.name)
        == ["alloc_fn", "free_fn", "for_each_fn", "name_fn", "base_fn", "size_fn"])
    #expect(tree.read(OptionsFile.path)?.contains("area_base") == false)
  }

  @Test func takesAnotherFileThatSetsOtherParametersOrEarlierOnes() throws {
    try tree.write(
      "options cmatest alloc_count=512\noptions cmatest area_base=0x1234\n",
      to: "/etc/modprobe.d/aa.conf")
    #expect(configure() == nil)
    #expect(fileIsThere)
  }
}

@Suite struct ConfigureReportTests {
  @Test func textHoldsNoAddress() throws {
    let tree = try CopiedTree()
    let configured = try Configurator(machine: tree.machine).configure()
    let text = ConfigureReport.text(configured, at: tree.optionsPath)
    #expect(!text.contains("0x") && text.hasSuffix("\n"))
  }
}
