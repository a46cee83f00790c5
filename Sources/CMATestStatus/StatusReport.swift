// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore
public import CMATestSystem

/// The report of `status`, as text or as JSON with stable keys.
public enum StatusReport {
  /// Returns a line for each finding, with its mark, and below that the command that mends it.
  ///
  /// - Parameters:
  ///   - status: what was found.
  ///   - terminal: what can be shown.
  /// - Returns: lines, the last of which says whether the module would load.
  public static func text(_ status: Status, for terminal: Terminal) -> String {
    let width = status.entries.map(\.name.count).max() ?? 0
    let indent = String(repeating: " ", count: width + 2 + (terminal.showsUnicode ? 2 : 4))
    var text = ""
    for entry in status.entries {
      for (index, finding) in entry.findings.enumerated() {
        let name = index == 0 ? entry.name : ""
        let padding = String(repeating: " ", count: width - name.count + 2)
        text += "\(mark(finding.mark, terminal)) \(name)\(padding)\(finding.text)\n"
        if let remedy = finding.remedy { text += "\(indent)to mend it: \(remedy)\n" }
      }
    }
    text +=
      status.exitStatus == .success
      ? "'modprobe cmatest' would work now\n"
      : "'modprobe cmatest' would not work, or that is not known: exit code "
        + "\(status.exitStatus.rawValue)\n"
    return text
  }

  private static func mark(_ mark: Mark, _ terminal: Terminal) -> String {
    let (plain, sign, color) =
      switch mark {
      case .good: ("ok ", "✓", 32)
      case .wrong: ("no ", "✗", 31)
      case .notice: ("-- ", "!", 33)
      }
    let text = terminal.showsUnicode ? sign : plain
    return terminal.showsColor ? "\u{1B}[\(color)m\(text)\u{1B}[0m" : text
  }

  /// Returns the whole status as JSON.
  public static func json(_ status: Status) -> JSON {
    .object(
      [
        JSON.Member("schema", 1),
        JSON.Member("ok", .bool(status.exitStatus == .success)),
        JSON.Member("code", .int(Int64(status.exitStatus.rawValue))),
        JSON.Member("version", .string(packageVersion)),
      ]
        + status.entries.map { entry in
          JSON.Member(
            entry.name,
            .object(
              entry.facts + [JSON.Member("findings", .array(entry.findings.map(json)))]))
        })
  }

  private static func json(_ finding: Finding) -> JSON {
    [
      "mark": .string(finding.mark.rawValue),
      "text": .string(finding.text),
      "remedy": JSON(finding.remedy),
      "code": finding.code.map { .int(Int64($0.rawValue)) } ?? .null,
    ]
  }
}
