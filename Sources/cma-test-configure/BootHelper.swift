// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestSystem
internal import Glibc

/// What cma-test-configure.service runs at each boot. `cma-test configure` is the same with options
/// for people; this one has no argument parser, so that it starts and ends at once.
@main
struct BootHelper {
  static let name = "cma-test-configure"
  static let usage = """
    usage: \(name) [--no-cache | --save-cache] [--root DIR]
           \(name) --version | --help

    Reads the addresses that the module cmatest needs from /proc/kallsyms and writes
    them to \(OptionsFile.path) for this boot. cma-test(8) has the
    exit codes; 'cma-test configure' is the same with more options.

      --no-cache     look the symbols up, whatever an earlier boot has kept
      --save-cache   keep for the next boots where they lie, and write no options
      --root DIR     work on the copied tree DIR instead of the running machine
      --version      print the version
      --help         print this

    """

  static func main() {
    exit(run(commandLineArguments()).rawValue)
  }

  private static func run(_ arguments: [String]) -> CMATestCore.ExitCode {
    do throws(SystemFailure) {
      switch arguments {
      case ["--version"]:
        try StandardStream.output.write("\(packageVersion)\n")
        return .success
      case ["--help"], ["-h"]:
        try StandardStream.output.write(usage)
        return .success
      default:
        guard let job = Job(arguments) else {
          try StandardStream.error.write(
            "\(name): error: cannot use '\(arguments.joined(separator: " "))'\n\(usage)")
          return .usage
        }
        return try job.run()
      }
    } catch {
      // Nothing can be said where nothing can be written; the exit code still tells.
      return .cannotWrite
    }
  }
}

/// What the helper is to do.
private struct Job {
  private var root = "/"
  private var usesCache = true
  private var onlySavesCache = false

  /// - Parameter arguments: nil comes of such as are not understood.
  init?(_ arguments: [String]) {
    var rest = arguments[...]
    while let word = rest.popFirst() {
      switch word {
      case "--no-cache": usesCache = false
      case "--save-cache": onlySavesCache = true
      case "--root":
        guard let folder = rest.popFirst(), !folder.isEmpty else { return nil }
        root = folder
      default: return nil
      }
    }
    guard usesCache || !onlySavesCache else { return nil }
  }

  func run() throws(SystemFailure) -> CMATestCore.ExitCode {
    let machine = Machine(root: root)
    let configurator = Configurator(
      machine: machine, usesCache: usesCache, alwaysAsksLibkmod: false)
    do throws(ConfigureFailure) {
      let text: String
      if onlySavesCache {
        let isThere = try configurator.saveCache()
        text = "\(isThere ? "there is a" : "there can be no") cache for this kernel\n"
      } else {
        text = ConfigureReport.text(
          try configurator.configure(), at: machine.path(OptionsFile.path))
      }
      try? StandardStream.output.write(text)
      return .success
    } catch {
      let priority = journalReadsStandardError() ? "<3>" : ""
      try StandardStream.error.write(
        priority + ConfigureReport.line(error, program: BootHelper.name))
      return error.exitCode
    }
  }
}
