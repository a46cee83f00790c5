// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestMachine
internal import CMATestSystem

/// Names processes, each once.
struct ProcessNames {
  let machine: Machine
  private var known: [Int32: Holder.Process] = [:]

  init(machine: Machine) {
    self.machine = machine
  }

  /// Returns what proc(5) tells of a process.
  mutating func process(_ id: Int32) -> Holder.Process {
    if let process = known[id] { return process }
    var process = Holder.Process(id: id, command: try? machine.line("/proc/\(id)/comm"))
    if let text = try? contents(of: machine.path("/proc/\(id)/cgroup")) {
      process.controlGroup = Self.controlGroup(String(decoding: text, as: UTF8.self))
    }
    if let text = try? contents(of: machine.path("/proc/\(id)/status")) {
      process.isInNamespace = Self.identifiers(String(decoding: text, as: UTF8.self)) > 1
    }
    known[id] = process
    return process
  }

  /// Reads the group of version 2 (`0::/…`), or else the first: cgroups(7).
  static func controlGroup(_ text: String) -> String? {
    let groups = text.split(separator: "\n").compactMap { line -> (String, String)? in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      return fields.count == 3 ? (String(fields[0]), String(fields[2])) : nil
    }
    return (groups.first { $0.0 == "0" } ?? groups.first)?.1
  }

  /// Counts the PIDs that a process has, one in each namespace it is in (NSpid in proc_pid_status(5)).
  static func identifiers(_ status: String) -> Int {
    let line = status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
    return (line?.split(whereSeparator: \.isWhitespace).count ?? 1) - 1
  }
}
