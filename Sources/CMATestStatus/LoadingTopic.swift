// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem
internal import Kmod

/// The settings by which an administrator keeps a module from being loaded.
struct LoadingTopic: Topic {
  static let name = "loading"

  /// The file on which modprobe itself would hang; nil where there is none.
  let hanging: KmodFailure?
  /// The command that modprobe would run instead of loading the module.
  let installCommand: String?
  /// The line of modprobe.d that has this command.
  let installPlace: LocatedStatement?
  /// The command that `modprobe -r` would run instead of removing the module.
  let removeCommand: String?
  let isBlacklisted: Bool
  /// `module_blacklist=` on the kernel command line, which the kernel itself obeys.
  let isBlacklistedByKernel: Bool
  /// kernel.modules_disabled, which only a reboot resets.
  let isDisabled: Bool

  init(_ inputs: StatusInputs) {
    let machine = inputs.machine
    let module = OptionsFile.module
    hanging = inputs.modprobe.hanging
    installCommand = inputs.modprobe.installCommand
    installPlace = installCommand == nil ? nil : machine.installStatement()
    removeCommand = inputs.modprobe.removeCommand
    isBlacklisted = inputs.modprobe.isBlacklisted
    isBlacklistedByKernel =
      inputs.commandLine?.values(of: "module_blacklist").contains {
        $0.split(separator: ",").contains { $0 == module }
      } ?? false
    isDisabled = (try? machine.line("/proc/sys/kernel/modules_disabled")) == "1"
  }

  /// Whether a command has the form of those in modprobe.d(5) that load the module in their turn.
  private static func mayLoad(_ command: String) -> Bool {
    let words = command.split { " \t;&|(){}".contains($0) }.map {
      $0.split(separator: "/").last ?? $0
    }
    return words.contains("insmod")
      || words.contains("modprobe") && (words.contains("--ignore-install") || words.contains("-i"))
  }

  var findings: [Finding] {
    var findings: [Finding] = []
    if let hanging, let path = hanging.path {
      findings.append(
        .wrong(
          "\(hanging.operation) \(path): \(hanging.reason)",
          remedy: "rm \(shellWord(path))" + (path.contains("/lib/modules/") ? " && depmod" : ""),
          .loadingBlocked))
    }
    if isDisabled {
      findings.append(
        .wrong(
          "kernel.modules_disabled is 1: no module can be loaded until the next boot",
          remedy: "grep -r modules_disabled /etc/sysctl.d /etc/sysctl.conf", .loadingBlocked))
    }
    if isBlacklistedByKernel {
      findings.append(
        .wrong(
          "module_blacklist= on the kernel command line names cmatest: remove that and reboot",
          .loadingBlocked))
    }
    if let installCommand {
      let place = installPlace.map {
        ", by 'install \($0.statement.subject)' in \($0.place)"
      }
      let remedy = "modprobe --ignore-install cmatest"
      findings.append(
        Self.mayLoad(installCommand)
          ? .notice(
            "modprobe would run '\(installCommand)' to load cmatest\(place ?? ""); whether that "
              + "command loads the module is not known", remedy: remedy, code: .loadingBlocked)
          : .wrong(
            "modprobe would run '\(installCommand)' instead of loading cmatest\(place ?? "")",
            remedy: remedy, .loadingBlocked))
    }
    if let removeCommand {
      findings.append(
        .notice(
          "'modprobe -r cmatest' would run '\(removeCommand)' instead of removing the module",
          remedy: "rmmod cmatest"))
    }
    if isBlacklisted {
      findings.append(
        .notice(
          "blacklisted in modprobe.d: nothing loads it at boot; 'modprobe cmatest' does",
          remedy: "grep -rs 'blacklist.*cmatest' /etc/modprobe.d /run/modprobe.d "
            + "/usr/local/lib/modprobe.d /usr/lib/modprobe.d /proc/cmdline"))
    }
    return findings.isEmpty ? [.good("nothing forbids loading")] : findings
  }

  var facts: [JSON.Member] {
    [
      JSON.Member("install_command", JSON(installCommand)),
      JSON.Member("install_file", JSON(installPlace?.file)),
      JSON.Member("remove_command", JSON(removeCommand)),
      JSON.Member("blacklisted", .bool(isBlacklisted)),
      JSON.Member("blacklisted_by_kernel", .bool(isBlacklistedByKernel)),
      JSON.Member("modules_disabled", .bool(isDisabled)),
    ]
  }
}
