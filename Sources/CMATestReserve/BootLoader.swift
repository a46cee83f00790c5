// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestSystem

/// What to put where, for a boot loader that is not configured from here.
public struct BootLoaderAdvice: Equatable, Sendable {
  /// The loader's name.
  public var loader: String
  /// The file that has the kernel command line; nil where it is not known.
  public var file: String?
  /// The whole line as it should be; nil where `cma=` is to go and the line is not known.
  public var line: String?
  /// What makes it take effect, where that is more than a reboot.
  public var command: String?

  /// What to do, a step a line; a line to be copied is indented.
  public var steps: [String] {
    let place =
      switch (file, line) {
      case (let file?, _?): "make this the line in \(file):"
      case (nil, _?): "put this on its kernel command line:"
      case (_, nil): "take cma= off its kernel command line"
      }
    return [place] + [line].compactMap { $0.map { "  \($0)" } }
      + (command.map { ["then run:", "  \($0)"] } ?? []) + ["and reboot"]
  }
}

/// The boot loaders of Debian machines.
enum BootLoader: Equatable {
  case grub(updater: String)
  case systemdBoot
  case raspberryPi
  case uBootMenu
  case extlinux
  case flashKernel
  case unknown

  private static let piCommandLine = "/boot/firmware/cmdline.txt"
  private static let kernelCommandLine = "/etc/kernel/cmdline"
  private static let uBootMenuSettings = "/etc/default/u-boot"
  private static let extlinuxMenu = "/boot/extlinux/extlinux.conf"
  private static let flashKernelSettings = "/etc/default/flash-kernel"
  /// What the loader itself says: systemd-boot does, and GRUB in newer versions.
  private static let loaderInfo =
    "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

  /// Finds out what boots the machine. GRUB is it only where there is a menu of it and what makes
  /// the menu; what the firmware's variables say of this boot goes before what lies on the disk.
  init(of machine: Machine) {
    // Four bytes of attributes, then UTF-16: the plain letters are every other byte.
    let info = (try? contents(of: machine.path(Self.loaderInfo))) ?? []
    if info.dropFirst(4).filter({ $0 != 0 }).starts(with: "systemd-boot".utf8) {
      self = .systemdBoot
    } else if machine.exists(GrubMenu.path), let updater = machine.program("update-grub") {
      self = .grub(updater: updater)
    } else if machine.exists(Self.piCommandLine) {
      self = .raspberryPi
    } else if machine.exists(Self.extlinuxMenu) {
      self = machine.program("u-boot-update") == nil ? .extlinux : .uBootMenu
    } else if machine.exists(Self.flashKernelSettings) {
      self = .flashKernel
    } else if ["/boot", "/efi", "/boot/efi"].contains(where: {
      machine.exists($0 + "/loader/entries")
    }) {
      self = .systemdBoot
    } else {
      self = .unknown
    }
  }

  /// What to do by hand; never asked for GRUB.
  ///
  /// - Parameters:
  ///   - parameter: `cma=…`, nil to take it away.
  ///   - machine: where the present lines are read.
  /// - Returns: the file, the line and the command.
  func advice(for parameter: String?, on machine: Machine) -> BootLoaderAdvice {
    switch self {
    case .grub(let updater):
      BootLoaderAdvice(loader: "GRUB", file: GrubSettings.main, command: updater)
    case .systemdBoot:
      BootLoaderAdvice(
        loader: "systemd-boot", file: Self.kernelCommandLine,
        // Without that file kernel-install takes the running kernel's line.
        line: Self.line(Self.kernelCommandLine, machine)?.replacingCMA(with: parameter)
          ?? Self.line("/proc/cmdline", machine).map { Self.ofKernelInstall($0, parameter) }
          ?? parameter,
        command: "kernel-install add-all")
    case .raspberryPi:
      BootLoaderAdvice(
        loader: "the Raspberry Pi's firmware", file: Self.piCommandLine,
        line: Self.line(Self.piCommandLine, machine)?.replacingCMA(with: parameter) ?? parameter)
    case .uBootMenu:
      BootLoaderAdvice(
        loader: "U-Boot (u-boot-menu)", file: Self.uBootMenuSettings,
        line: Self.setting("U_BOOT_PARAMETERS", Self.uBootParameters(machine), parameter),
        command: "u-boot-update")
    case .extlinux:
      BootLoaderAdvice(
        loader: "U-Boot (extlinux)", file: Self.extlinuxMenu,
        line: Self.appendLine(machine).map { "append " + $0.replacingCMA(with: parameter) }
          ?? parameter)
    case .flashKernel:
      BootLoaderAdvice(
        loader: "U-Boot (flash-kernel)", file: Self.flashKernelSettings,
        line: Self.setting(
          "LINUX_KERNEL_CMDLINE",
          KernelCommandLine(
            Self.variable("LINUX_KERNEL_CMDLINE", in: Self.flashKernelSettings, machine)),
          parameter),
        command: "flash-kernel")
    case .unknown:
      BootLoaderAdvice(loader: "a boot loader that was not recognised", line: parameter)
    }
  }

  private static func line(_ file: String, _ machine: Machine) -> KernelCommandLine? {
    guard let text = try? contents(of: machine.path(file)) else { return nil }
    let line = KernelCommandLine(text)
    return line.words.isEmpty ? nil : line
  }

  /// The running kernel's line without what the loader itself put there.
  private static func ofKernelInstall(_ line: KernelCommandLine, _ parameter: String?) -> String {
    let words = line.words.filter { !$0.hasPrefix("BOOT_IMAGE=") && !$0.hasPrefix("initrd=") }
    return KernelCommandLine(words.joined(separator: " ")).replacingCMA(with: parameter)
  }

  private static func setting(
    _ name: String, _ line: KernelCommandLine, _ parameter: String?
  ) -> String {
    "\(name)=\"\(line.replacingCMA(with: parameter))\""
  }

  private static func variable(_ name: String, in file: String, _ machine: Machine) -> String {
    var settings = ShellAssignments()
    if let text = try? contents(of: machine.path(file)) { settings.read(text, from: file) }
    return settings[name]
  }

  /// As u-boot-menu's own read-config has it: the setting, or /etc/kernel/cmdline, or its default.
  private static func uBootParameters(_ machine: Machine) -> KernelCommandLine {
    let own = KernelCommandLine(variable("U_BOOT_PARAMETERS", in: uBootMenuSettings, machine))
    if !own.words.isEmpty { return own }
    guard let line = line(kernelCommandLine, machine) else { return KernelCommandLine("ro quiet") }
    let words = line.words.filter { !$0.hasPrefix("root=") }
    return KernelCommandLine(words.joined(separator: " "))
  }

  /// What the first entry of the extlinux menu appends.
  private static func appendLine(_ machine: Machine) -> KernelCommandLine? {
    guard let text = try? contents(of: machine.path(extlinuxMenu)) else { return nil }
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(maxSplits: 1) { " \t".utf8.contains($0) }
      if fields.count == 2,
        String(decoding: fields[0], as: UTF8.self).lowercased() == "append"
      {
        return KernelCommandLine(fields[1])
      }
    }
    return nil
  }
}
