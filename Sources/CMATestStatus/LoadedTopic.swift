// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem
internal import Kmod

/// The module in the kernel now, if it is.
struct LoadedTopic: Topic {
  static let name = "loaded"

  static let folder = "/sys/module/\(OptionsFile.module)"

  let isLoaded: Bool
  let version: String?
  let sourceVersion: String?
  /// In UTC; nil where it is not loaded, or the kernel's log does not go back so far.
  let since: String?
  private let installed: FoundModule?

  init(_ inputs: StatusInputs) {
    let machine = inputs.machine
    isLoaded = inputs.isLoaded
    version = isLoaded ? try? machine.line("\(Self.folder)/version") : nil
    sourceVersion = isLoaded ? try? machine.line("\(Self.folder)/srcversion") : nil
    installed = inputs.modprobe.found
    since = isLoaded ? Self.since(machine) : nil
  }

  /// The folder's own time is that of the first look at it, so the module's line in the log is what
  /// is left to know it by.
  private static func since(_ machine: Machine) -> String? {
    guard let boot = machine.bootTime(), let log = try? machine.kernelLog() else { return nil }
    let start = "\(OptionsFile.module): init CMA test mod."
    guard let message = log.last(where: { $0.text.hasPrefix(start) }) else { return nil }
    return utcTimestamp(boot + Int(clamping: message.time / 1_000_000))
  }

  /// Nil where one of them is not known.
  private var isCurrent: Bool? {
    guard let sourceVersion, let other = installed?["srcversion"] else { return nil }
    return sourceVersion == other && version == installed?["version"]
  }

  var findings: [Finding] {
    guard isLoaded else { return [.good("not loaded")] }
    let text =
      "version \(version ?? "unknown"), since \(since ?? "a time that the log no longer has")"
    guard isCurrent == false else { return [.good(text)] }
    let other = installed?["version"] ?? "unknown"
    return [
      .notice(
        other == version
          ? "\(text); the installed module of that version was built from other source"
          : "\(text); the installed module is \(other)",
        remedy: "rmmod cmatest && modprobe cmatest")
    ]
  }

  var facts: [JSON.Member] {
    [
      JSON.Member("loaded", .bool(isLoaded)),
      JSON.Member("version", JSON(version)),
      JSON.Member("srcversion", JSON(sourceVersion)),
      JSON.Member("since", JSON(since)),
      JSON.Member("current", isCurrent.map(JSON.bool) ?? .null),
    ]
  }
}
