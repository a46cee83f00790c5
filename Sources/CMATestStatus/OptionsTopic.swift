// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestSystem
internal import Glibc

/// The file that hands the addresses to modprobe: there, of this boot, right, and honoured.
struct OptionsTopic: Topic {
  static let name = "options"

  /// What is wrong with the file, or nothing.
  enum State: Equatable {
    case usable(OptionsFile)
    case missing
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
  /// The pages that the module would hold, as modprobe would pass them; nil where it would not say.
  let count: UInt64?
  let reserved: UInt64?

  init(_ machine: Machine, reserved: UInt64?) {
    // What an earlier boot has kept may be what is wrong.
    let configurator = Configurator(machine: machine, usesCache: false)
    path = machine.path(OptionsFile.path)
    plan = Result { () throws(ConfigureFailure) in try configurator.plan() }
    state = Self.state(machine, configurator, try? plan.get())
    if case .overridden = state {
      isPresent = machine.exists(OptionsFile.path)
    } else {
      isPresent = state != .missing
    }
    isPrivate = machine.isPrivateToRoot(OptionsFile.path)
    hasSystemd = machine.exists("/run/systemd/system")
    count = (try? configurator.effectiveOptions())?["alloc_count"]
      .flatMap(moduleNumber)
    self.reserved = reserved
  }

  private static func state(
    _ machine: Machine, _ configurator: Configurator, _ plan: OptionsFile?
  ) -> State {
    let text: [UInt8]
    do throws(SystemFailure) {
      text = try contents(of: machine.path(OptionsFile.path))
    } catch {
      switch error.code {
      case ENOENT, ENOTDIR: return whyMissing(configurator, plan)
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
      return .overridden(error)
    }
    return .usable(file)
  }

  /// `cma-test configure` leaves no file where another one spoils it: then that is what to mend.
  private static func whyMissing(_ configurator: Configurator, _ plan: OptionsFile?) -> State {
    guard let plan else { return .missing }
    do throws(ConfigureFailure) {
      try configurator.verify(plan)
    } catch {
      if case .overridden(_, _, _, _, source: .some) = error { return .overridden(error) }
    }
    return .missing
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
    // The page size of a copied tree's machine is not known; this one's is as good as any.
    let pageSize = UInt64(getpagesize())
    if let count, let reserved, count > reserved / pageSize, reserved > 0 {
      findings.append(
        .wrong(
          "alloc_count=\(count) is more pages than the \(byteCount(reserved)) reserved have",
          remedy: "grep -r alloc_count /etc/modprobe.d", .nothingReserved))
    }
    return findings
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
      return .wrong(failure.message, remedy: failure.remedy, failure.exitCode)
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

/// A number as a user writes it behind a module's parameter: decimal, `0x…` or octal `0…`.
private func moduleNumber(_ text: String) -> UInt64? {
  if text.hasPrefix("0x") { return UInt64(hexadecimal: text.utf8.dropFirst(2)) }
  return UInt64(text, radix: text.hasPrefix("0") ? 8 : 10)
}
