// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// The module for every installed kernel, and the headers that it needs to be built.
struct DKMSTopic: Topic {
  static let name = "dkms"

  struct Kernel {
    var release: String
    var isRunning: Bool
    /// The option for want of which DKMS skips it; nil where it has all, or that is not known.
    var missingOption: String?
    var hasHeaders: Bool
    var build: DKMSTree.Build
  }

  let kernels: [Kernel]
  let versions: [String]
  /// The reason why DKMS's folder is not known; nil where it is.
  private let doubt: String?
  /// True too where modprobe cannot be asked.
  private let moduleIsFound: Bool

  init(_ inputs: StatusInputs) {
    let machine = inputs.machine
    let running = inputs.release
    var releases = (try? machine.installedKernels()) ?? []
    if let running, !releases.contains(running) { releases.append(running) }
    let tree = DKMSTree(machine)
    versions = tree.versions
    doubt = tree.doubt
    moduleIsFound = inputs.modprobe.found != nil || inputs.modprobe.hanging != nil
    kernels = releases.map { release in
      Kernel(
        release: release, isRunning: release == running,
        missingOption: machine.configuration(of: release)?.0.missingForCMA,
        hasHeaders: Self.hasHeaders(machine, release), build: tree.build(for: release))
    }
  }

  /// The link /lib/modules/RELEASE/build, followed inside the tree; DKMS needs the configuration too.
  private static func hasHeaders(_ machine: Machine, _ release: String) -> Bool {
    let build = "/lib/modules/\(release)/build"
    return machine.exists((machine.link(build) ?? build) + "/.config")
  }

  var findings: [Finding] {
    if let doubt { return [.notice("whether DKMS has built the module is not known: \(doubt)")] }
    guard !versions.isEmpty else {
      return [
        Finding(
          mark: moduleIsFound ? .notice : .wrong,
          text: "DKMS has no source of the module: the package cma-test-dkms is not installed",
          remedy: "apt install cma-test-dkms", code: moduleIsFound ? nil : .moduleMissing)
      ]
    }
    return kernels.map(finding)
  }

  private func finding(_ kernel: Kernel) -> Finding {
    let release = kernel.release
    let again = "dkms install \(DKMSTree.package)/\(versions.last ?? "") -k \(release)"
    switch kernel.build {
    case .installed(let version):
      let missing = kernel.hasHeaders ? "" : "; its headers are not installed any more"
      guard version == packageVersion else {
        return .notice(
          "\(release): \(version) installed, while this command is \(packageVersion)\(missing)")
      }
      return .good("\(release): \(version) installed\(missing)")
    case .gone(let version):
      return bad(
        kernel, "\(release): \(version) installed, but its file is gone from /lib/modules",
        "dkms install --force \(DKMSTree.package)/\(version) -k \(release)")
    case .built(let version):
      return bad(kernel, "\(release): \(version) built, but not installed", again)
    case _ where kernel.missingOption != nil:
      return .notice(
        "\(release): skipped, since this kernel was built without \(kernel.missingOption ?? "")")
    case _ where !kernel.hasHeaders:
      return bad(
        kernel, "\(release): not built, its headers are not installed",
        "apt install linux-headers-\(release)")
    case .failed(let version, let log):
      return bad(
        kernel, "\(release): the build of \(version) failed, and its log says why", "less \(log)")
    case .none:
      return bad(kernel, "\(release): not built", again)
    }
  }

  /// Another kernel than the running one is no cause for the module not to load now.
  private func bad(_ kernel: Kernel, _ text: String, _ remedy: String) -> Finding {
    kernel.isRunning && !moduleIsFound
      ? .wrong(text, remedy: remedy, .moduleMissing) : .notice(text, remedy: remedy)
  }

  var facts: [JSON.Member] {
    [
      JSON.Member("versions", .array(versions.map(JSON.string))),
      JSON.Member(
        "kernels",
        .array(
          kernels.map { kernel in
            [
              "release": .string(kernel.release),
              "running": .bool(kernel.isRunning),
              "state": .string(Self.word(kernel)),
              "version": JSON(Self.version(kernel.build)),
              "headers": .bool(kernel.hasHeaders),
              "missing_option": JSON(kernel.missingOption),
            ]
          })),
    ]
  }

  private static func word(_ kernel: Kernel) -> String {
    switch kernel.build {
    case .installed: "installed"
    case .gone: "gone"
    case .built: "built"
    case .failed: "failed"
    case .none: kernel.missingOption == nil ? "none" : "skipped"
    }
  }

  private static func version(_ build: DKMSTree.Build) -> String? {
    switch build {
    case .installed(let version), .gone(let version), .built(let version),
      .failed(let version, _):
      version
    case .none: nil
    }
  }
}
