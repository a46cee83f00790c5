// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// The kernel command line as kernel-install(8) takes it: of the administrator's file, else of the
/// vendor's, else of the running kernel. (`90-loaderentry.install`)
struct KernelInstall {
  static let file = "/etc/kernel/cmdline"
  private static let vendorFile = "/usr/lib/kernel/cmdline"
  private static let runningLine = "/proc/cmdline"

  /// Where the line is from.
  let source: String
  let line: [UInt8]
  private(set) var notes: [String] = []

  init(on machine: Machine) throws(ReserveFailure) {
    for file in [Self.file, Self.vendorFile] {
      guard let text = try machine.text(of: file) else { continue }
      self.init(joining: text, of: file)
      return
    }
    self.init(running: try machine.text(of: Self.runningLine) ?? [])
  }

  /// Joins the lines of a file but for comments: what is written back is one line, and with a comment
  /// at its front all of it would be one.
  init(joining text: [UInt8], of file: String) {
    let lines = lines(of: text).map { KernelCommandLine.trimmed(Array($0)) }
    let comments = lines.filter { $0.first == UInt8(ascii: "#") }
    source = file
    line = Array(
      lines.filter { !$0.isEmpty && $0.first != UInt8(ascii: "#") }
        .joined(separator: [UInt8(ascii: " ")]))
    if !comments.isEmpty {
      notes.append("the comments in \(file) are left out, as kernel-install does it")
    }
    if file != Self.file {
      notes.append("\(Self.file) replaces \(file), whose later changes then have no effect")
    }
  }

  private init(running text: [UInt8]) {
    source = Self.runningLine
    var line = text
    var dropped: [String] = []
    for place in KernelCommandLine.places(in: text).reversed() {
      let word = String(decoding: text[place], as: UTF8.self)
      let isOfLoader = word.hasPrefix("BOOT_IMAGE=") || word.hasPrefix("initrd=")
      guard isOfLoader || Self.rescue.contains(word) else { continue }
      if !isOfLoader { dropped.insert(word, at: 0) }
      let end = text[place.upperBound...].firstIndex { $0 != UInt8(ascii: " ") } ?? text.count
      line.removeSubrange(place.lowerBound..<end)
    }
    self.line = line
    notes.append(
      "the line is that of the running kernel, from \(source), since there is no \(Self.file): "
        + "leave out words that are meant for this boot only, such as single or init=")
    if !dropped.isEmpty {
      notes.append("left out, since they start a rescue: " + dropped.joined(separator: " "))
    }
  }

  /// The words that nobody wants at every boot.
  private static let rescue: Set = [
    "single", "s", "S", "1", "-s", "rescue", "emergency", "-b", "systemd.unit=rescue.target",
    "systemd.unit=emergency.target",
  ]

  /// The change to the administrator's file.
  func edit(
    for reservation: CMAReservation?
  ) throws(ReserveFailure) -> BootLoaderAdvice.Edit {
    let text = try edited(line, for: reservation, in: source)
    var edit = BootLoaderAdvice.Edit(
      source == Self.file ? .line : .newFile, in: Self.file, text)
    edit.isNeeded = isNeeded(line, for: reservation)
    return edit
  }
}

struct SystemdBoot: AdvisedBootLoader {
  let name = "systemd-boot"

  static func find(on machine: Machine) -> BootLoaderFinding? {
    if machine.loaderInfo(beginsWith: "systemd-boot") { return .init(Self(), saysItself: true) }
    let traces = ["loader/entries", "loader/loader.conf", "EFI/Linux"]
    let isThere = ["/boot", "/efi", "/boot/efi"].contains { folder in
      traces.contains { machine.exists("\(folder)/\($0)") }
    }
    return isThere ? .init(Self()) : nil
  }

  func advice(
    for reservation: CMAReservation?, on machine: Machine
  ) throws(ReserveFailure) -> BootLoaderAdvice {
    let present = try KernelInstall(on: machine)
    return BootLoaderAdvice(
      loader: name, edits: [try present.edit(for: reservation)],
      commands: try commands(machine), notes: present.notes)
  }

  /// `add-all` passes over a kernel whose image is not beside its modules, and Debian's are in /boot.
  private func commands(_ machine: Machine) throws(ReserveFailure) -> [String] {
    let kernels = try readable { () throws(SystemFailure) in try machine.installedKernels() }
    let inBoot = kernels.filter { !machine.isFile("/lib/modules/\($0)/vmlinuz") }
    var commands = inBoot.map { "kernel-install add \($0) /boot/vmlinuz-\($0)" }
    if inBoot.isEmpty || inBoot.count < kernels.count {
      commands.insert("kernel-install add-all", at: 0)
    }
    return commands
  }
}
