// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// The entries of grub.cfg that boot a kernel, as update-grub made them.
struct GrubMenu {
  static let path = "/boot/grub/grub.cfg"

  struct Entry {
    var title: String
    /// The program of /etc/grub.d that made it.
    var section: String
    /// The path of the kernel, as GRUB sees it.
    var kernel: String
    var line: KernelCommandLine
  }

  private(set) var entries: [Entry] = []

  /// - Parameter text: grub.cfg.
  init(_ text: [UInt8]) {
    var section = ""
    var title = ""
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(maxSplits: 2) { " \t".utf8.contains($0) }
        .map { String(decoding: $0, as: UTF8.self) }
      switch fields.first ?? "" {
      case "###" where fields.count == 3 && fields[1] == "BEGIN":
        section = fields[2].replacing(" ###", with: "")
      case "###": section = ""
      case "menuentry": title = Self.title(String(decoding: line, as: UTF8.self))
      // The last three are Xen's, whose modules are Linux and the initrd.
      case "linux", "linuxefi", "module", "module2", "xen_module":
        guard fields.count == 3, fields[1].contains("/vmlinu") else { continue }
        entries.append(
          Entry(
            title: title, section: section, kernel: fields[1],
            line: KernelCommandLine(fields[2])))
      default: continue
      }
    }
  }

  /// The entries that `/etc/grub.d/10_linux` made.
  var ours: [Entry] { entries.filter { $0.section == "/etc/grub.d/10_linux" } }

  /// The entries of other sections that boot one of these kernels. Those of os-prober are another
  /// system's.
  func others(of kernels: [String]) -> [Entry] {
    entries.filter { entry in
      entry.section != "/etc/grub.d/10_linux" && !entry.section.hasSuffix("_os-prober")
        && kernels.contains { entry.kernel.hasSuffix("/vmlinuz-\($0)") }
    }
  }

  /// The first text in quotes.
  private static func title(_ line: String) -> String {
    guard let quote = line.first(where: { "'\"".contains($0) }),
      let start = line.firstIndex(of: quote)
    else { return "" }
    return String(line[line.index(after: start)...].prefix { $0 != quote })
  }
}
