// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestMachine
internal import CMATestSystem

/// Names processes, each once.
struct ProcessNames {
  let machine: Machine
  private let ownNamespace: Substring?
  private var known: [Int32: Holder.Process] = [:]

  init(machine: Machine) {
    self.machine = machine
    ownNamespace = Self.namespace(of: "self", on: machine)
  }

  /// Returns what proc(5) tells of a process.
  mutating func process(_ id: Int32) -> Holder.Process {
    if let process = known[id] { return process }
    var process = Holder.Process(id: id, command: try? machine.line("/proc/\(id)/comm"))
    // pid_namespaces(7). A kernel thread has none that can be read.
    let namespace = Self.namespace(of: "\(id)", on: machine)
    process.isInNamespace = namespace != nil && namespace != ownNamespace
    // For hundreds of processes of this system the groups would take longer than all the rest.
    if process.isInNamespace, let text = try? contents(of: machine.path("/proc/\(id)/cgroup")) {
      process.controlGroup = Self.controlGroup(String(decoding: text, as: UTF8.self))
    }
    known[id] = process
    return process
  }

  /// Whether a process is there, and is none of the kernel's own, which no signal ends.
  func canEnd(_ id: Int32) -> Bool {
    // A thread of the kernel has no command line, nor has a process that has ended but for its entry.
    guard let words = try? contents(of: machine.path("/proc/\(id)/cmdline")) else { return false }
    return !words.isEmpty
  }

  /// The PID namespace of a process, as `pid:[4026531836]`; nil where it cannot be seen.
  private static func namespace(of process: String, on machine: Machine) -> Substring? {
    // The link is no path, so what `link` puts before it goes.
    machine.link("/proc/\(process)/ns/pid")?.split(separator: "/").last
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
