// SPDX-License-Identifier: GPL-2.0-or-later

/// The account that a program gives of a failure.
public struct Explanation: Equatable, Sendable {
  public var exitStatus: CommandStatus
  /// A stable word for scripts, as `cannot-write`.
  public var kind: String
  /// The operation, its object, and the reason of the failure; one line.
  public var message: String
  /// The next step for the user; one line.
  public var remedy: String

  /// - Parameters:
  ///   - exitStatus: the status that the program exits with.
  ///   - kind: a stable word for scripts.
  ///   - message: one line: what was done, on what, and why it failed.
  ///   - remedy: one line: what to do next.
  public init(_ exitStatus: CommandStatus, kind: String, message: String, remedy: String) {
    self.exitStatus = exitStatus
    self.kind = kind
    self.message = message
    self.remedy = remedy
  }
}

/// A reason why a command could not do its work.
public protocol CommandFailure: Error, Equatable, Sendable {
  /// The exit status, the kind, the message and the remedy.
  var explanation: Explanation { get }
  /// The members that the command's JSON has beside `error`; none unless a type says otherwise.
  var details: [JSON.Member] { get }
}

extension CommandFailure {
  public var details: [JSON.Member] { [] }

  public var exitStatus: CommandStatus { explanation.exitStatus }
  public var kind: String { explanation.kind }
  public var message: String { explanation.message }
  public var remedy: String { explanation.remedy }

  /// Returns the failure for a terminal.
  ///
  /// - Parameter program: the program's name, which begins each line.
  /// - Returns: a line with the message and a line with the remedy.
  public func text(program: String) -> String {
    let explanation = explanation
    return "\(program): error: \(explanation.message)\n"
      + "\(program): to mend it: \(explanation.remedy)\n"
  }

  /// Returns the failure in one line, for the journal.
  ///
  /// - Parameter program: the program's name, which begins the line.
  /// - Returns: the line with its newline.
  public func line(program: String) -> String {
    let explanation = explanation
    return "\(program): error: \(explanation.message); to mend it: \(explanation.remedy)\n"
  }

  /// The object that a command prints with `--json`; its keys are stable, and `ok` is false.
  public var json: JSON {
    let explanation = explanation
    let error: JSON = [
      "code": .int(Int64(explanation.exitStatus.rawValue)),
      "kind": .string(explanation.kind),
      "message": .string(explanation.message),
      "remedy": .string(explanation.remedy),
    ]
    return .object(
      [JSON.Member("schema", 1), JSON.Member("ok", false), JSON.Member("error", error)] + details)
  }
}
