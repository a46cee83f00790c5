// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// The firmware of a Raspberry Pi, which reads the kernel command line out of a file beside itself.
struct RaspberryPi: AdvisedBootLoader {
  let name = "the Raspberry Pi's firmware"
  /// The file that the firmware reads.
  private let file: String
  /// The filters of config.txt below which another file is named.
  private let filters: [String]

  static func find(on machine: Machine) -> BootLoaderFinding? {
    let folders = ["/boot/firmware", "/boot"]
    guard let folder = folders.first(where: { machine.isFile("\($0)/cmdline.txt") }) else {
      return nil
    }
    let settings = PiSettings(in: folder, on: machine)
    // A U-Boot that the firmware starts reads what it finds itself, and not this line.
    if settings["kernel"]?.hasPrefix("u-boot") == true,
      UBootMenu.find(on: machine) != nil || Extlinux.find(on: machine) != nil
    {
      return nil
    }
    let name = settings["cmdline"] ?? "cmdline.txt"
    let prefixed = "\(folder)/\(settings["os_prefix"] ?? "")\(name)"
    let file = machine.isFile(prefixed) ? prefixed : "\(folder)/\(name)"
    return .init(Self(file: file, filters: settings.filters))
  }

  func advice(
    for reservation: CMAReservation?, on machine: Machine
  ) throws(ReserveFailure) -> BootLoaderAdvice {
    let lines = lines(of: try machine.text(of: file) ?? [])
    let others = lines.dropFirst().contains { !KernelCommandLine.trimmed(Array($0)).isEmpty }
    let present = Array(lines.first ?? [])
    let line = try edited(present, for: reservation, in: file)
    var edit = BootLoaderAdvice.Edit(others ? .firstLine : .line, in: file, line)
    edit.isNeeded = isNeeded(present, for: reservation)
    var notes = others ? ["\(file) has more lines, and the firmware reads the first one only"] : []
    if !filters.isEmpty {
      notes.append(
        "config.txt names another file below \(filters.joined(separator: ", ")): where that is this "
          + "board, change that file instead")
    }
    return BootLoaderAdvice(loader: name, edits: [edit], notes: notes)
  }
}

/// The settings of config.txt that say which file has the kernel command line. Settings below a
/// filter for some boards, as `[pi4]`, are left out.
private struct PiSettings {
  private var values: [String: String] = [:]
  /// The filters below which another file is named.
  private(set) var filters: [String] = []

  init(in folder: String, on machine: Machine) {
    read("config.txt", in: folder, on: machine, depth: 0)
  }

  private mutating func read(_ name: String, in folder: String, on machine: Machine, depth: Int) {
    // Not all boards have the file, and the defaults are then what counts.
    guard let text = try? contents(of: machine.path("\(folder)/\(name)")) else { return }
    var filter = "[all]"
    for line in lines(of: text) {
      let line = String(decoding: KernelCommandLine.trimmed(Array(line)), as: UTF8.self)
      let words = line.split(separator: " ", maxSplits: 1)
      if line.hasPrefix("[") {
        filter = line
      } else if words.first == "include", words.count == 2, depth < 4 {
        if filter == "[all]" { read(String(words[1]), in: folder, on: machine, depth: depth + 1) }
      } else if !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") {
        let name = String(line[..<equals])
        if filter == "[all]" {
          values[name] = String(line[line.index(after: equals)...])
        } else if name == "cmdline" || name == "os_prefix", !filters.contains(filter) {
          filters.append(filter)
        }
      }
    }
  }

  subscript(name: String) -> String? { values[name] }
}

/// The same firmware where Debian's raspi-firmware writes that file anew with each kernel and each
/// initramfs, from settings of its own. (`/etc/kernel/postinst.d/z50-raspi-firmware`)
struct RaspiFirmware: AdvisedBootLoader {
  let name = "the Raspberry Pi's firmware (raspi-firmware)"

  private static let hook = "/etc/kernel/postinst.d/z50-raspi-firmware"
  private static let settings = "/etc/default/raspi-firmware"
  /// What the hook puts at the end of the line.
  private static let extra = "/etc/default/raspi-extra-cmdline"

  static func find(on machine: Machine) -> BootLoaderFinding? {
    // Raspberry Pi OS has a hook of the same name that leaves the command line alone.
    guard let text = try? contents(of: machine.path(hook)),
      String(decoding: text, as: UTF8.self).contains("cmdline.txt"),
      RaspberryPi.find(on: machine) != nil
    else { return nil }
    return .init(Self())
  }

  func advice(
    for reservation: CMAReservation?, on machine: Machine
  ) throws(ReserveFailure) -> BootLoaderAdvice {
    let setting = try ShellSetting("CMA", in: [Self.settings], on: machine)
    var value = reservation?.text ?? "0"
    // Of a Pi 4 the hook takes 64M for its own default, and leaves it out.
    if value == "64M" { value = "65536K" }
    let edit = setting.edit("CMA=\(value)", inOrAfter: Self.settings)
    var advice = BootLoaderAdvice(
      loader: name, edits: [edit], commands: ["update-initramfs -u -k all"],
      notes: setting.notes(on: edit))
    if reservation == nil {
      advice.notes.append(
        "without a line for CMA in \(Self.settings), raspi-firmware reserves its default, 64M")
    }
    if let text = try machine.text(of: Self.extra), KernelCommandLine(text).cma != nil {
      // It comes last, so that it would count.
      let line = try edited(text, for: nil, in: Self.extra)
      advice.edits.append(.init(.line, in: Self.extra, line))
    }
    return advice
  }
}
