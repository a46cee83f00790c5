// SPDX-License-Identifier: GPL-2.0-only

public import CMATestCore

/// What `configure` tells, as text or as JSON with stable keys.
public enum ConfigureReport {
  /// One line for the terminal and the journal; without addresses, since many can read those.
  public static func text(written options: OptionsFile, at path: String) -> String {
    let names = options.parameters.map(\.name).joined(separator: ", ")
    let source = options.source == .cache ? ", from the cache" : ""
    return "wrote \(names) for kernel \(options.release) to \(path)\(source)\n"
  }

  public static func text(_ failure: ConfigureFailure, program: String) -> String {
    "\(program): error: \(failure.message)\n\(program): to mend it: \(failure.remedy)\n"
  }

  /// The failure in one line, for the journal.
  public static func line(_ failure: ConfigureFailure, program: String) -> String {
    "\(program): error: \(failure.message); to mend it: \(failure.remedy)\n"
  }

  /// The options as JSON.
  ///
  /// - Parameters:
  ///   - options: what was, or would be, written.
  ///   - path: where.
  ///   - wrote: false for a dry run.
  /// - Returns: an object whose `ok` is true.
  public static func json(_ options: OptionsFile, at path: String, wrote: Bool) -> JSON {
    [
      "schema": 1,
      "ok": true,
      "wrote": .bool(wrote),
      "path": .string(path),
      "kernel": .string(options.release),
      "boot_id": .string(options.bootID),
      "time": .string(options.time),
      "source": .string(options.source.rawValue),
      "parameters": .object(
        options.parameters.map { JSON.Member($0.name, .string($0.value)) }),
    ]
  }

  public static func json(_ failure: ConfigureFailure) -> JSON {
    [
      "schema": 1,
      "ok": false,
      "error": [
        "code": .int(Int64(failure.exitCode.rawValue)),
        "kind": .string(failure.kind),
        "message": .string(failure.message),
        "remedy": .string(failure.remedy),
      ],
    ]
  }
}
