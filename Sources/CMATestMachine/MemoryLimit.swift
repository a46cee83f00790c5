// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestSystem

/// A limit on the memory of a control group that this process is in.
public struct MemoryLimit: Equatable, Sendable {
  /// The file that sets it, as `/sys/fs/cgroup/system.slice/memory.max`.
  public var file: String
  /// Bytes that the group may still have, those counted in that the kernel takes back at once: page
  /// cache which is not in use.
  public var room: UInt64
}

extension Machine {
  /// The limits of this process's control group and of the groups that it is in, which hold as well.
  /// (`Documentation/admin-guide/cgroup-v2.rst`, and `cgroup-v1/memory.rst`)
  ///
  /// - Returns: none where no group has a limit, or none is mounted.
  /// - Throws: where /proc cannot be read.
  public func memoryLimits() throws(SystemFailure) -> [MemoryLimit] {
    let mounts = String(
      decoding: try contents(of: path("/proc/self/mountinfo")), as: UTF8.self)
    guard exists("/proc/self/cgroup") else { return [] }
    let groups = String(decoding: try contents(of: path("/proc/self/cgroup")), as: UTF8.self)
    var limits: [MemoryLimit] = []
    for line in groups.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let files: ControlGroupFiles
      if fields[0] == "0", fields[1].isEmpty {
        files = .second
      } else if fields[1].split(separator: ",").contains("memory") {
        files = .first
      } else {
        continue
      }
      for folder in files.folders(of: String(fields[2]), inMounts: mounts) {
        limits += files.limits.compactMap { limit(folder, $0, files) }
      }
    }
    return limits
  }

  private func limit(_ folder: String, _ name: String, _ files: ControlGroupFiles) -> MemoryLimit? {
    // The root group has no such files, and "max" is none.
    guard let most = number("\(folder)/\(name)"), let usage = number("\(folder)/\(files.usage)"),
      // So the first version says that there is none: LONG_MAX in whole pages.
      most < UInt64(Int64.max) - 1 << 20
    else { return nil }
    let spare = number("\(folder)/memory.stat", after: files.spare) ?? 0
    return MemoryLimit(file: "\(folder)/\(name)", room: most - min(most, usage - min(usage, spare)))
  }

  private func number(_ file: String, after word: String? = nil) -> UInt64? {
    guard let bytes = try? contents(of: path(file)) else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard let word else { return lines.first.flatMap { UInt64($0) } }
    return lines.lazy.map { $0.split(separator: " ") }
      .first { $0.count == 2 && $0[0] == word }.flatMap { UInt64($0[1]) }
  }
}

/// The names of the files of a version of control groups.
private struct ControlGroupFiles {
  let fileSystem: String
  let limits: [String]
  let usage: String
  /// The line of memory.stat.
  let spare: String

  static let first = Self(
    fileSystem: "cgroup", limits: ["memory.limit_in_bytes"], usage: "memory.usage_in_bytes",
    spare: "total_inactive_file")
  // Above memory.high nobody is killed, but all are held up.
  static let second = Self(
    fileSystem: "cgroup2", limits: ["memory.max", "memory.high"], usage: "memory.current",
    spare: "inactive_file")

  /// The folders of a group and of those that it is in.
  ///
  /// - Parameters:
  ///   - group: its path in the hierarchy.
  ///   - mounts: /proc/self/mountinfo, proc_pid_mountinfo(5).
  /// - Returns: as far as they are mounted.
  func folders(of group: String, inMounts mounts: String) -> [String] {
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard let dash = fields.firstIndex(of: "-"), dash >= 5, fields.count > dash + 3,
        fields[dash + 1] == fileSystem,
        fileSystem == "cgroup2" || fields[dash + 3].split(separator: ",").contains("memory")
      else { continue }
      let root = fields[3] == "/" ? "" : String(fields[3])
      guard group == root || group.hasPrefix(root + "/") else { continue }
      var folder = String(fields[4])
      var folders = [folder]
      for name in group.dropFirst(root.count).split(separator: "/") {
        folder += "/\(name)"
        folders.append(folder)
      }
      return folders
    }
    return []
  }
}
