// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice
internal import CMATestMachine
internal import CMATestSystem

/// Says where a file that the kernel names by its file system is for a user.
struct FileNames {
  /// A line of /proc/self/mountinfo: proc_pid_mountinfo(5).
  struct Mount: Equatable {
    /// Major and minor, as `254:1`.
    var device: String
    /// The part of the file system that is mounted.
    var root: String
    var place: String
    var fileSystem: String
  }

  private let machine: Machine
  private let mounts: [Mount]

  init(machine: Machine) {
    self.machine = machine
    let text = (try? contents(of: machine.path("/proc/self/mountinfo"))) ?? []
    mounts = String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap(Self.mount)
  }

  /// Names a file.
  func file(_ file: PageFile) -> Holder.File {
    let device = Self.device(file.device)
    let place = file.path.flatMap { path($0, on: device) }
    var named = Holder.File(
      path: place ?? file.path, fileSystem: file.fileSystem, device: blockDevice(device))
    // Where the mounts cannot be read, nothing speaks against it.
    named.isMounted = file.path == nil || place != nil || mounts.isEmpty
    return named
  }

  /// Names a block device whose own page cache is meant.
  func blockDevice(_ number: UInt32) -> Holder.File {
    let device = Self.device(number)
    let mounted = mounts.first { $0.device == device }
    return Holder.File(
      path: nil, fileSystem: mounted?.fileSystem, device: blockDevice(device), isDevice: true)
  }

  /// The kernel's name of a device, as `vda1`; nil for a file system without one.
  private func blockDevice(_ device: String) -> String? {
    machine.link("/sys/dev/block/\(device)").map { link in
      String(link[(link.lastIndex(of: "/").map { link.index(after: $0) } ?? link.startIndex)...])
    }
  }

  /// The path of a file by where its file system is mounted; nil where it is not.
  private func path(_ path: String, on device: String) -> String? {
    for mount in mounts where mount.device == device {
      let root = mount.root == "/" ? "" : mount.root
      guard path == root || path.hasPrefix(root + "/") else { continue }
      let place = mount.place == "/" ? "" : mount.place
      return place + path.dropFirst(root.count)
    }
    return nil
  }

  /// Writes the number of a device as /proc has it: major and minor. stat(2)'s number has the low byte of
  /// the minor, the major and the rest of the minor.
  static func device(_ number: UInt32) -> String {
    "\(number >> 8 & 0xFFF):\(number & 0xFF | number >> 12 & 0xFFF00)"
  }

  static func mount(_ line: Substring) -> Mount? {
    let fields = line.split(separator: " ")
    guard fields.count >= 10, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count
    else { return nil }
    return Mount(
      device: String(fields[2]), root: unescaped(fields[3]), place: unescaped(fields[4]),
      fileSystem: String(fields[dash + 1]))
  }

  /// Undoes the octal escapes of blanks and backslashes.
  static func unescaped(_ field: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(field.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3,
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
