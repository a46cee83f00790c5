// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestBench
internal import CMATestCore
internal import CMATestReport
internal import CMATestSystem

struct Report: PrintingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a page of results of 'cma-test bench'.")

  @Argument(help: "Files of results.", completion: .file(extensions: ["json"]))
  var results: [String]

  @Option(name: .shortAndLong, help: "The file to write; standard output if not given.")
  var output: String?

  func run(printing output: StandardOutput) throws {
    let read = try results.map { try readResult($0, keepsTimes: true) }
    let page = ResultPage.html(read)
    if let file = self.output {
      try AtomicFile(file).replace(with: Array(page.utf8), mode: 0o644)
    } else {
      try output.write(page)
    }
  }
}
