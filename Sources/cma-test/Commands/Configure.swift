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
      Reads /proc/kallsyms, or only its beginning if an earlier boot of this kernel has kept the \
      places of the symbols; writes \(OptionsFile.path) (mode 0600) for this \
      boot; and checks through libkmod that modprobe would use exactly these options. If anything \
      is wrong, no file is left, and the exit code tells the reason: cma-test(8), EXIT STATUS. \
      If the kernel has begun to hide the addresses since, the file of this boot is kept. A \
      kernel that exports what the module links to (7.1 and later) needs no addresses to load the \
      module: there they serve areas besides the default one, and their absence is no failure. \
      cma-test-configure.service does this at each boot; needs root.
      """)

  @Flag(name: [.customShort("n"), .long], help: "Print what would be written, and write nothing.")
  var dryRun = false

  @Flag(
    name: .customLong("no-cache"),
    help: "Look the symbols up anew, and ignore what an earlier boot of this kernel has kept.")
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
