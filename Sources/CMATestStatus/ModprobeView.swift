// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import Kmod

/// The answers of libkmod about the module, each asked for once.
struct ModprobeView {
  /// The module that modprobe would load; nil where modprobe would find none.
  let module: Result<FoundModule?, KmodFailure>
  /// The options that modprobe would pass.
  let options: Result<[ConfiguredOptions], KmodFailure>
  /// The command that modprobe would run to load the module.
  let installCommand: String?
  /// The command that `modprobe -r` would run to remove the module.
  let removeCommand: String?
  /// Whether modprobe.d keeps the module from being loaded by itself.
  let isBlacklisted: Bool

  init(of machine: Machine) {
    let name = OptionsFile.module
    do throws(KmodFailure) {
      let kmod = try machine.kmod()
      module = Result { () throws(KmodFailure) in try kmod.module(name) }
      options = Result { () throws(KmodFailure) in try machine.configuredOptions(by: kmod) }
      installCommand = (try? kmod.installCommand(for: name)) ?? nil
      removeCommand = (try? kmod.removeCommand(for: name)) ?? nil
      isBlacklisted = (try? kmod.blacklists(name)) ?? false
    } catch {
      module = .failure(error)
      options = .failure(error)
      installCommand = nil
      removeCommand = nil
      isBlacklisted = false
    }
  }

  /// The file on which modprobe would hang, and why; nil where there is none.
  var hanging: KmodFailure? {
    guard case .failure(let failure) = options, failure.path != nil else { return nil }
    return failure
  }

  /// The module that modprobe would load; nil where there is none, or libkmod gave no answer.
  var found: FoundModule? { (try? module.get()) ?? nil }

  /// Whether the module links to what the kernel exports and so may need no addresses; nil where there
  /// is no file to tell.
  var linksToExports: Bool? {
    guard let needs = found?.needs, !needs.isEmpty else { return nil }
    return needs.contains(KernelSymbol.allocate.name)
  }
}
