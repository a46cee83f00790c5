// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// Whether the kernel's symbols can be read now.
struct SymbolsTopic: Topic {
  static let name = "symbols"

  private let plan: Result<OptionsFile, ConfigureFailure>
  /// The options were made when the addresses could still be read, and are right for this boot.
  private let areOptional: Bool

  init(_ options: OptionsTopic) {
    plan = options.plan
    areOptional = options.isUsable
  }

  var findings: [Finding] {
    switch plan {
    case .success(let file):
      let names = file.addresses.map(\.symbol.name).joined(separator: ", ")
      return [.good("\(names) are in /proc/kallsyms")]
    case .failure(let failure) where areOptional && failure.hidesAddresses:
      return [.notice("\(failure.message); the options of this boot have them already")]
    case .failure(let failure):
      return [.wrong(failure.message, remedy: failure.remedy, failure.exitCode)]
    }
  }

  var facts: [JSON.Member] {
    guard case .failure(let failure) = plan else {
      return [JSON.Member("found", true), JSON.Member("kind", nil)]
    }
    return [JSON.Member("found", false), JSON.Member("kind", .string(failure.kind))]
  }
}
