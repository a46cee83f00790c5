// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestCore
package import CMATestMachine
internal import CMATestSystem
package import Kmod

extension Machine {
  /// Whether anything besides our own file may have a say in what `modprobe cmatest` passes.
  ///
  /// - Returns: false only where nothing can; true too where something cannot be read.
  func mayBeOverridden() -> Bool {
    do throws(SystemFailure) {
      for folder in modprobeFolders {
        // libkmod reads no others.
        for name in try names(in: folder) where name.hasSuffix(".conf") {
          let file = "\(folder)/\(name)"
          if file == OptionsFile.path { continue }
          // One of our name may hide ours.
          if OptionsFile.path.hasSuffix("/\(name)") { return true }
          if mayMention(OptionsFile.module, in: try contents(of: path(file))) { return true }
        }
      }
      return mayMention(OptionsFile.module, in: try contents(of: path("/proc/cmdline")))
    } catch {
      return true
    }
  }
}

extension Configurator {
  /// Verifies through libkmod that `modprobe cmatest` passes what was written, unless nothing else
  /// can have a say. Loading libkmod takes longer than all other work at the boot of a known
  /// kernel.
  func verifyWhereInDoubt(_ written: OptionsFile) throws(ConfigureFailure) {
    guard alwaysAsksLibkmod || machine.mayBeOverridden() else { return }
    try verify(written)
  }

  /// Asks libkmod what `modprobe cmatest` would pass now, and compares.
  func verify(_ written: OptionsFile) throws(ConfigureFailure) {
    let passed = Result { () throws(KmodFailure) in
      try machine.configuredOptions(by: machine.kmod())
    }
    try verify(written, against: passed)
  }

  /// Compares the options that were written with those that modprobe would pass.
  ///
  /// - Parameters:
  ///   - written: the options that were written, or would be.
  ///   - passed: what libkmod says that modprobe would pass.
  /// - Throws: `overridden`, and `cannotVerify` where libkmod gave no answer.
  package func verify(
    _ written: OptionsFile, against passed: Result<[ConfiguredOptions], KmodFailure>
  ) throws(ConfigureFailure) {
    let options = try passed.mapError { error in
      ConfigureFailure.cannotVerify(
        operation: error.operation, path: error.path ?? machine.path("/run/modprobe.d"),
        reason: error.reason)
    }.get()
    var effective = ModprobeOptions()
    // As one text: a quotation mark that is not closed, or `--`, hides what other lines say.
    effective.append(options.map(\.text).joined(separator: " "))
    for name in KernelSymbol.allCases.map(\.parameter) {
      // Nil where this kernel lacks the symbol: then nobody else is to have an address for it.
      let value = written.parameters.first { $0.name == name }?.value
      guard effective[name] != value else { continue }
      throw .overridden(
        parameter: name, value: effective[name], written: value, path: optionsPath,
        source: culprit(parameter: name, value: effective[name], in: options))
    }
  }

  /// Finds the source of a parameter's value: a file of our name in a stronger folder, another file
  /// with the value, or the kernel command line.
  private func culprit(
    parameter: String, value: String?, in options: [ConfiguredOptions]
  ) -> String? {
    let ourName = OptionsFile.path.split(separator: "/").last.map(String.init) ?? ""
    for folder in modprobeFolders.prefix(while: { !OptionsFile.path.hasPrefix($0) }) {
      if let names = try? machine.names(in: folder), names.contains(ourName) {
        return machine.path("\(folder)/\(ourName)")
      }
    }
    guard let value else { return nil }
    return options.last { option in
      var words = ModprobeOptions()
      words.append(option.text)
      return words[parameter] == value && option.source != optionsPath
    }?.source
  }
}
