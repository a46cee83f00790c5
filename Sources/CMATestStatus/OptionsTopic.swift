// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem
internal import Glibc

/// The file that hands the addresses to modprobe: there, of this boot, right, and honoured.
struct OptionsTopic: Topic {
  static let name = "options"

  /// What is wrong with the file, or nothing.
  enum State: Equatable {
    case usable(OptionsFile)
    case missing
    /// Not there, or of no effect, and the kernel exports what the module needs; `because` is what
    /// hides the file, where something does.
    case unneeded(because: ConfigureFailure?)
    /// Root's alone, and this process is not root's.
    case hidden
    case unreadable(String)
    /// Not as `cma-test configure` writes it.
    case foreign
    case ofAnotherBoot(OptionsFile)
    case ofOtherAddresses(OptionsFile)
    case overridden(ConfigureFailure)
  }

  let path: String
  let isPresent: Bool
  let state: State
  /// The addresses as they would be written now; this is the topic of the symbols.
  let plan: Result<OptionsFile, ConfigureFailure>
  let isPrivate: Bool?
  let hasSystemd: Bool
  /// Whether the kernel exports what the module needs; nil where that is not known.
  let areExported: Bool?
  private let parameters: ParameterCheck

  init(
    _ machine: Machine, _ reservation: ReservationTopic, _ module: ModuleTopic, isLoaded: Bool
  ) {
    // What an earlier boot has kept may be what is wrong.
    let configurator = Configurator(machine: machine, usesCache: false)
    path = machine.path(OptionsFile.path)
    let lookup = Result { () throws(ConfigureFailure) in try configurator.lookUp() }
    areExported = (try? lookup.get())?.areExported
    plan = lookup.flatMap { symbols in
      Result { () throws(ConfigureFailure) in try symbols.file() }
    }
    // What the module does not link to must be passed to it.
    let unneeded =
      module.linksToExports == false
      ? nil : (try? lookup.get()).flatMap { $0.areExported ? $0.emptyFile : nil }
    state = Self.state(machine, configurator, try? plan.get(), unneeded)
    isPresent = machine.exists(OptionsFile.path)
    isPrivate = machine.isPrivateToRoot(OptionsFile.path)
    hasSystemd = machine.exists("/run/systemd/system")
    parameters = ParameterCheck(machine, reservation, module, isLoaded: isLoaded)
  }

  private static func state(
    _ machine: Machine, _ configurator: Configurator, _ plan: OptionsFile?,
    _ unneeded: OptionsFile?
  ) -> State {
    let text: [UInt8]
    do throws(SystemFailure) {
      text = try contents(of: machine.path(OptionsFile.path))
    } catch {
      switch error.code {
      case ENOENT, ENOTDIR: return whyMissing(configurator, plan, unneeded)
      case EACCES, EPERM: return .hidden
      default: return .unreadable("\(error.call.rawValue) \(error.path): \(error.reason)")
      }
    }
    guard let file = OptionsFile(parsing: text) else { return .foreign }
    guard machine.isInTheBoot(of: file) else { return .ofAnotherBoot(file) }
    if let plan, plan.addresses != file.addresses { return .ofOtherAddresses(file) }
    do throws(ConfigureFailure) {
      try configurator.verify(file)
    } catch {
      return unneeded == nil || error.passesAnAddress
        ? .overridden(error) : .unneeded(because: error)
    }
    return .usable(file)
  }

  /// `cma-test configure` leaves no file where another one spoils it: then that is what to mend.
  private static func whyMissing(
    _ configurator: Configurator, _ plan: OptionsFile?, _ unneeded: OptionsFile?
  ) -> State {
    guard let plan = plan ?? unneeded else { return .missing }
    do throws(ConfigureFailure) {
      try configurator.verify(plan)
    } catch {
      if case .overridden(_, _, _, _, source: .some) = error {
        return unneeded == nil || error.passesAnAddress
          ? .overridden(error) : .unneeded(because: error)
      }
    }
    return unneeded == nil ? .missing : .unneeded(because: nil)
  }

  var isUsable: Bool {
    if case .usable = state { return true }
    return false
  }

  var findings: [Finding] {
    var findings = [main]
    if isPrivate == false {
      findings.append(
        .notice("\(path) can be read by others than root", remedy: "cma-test configure"))
    }
    return findings + parameters.findings
  }

  private var main: Finding {
    let again = "cma-test configure"
    switch state {
    case .usable(let file):
      return .good("\(path), of this boot (\(file.time)), is what modprobe would pass")
    case .missing:
      return .wrong(
        "\(path) is not there"
          + (hasSystemd ? "" : ", and without systemd nothing makes it at boot"),
        remedy: again, .optionsMissing)
    case .unneeded(because: nil):
      return .good(
        "\(path) is not there, and not needed: this kernel exports what the module links to")
    case .unneeded(let failure?):
      return .notice(
        "\(failure.message); it is not needed, for this kernel exports what the module links to",
        remedy: failure.remedy)
    case .hidden:
      return .notice(
        "\(path) is there, but only root can read it", remedy: "sudo cma-test status",
        code: .hiddenFromProcess)
    case .unreadable(let reason):
      return .wrong(reason, remedy: again, .unreadable)
    case .foreign:
      return .wrong(
        "\(path) is not as 'cma-test configure' writes it", remedy: again, .optionsMissing)
    case .ofAnotherBoot(let file):
      return .wrong(
        "\(path) is of another boot (kernel \(file.release), \(file.time))", remedy: again,
        .optionsMissing)
    case .ofOtherAddresses:
      return .wrong(
        "\(path) has other addresses than this kernel", remedy: "\(again) --no-cache",
        .optionsMissing)
    case .overridden(let failure):
      return .wrong(failure.message, remedy: failure.remedy, failure.exitStatus)
    }
  }

  var facts: [JSON.Member] {
    let file: OptionsFile? =
      switch state {
      case .usable(let file), .ofAnotherBoot(let file), .ofOtherAddresses(let file): file
      default: nil
      }
    let isOfThisBoot: Bool? =
      switch state {
      case .usable, .ofOtherAddresses: true
      case .overridden: isPresent ? true : nil
      case .ofAnotherBoot: false
      default: nil
      }
    return [
      JSON.Member("path", .string(path)),
      JSON.Member("present", .bool(isPresent)),
      JSON.Member("of_this_boot", isOfThisBoot.map(JSON.bool) ?? .null),
      JSON.Member("honoured", honoured.map(JSON.bool) ?? .null),
      JSON.Member("private", isPrivate.map(JSON.bool) ?? .null),
      JSON.Member("kernel", JSON(file?.release)),
      JSON.Member("time", JSON(file?.time)),
    ]
  }

  private var honoured: Bool? {
    switch state {
    case .usable: true
    case .overridden: isPresent ? false : nil
    default: nil
    }
  }
}
