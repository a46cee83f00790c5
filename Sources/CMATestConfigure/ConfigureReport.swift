// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore

/// The report of `configure`, as text or as JSON with stable keys.
public enum ConfigureReport {
  /// Returns one line for the terminal and the journal, without addresses, since many can read those.
  public static func text(_ configured: Configured, at path: String) -> String {
    let options = configured.options
    switch configured {
    case .wrote:
      var names = ""
      for address in options.addresses {
        names += names.isEmpty ? address.symbol.parameter : ", \(address.symbol.parameter)"
      }
      let source = options.source == .cache ? ", from the cache" : ""
      let need =
        options.areExported
        ? "; the module loads without them too: this kernel exports what the module links to" : ""
      return "wrote \(names) for kernel \(options.release) to \(path)\(source)\(need)\n"
    case .kept(_, let failure):
      return "kept \(path), which this boot has since \(options.time): \(failure.message)\n"
    case .unneeded(let options, let failure):
      return "no options are needed: kernel \(options.release) exports what the module links to; "
        + "without addresses the module knows the default area only: \(failure.message)\n"
    }
  }

  /// Returns the options that a dry run would write, as JSON.
  ///
  /// - Parameters:
  ///   - plan: the options.
  ///   - path: where they would be.
  /// - Returns: an object whose `ok` is true and whose `wrote` is false.
  public static func json(_ plan: OptionsFile, at path: String) -> JSON {
    json(plan, at: path, wrote: false)
  }

  /// Returns the options that are there now, as JSON.
  ///
  /// - Parameters:
  ///   - configured: the options, and whether they were written now.
  ///   - path: where they are.
  /// - Returns: an object whose `ok` is true; `kept_because` is the kind of failure for which those
  ///   of this boot were kept, else null, and `none_because` that for which there are none where none
  ///   are needed.
  public static func json(_ configured: Configured, at path: String) -> JSON {
    switch configured {
    case .wrote(let options): json(options, at: path, wrote: true)
    case .kept(let options, let failure): json(options, at: path, wrote: false, kept: failure)
    case .unneeded(let options, let failure):
      json(options, at: path, wrote: false, unneeded: failure)
    }
  }

  private static func json(
    _ options: OptionsFile, at path: String, wrote: Bool, kept: ConfigureFailure? = nil,
    unneeded: ConfigureFailure? = nil
  ) -> JSON {
    [
      "schema": 1,
      "ok": true,
      "wrote": .bool(wrote),
      "kept_because": JSON(kept?.kind),
      "none_because": JSON(unneeded?.kind),
      "exported": .bool(options.areExported),
      "path": .string(path),
      "kernel": .string(options.release),
      "boot_id": .string(options.bootID),
      "time": .string(options.time),
      "source": .string(options.source.rawValue),
      "parameters": .object(
        options.parameters.map { JSON.Member($0.name, .string($0.value)) }),
    ]
  }
}
