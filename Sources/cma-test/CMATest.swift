// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

@main
struct CMATest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cma-test",
    abstract: "Test the contiguous memory allocator of this machine's kernel.",
    discussion: """
      The module 'cmatest' allocates from CMA when it is loaded: 'modprobe cmatest', then see \
      dmesg. This command prepares and explains it. cma-test(8) is the manual.
      """,
    version: packageVersion,
    subcommands: [
      ShowStatus.self, Configure.self, Reserve.self, Areas.self, Run.self, Bench.self, Compare.self,
      Report.self, Map.self, Explain.self, OwnBlocks.self, Load.self,
    ])

  static func main() {
    StandardStream.fillClosed()
    main(Compare.separated(commandLineArguments()), printing: StandardOutput())
  }
}
