// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem
internal import Glibc

/// The state of the file that hands the addresses to modprobe.
enum OptionsState: Equatable {
  case usable(OptionsFile)
  case missing
  /// The file is not there, or of no effect, and the kernel exports what the module needs; `because` is
  /// what hides the file, where something does.
  case unneeded(because: ConfigureFailure?)
  /// Only root can read the file, and this process is not root's.
  case hidden
  case unreadable(String)
  /// The file is not as `cma-test configure` writes it.
  case foreign
  case ofAnotherBoot(OptionsFile)
  case ofOtherAddresses(OptionsFile)
  case overridden(ConfigureFailure)
  /// The file is right, and modprobe cannot be asked, since it would hang.
  case unverified(OptionsFile)

  /// - Parameters:
  ///   - configurator: the machine's.
  ///   - symbols: the kernel's symbols, or why they cannot be read.
  ///   - modprobe: what libkmod says of the module.
  init(
    _ configurator: Configurator, _ symbols: Result<SymbolLookup, ConfigureFailure>,
    _ modprobe: ModprobeView
  ) {
    let lookup = try? symbols.get()
    let plan = try? lookup?.file()
    // What the module does not link to must be passed to it.
    let unneeded =
      modprobe.linksToExports == false
      ? nil : lookup.flatMap { $0.areExported ? $0.emptyFile : nil }
    self = Self.state(configurator, modprobe, plan, unneeded)
  }

  var isUsable: Bool {
    if case .usable = self { return true }
    return false
  }

  private static func state(
    _ configurator: Configurator, _ modprobe: ModprobeView, _ plan: OptionsFile?,
    _ unneeded: OptionsFile?
  ) -> OptionsState {
    let machine = configurator.machine
    let text: [UInt8]
    do throws(SystemFailure) {
      text = try contents(of: machine.path(OptionsFile.path))
    } catch {
      switch error.code {
      case ENOENT, ENOTDIR: return whyMissing(configurator, modprobe, plan, unneeded)
      case EACCES, EPERM: return .hidden
      default: return .unreadable("\(error.call.rawValue) \(error.path): \(error.reason)")
      }
    }
    guard let file = OptionsFile(parsing: text) else { return .foreign }
    guard machine.isInTheBoot(of: file) else { return .ofAnotherBoot(file) }
    if let plan, plan.addresses != file.addresses { return .ofOtherAddresses(file) }
    if modprobe.hanging != nil { return .unverified(file) }
    do throws(ConfigureFailure) {
      try configurator.verify(file, against: modprobe.options)
    } catch {
      return unneeded == nil || error.passesAnAddress
        ? .overridden(error) : .unneeded(because: error)
    }
    return .usable(file)
  }

  /// `cma-test configure` leaves no file where another one spoils it: then that is what to mend.
  private static func whyMissing(
    _ configurator: Configurator, _ modprobe: ModprobeView, _ plan: OptionsFile?,
    _ unneeded: OptionsFile?
  ) -> OptionsState {
    guard let plan = plan ?? unneeded else { return .missing }
    do throws(ConfigureFailure) {
      try configurator.verify(plan, against: modprobe.options)
    } catch {
      if case .overridden(_, _, _, _, source: .some) = error {
        return unneeded == nil || error.passesAnAddress
          ? .overridden(error) : .unneeded(because: error)
      }
    }
    return unneeded == nil ? .missing : .unneeded(because: nil)
  }
}
