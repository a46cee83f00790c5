// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestMachine
internal import CMATestSystem

/// Names processes, each once.
struct ProcessNames {
  let machine: Machine
  private let ownNamespace: String?
  private var known: [Int32: Holder.Process] = [:]

  init(machine: Machine) {
    self.machine = machine
    ownNamespace = machine.link("/proc/self/ns/pid")
  }

  /// Returns what proc(5) tells of a process.
  mutating func process(_ id: Int32) -> Holder.Process {
    if let process = known[id] { return process }
    var process = Holder.Process(id: id, command: try? machine.line("/proc/\(id)/comm"))
    // pid_namespaces(7). A kernel thread has none that can be read.
    let namespace = machine.link("/proc/\(id)/ns/pid")
    process.isInNamespace = namespace != nil && namespace != ownNamespace
    // For hundreds of processes of this system the groups would take longer than all the rest.
    if process.isInNamespace, let text = try? contents(of: machine.path("/proc/\(id)/cgroup")) {
      process.controlGroup = Self.controlGroup(String(decoding: text, as: UTF8.self))
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
}
