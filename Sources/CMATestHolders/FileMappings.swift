// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestMachine
internal import CMATestSystem

/// Finds the processes that have a file mapped, by their mappings.
///
/// Their page tables do not always tell: before the kernel moves pages of an area away, it tries to drop clean
/// page cache, for which it takes a page out of all page tables. A page that is in use then stays, and the
/// next access puts it back.
struct FileMappings {
  private struct File: Hashable {
    var device: String
    var inode: UInt64
  }

  private let machine: Machine
  /// The processes of each file; nil until one was asked for.
  private var processesOf: [File: [Int32]]?

  init(machine: Machine) {
    self.machine = machine
  }

  /// Looks a file up.
  ///
  /// - Parameters:
  ///   - device: of the file system, as the module has it.
  ///   - inode: the number of the file.
  /// - Returns: the processes that have it mapped, in ascending order.
  mutating func processes(device: UInt32, inode: UInt64) -> [Int32] {
    let known = processesOf ?? read()
    processesOf = known
    return known[File(device: FileNames.device(device), inode: inode)] ?? []
  }

  private func read() -> [File: [Int32]] {
    var found: [File: [Int32]] = [:]
    let names = (try? machine.names(in: "/proc")) ?? []
    for process in names.compactMap({ Int32($0) }).sorted() {
      for line in mappings(of: process).split(separator: UInt8(ascii: "\n")) {
        guard let file = Self.file(line) else { continue }
        if found[file]?.last != process { found[file, default: []].append(process) }
      }
    }
    return found
  }

  /// The lines of /proc/PID/maps; none for a process that has ended meanwhile.
  private func mappings(of process: Int32) -> [UInt8] {
    let text = mappings(in: "/proc/\(process)")
    guard text.isEmpty else { return text }
    let others = machine.foldersOfOtherThreads(of: process).lazy.map { mappings(in: $0) }
    return others.first { !$0.isEmpty } ?? []
  }

  private func mappings(in folder: String) -> [UInt8] {
    (try? contents(of: machine.path("\(folder)/maps"), limit: 64 << 20)) ?? []
  }

  /// Reads the device and inode of a line of /proc/PID/maps; nil where it is of no file.
  private static func file(_ line: ArraySlice<UInt8>) -> File? {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
    guard fields.count >= 5, fields[4].first != UInt8(ascii: "0"),
      let inode = UInt64(String(decoding: fields[4], as: UTF8.self))
    else { return nil }
    let device = fields[3].split(separator: UInt8(ascii: ":"))
    guard device.count == 2,
      let major = UInt32(String(decoding: device[0], as: UTF8.self), radix: 16),
      let minor = UInt32(String(decoding: device[1], as: UTF8.self), radix: 16)
    else { return nil }
    return File(device: "\(major):\(minor)", inode: inode)
  }
}
