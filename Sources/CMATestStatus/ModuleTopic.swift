// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestSystem
internal import Kmod

/// What `modprobe cmatest` would load.
struct ModuleTopic: Topic {
  static let name = "module"

  let release: String
  let found: FoundModule?
  /// libkmod's own error, where it gave no answer.
  let failure: String?
  /// Where DKMS installs the module: there, though perhaps not found.
  let installed: String?

  init(_ machine: Machine) {
    release = (try? machine.kernelRelease()) ?? ""
    do throws(KmodFailure) {
      found = try machine.kmod().module(OptionsFile.module)
      failure = nil
    } catch {
      found = nil
      failure = "\(error.operation): \(error.reason)"
    }
    let folder = "/lib/modules/\(release)/updates/dkms"
    installed = ((try? machine.names(in: folder)) ?? [])
      .first { $0.hasPrefix("\(OptionsFile.module).ko") }.map { machine.path("\(folder)/\($0)") }
  }

  private var isOurs: Bool {
    guard let found else { return false }
    return KernelSymbol.allCases.allSatisfy { symbol in
      found.values(of: "parm").contains { $0.hasPrefix("\(symbol.parameter):") }
    }
  }

  var findings: [Finding] {
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
            : "rm \(path) && depmod",
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
          "\(path) comes before \(installed)", remedy: "rm \(path) && depmod", .otherModule)
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
    ]
  }
}
