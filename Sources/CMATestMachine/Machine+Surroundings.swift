// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestSystem
internal import Glibc

extension Machine {
  /// Returns the kind of container that this process is in, as `docker`; nil where it is in none that
  /// is known.
  public func container() -> String? {
    // The files below outlive a container whose files became a whole machine's.
    if isInFirstProcessNamespace { return nil }
    // Written by systemd as a container's first process.
    if let kind = try? line("/run/systemd/container"), !kind.isEmpty { return kind }
    if exists("/run/.containerenv") { return "podman" }
    if exists("/.dockerenv") { return "docker" }
    if let kind = environment(ofProcess: 1)["container"] { return kind }
    // The first user namespace maps every user to itself.
    guard let map = try? line("/proc/self/uid_map") else { return nil }
    let fields = map.split(separator: " ")
    return fields.isEmpty || fields.elementsEqual(["0", "0", "4294967295"])
      ? nil : "a user namespace"
  }

  /// Whether process 1 is the kernel's own first: its namespace has a fixed number
  /// (`PROC_PID_INIT_INO` in `include/linux/proc_ns.h`).
  private var isInFirstProcessNamespace: Bool {
    link("/proc/self/ns/pid")?.hasSuffix("/pid:[4026531836]") == true
  }

  private func environment(ofProcess process: Int) -> [String: String] {
    guard let text = try? contents(of: path("/proc/\(process)/environ")) else { return [:] }
    var variables: [String: String] = [:]
    for entry in text.split(separator: 0) {
      let parts = entry.split(separator: UInt8(ascii: "="), maxSplits: 1)
      guard parts.count == 2 else { continue }
      variables[String(decoding: parts[0], as: UTF8.self)] = String(
        decoding: parts[1], as: UTF8.self)
    }
    return variables
  }

  /// Whether `/` is another folder than the first process's; nil where that cannot be seen, as
  /// without root, and for a copied tree.
  public func isChroot() -> Bool? {
    guard isRunning else { return nil }
    var own = stat()
    var first = stat()
    guard stat("/", &own) == 0, stat("/proc/1/root/.", &first) == 0 else { return nil }
    return own.st_dev != first.st_dev || own.st_ino != first.st_ino
  }

  /// Returns whether root alone may read a file; nil where the file cannot be seen.
  public func isPrivateToRoot(_ file: String) -> Bool? {
    var status = stat()
    guard stat(path(file), &status) == 0 else { return nil }
    return status.st_mode & 0o077 == 0 && (status.st_uid == 0 || !isRunning)
  }

  /// Returns the target of a symbolic link, as the machine itself would say it.
  ///
  /// - Parameter file: absolute.
  /// - Returns: an absolute path; nil where it is no link.
  public func link(_ file: String) -> String? {
    var target = [CChar](repeating: 0, count: 4096)
    let count = readlink(path(file), &target, target.count)
    guard count > 0 else { return nil }
    let path = String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard !path.hasPrefix("/") else { return path }
    return file[...(file.lastIndex(of: "/") ?? file.startIndex)] + path
  }

  /// Returns the time of the boot in seconds since 1970, from proc_stat(5).
  public func bootTime() -> Int? {
    guard let text = try? contents(of: path("/proc/stat")) else { return nil }
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: "btime ".utf8) {
      return Int(String(decoding: line.dropFirst(6), as: UTF8.self))
    }
    return nil
  }
}
