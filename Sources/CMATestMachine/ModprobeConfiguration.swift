// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestCore
internal import CMATestSystem
internal import Glibc
package import Kmod

/// The folders of modprobe.d(5), the first the strongest: a file there hides those of its name in
/// the others.
package let modprobeFolders = [
  "/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d",
  "/lib/modprobe.d",
]

extension Machine {
  /// Opens libkmod's view of this machine: of the running kernel, or of a copied tree's own.
  ///
  /// - Throws: what libkmod says; and with a `path`, where it would not come back, as modprobe would
  ///   not.
  package func kmod() throws(KmodFailure) -> KmodContext {
    let modules = "/lib/modules/\((try? kernelRelease()) ?? "")"
    // In place of a folder libkmod takes a file, too.
    for folder in modprobeFolders { try refuseEndless(folder) }
    for file in modprobeFiles() { try refuseEndless(file) }
    // What libkmod reads when it looks a module up, of depmod's files.
    for name in ["dep.bin", "alias.bin", "builtin.bin", "builtin.alias.bin", "softdep", "weakdep"] {
      try refuseEndless("\(modules)/modules.\(name)")
    }
    guard !isRunning else { return try KmodContext() }
    return try KmodContext(modules: path(modules), folders: modprobeFolders.map { path($0) })
  }

  private func refuseEndless(_ file: String) throws(KmodFailure) {
    if let kind = endlessKind(of: file) { throw KmodFailure(endless: path(file), kind: kind) }
  }
}

/// Options that modprobe would pass to the module, and who says so.
package struct ConfiguredOptions: Equatable, Sendable {
  /// The text after `options cmatest`.
  package var text: String
  /// The file that has the options, or /proc/cmdline; nil where neither was found.
  package var source: String?
  /// The first line of the statement in that file; nil for /proc/cmdline.
  package var line: Int?

  /// A command that keeps modprobe from passing the options, or words for the next boot.
  package var remedy: String? {
    guard let source else { return nil }
    guard let line else { return "remove cmatest.\(text) from the kernel command line, and reboot" }
    return "sed -i '\(line)s/^/# /' \(shellWord(source))"
  }
}

/// A statement of modprobe.d(5) and the file that has it.
package struct LocatedStatement: Equatable, Sendable {
  package var statement: ModprobeStatement
  package var file: String

  /// The place in the form that compilers use, as `FILE:LINE`.
  package var place: String { "\(file):\(statement.line)" }
}

extension Machine {
  /// Returns the options that modprobe would pass to the module, in libkmod's order.
  ///
  /// - Parameter kmod: libkmod's view of this machine.
  /// - Returns: the options, each with the file that has them.
  /// - Throws: the call of libkmod that failed.
  package func configuredOptions(
    by kmod: borrowing KmodContext
  ) throws(KmodFailure) -> [ConfiguredOptions] {
    let module = OptionsFile.module
    var lines = try kmod.options(for: module)
    let commandLine = path("/proc/cmdline")
    let words = Self.options(for: module, onCommandLine: commandLine)
    if !isRunning {
      // libkmod has read the command line of the running machine, last.
      let others = Self.options(for: module, onCommandLine: "/proc/cmdline")
      lines.removeLast(min(others.count, lines.count))
      lines += words
    }
    var statements = modprobeStatements("options").filter { $0.statement.subject == module }
    return lines.map { line in
      let place = statements.firstIndex {
        // libkmod makes blanks of tabs.
        $0.statement.rest.map { $0 == "\t" ? " " : $0 }.elementsEqual(line)
      }
      guard let place else {
        return ConfiguredOptions(text: line, source: words.contains(line) ? commandLine : nil)
      }
      let found = statements.remove(at: place)
      return ConfiguredOptions(text: line, source: found.file, line: found.statement.line)
    }
  }

  /// The words `module.name=value` of a kernel command line, as libkmod takes them.
  private static func options(for module: String, onCommandLine file: String) -> [String] {
    guard let text = try? contents(of: file) else { return [] }
    let start = "\(module)."
    return KernelCommandLine(text).words.compactMap { word in
      guard word.hasPrefix(start) else { return nil }
      let option = word.dropFirst(start.utf8.count)
      guard let equals = option.firstIndex(of: "="), option.contains(" ") else {
        return String(option)
      }
      return "\(option[..<equals])=\"\(option[option.index(after: equals)...])\""
    }
  }

  /// Returns the first `install` that forbids the module, by libkmod's rule, and its file.
  package func installStatement() -> LocatedStatement? {
    modprobeStatements("install").first {
      fnmatch($0.statement.subject, OptionsFile.module, 0) == 0
    }
  }

  /// Returns all statements of a kind, in the order in which libkmod reads the files.
  ///
  /// - Parameter keyword: as `install`.
  /// - Returns: none of a file that cannot be read.
  package func modprobeStatements(_ keyword: String) -> [LocatedStatement] {
    modprobeFiles().flatMap { file in
      ModprobeStatement.all(in: (try? contents(of: path(file))) ?? [])
        .filter { $0.keyword == keyword }
        .map { LocatedStatement(statement: $0, file: path(file)) }
    }
  }

  /// The files of modprobe.d(5) that count, by their names' bytes; of one name, that in the strongest
  /// folder.
  private func modprobeFiles() -> [String] {
    var names: [String] = []
    var files: [String] = []
    for folder in modprobeFolders {
      for name in (try? self.names(in: folder)) ?? []
      where name.hasSuffix(".conf") && name.utf8.count > 5 && !name.hasPrefix(".") {
        if names.contains(name) { continue }
        // No dictionary, whose code costs the boot helper memory: there are few.
        let place = names.firstIndex { name.utf8.lexicographicallyPrecedes($0.utf8) } ?? names.count
        names.insert(name, at: place)
        files.insert("\(folder)/\(name)", at: place)
      }
    }
    return files
  }
}
