// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestMachine
internal import CMATestSystem
import Foundation

/// A copied tree as `--root` takes it, with the few files that a machine with CMA has.
public final class CopiedTree: Sendable {
  private let folder: TemporaryFolder

  public var root: String { folder.path }
  public var machine: Machine { Machine(root: root) }
  public var optionsPath: String { root + "/run/modprobe.d/cma-test-symbols.conf" }

  public static let kallsyms = """
    ffffffff81000000 T _text
    ffffffff8142a0a0 T cma_get_name
    ffffffff8142a1e0 T cma_alloc
    ffffffff8142a910 T cma_release
    ffffffff8142aa40 T cma_get_base
    ffffffff8142aa80 T cma_get_size
    ffffffff8142ac00 T cma_for_each_area
    ffffffff83a1b2c8 b dma_contiguous_default_area

    """

  public init() throws {
    folder = try TemporaryFolder()
    try write(Self.kallsyms, to: "/proc/kallsyms")
    try write("7.3.4+deb13-amd64\n", to: "/proc/sys/kernel/osrelease")
    try write("b150f113-566d-40fe-b3aa-28f7727416a3\n", to: "/proc/sys/kernel/random/boot_id")
    try write("1\n", to: "/proc/sys/kernel/kptr_restrict")
    try write(
      "CONFIG_CMA=y\nCONFIG_DMA_CMA=y\nCONFIG_KALLSYMS_ALL=y\n",
      to: "/boot/config-7.3.4+deb13-amd64")
    try write("", to: "/run/lock")
    try write("MemTotal:        4028416 kB\nMemFree: 1 kB\n", to: "/proc/meminfo")
    try write("BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 ro quiet\n", to: "/proc/cmdline")
    try write("x86_64\n", to: "/proc/sys/kernel/arch")
    try write("Page block order: 9\nPages per block:  512\n", to: "/proc/pagetypeinfo")
    try addKernel("7.3.4+deb13-amd64")
  }

  /// Lists the symbols as the kernel does for those who may not see their addresses.
  public func hideAddresses() throws {
    try write(
      Self.kallsyms.split(separator: "\n").map { "0000000000000000\($0.dropFirst(16))\n" }.joined(),
      to: "/proc/kallsyms")
  }

  /// Makes the kernel one that exports what the module links to, as those from 7.1 on.
  public func exportSymbols() throws {
    let text = read("/proc/kallsyms") ?? ""
    let address = text.contains("ffffffff81000000") ? "ffffffff828678b8" : "0000000000000000"
    try write(
      text
        + ["cma_alloc", "cma_get_name", "cma_release", "dev_get_cma_area"].map {
          "\(address) r __ksymtab_\($0)\n"
        }.joined(), to: "/proc/kallsyms")
  }

  /// Adds a kernel that can be booted: an image and a folder of modules.
  public func addKernel(_ release: String) throws {
    try write("", to: "/boot/vmlinuz-\(release)")
    try write("", to: "/lib/modules/\(release)/modules.dep")
  }

  /// Makes the tree one on which everything is as it should be: memory reserved, the options
  /// written, the module built by DKMS and found by modprobe.
  public func addWorkingModule(version: String) throws {
    let release = "7.3.4+deb13-amd64"
    try write("BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 ro quiet cma=256M\n", to: "/proc/cmdline")
    try write(
      "MemTotal:        4028416 kB\nCmaTotal:         262144 kB\nCmaFree:          260000 kB\n",
      to: "/proc/meminfo")
    for (counter, value) in [
      ("total_pages", 65536), ("available_pages", 65000), ("alloc_pages_success", 600),
      ("alloc_pages_fail", 0), ("release_pages_success", 64),
    ] {
      try write("\(value)\n", to: "/sys/kernel/mm/cma/reserved/\(counter)")
    }
    try write("[none] integrity confidentiality\n", to: "/sys/kernel/security/lockdown")
    try write("N\n", to: "/sys/module/module/parameters/sig_enforce")
    try write("", to: "/run/systemd/system/x")
    try addHeaders(release)
    try addModule(.cmatest(version: version, release: release))
    try addDKMS(version: version, release: release)
  }

  /// Installs the module for the running kernel, so that modprobe finds it.
  ///
  /// - Parameters:
  ///   - module: what.
  ///   - folder: where, from the folder of the kernel's modules.
  /// - Throws: Foundation's error.
  public func addModule(_ module: ModuleFile, in folder: String = "updates/dkms") throws {
    let modules = "/lib/modules/7.3.4+deb13-amd64"
    try write(module.bytes, to: "\(modules)/\(folder)/cmatest.ko")
    try write(
      moduleIndex("cmatest", path: "\(folder)/cmatest.ko"), to: "\(modules)/modules.dep.bin")
  }

  public func addHeaders(_ release: String) throws {
    try write("", to: "/usr/src/linux-headers-\(release)/.config")
    try link("/lib/modules/\(release)/build", to: "/usr/src/linux-headers-\(release)")
  }

  /// What DKMS keeps of a module that it has built and installed.
  public func addDKMS(version: String, release: String) throws {
    let folder = "/var/lib/dkms/cma-test"
    try write("", to: "/usr/src/cma-test-\(version)/dkms.conf")
    if read("\(folder)/\(version)/source/dkms.conf") == nil {
      try link("\(folder)/\(version)/source", to: "/usr/src/cma-test-\(version)")
    }
    try write("", to: "\(folder)/\(version)/\(release)/x86_64/module/cmatest.ko")
    try link("\(folder)/kernel-\(release)-x86_64", to: "\(version)/\(release)/x86_64")
  }

  public func link(_ file: String, to target: String) throws {
    let url = URL(fileURLWithPath: root + file)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? FileManager.default.removeItem(at: url)
    try FileManager.default.createSymbolicLink(atPath: url.path, withDestinationPath: target)
  }

  /// Gives the running kernel a GNU build ID, as /sys/kernel/notes has it.
  public func addBuildID(_ bytes: [UInt8]) throws {
    let padding = [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    try write(
      [4, 0, 0, 0, UInt8(bytes.count), 0, 0, 0, 3, 0, 0, 0] + Array("GNU\0".utf8) + bytes + padding,
      to: "/sys/kernel/notes")
  }

  /// Makes the tree one that GRUB boots, with these settings.
  public func addGrub(_ settings: String = "GRUB_CMDLINE_LINUX=\"\"\n") throws {
    try write(settings, to: "/etc/default/grub")
    try write("# an empty menu\n", to: "/boot/grub/grub.cfg")
    try addProgram("/usr/sbin/update-grub", "#!/bin/sh\nexit 99\n")
  }

  /// Adds a program that can be run.
  public func addProgram(_ file: String, _ text: String) throws {
    try write(text, to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: root + file)
  }

  /// Runs a command of the shell, as a user would type it.
  public func run(_ command: String) throws {
    let (_, code) = try output(of: "/bin/sh", ["-c", command])
    guard code == 0 else { throw POSIXError(.ECHILD) }
  }

  public func remove(_ file: String) throws {
    try FileManager.default.removeItem(atPath: root + file)
  }

  /// - Returns: the text of a file, nil where there is none.
  public func read(_ file: String) -> String? {
    try? String(contentsOfFile: root + file, encoding: .utf8)
  }

  public func write(_ text: String, to file: String) throws {
    try write(Array(text.utf8), to: file)
  }

  /// Writes one file of the tree.
  ///
  /// - Parameters:
  ///   - bytes: its contents.
  ///   - file: absolute, as seen inside the tree; its folders are made.
  /// - Throws: Foundation's error.
  public func write(_ bytes: [UInt8], to file: String) throws {
    let url = URL(fileURLWithPath: root + file)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }
}
