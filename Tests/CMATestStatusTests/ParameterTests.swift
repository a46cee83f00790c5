// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestConfigure
import CMATestCore
import CMATestStatus
import TestSupport
import Testing

private let file = "/etc/modprobe.d/mine.conf"

/// Values that modprobe passes, and what the kernel and the module make of them. Each of the first
/// two lists was tried with modprobe on stock 7.3.4+deb13-amd64 and an area of 64 MiB.
@Suite struct ParameterTests {
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
    try tree.addWorkingModule(version: packageVersion)
    _ = try Configurator(machine: tree.machine).configure()
  }

  private var status: Status { Status(of: tree.machine) }

  private var findings: [Finding] {
    status.entries.first { $0.name == "options" }?.findings ?? []
  }

  @Test(arguments: [
    "alloc_count=0x10", "alloc_count=010", "alloc_count=\"64\"", "\"alloc_count=64\"",
    "alloc_count=+64", "alloc-count=64", "alloc_align=13 alloc_count=8192", "alloc_align=14",
    "max_handles=0", "max_pages=18446744073709551615", "alloc_count=0", "alloc_count=64\r",
  ])
  func goodValues(_ options: String) throws {
    try tree.write("options cmatest \(options)\n", to: file)
    #expect(findings.map(\.mark) == [.good], "\(findings)")
    #expect(status.exitStatus == .success)
  }

  @Test(arguments: [
    ("alloc_count = 4096", "'alloc_count' has no value"), ("alloc_count", "has no value"),
    ("alloc_count=-1", "'alloc_count=-1' is negative"), ("alloc_count=0x", "is not a number"),
    ("alloc_count=", "is not a number"), ("alloc_count=6\"4\"", "is not a number"),
    ("alloc_count=16M", "is not a number"), ("alloc_count=4096# 16 MiB", "is not a number"),
    ("alloc_count=08", "is not a number"), ("alloc-count=1x", "'alloc_count=1x' is not a number"),
    ("alloc_count=18446744073709551616", "does not fit into 64 bits"),
    ("alloc_align=4294967296", "does not fit into 32 bits"), ("max_pages=1G", "is not a number"),
    ("max_handles=-1", "is negative"), ("alloc_align=40", "more than this machine has"),
    // The kernel stops at the first, though a later one would count.
    ("alloc_count=x alloc_count=1", "'alloc_count=x' is not a number"),
  ])
  func valuesThatAreRefused(_ options: String, _ reason: String) throws {
    try tree.write("# mine\n\noptions cmatest \(options)\n", to: file)
    let finding = findings.first { $0.code == .overridden }
    #expect(finding?.text.contains(reason) == true, "\(findings)")
    #expect(finding?.text.hasPrefix(tree.root + file) == true)
    // What is advised takes the line away, and nothing else.
    #expect(finding?.remedy == "sed -i '3s/^/# /' \(tree.root + file)")
    #expect(status.exitStatus == .overridden)
  }

  @Test func adviceIsCarriedOutAsPrinted() throws {
    try tree.write(
      "options other x=1\noptions cmatest \\\n  alloc_count=16M\noptions cmatest max_pages=9\n",
      to: file)
    let remedy = try #require(findings.first { $0.code == .overridden }?.remedy)
    try tree.run(remedy)
    #expect(status.exitStatus == .success)
    #expect(tree.read(file)?.contains("\noptions cmatest max_pages=9\n") == true)
  }

  @Test func whatTheAreaCannotGive() throws {
    for (options, code) in [
      ("alloc_count=65537", CommandStatus.nothingReserved), ("alloc_count=65001", .nothingReserved),
      ("alloc_count=65000", .success), ("alloc_align=16 alloc_count=2", .nothingReserved),
    ] {
      try tree.write("options cmatest \(options)\n", to: file)
      #expect(status.exitStatus == code, "\(options)")
    }
    // Where the area begins is known from the log.
    try tree.write("options cmatest alloc_align=16 alloc_count=2\n", to: file)
    try tree.write("6,1,0,-;cma: Reserved 256 MiB at 0x0000000070000000\n", to: "/dev/kmsg")
    #expect(status.exitStatus == .success)
    try tree.write("6,1,0,-;cma: Reserved 256 MiB at 0x0000000061000000\n", to: "/dev/kmsg")
    #expect(status.exitStatus == .success)
    try tree.write("options cmatest alloc_align=17 alloc_count=2\n", to: file)
    #expect(status.exitStatus == .nothingReserved)
  }

  @Test func theLoadedModuleHasItsPagesAlready() throws {
    try tree.write("options cmatest alloc_count=65001\n", to: file)
    try tree.write("live\n", to: "/sys/module/cmatest/initstate")
    #expect(status.exitStatus == .success)
  }

  @Test func valuesOfTheKernelCommandLine() throws {
    try tree.write(
      "ro cma=256M cmatest.alloc_count=16M cmatest.max_pages=1\n", to: "/proc/cmdline")
    let finding = findings.first { $0.code == .overridden }
    #expect(finding?.text.hasPrefix("\(tree.root)/proc/cmdline: 'alloc_count=16M'") == true)
    #expect(
      finding?.remedy == "remove cmatest.alloc_count=16M from the kernel command line, and reboot")
    // It comes last, and so counts; an address there is somebody else's too.
    try tree.write("ro cma=256M cmatest.alloc_fn=0x1\n", to: "/proc/cmdline")
    #expect(status.exitStatus == .overridden)
    #expect(
      findings.first?.remedy == "remove cmatest.alloc_fn= from the kernel command line, and reboot")
  }

  @Test func otherModulesAndPatternsDoNotCount() throws {
    // libkmod matches the module of `options` by its name alone.
    try tree.write(
      "options cma* alloc_count=x\noptions cmatest2 alloc_count=x\n#options cmatest alloc_count=x\n",
      to: file)
    #expect(status.exitStatus == .success)
  }

  @Test func parametersThatTheModuleDoesNotHave() throws {
    try tree.write("options cmatest alloc_counts=5 size=1\n", to: file)
    #expect(findings.map(\.mark) == [.good, .notice])
    #expect(
      findings.last?.text.contains("ignores 'alloc_counts=5', 'size=1': the module has no such")
        == true)
    #expect(status.exitStatus == .success)
  }

  @Test func whatHidesOurOptionsInOtherLines() throws {
    for text in ["options cmatest --\n", "options cmatest max_pages=\"1\n"] {
      try tree.write(text, to: "/etc/modprobe.d/aa.conf")
      #expect(status.exitStatus == .overridden, "\(text)")
    }
  }

  @Test func aMaskedOptionsFileIsToldToBeUnmasked() throws {
    let mask = "/etc/modprobe.d/cma-test-symbols.conf"
    try tree.link(mask, to: "/dev/null")
    #expect(status.exitStatus == .overridden)
    #expect(findings.first?.remedy == "rm \(tree.root + mask) && cma-test configure")
  }

  // MARK: - what else modprobe.d says of the module

  private var loading: [Finding] {
    status.entries.first { $0.name == "loading" }?.findings ?? []
  }

  @Test(arguments: [
    "install cma* /bin/false", "install c[lm]atest /bin/false", "install * /bin/false",
    "install c[k-n]atest /bin/false", "install cmates[!a-s] /bin/false",
    "install cma?est /bin/false",
    "install cmatest /bin/false\ninstall cmatest /bin/true",
    "install cma* /bin/false\ninstall cmatest /sbin/modprobe --ignore-install cmatest",
  ])
  func theFirstInstallThatMatchesCounts(_ text: String) throws {
    try tree.write("# by the administrator\n\(text)\n", to: "/usr/lib/modprobe.d/hard.conf")
    #expect(status.exitStatus == .loadingBlocked)
    #expect(loading.first?.text.contains("'/bin/false'") == true)
    #expect(loading.first?.text.contains("/usr/lib/modprobe.d/hard.conf:2") == true)
    #expect(loading.first?.remedy == "modprobe --ignore-install cmatest")
  }

  @Test(arguments: [
    "install cmates /bin/false", "install cmatest2 /bin/false", "softdep cmatest pre: loop",
    "remove cmatest /bin/false", "softdep cma* post: loop",
  ])
  func whatDoesNotForbidIt(_ text: String) throws {
    try tree.write("\(text)\n", to: file)
    #expect(status.exitStatus == .success)
    #expect(loading.contains { $0.text.contains("modprobe -r") } == text.hasPrefix("remove"))
  }

  @Test func anAliasThatLeadsElsewhere() throws {
    try tree.write("alias cmatest cmaother\n", to: file)
    try tree.write(
      moduleIndex("cmaother", path: "kernel/cmaother.ko"),
      to: "/lib/modules/7.3.4+deb13-amd64/modules.dep.bin")
    let finding = status.entries.first { $0.name == "module" }?.findings.first
    #expect(finding?.code == .otherModule)
    #expect(finding?.text.contains("load cmaother instead of cmatest") == true)
    #expect(finding?.remedy?.contains("rm ") == false)
  }

  @Test(arguments: [
    "install cmatest /sbin/modprobe --ignore-install cmatest $CMDLINE_OPTS && /bin/true",
    "install cma* insmod /srv/cmatest.ko", "install cmatest { /sbin/modprobe -i cmatest; }",
  ])
  func anInstallCommandThatMayLoadItIsNotTakenForARefusal(_ text: String) throws {
    try tree.write(text + "\n", to: "/etc/modprobe.d/x.conf")
    let finding = loading.first
    #expect(finding?.mark == .notice && finding?.code == .loadingBlocked)
  }

  @Test(arguments: ["dyndbg=+p", "async_probe=1", "dyndbg"])
  func whatTheKernelTakesForEveryModuleIsNoStranger(_ option: String) throws {
    try tree.write("options cmatest \(option)\n", to: "/etc/modprobe.d/x.conf")
    #expect(status.exitStatus == .success)
    #expect(!findings.contains { $0.text.contains("no such parameter") })
  }

  @Test func aCommandToTypeHasNamesOfFilesAsWords() throws {
    try tree.write("options cmatest alloc_count=zz\n", to: "/etc/modprobe.d/a b's.conf")
    let path = tree.root + "/etc/modprobe.d/a b'\\''s.conf"
    #expect(
      findings.contains { $0.remedy == "sed -i '1s/^/# /' '\(path)'" })
  }
}
