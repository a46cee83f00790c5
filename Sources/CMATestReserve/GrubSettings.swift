// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// The kernel command line as /etc/default/grub and the drop-ins beside it have it.
///
/// grub-mkconfig sources these files in this order and puts GRUB_CMDLINE_LINUX_DEFAULT behind
/// GRUB_CMDLINE_LINUX (`/etc/grub.d/10_linux`).
struct GrubSettings {
  static let main = "/etc/default/grub"
  static let folder = "/etc/default/grub.d"
  static let dropIn = "/etc/default/grub.d/cma-test.cfg"

  private static let variables = ["GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"]

  private let settings: ShellAssignments

  /// - Parameter files: their names and bytes, in the order in which they are sourced.
  init(files: [(name: String, text: [UInt8])]) {
    var settings = ShellAssignments()
    for file in files { settings.read(file.text, from: file.name) }
    self.settings = settings
  }

  /// The drop-in's text: it adds to what the user has, and takes nothing away.
  static func dropIn(for reservation: CMAReservation) -> String {
    """
    # Written by 'cma-test reserve'; 'cma-test reserve --remove' takes it away.
    GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX \(reservation.parameter)"

    """
  }

  var commandLine: KernelCommandLine {
    KernelCommandLine(Self.variables.map { settings[$0] }.joined(separator: " "))
  }

  /// Every `cma=` that a file other than the drop-in sets, in the order in which they are sourced.
  var others: [(parameter: String, source: String)] {
    settings.assignments.filter { Self.variables.contains($0.name) && $0.file != Self.dropIn }
      .flatMap { assignment in
        KernelCommandLine(assignment.own).words.filter { $0.hasPrefix("cma=") }
          .map { ($0, assignment.file) }
      }
  }

  /// The last file that sets GRUB_CMDLINE_LINUX: the one to blame where what the drop-in adds is
  /// lost.
  var lastToSet: String? {
    settings.assignments.last { $0.name == "GRUB_CMDLINE_LINUX" && $0.file != Self.dropIn }?.file
  }
}

/// The kernel command lines of the entries that update-grub made.
struct GrubMenu {
  static let path = "/boot/grub/grub.cfg"

  let commandLines: [KernelCommandLine]

  /// - Parameter text: grub.cfg. Only the part that `/etc/grub.d/10_linux` made is read: the rest
  ///   is of other systems, or the user's own.
  init(_ text: [UInt8]) {
    var commandLines: [KernelCommandLine] = []
    var isOurs = false
    for line in text.split(separator: UInt8(ascii: "\n")) {
      if line.starts(with: "### BEGIN ".utf8) || line.starts(with: "### END ".utf8) {
        isOurs = line.elementsEqual("### BEGIN /etc/grub.d/10_linux ###".utf8)
        continue
      }
      let fields = line.split(maxSplits: 2) { " \t".utf8.contains($0) }
      guard isOurs, fields.count == 3,
        ["linux", "linuxefi"].contains(where: { fields[0].elementsEqual($0.utf8) })
      else { continue }
      commandLines.append(KernelCommandLine(fields[2]))
    }
    self.commandLines = commandLines
  }
}
