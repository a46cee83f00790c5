// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestReport
internal import CMATestSystem
internal import Glibc

/// The files of results in a folder and in all folders below, links included, each folder once.
struct ResultFolder {
  /// The files whose names end in `.json`, by their paths.
  private(set) var files: [FoundFile] = []
  /// The folders that cannot be read.
  private(set) var failures: [SystemFailure] = []
  private var seen: Set<Place> = []

  /// What tells folders apart, whatever leads to them.
  private struct Place: Hashable {
    var device: UInt
    var number: UInt
  }

  /// Whether a path leads to a folder.
  static func isFolder(_ path: String) -> Bool { kind(of: path) == S_IFDIR }

  /// Whether a path leads to a file that can be read twice, as a pipe cannot.
  static func isFile(_ path: String) -> Bool { kind(of: path) == S_IFREG }

  private static func kind(of path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  /// Finds the file that a user names.
  static func file(_ path: String) -> FoundFile {
    FoundFile(
      path, folders: nearest(realPath(path).split(separator: "/").dropLast().map(String.init)))
  }

  /// The names of a folder and of that above it.
  private static func nearest(_ folders: [String]) -> [String] {
    Array(folders.suffix(2).reversed())
  }

  private static func realPath(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Looks into a folder.
  init(_ path: String) {
    let above = Self.realPath(path).split(separator: "/").map(String.init)
    // The next folder is the last one.
    var waiting = [(path: path, folders: above)]
    while let (folder, folders) = waiting.popLast() {
      var status = stat()
      guard stat(folder, &status) == 0,
        seen.insert(Place(device: UInt(status.st_dev), number: UInt(status.st_ino))).inserted
      else { continue }
      var below: [(path: String, folders: [String])] = []
      do throws(SystemFailure) {
        for name in try Self.names(in: folder) {
          let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
          switch Self.kind(of: path) {
          case S_IFDIR: below.append((path, folders + [name]))
          // A link that leads nowhere is named when it is read.
          case S_IFREG where name.hasSuffix(".json"), nil where name.hasSuffix(".json"):
            files.append(FoundFile(path, folders: Self.nearest(folders)))
          default: break
          }
        }
      } catch {
        failures.append(error)
      }
      waiting += below.reversed()
    }
  }

  /// The names in a folder, by their bytes.
  private static func names(in folder: String) throws(SystemFailure) -> [String] {
    guard let stream = opendir(folder) else { throw SystemFailure(.opendir, folder, errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
