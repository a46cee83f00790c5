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

  /// The topics in the order of `entries`.
  private static var topics: [any Topic.Type] {
    [
      MachineTopic.self, KernelTopic.self, ReservationTopic.self, SymbolsTopic.self,
      OptionsTopic.self, DKMSTopic.self, ModuleTopic.self, LoadingTopic.self, SignatureTopic.self,
      LoadedTopic.self,
    ]
  }

  /// Examines a machine, and changes nothing. Facts that this process may not see are reported as
  /// not known.
  ///
  /// - Parameter machine: the running machine or a copied tree.
  public init(of machine: Machine) {
    let inputs = StatusInputs(of: machine)
    entries = Self.topics.map { Entry($0.init(inputs)) }
  }

  /// The reason why `modprobe cmatest` would not work now, or why that is not known; nil if it
  /// would.
  public var cause: Finding? { entries.lazy.flatMap(\.findings).first { $0.code != nil } }

  /// 0 if `modprobe cmatest` would work now; else the code of the first cause.
  public var exitStatus: CommandStatus { cause?.code ?? .success }
}
