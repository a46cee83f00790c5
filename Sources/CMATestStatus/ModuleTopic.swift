// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem
internal import Kmod

/// The module that `modprobe cmatest` would load.
struct ModuleTopic: Topic {
  static let name = "module"

  let release: String
  let found: FoundModule?
  /// libkmod's own error, where it gave no answer.
  private(set) var failure: String?
  /// Nothing was asked, since libkmod would not come back.
  private(set) var isUnknown = false
  /// The file that DKMS has installed, which modprobe perhaps does not find.
  let installed: String?

  private let linksToExports: Bool?

  init(_ inputs: StatusInputs) {
    let machine = inputs.machine
    release = inputs.release ?? ""
    switch inputs.modprobe.module {
    case .success(let module):
      found = module
    case .failure where inputs.modprobe.hanging != nil:
      // The topic of what keeps modprobe from loading says the rest.
      found = nil
      isUnknown = true
    case .failure(let error):
      found = nil
      failure = "\(error.operation): \(error.reason)"
    }
    linksToExports = inputs.modprobe.linksToExports
    installed = DKMSTree(machine).installedFile(for: release).map { machine.path($0) }
  }

  private var isOurs: Bool {
    guard let found else { return false }
    return KernelSymbol.allCases.allSatisfy { symbol in
      found.values(of: "parm").contains { $0.hasPrefix("\(symbol.parameter):") }
    }
  }

  var findings: [Finding] {
    if isUnknown { return [.notice("which module modprobe would find is not known")] }
    if let failure { return [.wrong(failure, remedy: "depmod", .moduleMissing)] }
    guard let found else {
      return [
        installed.map {
          .wrong("\($0) is there, but modprobe does not find it", remedy: "depmod", .moduleMissing)
        }
          ?? .wrong(
            "there is no module cmatest for kernel \(release.isEmpty ? "?" : release)",
            .moduleMissing)
      ]
    }
    guard found.name == OptionsFile.module else {
      return [
        .wrong(
          "an alias in modprobe.d makes modprobe load \(found.name) instead of cmatest",
          remedy: "grep -rn 'alias *cmatest' /etc/modprobe.d /run/modprobe.d /usr/lib/modprobe.d",
          .otherModule)
      ]
    }
    guard let path = found.path else {
      return [
        .wrong("a module cmatest is built into the kernel, and cannot be loaded", .otherModule)
      ]
    }
    let isDKMS = path.contains("/updates/dkms/")
    guard isOurs else {
      return [
        .wrong(
          "\(path) is another module of that name, or damaged",
          remedy: isDKMS
            ? "dkms install --force \(DKMSTree.package)/\(packageVersion) -k \(release)"
            : "rm \(shellWord(path)) && depmod",
          .otherModule)
      ]
    }
    let built = found["vermagic"]?.split(separator: " ").first.map(String.init) ?? "?"
    guard built == release else {
      return [
        .wrong(
          "\(path) was built for kernel \(built), not \(release)",
          remedy: "dkms install --force \(DKMSTree.package)/\(packageVersion) -k \(release)",
          .moduleMissing)
      ]
    }
    let version = found["version"] ?? "?"
    if !isDKMS, let installed {
      return [
        .wrong(
          "modprobe loads \(path) instead of \(installed)",
          remedy: "rm \(shellWord(path)) && depmod",
          .otherModule)
      ]
    }
    guard isDKMS, version == packageVersion else {
      return [
        .notice(
          "\(path), version \(version)"
            + (isDKMS ? "" : ", not from DKMS")
            + (version == packageVersion ? "" : ", while this command is \(packageVersion)"))
      ]
    }
    return [.good("\(path), version \(version)")]
  }

  var facts: [JSON.Member] {
    [
      JSON.Member("path", JSON(found?.path)),
      JSON.Member("built_in", .bool(found != nil && found?.path == nil)),
      JSON.Member("version", JSON(found?["version"])),
      JSON.Member("srcversion", JSON(found?["srcversion"])),
      JSON.Member("vermagic", JSON(found?["vermagic"])),
      JSON.Member("links_to_exports", linksToExports.map(JSON.bool) ?? .null),
    ]
  }
}
