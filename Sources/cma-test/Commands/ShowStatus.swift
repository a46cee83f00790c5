// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
internal import CMATestMachine
internal import CMATestStatus
internal import CMATestSystem

struct ShowStatus: PrintingCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Tell whether 'modprobe cmatest' would work now, and if not, why.",
    discussion: """
      Looks at the kernel, the reservation, the symbols, the options, what DKMS built, the module \
      and its signature, and changes nothing. Each line has a mark and, where something is wrong, \
      the command that mends it. The exit code is 0 only if 'modprobe cmatest' would work now; \
      else it tells the first cause: cma-test(8), EXIT STATUS. For users other than root, what only \
      root can see is reported as not known.
      """)

  @Option(
    help: ArgumentHelp("Look at a copied tree instead of the running machine.", valueName: "dir"),
    completion: .directory)
  var root = "/"

  @Flag(help: "Print the result as JSON on standard output.")
  var json = false

  func validate() throws {
    try checkRoot(root)
  }

  func run(printing output: StandardOutput) throws {
    let status = Status(of: Machine(root: root))
    try output.write(
      json
        ? StatusReport.json(status).text + "\n"
        : StatusReport.text(status, for: .of(.output)))
    guard status.exitStatus == .success else { throw ExitCode(status.exitStatus) }
  }
}
