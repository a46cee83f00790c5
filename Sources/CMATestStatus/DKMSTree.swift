// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestMachine
internal import CMATestSystem

/// DKMS's tree of one package, read without running `dkms status`, a shell script that takes longer
/// than all the rest here.
struct DKMSTree {
  static let package = "cma-test"

  enum Build: Equatable {
    case installed(version: String)
    /// DKMS has put the module where the kernel looks for it, and it is there no more.
    case gone(version: String)
    case built(version: String)
    /// `log` is make's.
    case failed(version: String, log: String)
    case none
  }

  private let machine: Machine
  private let folder: String
  /// The reason why the folder is not known; nil where it is.
  let doubt: String?
  /// The versions that DKMS has the source of.
  let versions: [String]

  init(_ machine: Machine) {
    self.machine = machine
    let tree = DKMSSettings(machine, release: "").tree
    doubt = tree.doubt
    let folder = (tree.value ?? "/dev/null") + "/\(Self.package)"
    self.folder = folder
    versions = ((try? machine.names(in: folder)) ?? [])
      .filter { machine.link("\(folder)/\($0)/source") != nil }
  }

  /// Returns the state of the module for one kernel. (`do_build`, `do_install` in dkms)
  func build(for release: String) -> Build {
    for version in versions.reversed() {
      let architectures = (try? machine.names(in: "\(folder)/\(version)/\(release)")) ?? []
      for architecture in architectures {
        let built = "\(folder)/\(version)/\(release)/\(architecture)/module"
        guard machine.exists(built) else { continue }
        let active = machine.link("\(folder)/kernel-\(release)-\(architecture)")
        guard active?.contains("/\(version)/") == true else { return .built(version: version) }
        return installedFile(for: release) == nil
          ? .gone(version: version) : .installed(version: version)
      }
    }
    for version in versions.reversed() {
      // A build that succeeds takes this folder away.
      let log = "\(folder)/\(version)/build/make.log"
      if let first = try? machine.line(log), first.contains(" for kernel \(release) (") {
        return .failed(version: version, log: log)
      }
    }
    return .none
  }

  /// Returns the file into which DKMS puts the module on Debian, whatever its own settings say,
  /// compressed or not.
  ///
  /// - Parameter release: of a kernel.
  /// - Returns: nil where there is no such file.
  func installedFile(for release: String) -> String? {
    let folder = "/lib/modules/\(release)/updates/dkms"
    return ((try? machine.names(in: folder)) ?? [])
      .first { $0 == "cmatest.ko" || $0.hasPrefix("cmatest.ko.") }.map { "\(folder)/\($0)" }
  }
}
