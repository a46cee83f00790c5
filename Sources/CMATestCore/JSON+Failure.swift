// SPDX-License-Identifier: GPL-2.0-or-later

extension JSON {
  /// What a command prints with `--json` when it has failed; the keys are stable.
  ///
  /// - Parameters:
  ///   - code: what the program exits with.
  ///   - kind: a word for scripts, as `cannot-write`.
  ///   - message: what was done, on what, and why it failed.
  ///   - remedy: what to do next.
  ///   - others: what this command has beside `error`.
  /// - Returns: an object whose `ok` is false.
  public static func failure(
    _ code: CommandStatus, kind: String, message: String, remedy: String, others: [Member] = []
  ) -> JSON {
    let error: JSON = [
      "code": .int(Int64(code.rawValue)),
      "kind": .string(kind),
      "message": .string(message),
      "remedy": .string(remedy),
    ]
    return .object(
      [Member("schema", 1), Member("ok", false), Member("error", error)] + others)
  }
}
