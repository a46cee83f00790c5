// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestConfigure
import CMATestCore
import CMATestStatus
import CMATestSystem
import Glibc
import TestSupport
import Testing

/// Pipes, devices and sockets where files belong. modprobe hangs on some of them, and `status` must
/// say so rather than hang as well.
@Suite(.timeLimit(.minutes(2))) struct EndlessFileTests {
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
    try tree.addWorkingModule(version: packageVersion)
    _ = try Configurator(machine: tree.machine).configure()
    try tree.write("# nothing\n", to: "/etc/modprobe.d/a.conf")
  }

  private var status: Status { Status(of: tree.machine) }

  private func finding(_ topic: String) -> Finding? {
    status.entries.first { $0.name == topic }?.findings.first
  }

  /// Puts a named pipe in the place of a file.
  private func makePipe(_ file: String) throws {
    // Its folder may not be there yet.
    try tree.write("", to: file)
    try tree.remove(file)
    try #require(mkfifo(tree.root + file, 0o600) == 0, "\(file)")
  }

  @Test(arguments: [
    "/etc/modprobe.d/x.conf", "/run/modprobe.d/x.conf", "/usr/lib/modprobe.d",
    "/lib/modules/7.3.4+deb13-amd64/modules.dep.bin",
    "/lib/modules/7.3.4+deb13-amd64/modules.alias.bin",
    "/lib/modules/7.3.4+deb13-amd64/modules.builtin.bin",
    "/lib/modules/7.3.4+deb13-amd64/modules.builtin.alias.bin",
    "/lib/modules/7.3.4+deb13-amd64/modules.softdep",
    "/lib/modules/7.3.4+deb13-amd64/modules.weakdep",
  ])
  func modprobeWouldHangOnAPipe(_ file: String) throws {
    try makePipe(file)
    let status = status
    #expect(status.exitStatus == .loadingBlocked)
    let path = tree.root + file
    #expect(
      status.cause?.text == "read \(path): it is a named pipe, and modprobe would hang on it")
    #expect(
      status.cause?.remedy == "rm \(path)" + (file.hasPrefix("/lib") ? " && depmod" : ""))
    #expect(throws: ConfigureFailure.self) { try Configurator(machine: tree.machine).configure() }
  }

  @Test(arguments: ["/dev/zero", "/dev/full", "/dev/urandom"])
  func modprobeWouldHangOnADevice(_ device: String) throws {
    try tree.link("/etc/modprobe.d/x.conf", to: device)
    #expect(status.exitStatus == .loadingBlocked)
    #expect(status.cause?.text.contains("it is a device, and modprobe would hang") == true)
  }

  @Test func modprobePassesOverAllOthers() throws {
    try tree.link("/etc/modprobe.d/masked.conf", to: "/dev/null")
    try tree.write("", to: "/etc/modprobe.d/folder.conf/x")
    try tree.link("/etc/modprobe.d/gone.conf", to: "/nonexistent")
    try makePipe("/etc/modprobe.d/pipe")
    // Hidden by the one of its name in /etc.
    try makePipe("/run/modprobe.d/a.conf")
    #expect(status.exitStatus == .success)
    #expect(try Configurator(machine: tree.machine).configure().options.addresses.isEmpty == false)
  }

  @Test func theBootHelperWritesTheOptionsUnlessModprobeMustBeAsked() throws {
    try makePipe("/etc/modprobe.d/x.conf")
    let helper = Configurator(machine: tree.machine, usesCache: false, alwaysAsksLibkmod: false)
    #expect(try helper.configure().options.addresses.isEmpty == false)
    try tree.write("options cmatest alloc_count=1\n", to: "/etc/modprobe.d/y.conf")
    do throws(ConfigureFailure) {
      _ = try helper.configure()
      Issue.record("libkmod was asked")
    } catch {
      #expect(error.kind == "cannot-verify")
    }
  }

  @Test func theModulesOwnFile() throws {
    try makePipe("/lib/modules/7.3.4+deb13-amd64/updates/dkms/cmatest.ko")
    #expect(status.exitStatus == .otherModule)
  }

  /// Whatever is a pipe, there is an answer.
  @Test(arguments: [
    "/proc/kallsyms", "/proc/meminfo", "/proc/cmdline", "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/random/boot_id", "/proc/sys/kernel/kptr_restrict", "/proc/pagetypeinfo",
    "/proc/zoneinfo", "/proc/iomem", "/proc/keys", "/proc/stat", "/dev/kmsg",
    "/boot/config-7.3.4+deb13-amd64", "/run/systemd/container", "/sys/kernel/notes",
    "/sys/kernel/mm/cma/reserved/total_pages", "/sys/kernel/security/lockdown",
    "/sys/module/module/parameters/sig_enforce", "/etc/dkms/framework.conf",
    "/var/lib/dkms/mok.pub", "/run/modprobe.d/cma-test-symbols.conf",
  ])
  func statusHasAnAnswer(_ file: String) throws {
    try makePipe(file)
    #expect(status.entries.count == 10)
    _ = try? Configurator(machine: tree.machine, alwaysAsksLibkmod: false).configure()
  }

  @Test(arguments: ["/proc/kallsyms", "/dev/kmsg"])
  func statusComesToTheEndOfADeviceThatHasNone(_ file: String) throws {
    try tree.write("", to: file)
    try tree.link(file, to: "/dev/zero")
    #expect(status.entries.count == 10)
  }
}
