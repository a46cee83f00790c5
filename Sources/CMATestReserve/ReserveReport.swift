// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore

/// The work that `reserve` did, or would do.
public struct ReserveOutcome: Equatable, Sendable {
  /// The reservation that was made; nil where one was taken back.
  public var reservation: CMAReservation?
  /// The drop-in.
  public var path: String
  /// Its text; nil when it was removed.
  public var text: String?
  /// `update-grub`; nil where there was nothing to do.
  public var updater: String?
  /// What the user should know, a line each.
  public var notes: [String] = []
  public var wrote = false
  /// Whether `updater` was run: not in a copied tree.
  public var ran = false

  public init(
    reservation: CMAReservation? = nil, path: String, text: String? = nil, updater: String? = nil,
    notes: [String] = []
  ) {
    self.reservation = reservation
    self.path = path
    self.text = text
    self.updater = updater
    self.notes = notes
  }
}

/// The report of `reserve`, as text or as JSON with stable keys.
public enum ReserveReport {
  public static func text(_ outcome: ReserveOutcome) -> String {
    var lines: [String] = []
    if let updater = outcome.updater {
      let what =
        outcome.reservation.map { "\($0.parameter) to \(outcome.path)" } ?? outcome.path
      let verb =
        switch (outcome.reservation == nil, outcome.wrote) {
        case (false, true): "wrote"
        case (false, false): "would write"
        case (true, true): "removed"
        case (true, false): "would remove"
        }
      lines.append(
        "\(verb) \(what)"
          + (outcome.ran
            ? " and ran \(updater)"
            : outcome.wrote ? "; run \(updater) there" : " and run \(updater)"))
    }
    lines += outcome.notes.map { "note: \($0)" }
    if outcome.wrote {
      lines.append("reboot for this to take effect; then see 'cma-test status'")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// Returns what to do by hand, a step a line; a line to be copied is indented.
  ///
  /// - Parameter advice: for the boot loader of this machine.
  /// - Returns: the steps, after the reason for them and the notes.
  public static func text(_ advice: BootLoaderAdvice) -> String {
    let notes = advice.notes.map { "note: \($0)" }
    let lines: [String] = [ReserveFailure.otherLoader(advice).message] + notes + advice.steps
    return lines.map { $0 + "\n" }.joined()
  }

  public static func json(_ outcome: ReserveOutcome) -> JSON {
    [
      "schema": 1,
      "ok": true,
      "wrote": .bool(outcome.wrote),
      "ran": .bool(outcome.ran),
      "path": .string(outcome.path),
      "parameter": JSON(outcome.reservation?.parameter),
      "size": json(outcome.reservation?.size),
      "start": json(outcome.reservation?.start),
      "end": json(outcome.reservation?.end),
      "command": JSON(outcome.updater),
      "notes": .array(outcome.notes.map(JSON.string)),
      "reboot_needed": .bool(outcome.wrote),
    ]
  }

  private static func json(_ edit: BootLoaderAdvice.Edit) -> JSON {
    [
      "kind": .string(edit.kind),
      "file": JSON(edit.file),
      "line": JSON(edit.line),
    ]
  }

  static func json(_ advice: BootLoaderAdvice) -> JSON {
    [
      "name": .string(advice.loader),
      "file": JSON(advice.file),
      "line": JSON(advice.line),
      "command": JSON(advice.command),
      "edits": .array(advice.edits.map(json)),
    ]
  }

  /// Bytes; those beyond what a JSON reader may take for an integer never come here, since no
  /// machine has them.
  private static func json(_ bytes: UInt64?) -> JSON {
    bytes.map { .int(Int64(clamping: $0)) } ?? .null
  }
}
