// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestMachine
import CMATestSystem
import Glibc
import TestSupport
import Testing

@testable import CMATestConfigure

/// What the boot helper, which asks libkmod only where it is in doubt, must not overlook.
@Suite struct DoubtTests {
  private let tree: CopiedTree

  init() throws { tree = try CopiedTree() }

  private func failureAtBoot() -> ConfigureFailure? {
    do throws(ConfigureFailure) {
      _ = try Configurator(machine: tree.machine, alwaysAsksLibkmod: false).configure()
      return nil
    } catch {
      return error
    }
  }

  @Test func hasNoDoubtOnAMachineWhereNothingNamesTheModule() throws {
    try tree.write(
      "# a usual file\nblacklist pcspkr\noptions snd \\\n  index=1\n",
      to: "/etc/modprobe.d/usual.conf")
    try tree.write("options cmatest area_base=0x1\n", to: "/etc/modprobe.d/not-read.conf~")
    #expect(!tree.machine.mayBeOverridden())
    #expect(failureAtBoot() == nil)
    // Its own file is no reason for doubt.
    #expect(!tree.machine.mayBeOverridden())
  }

  @Test(arguments: [
    "/etc/modprobe.d/zz.conf", "/run/modprobe.d/zz.conf", "/usr/local/lib/modprobe.d/zz.conf",
    "/usr/lib/modprobe.d/zz.conf", "/lib/modprobe.d/zz.conf",
  ])
  func seesAnotherFileThatSetsAParameter(_ file: String) throws {
    try tree.write("options cmatest area_base=0x1234\n", to: file)
    #expect(failureAtBoot()?.exitStatus == .overridden)
  }

  @Test(arguments: [
    "options cma\\\ntest area_base=0x1234\n",
    "options \\\n c\\\nm\\\natest area_base=0x1234",
    "options ccmatest a=1\noptions cmcmatest a=1\noptions\tcmatest\tarea_base=0x1234\n",
  ])
  func seesHoweverItIsWritten(_ text: String) throws {
    try tree.write(text, to: "/etc/modprobe.d/zz.conf")
    #expect(failureAtBoot()?.exitStatus == .overridden)
  }

  @Test func seesAFileThatMasksItsOwn() throws {
    try tree.write("", to: "/etc/modprobe.d/cma-test-symbols.conf")
    #expect(failureAtBoot()?.exitStatus == .overridden)
  }

  @Test func leavesToLibkmodWhatItCannotRead() throws {
    try tree.link("/etc/modprobe.d/zz.conf", to: "/nowhere")
    #expect(tree.machine.mayBeOverridden())
    #expect(failureAtBoot() == nil)
  }

  @Test(arguments: [
    ("cmatest", true), ("xcmatest", true), ("cmatest.area_base=1", true), ("c\\\nmatest", true),
    ("", false), ("cmates", false), ("cma_test", false), ("cma\ntest", false),
    ("cma\\test", false), ("cmates\\\n", false), ("cma\\", false), ("\\\n", false),
  ])
  func findsTheModulesName(_ text: String, _ found: Bool) {
    #expect(mayMention("cmatest", in: Array(text.utf8)) == found)
  }

  /// It is loaded by its name, not linked: that must be the one that the header is of.
  @Test func asksTheLibkmodThatItWasBuiltWith() throws {
    _ = try tree.machine.configuredOptions(by: tree.machine.kmod())
    let loaded = try #require(
      String(decoding: contents(of: "/proc/self/maps"), as: UTF8.self).split(separator: "\n")
        .compactMap { $0.split(separator: " ").last }.first { $0.contains("/libkmod.so") })
    let folder = loaded.prefix(upTo: try #require(loaded.lastIndex(of: "/")))
    let linked = try #require(realpath("\(folder)/libkmod.so", nil))
    defer { free(linked) }
    #expect(String(cString: linked) == loaded)
  }
}
