// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestMachine
internal import CMATestShell
internal import CMATestSystem

/// The administrator's settings for DKMS, from the files that it sources, in its order.
/// (`read_framework_conf` and `prepare_mok` in dkms)
struct DKMSSettings {
  /// One setting.
  enum Setting: Equatable {
    case known(String)
    /// A shell alone can tell the value; `file` is what sets it.
    case unknown(name: String, file: String)

    /// The value; nil where it is not known.
    var value: String? {
      if case .known(let value) = self { return value }
      return nil
    }

    /// The reason why the value is not known, for people; nil where it is.
    var doubt: String? {
      guard case .unknown(let name, let file) = self else { return nil }
      return "only a shell can tell what \(file) sets \(name) to"
    }
  }

  /// The folder in which DKMS keeps its builds, as the machine itself says it.
  let tree: Setting
  /// The certificate for what DKMS signs.
  let certificate: Setting

  /// - Parameters:
  ///   - machine: whose settings.
  ///   - release: the kernel that the module is for, `$kernelver` in the files.
  init(_ machine: Machine, release: String) {
    let folder = "/etc/dkms/framework.conf.d"
    // As the shell expands `*.conf`.
    let names = ((try? machine.names(in: folder)) ?? [])
      .filter { $0.hasSuffix(".conf") && !$0.hasPrefix(".") }
    var settings = ShellAssignments()
    // What DKMS has set itself before it reads them.
    let before = """
      kernelver=\(release)
      dkms_tree=/var/lib/dkms
      source_tree=/usr/src
      install_tree=/lib/modules
      """
    settings.read(Array(before.utf8), from: "")
    for file in ["/etc/dkms/framework.conf"] + names.map({ "\(folder)/\($0)" }) {
      settings.read((try? contents(of: machine.path(file))) ?? [], from: file)
    }
    func setting(_ name: String, _ other: String) -> Setting {
      if let file = settings.doubtfulFile(for: name) { return .unknown(name: name, file: file) }
      // Of a file that was edited on Windows DKMS drops the last byte too.
      let value = settings[name]
      var path = value.hasSuffix("\r") ? String(value.dropLast()) : value
      // DKMS reads what it has read as the shell's once more.
      for variable in ["${kernelver}", "$kernelver"] {
        path = path.replacing(variable, with: release)
      }
      if let last = settings.assignments.last(where: { $0.name == name }),
        path.contains("$") || path.contains("`")
      {
        return .unknown(name: name, file: last.file)
      }
      return .known(path.isEmpty ? other : path)
    }
    tree = setting("dkms_tree", "/var/lib/dkms")
    certificate = setting("mok_certificate", "/var/lib/dkms/mok.pub")
  }
}
