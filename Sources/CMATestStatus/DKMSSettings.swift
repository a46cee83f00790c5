// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// The administrator's settings for DKMS, from the files that it sources, in its order.
/// (`read_framework_conf` and `prepare_mok` in dkms)
struct DKMSSettings {
  /// One setting.
  enum Setting: Equatable {
    case known(String)
    /// A shell alone can tell the value; `file` is what sets it.
    case unknown(name: String, file: String)

    /// The value; nil where it is not known.
    var value: String? {
      if case .known(let value) = self { return value }
      return nil
    }

    /// The reason why the value is not known, for people; nil where it is.
    var doubt: String? {
      guard case .unknown(let name, let file) = self else { return nil }
      return "only a shell can tell what \(file) sets \(name) to"
    }
  }

  /// The folder in which DKMS keeps its builds, as the machine itself says it.
  let tree: Setting
  /// The certificate for what DKMS signs.
  let certificate: Setting

  /// - Parameters:
  ///   - machine: whose settings.
  ///   - release: the kernel that the module is for, `$kernelver` in the files.
  init(_ machine: Machine, release: String) {
    let folder = "/etc/dkms/framework.conf.d"
    // As the shell expands `*.conf`.
    let names = ((try? machine.names(in: folder)) ?? [])
      .filter { $0.hasSuffix(".conf") && !$0.hasPrefix(".") }
    var settings = ShellAssignments()
    // What DKMS has set itself before it reads them.
    let before = """
      kernelver=\(release)
      dkms_tree=/var/lib/dkms
      source_tree=/usr/src
      install_tree=/lib/modules
      """
    settings.read(Array(before.utf8), from: "")
    var scripts: [ShellScript] = []
    for file in ["/etc/dkms/framework.conf"] + names.map({ "\(folder)/\($0)" }) {
      guard let text = try? contents(of: machine.path(file)) else { continue }
      settings.read(text, from: file)
      scripts.append(ShellScript(text, file: file))
    }
    func setting(_ name: String, _ other: String) -> Setting {
      let last = settings.assignments.last { $0.name == name }
      if let last, !last.isPlain { return .unknown(name: name, file: last.file) }
      let known = Set(settings.assignments.map(\.name))
      if let last, let script = scripts.last(where: { $0.file == last.file }),
        !script.variables(in: last.lines).isSubset(of: known)
      {
        return .unknown(name: name, file: last.file)
      }
      if let script = scripts.last(where: { $0.maySet(name) }) {
        return .unknown(name: name, file: script.file)
      }
      // Of a file that was edited on Windows DKMS drops the last byte too.
      let value = settings[name]
      var path = value.hasSuffix("\r") ? String(value.dropLast()) : value
      // DKMS reads what it has read as the shell's once more.
      for variable in ["${kernelver}", "$kernelver"] {
        path = path.replacing(variable, with: release)
      }
      if let last, path.contains("$") || path.contains("`") {
        return .unknown(name: name, file: last.file)
      }
      return .known(path.isEmpty ? other : path)
    }
    tree = setting("dkms_tree", "/var/lib/dkms")
    certificate = setting("mok_certificate", "/var/lib/dkms/mok.pub")
  }
}

/// A file that a shell sources, as far as it is more than assignments.
private struct ShellScript {
  let file: String
  /// Without the blanks at their ends, and without comments.
  private let lines: [String]

  init(_ text: [UInt8], file: String) {
    self.file = file
    lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(decoding: KernelCommandLine.trimmed(Array($0)), as: UTF8.self) }
      .map { $0.hasPrefix("#") ? "" : $0 }
  }

  /// The variables whose values some lines use, also such as are quoted: DKMS has the shell read
  /// each value twice.
  ///
  /// - Parameter range: of the lines, counted from 1.
  /// - Returns: their names.
  func variables(in range: ClosedRange<Int>) -> Set<String> {
    var names: Set<String> = []
    for line in lines[(range.lowerBound - 1)..<min(range.upperBound, lines.count)] {
      for part in line.split(separator: "$", omittingEmptySubsequences: false).dropFirst() {
        let name = part.drop { $0 == "{" }.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        if !name.isEmpty { names.insert(String(name)) }
      }
    }
    return names
  }

  /// Whether anything but an assignment may set a variable: another file, or an assignment that is
  /// made under a condition, in a loop or by a program.
  func maySet(_ name: String) -> Bool {
    var depth = 0
    for line in lines {
      let words = line.split { " \t;".contains($0) }
      guard let first = words.first else { continue }
      if Self.sources(line) { return true }
      if Self.openers.contains(first) || Self.closers.contains(first) {
        depth += words.count(where: Self.openers.contains)
        depth -= words.count(where: Self.closers.contains)
      }
      guard line.contains(name) else { continue }
      // An assignment, perhaps of this variable, which is read as such.
      let isAssignment = first == "export" || first.contains("=")
      if depth > 0 || !isAssignment { return true }
    }
    return false
  }

  /// Whether a line has the shell read another file or text.
  private static func sources(_ line: String) -> Bool {
    line.split { ";&|".contains($0) }.contains { command in
      command.split { " \t".contains($0) }.first.map(sourcing.contains) ?? false
    }
  }

  private static let sourcing: Set<Substring> = [".", "source", "eval"]
  private static let openers: Set<Substring> = [
    "if", "case", "for", "while", "until", "select", "{", "(",
  ]
  private static let closers: Set<Substring> = ["fi", "esac", "done", "}", ")"]
}
