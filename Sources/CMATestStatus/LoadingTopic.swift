// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestSystem
internal import Kmod

/// What an administrator can set against loading a module.
struct LoadingTopic: Topic {
  static let name = "loading"

  /// What modprobe would run instead.
  let installCommand: String?
  let isBlacklisted: Bool
  /// `module_blacklist=` on the kernel command line, which the kernel itself obeys.
  let isBlacklistedByKernel: Bool
  /// kernel.modules_disabled, which nothing but a reboot takes back.
  let isDisabled: Bool

  init(_ machine: Machine) {
    let module = OptionsFile.module
    installCommand = (try? machine.kmod().installCommand(for: module)) ?? nil
    isBlacklisted = (try? machine.kmod().blacklists(module)) ?? false
    let line = (try? contents(of: machine.path("/proc/cmdline"))).map { KernelCommandLine($0) }
    isBlacklistedByKernel =
      line?.values(of: "module_blacklist").contains {
        $0.split(separator: ",").contains { $0 == module }
      } ?? false
    isDisabled = (try? machine.line("/proc/sys/kernel/modules_disabled")) == "1"
  }

  var findings: [Finding] {
    var findings: [Finding] = []
    if isDisabled {
      findings.append(
        .wrong(
          "kernel.modules_disabled is 1: no module can be loaded until the next boot",
          remedy: "grep -r modules_disabled /etc/sysctl.d /etc/sysctl.conf", .loadingBlocked))
    }
    if isBlacklistedByKernel {
      findings.append(
        .wrong(
          "module_blacklist= on the kernel command line names it: take it off and reboot",
          .loadingBlocked))
    }
    if let installCommand {
      findings.append(
        .wrong(
          "modprobe would run '\(installCommand)' instead of loading it",
          remedy: "grep -r 'install *cmatest' /etc/modprobe.d", .loadingBlocked))
    }
    if isBlacklisted {
      findings.append(
        .notice(
          "blacklisted in modprobe.d: nothing loads it at boot; 'modprobe cmatest' does",
          remedy: "grep -r 'blacklist *cmatest' /etc/modprobe.d"))
    }
    return findings.isEmpty ? [.good("nothing forbids it")] : findings
  }

  var facts: [JSON.Member] {
    [
      JSON.Member("install_command", JSON(installCommand)),
      JSON.Member("blacklisted", .bool(isBlacklisted)),
      JSON.Member("blacklisted_by_kernel", .bool(isBlacklistedByKernel)),
      JSON.Member("modules_disabled", .bool(isDisabled)),
    ]
  }
}
