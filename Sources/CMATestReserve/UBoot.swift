// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem
internal import Glibc

/// U-Boot with a menu that u-boot-update(8) makes. (`/usr/share/u-boot-menu/read-config`)
struct UBootMenu: AdvisedBootLoader {
  let name = "U-Boot (u-boot-menu)"

  private static let settings = "/etc/default/u-boot"
  private static let vendorFolder = "/usr/share/u-boot-menu/conf.d"
  private static let folder = "/etc/u-boot-menu/conf.d"
  /// The file of this package, which is read after all of the vendor's.
  private static let ownFile = "\(folder)/cma-test.conf"
  private static let variable = "U_BOOT_PARAMETERS"

  static func find(on machine: Machine) -> BootLoaderFinding? {
    guard machine.isFile(Extlinux.menu), machine.program("u-boot-update") != nil else { return nil }
    // Told not to make the menu, it leaves that to whoever wrote it.
    let isOn = try? ShellSetting("U_BOOT_UPDATE", in: files(on: machine), on: machine).value
    return ["", "true"].contains(isOn ?? "") ? .init(Self()) : nil
  }

  /// In the order in which they are read.
  private static func files(on machine: Machine) throws(ReserveFailure) -> [String] {
    var files = [settings]
    for folder in [vendorFolder, folder] {
      files += try machine.filesForShell(in: folder, suffix: ".conf")
    }
    return files
  }

  func advice(
    for reservation: CMAReservation?, on machine: Machine
  ) throws(ReserveFailure) -> BootLoaderAdvice {
    let setting = try ShellSetting(Self.variable, in: Self.files(on: machine), on: machine)
    var advice = BootLoaderAdvice(loader: name, edits: [], commands: ["u-boot-update"])
    if reservation == nil, setting.file == Self.ownFile {
      advice.edits = [.init(.noFile, in: Self.ownFile, nil)]
    } else if setting.isEmpty, let text = try machine.text(of: KernelInstall.file) {
      // Then read-config takes root= from that file too: with a setting of its own it would not.
      let present = KernelInstall(joining: text, of: KernelInstall.file)
      advice.edits = [try present.edit(for: reservation)]
      advice.notes = present.notes
    } else {
      let place = setting.file?.hasPrefix(Self.vendorFolder) == true ? Self.ownFile : Self.settings
      let edit = try setting.edit(for: reservation, whenUnset: "ro quiet", inOrAfter: place)
      advice.edits = [edit]
      advice.notes = setting.notes(on: edit)
    }
    return advice
  }
}

/// U-Boot with a menu that somebody wrote by hand.
struct Extlinux: AdvisedBootLoader {
  static let menu = "/boot/extlinux/extlinux.conf"

  let name = "U-Boot (extlinux)"
  private let menu: String

  /// U-Boot looks in /extlinux and /boot/extlinux of each partition. (`boot_prefixes`)
  static func find(on machine: Machine) -> BootLoaderFinding? {
    let folders = ["/boot", "", "/boot/firmware", "/boot/efi", "/efi"]
    return folders.map { "\($0)/extlinux/extlinux.conf" }.first(where: machine.isFile)
      .map { .init(Self(menu: $0)) }
  }

  func advice(
    for reservation: CMAReservation?, on machine: Machine
  ) throws(ReserveFailure) -> BootLoaderAdvice {
    let parsed = ExtlinuxMenu(try machine.text(of: menu) ?? [])
    var advice = BootLoaderAdvice(loader: name, edits: [])
    guard let entry = parsed.defaultEntry else {
      advice.edits = [.init(.commandLine, reservation?.parameter)]
      advice.notes = ["\(menu) has no label: look for the menus that the file includes"]
      return advice
    }
    let line = try edited(entry.append ?? [], for: reservation, in: menu)
    if entry.appendLines > 1 {
      advice.notes.append(
        "the entry '\(entry.label)' has several lines with append, of which U-Boot takes the last: "
          + "change that one")
    }
    advice.edits = [
      entry.append == nil
        ? .init(.newLineBelow(entry.label), in: menu, "append \(line)")
        : .init(.lineBelow("append", label: entry.label), in: menu, "append \(line)")
    ]
    advice.edits[0].isNeeded = isNeeded(entry.append ?? [], for: reservation)
    let others = parsed.entries.map(\.label).filter { $0 != entry.label }
    if !others.isEmpty {
      advice.notes.append(
        "'\(entry.label)' boots by default; these entries stay as they are: "
          + others.joined(separator: ", "))
    }
    return advice
  }
}

/// extlinux.conf as U-Boot reads it. (`boot/pxe_utils.c`)
struct ExtlinuxMenu {
  struct Entry {
    var label: String
    /// The kernel command line; nil where the entry has none.
    var append: [UInt8]?
    /// How many lines set it: the last one counts.
    var appendLines = 0
  }

  private(set) var entries: [Entry] = []
  private var defaultLabel: String?

  init(_ text: [UInt8]) {
    for line in lines(of: text) {
      let line = KernelCommandLine.trimmed(Array(line))
      let word = line.prefix { !" \t".utf8.contains($0) }
      let rest = KernelCommandLine.trimmed(Array(line.dropFirst(word.count)))
      let text = String(decoding: rest, as: UTF8.self)
      switch String(decoding: word, as: UTF8.self).lowercased() {
      case "default", "ontimeout": defaultLabel = text.isEmpty ? defaultLabel : text
      case "label": entries.append(Entry(label: text))
      case "append" where !entries.isEmpty:
        entries[entries.count - 1].append = rest
        entries[entries.count - 1].appendLines += 1
      case "menu" where text.lowercased() == "default":
        // It gives way to the other two, wherever these are.
        defaultLabel = defaultLabel ?? entries.last?.label
      default: continue
      }
    }
  }

  /// The entry that boots unless somebody chooses another: without such a label, the first.
  var defaultEntry: Entry? { entries.last { $0.label == defaultLabel } ?? entries.first }
}

/// U-Boot with a script of the vendor that imports a text of `name=value`, as on Armbian: the value
/// is the rest of the line, without quotes.
///
/// The script puts several variables on the kernel command line, so that no other one may have a
/// `cma=` that comes later.
struct EnvironmentFile: AdvisedBootLoader {
  let name: String
  private let file: String
  /// The variables that the scripts put on the kernel command line: the first that is there counts, or
  /// else the first.
  private let variables: [String]

  static func find(on machine: Machine) -> BootLoaderFinding? {
    let known = [
      Self(
        name: "U-Boot (armbianEnv.txt)", file: "/boot/armbianEnv.txt", variables: ["extraargs"]),
      Self(
        name: "U-Boot (orangepiEnv.txt)", file: "/boot/orangepiEnv.txt", variables: ["extraargs"]),
      Self(
        name: "U-Boot (uEnv.txt)", file: "/boot/uEnv.txt",
        variables: ["cmdline", "optargs", "extraargs", "bootargs"]),
    ]
    return known.first { machine.isFile($0.file) }.map { .init($0) }
  }

  func advice(
    for reservation: CMAReservation?, on machine: Machine
  ) throws(ReserveFailure) -> BootLoaderAdvice {
    var values: [String: [UInt8]] = [:]
    var counts: [String: Int] = [:]
    // Of several, U-Boot keeps the last.
    for line in lines(of: try machine.text(of: file) ?? []) {
      // U-Boot passes over blanks at the front. (`lib/hashtable.c`)
      let line = line.drop { " \t".utf8.contains($0) }
      guard line.first != UInt8(ascii: "#"), let equals = line.firstIndex(of: UInt8(ascii: "="))
      else { continue }
      let name = String(decoding: line[..<equals], as: UTF8.self)
      values[name] = Array(line[(equals + 1)...])
      counts[name, default: 0] += 1
    }
    let variable = variables.first { values[$0] != nil } ?? variables[0]
    var edits = [try edit(variable, values[variable], for: reservation)]
    var names = [variable]
    for (other, value) in values.sorted(by: { $0.key < $1.key })
    where other != variable && KernelCommandLine(value).cma != nil {
      edits.append(try edit(other, value, for: nil))
      names.append(other)
    }
    var notes = names.filter { counts[$0, default: 0] > 1 }.map {
      "\(file) has several lines with \($0)=, of which U-Boot keeps the last: change that one"
    }
    if variables.count > 1, values[variable] == nil, reservation != nil {
      notes.append(
        "\(file) has none of \(variables.joined(separator: ", ")): look in the board's boot script "
          + "whether that takes \(variable)")
    }
    return BootLoaderAdvice(loader: name, edits: edits, notes: notes)
  }

  private func edit(
    _ variable: String, _ value: [UInt8]?, for reservation: CMAReservation?
  ) throws(ReserveFailure) -> BootLoaderAdvice.Edit {
    let line = "\(variable)=" + (try edited(value ?? [], for: reservation, in: file))
    var edit = BootLoaderAdvice.Edit(
      value == nil ? .newLine : .lineOf("\(variable)="), in: file, line)
    edit.isNeeded = isNeeded(value ?? [], for: reservation)
    return edit
  }
}

/// U-Boot with a script, or an image, that flash-kernel(8) makes.
struct FlashKernel: AdvisedBootLoader {
  let name = "U-Boot (flash-kernel)"

  private static let settings = "/etc/default/flash-kernel"

  static func find(on machine: Machine) -> BootLoaderFinding? {
    let isThere = machine.isFile(settings) || machine.program("flash-kernel") != nil
    return isThere ? .init(Self()) : nil
  }

  func advice(
    for reservation: CMAReservation?, on machine: Machine
  ) throws(ReserveFailure) -> BootLoaderAdvice {
    let own = try ShellSetting("LINUX_KERNEL_CMDLINE", in: [Self.settings], on: machine)
    var edits = [try own.edit(for: reservation, whenUnset: "", inOrAfter: Self.settings)]
    var notes = own.notes(on: edits[0])
    // It comes first on the line, and an address there would stay.
    let defaults = try ShellSetting(
      "LINUX_KERNEL_CMDLINE_DEFAULTS", in: [Self.settings], on: machine)
    if KernelCommandLine(defaults.value).cma != nil {
      let edit = try defaults.edit(for: nil, whenUnset: "", inOrAfter: Self.settings)
      edits.append(edit)
      notes += defaults.notes(on: edit)
    }
    return BootLoaderAdvice(
      loader: name, edits: edits, commands: ["flash-kernel"], notes: notes)
  }
}

/// A boot loader that was not recognised: the advice is the parameter alone.
struct UnknownLoader: AdvisedBootLoader {
  let name = "a boot loader that was not recognised"

  static func find(on machine: Machine) -> BootLoaderFinding? { .init(Self()) }

  func advice(
    for reservation: CMAReservation?, on machine: Machine
  ) throws(ReserveFailure) -> BootLoaderAdvice {
    let mayLookEverywhere = !machine.isRunning || geteuid() == 0
    return BootLoaderAdvice(
      loader: name, edits: [.init(.commandLine, reservation?.parameter)],
      notes: mayLookEverywhere
        ? [] : ["only root may look into folders such as /boot/efi: run the command as root"])
  }
}
