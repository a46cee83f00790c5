// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// The file that hands the addresses to modprobe: there, of this boot, right, and honoured.
struct OptionsTopic: Topic {
  static let name = "options"

  let path: String
  let isPresent: Bool
  let state: OptionsState
  let isPrivate: Bool?
  let hasSystemd: Bool
  private let parameters: ParameterCheck

  init(_ inputs: StatusInputs) {
    let machine = inputs.machine
    path = machine.path(OptionsFile.path)
    state = inputs.options
    isPresent = machine.exists(OptionsFile.path)
    isPrivate = machine.isPrivateToRoot(OptionsFile.path)
    hasSystemd = machine.exists("/run/systemd/system")
    parameters = ParameterCheck(inputs)
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
          + (hasSystemd ? "" : ", and without systemd nothing writes the file at boot"),
        remedy: again, .optionsMissing)
    case .unneeded(because: nil):
      return .good(
        "\(path) is not there, and not needed: this kernel exports what the module links to")
    case .unneeded(let failure?):
      return .notice(
        "\(failure.message); the file is not needed, since this kernel exports what the module "
          + "links to",
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
    case .unverified(let file):
      return .notice(
        "\(path) is of this boot (\(file.time)); whether modprobe would pass it is not known")
    case .overridden(let failure):
      return .wrong(failure.message, remedy: failure.remedy, failure.exitStatus)
    }
  }

  var facts: [JSON.Member] {
    let file: OptionsFile? =
      switch state {
      case .usable(let file), .unverified(let file), .ofAnotherBoot(let file),
        .ofOtherAddresses(let file):
        file
      default: nil
      }
    let isOfThisBoot: Bool? =
      switch state {
      case .usable, .unverified, .ofOtherAddresses: true
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
