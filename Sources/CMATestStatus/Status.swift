// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore
public import CMATestMachine
internal import CMATestSystem

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
    let reservation = ReservationTopic(machine)
    let module = ModuleTopic(machine)
    let loaded = LoadedTopic(machine, module)
    let options = OptionsTopic(machine, reservation, module, isLoaded: loaded.isLoaded)
    entries = [
      Entry(MachineTopic(machine)),
      Entry(KernelTopic(machine, options)),
      Entry(reservation),
      Entry(SymbolsTopic(options, module)),
      Entry(options),
      Entry(DKMSTopic(machine, module)),
      Entry(module),
      Entry(LoadingTopic(machine)),
      Entry(SignatureTopic(machine, module)),
      Entry(loaded),
    ]
  }

  /// Why `modprobe cmatest` would not work now, or why that is not known; nil if it would.
  public var cause: Finding? { entries.lazy.flatMap(\.findings).first { $0.code != nil } }

  /// 0 if `modprobe cmatest` would work now; else the code of the first cause.
  public var exitStatus: CommandStatus { cause?.code ?? .success }
}
