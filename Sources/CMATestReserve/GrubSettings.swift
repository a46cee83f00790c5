// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestShell

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
  ///
  /// - Parameters:
  ///   - reservation: what for.
  ///   - comesFirst: whether it goes before what is there, of which the end is not the kernel's.
  /// - Returns: the whole text.
  static func dropIn(for reservation: CMAReservation, comesFirst: Bool) -> String {
    let words = ["$GRUB_CMDLINE_LINUX", reservation.parameter]
    return """
      # Written by 'cma-test reserve'; 'cma-test reserve --remove' takes it away.
      GRUB_CMDLINE_LINUX="\((comesFirst ? words.reversed() : words).joined(separator: " "))"

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

  /// The command line of Dom0 of Xen, and the variables that replace others there.
  /// (`/etc/grub.d/20_linux_xen`)
  var xenCommandLine: (line: KernelCommandLine, replacements: [String]) {
    let replacements = ["GRUB_CMDLINE_LINUX_XEN_REPLACE", "GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT"]
    let values = zip(Self.variables, replacements).map {
      settings[$1].isEmpty ? settings[$0] : settings[$1]
    }
    return (
      KernelCommandLine(values.joined(separator: " ")),
      replacements.filter { !settings[$0].isEmpty }
    )
  }

  /// The last file that sets a variable.
  func source(of variable: String) -> String? {
    settings.assignments.last { $0.name == variable }?.file
  }

  /// The last file that sets GRUB_CMDLINE_LINUX: the one to blame where what the drop-in adds is
  /// lost.
  var lastToSet: String? {
    settings.assignments.last { $0.name == "GRUB_CMDLINE_LINUX" && $0.file != Self.dropIn }?.file
  }
}
