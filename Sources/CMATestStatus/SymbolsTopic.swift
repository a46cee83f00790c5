// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// Whether the kernel's symbols can be read now.
struct SymbolsTopic: Topic {
  static let name = "symbols"

  private let plan: Result<OptionsFile, ConfigureFailure>
  /// The options were made when the addresses could still be read, and are right for this boot.
  private let areOptional: Bool
  /// Whether the kernel exports what the module needs; nil where that is not known.
  private let areExported: Bool?
  /// The module was built from an earlier version, which takes addresses only.
  private let moduleIgnoresExports: Bool

  init(_ inputs: StatusInputs) {
    plan = inputs.plan
    areOptional = inputs.options.isUsable
    areExported = inputs.areExported
    moduleIgnoresExports = inputs.modprobe.linksToExports == false
  }

  var findings: [Finding] {
    let isUnneeded = areExported == true && !moduleIgnoresExports
    let exports: [Finding] =
      switch areExported {
      case true? where moduleIgnoresExports:
        [
          .notice(
            "this kernel exports cma_alloc, cma_release and dev_get_cma_area, but the installed "
              + "module was built to take addresses only")
        ]
      case true?:
        [
          .good(
            "this kernel exports cma_alloc, cma_release and dev_get_cma_area: the module links to "
              + "them, and needs no address")
        ]
      case false?, nil: []
      }
    switch plan {
    case .success(let file):
      let names = file.addresses.map(\.symbol.name).joined(separator: ", ")
      return exports + [.good("\(names) are in /proc/kallsyms")]
    case .failure(let failure) where areOptional && failure.hidesAddresses:
      return exports + [
        .notice("\(failure.message); the options of this boot have the addresses already")
      ]
    case .failure(let failure) where isUnneeded:
      return exports + [
        .notice("\(failure.message); so the module knows the default area only")
      ]
    case .failure(let failure):
      return exports + [.wrong(failure.message, remedy: failure.remedy, failure.exitStatus)]
    }
  }

  var facts: [JSON.Member] {
    let exported = JSON.Member("exported", areExported.map(JSON.bool) ?? .null)
    guard case .failure(let failure) = plan else {
      return [JSON.Member("found", true), JSON.Member("kind", nil), exported]
    }
    return [
      JSON.Member("found", false), JSON.Member("kind", .string(failure.kind)), exported,
    ]
  }
}
