// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

struct Configure: PrintingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Resolve the kernel's symbol addresses and write the options for 'modprobe cmatest'.",
    discussion: """
      Reads /proc/kallsyms once, or only its beginning where an earlier boot of this kernel has \
      kept where its symbols lie, and writes \(OptionsFile.path) (mode 0600) for \
      this boot, then checks through libkmod that modprobe would use just that. Where anything is \
      wrong, no file is left, but this boot's own where the kernel has since come to hide the \
      addresses, and the exit code tells what: cma-test(8), EXIT STATUS. A kernel that exports \
      what the module links to (7.1 and later) needs no addresses to load it: there they are \
      written for areas besides the default one, and to have none is no failure. \
      cma-test-configure.service does this at each boot; needs root.
      """)

  @Flag(name: [.customShort("n"), .long], help: "Print what would be written, and write nothing.")
  var dryRun = false

  @Flag(
    name: .customLong("no-cache"),
    help: "Look the symbols up, whatever an earlier boot of this kernel has kept.")
  var ignoresCache = false

  @Option(
    help: ArgumentHelp("Work on a copied tree instead of the running machine.", valueName: "dir"),
    completion: .directory)
  var root = "/"

  @Flag(help: "Print the result, or the error, as JSON on standard output.")
  var json = false

  func validate() throws {
    try checkRoot(root)
  }

  func run(printing output: StandardOutput) throws {
    let machine = Machine(root: root)
    let path = machine.path(OptionsFile.path)
    let result: String
    do throws(ConfigureFailure) {
      let configurator = Configurator(machine: machine, usesCache: !ignoresCache)
      result =
        dryRun
        ? preview(try configurator.preview(), at: path)
        : text(of: try configurator.configure(), at: path)
    } catch {
      throw try Self.report(error, asJSON: json, to: output)
    }
    try output.write(result)
  }

  private func preview(_ configured: Configured, at path: String) -> String {
    guard case .wrote(let plan) = configured else { return text(of: configured, at: path) }
    return json ? ConfigureReport.json(plan, at: path).text + "\n" : plan.text
  }

  private func text(of configured: Configured, at path: String) -> String {
    json
      ? ConfigureReport.json(configured, at: path).text + "\n"
      : ConfigureReport.text(configured, at: path)
  }
}
