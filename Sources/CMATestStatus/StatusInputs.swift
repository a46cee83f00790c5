// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem
internal import Kmod

/// The facts that topics are made from, gathered once: every topic sees the same machine, and libkmod
/// is opened once.
struct StatusInputs {
  let machine: Machine
  /// The running kernel's release; nil where /proc does not say.
  let release: String?
  /// The running kernel's configuration and the file that has it; nil where no file has.
  let configuration: (KernelConfiguration, source: String)?
  /// The running kernel's command line; nil where it cannot be read.
  let commandLine: KernelCommandLine?
  /// The answers of libkmod about the module.
  let modprobe: ModprobeView
  /// The memory that is reserved for CMA.
  let reservation: Reservation
  /// The kernel's symbols, or why they cannot be read.
  let symbols: Result<SymbolLookup, ConfigureFailure>
  /// The file that hands the addresses to modprobe.
  let options: OptionsState
  /// Whether the module is in the kernel now.
  let isLoaded: Bool

  init(of machine: Machine) {
    self.machine = machine
    let release = try? machine.kernelRelease()
    self.release = release
    configuration = release.flatMap { machine.configuration(of: $0) }
    commandLine = (try? contents(of: machine.path("/proc/cmdline"))).map { KernelCommandLine($0) }
    modprobe = ModprobeView(of: machine)
    reservation = Reservation(machine, commandLine, configuration?.0)
    // The symbols that an earlier boot has kept may be what is wrong.
    let configurator = Configurator(machine: machine, usesCache: false)
    symbols = Result { () throws(ConfigureFailure) in try configurator.lookUp() }
    options = OptionsState(configurator, symbols, modprobe)
    // Built-in modules have such a folder too, without this file.
    isLoaded = machine.exists("\(LoadedTopic.folder)/initstate")
  }

  /// The addresses as they would be written now.
  var plan: Result<OptionsFile, ConfigureFailure> {
    symbols.flatMap { symbols in
      Result { () throws(ConfigureFailure) in try symbols.file() }
    }
  }

  /// Whether the kernel exports what the module needs; nil where that is not known.
  var areExported: Bool? { (try? symbols.get())?.areExported }
}
