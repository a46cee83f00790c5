// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore

/// The verdict of a finding.
public enum Mark: String, Sendable {
  case good = "ok"
  case wrong = "wrong"
  /// Worth knowing, or not known.
  case notice = "notice"
}

/// One line of the status.
public struct Finding: Equatable, Sendable {
  public var mark: Mark
  /// One line.
  public var text: String
  /// The one command that mends what is wrong.
  public var remedy: String?
  /// The exit status where this keeps `modprobe cmatest` from working, or where that is not known.
  public var code: CommandStatus?

  static func good(_ text: String) -> Finding { Finding(mark: .good, text: text) }

  static func notice(_ text: String, remedy: String? = nil, code: CommandStatus? = nil) -> Finding {
    Finding(mark: .notice, text: text, remedy: remedy, code: code)
  }

  static func wrong(_ text: String, remedy: String? = nil, _ code: CommandStatus?) -> Finding {
    Finding(mark: .wrong, text: text, remedy: remedy, code: code)
  }
}

/// A part of the status: the findings, and the facts that they come from.
///
/// A new topic is a file with a type of this protocol, and its line in `Status.topics`.
protocol Topic {
  /// - Parameter inputs: the machine, and what other topics are made from as well.
  init(_ inputs: StatusInputs)

  /// The topic's name in the text and its key in the JSON; stable.
  static var name: String { get }
  /// The findings, at least one.
  var findings: [Finding] { get }
  /// The facts that the findings come from; the keys are stable.
  var facts: [JSON.Member] { get }
}
