// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
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
    StandardStream.fillClosed()
    exit(run(commandLineArguments(), printing: StandardOutput()).rawValue)
  }

  private static func run(
    _ arguments: [String], printing output: StandardOutput
  ) -> CommandStatus {
    do throws(OutputFailure) {
      switch arguments {
      case ["--version"]:
        try output.write("\(packageVersion)\n")
      case ["--help"], ["-h"]:
        try output.write(usage)
      default:
        guard let job = Job(arguments) else {
          StandardError.write(
            "\(name): error: cannot use '\(arguments.joined(separator: " "))'\n\(usage)")
          return .usage
        }
        return try job.run(printing: output)
      }
      return .success
    } catch {
      complain("\(name): error: \(error.message)\n")
      return .cannotWrite
    }
  }

  /// Writes one line to standard error, which the journal shows as an error.
  static func complain(_ line: String) {
    StandardError.write((journalReadsStandardError() ? "<3>" : "") + line)
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

  func run(printing output: StandardOutput) throws(OutputFailure) -> CommandStatus {
    let machine = Machine(root: root)
    let configurator = Configurator(
      machine: machine, usesCache: usesCache, alwaysAsksLibkmod: false)
    let text: String
    do throws(ConfigureFailure) {
      if onlySavesCache {
        let isThere = try configurator.saveCache()
        text = "\(isThere ? "there is a" : "there can be no") cache for this kernel\n"
      } else {
        text = ConfigureReport.text(
          try configurator.configure(), at: machine.path(OptionsFile.path))
      }
    } catch {
      BootHelper.complain(error.line(program: BootHelper.name))
      return error.exitStatus
    }
    try output.write(text)
    return .success
  }
}
