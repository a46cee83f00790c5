// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestSystem

/// What DKMS keeps below /var/lib/dkms of one package, read without running it: `dkms status` is a
/// shell script that takes longer than all the rest here.
struct DKMSTree {
  static let package = "cma-test"
  private static let folder = "/var/lib/dkms/\(package)"
  /// The certificate for what DKMS signs with a key of its own.
  static let certificate = "/var/lib/dkms/mok.pub"

  enum Build: Equatable {
    case installed(version: String)
    case built(version: String)
    /// `log` is make's.
    case failed(version: String, log: String)
    case none
  }

  private let machine: Machine
  /// The versions that DKMS has the source of.
  let versions: [String]

  init(_ machine: Machine) {
    self.machine = machine
    versions = ((try? machine.names(in: Self.folder)) ?? [])
      .filter { machine.link("\(Self.folder)/\($0)/source") != nil }
  }

  /// What became of the module for one kernel. (`do_build`, `do_install` in dkms)
  func build(for release: String) -> Build {
    for version in versions.reversed() {
      let architectures = (try? machine.names(in: "\(Self.folder)/\(version)/\(release)")) ?? []
      for architecture in architectures {
        let built = "\(Self.folder)/\(version)/\(release)/\(architecture)/module"
        guard machine.exists(built) else { continue }
        let active = machine.link("\(Self.folder)/kernel-\(release)-\(architecture)")
        return active?.contains("/\(version)/") == true
          ? .installed(version: version) : .built(version: version)
      }
    }
    for version in versions.reversed() {
      // A build that succeeds takes this folder away.
      let log = "\(Self.folder)/\(version)/build/make.log"
      if let first = try? machine.line(log), first.contains(" for kernel \(release) (") {
        return .failed(version: version, log: log)
      }
    }
    return .none
  }
}
