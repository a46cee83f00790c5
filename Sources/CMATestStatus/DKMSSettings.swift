// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// The administrator's settings for DKMS, from the files that it sources, in its order.
/// (`read_framework_conf` and `prepare_mok` in dkms)
struct DKMSSettings {
  /// The folder in which DKMS keeps its builds, as the machine itself says it.
  let tree: String
  /// The certificate for what DKMS signs.
  let certificate: String
  /// The key that it signs with; `pkcs11:…` is a token's.
  let key: String

  /// - Parameters:
  ///   - machine: whose settings.
  ///   - release: the kernel that the module is for, `$kernelver` in the files.
  init(_ machine: Machine, release: String) {
    let folder = "/etc/dkms/framework.conf.d"
    // As the shell expands `*.conf`.
    let names = ((try? machine.names(in: folder)) ?? [])
      .filter { $0.hasSuffix(".conf") && !$0.hasPrefix(".") }
    var settings = ShellAssignments()
    settings.read(Array("kernelver=\(release)\n".utf8), from: "")
    for file in ["/etc/dkms/framework.conf"] + names.map({ "\(folder)/\($0)" }) {
      settings.read((try? contents(of: machine.path(file))) ?? [], from: file)
    }
    func setting(_ name: String, _ other: String) -> String {
      // Of a file that was edited on Windows DKMS drops the last byte too.
      let value = settings[name]
      var path = value.hasSuffix("\r") ? String(value.dropLast()) : value
      // DKMS reads what it has read as the shell's once more.
      for variable in ["${kernelver}", "$kernelver"] {
        path = path.replacing(variable, with: release)
      }
      return path.isEmpty ? other : path
    }
    tree = setting("dkms_tree", "/var/lib/dkms")
    key = setting("mok_signing_key", "/var/lib/dkms/mok.key")
    certificate = setting("mok_certificate", "/var/lib/dkms/mok.pub")
  }
}
