// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore
public import CMATestSystem

/// Whether `modprobe cmatest` would work now on a machine, and if not, why.
public struct Status: Sendable {
  /// One topic.
  public struct Entry: Sendable {
    public var name: String
    public var findings: [Finding]
    public var facts: [JSON.Member]

    init<T: Topic>(_ topic: T) {
      name = T.name
      findings = topic.findings
      facts = topic.facts
    }
  }

  /// In the order in which things depend on each other, so that the first that is wrong is the cause
  /// of those after it.
  public let entries: [Entry]

  /// Looks at the machine; changes nothing. What this process may not see is said to be unknown.
  public init(of machine: Machine) {
    let kernel = KernelTopic(machine)
    let reservation = ReservationTopic(machine)
    let options = OptionsTopic(machine, reserved: reservation.total)
    let module = ModuleTopic(machine)
    entries = [
      Entry(MachineTopic(machine)),
      Entry(kernel),
      Entry(reservation),
      Entry(SymbolsTopic(options)),
      Entry(options),
      Entry(DKMSTopic(machine, module)),
      Entry(module),
      Entry(LoadingTopic(machine)),
      Entry(SignatureTopic(machine, module)),
      Entry(LoadedTopic(machine, module)),
    ]
  }

  /// Why `modprobe cmatest` would not work now, or why that is not known; nil if it would.
  public var cause: Finding? { entries.lazy.flatMap(\.findings).first { $0.code != nil } }

  /// 0 if `modprobe cmatest` would work now; else the code of the first cause.
  public var exitCode: ExitCode { cause?.code ?? .success }
}
