// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import Foundation
import TestSupport
import Testing

private let command = Program("cma-test")
private let helper = Program("cma-test-configure")
/// Where the module is loaded, these would test the machine.
private let hasNoModule = !FileManager.default.fileExists(atPath: "/dev/cmatest")

@Suite struct UnwritableOutputTests {
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
    try tree.addGrub()
  }

  /// Each way to print something: results, JSON, and what the argument parser itself prints.
  private var printing: [(Program, [String])] {
    let here = ["--root", tree.root]
    let inTree: [[String]] = [
      ["status"], ["status", "--json"], ["configure"], ["configure", "--dry-run"],
      ["reserve", "64M"], ["reserve", "64M", "--dry-run"], ["reserve", "64G", "--json"],
      ["reserve", "--remove"],
    ]
    let anywhere: [[String]] = [
      ["configure", "--json", "--root", "/sys"], ["run", "--list"],
      ["run", "--list", "--format", "json"], [], ["--help"], ["help", "run"], ["run", "--help"],
      ["--version"], ["--generate-completion-script", "bash"],
    ]
    let measurement = sourcePath("Tests/Fixtures/results/whole.json")
    let map = sourcePath("Tests/Fixtures/holders/map.json")
    let ofResults: [[String]] = [
      ["report", measurement], ["report", "--format", "csv", measurement], ["report", map],
      ["report", "--help"], ["compare", "--help"],
    ]
    let withoutModule: [[String]] =
      hasNoModule
      ? [
        ["run", "--no-load"], ["areas", "--no-load", "--json"],
        ["map", "--no-load", "--format", "json"],
      ] : []
    let atBoot: [[String]] = [here, ["--save-cache"] + here, ["--help"], ["--version"]]
    var printing: [(Program, [String])] = []
    for words in inTree { printing.append((command, words + here)) }
    for words in anywhere + ofResults + withoutModule { printing.append((command, words)) }
    for words in atBoot { printing.append((helper, words)) }
    return printing
  }

  private func expectOneLine(_ output: Program.Output, _ reason: String) throws {
    for (program, words) in printing {
      let outcome = try program.run(words, output: output)
      #expect(outcome.exitCode == CommandStatus.cannotWrite.rawValue, "\(words)")
      let lines = outcome.errors.split(separator: "\n").filter { !$0.hasPrefix("[") }
      #expect(lines.count == 1, "\(words): \(outcome.errors)")
      #expect(
        lines.last?.hasSuffix(": error: write to standard output: \(reason)") == true, "\(words)")
    }
  }

  @Test func fullDiskIsOneLineAndTheExitCodeForIt() throws {
    try expectOneLine(.file("/dev/full"), "No space left on device")
  }

  @Test func readerThatHasGoneIsToo() throws {
    try expectOneLine(.brokenPipe, "Broken pipe")
  }

  @Test func closedOutputIsToo() throws {
    try expectOneLine(.closed, "Bad file descriptor")
  }

  @Test func messagesThatCannotBeWrittenLeaveTheExitCode() throws {
    // Nothing is printed but the complaint, and that has nowhere to go.
    for (words, code) in [
      (["configure", "--root", "/sys"], CommandStatus.unreadable),
      (["reserve", "64G", "--root", tree.root], .cannotReserve), (["--nonsense"], .usage),
    ] {
      let shell = try Program("cma-test").run(words, output: .closed)
      #expect(shell.exitCode == code.rawValue, "\(words): \(shell.errors)")
    }
  }

  @Test func closedOutputDoesNotBecomeAFileThatIsOpenedLater() throws {
    let outcome = try helper.run(["--root", tree.root], output: .closed)
    #expect(outcome.exitCode == CommandStatus.cannotWrite.rawValue)
    let written = try String(contentsOfFile: tree.optionsPath, encoding: .utf8)
    try FileManager.default.removeItem(atPath: tree.optionsPath)
    #expect(try helper.run("--root", tree.root).exitCode == 0)
    func lines(_ text: String) -> [Substring] {
      text.split(separator: "\n").filter { !$0.hasPrefix("# time:") }
    }
    let again = try String(contentsOfFile: tree.optionsPath, encoding: .utf8)
    #expect(lines(written) == lines(again))
  }
}

@Suite struct TerminalTests {
  private let tree: CopiedTree

  init() throws { tree = try CopiedTree() }

  private func status(_ environment: String...) throws -> String {
    try command.runInTerminal(
      ["status", "--root", tree.root], columns: 80, environment: environment
    ).output
  }

  @Test func colorsAreForTerminalsThatTakeEscapes() throws {
    #expect(try status("TERM=xterm").contains("\u{1B}["))
    #expect(try !status("TERM=dumb").contains("\u{1B}"))
    #expect(try !status().contains("\u{1B}"))
  }

  @Test func userCanForbidColors() throws {
    #expect(try !status("TERM=xterm", "NO_COLOR=1").contains("\u{1B}"))
    #expect(try status("TERM=xterm", "NO_COLOR=").contains("\u{1B}["))
  }

  @Test func signsAreForTerminalsThatShowThem() throws {
    #expect(try status("TERM=xterm", "LC_ALL=C.UTF-8").contains("✗"))
    #expect(try !status("TERM=dumb", "LC_ALL=C.UTF-8").contains("✗"))
    #expect(try !status("TERM=linux", "LC_ALL=C.UTF-8").contains("✗"))
  }

  @Test(arguments: [1, 5, 20, 33, 40, 80, 200])
  func helpFitsTheTerminal(_ columns: UInt16) throws {
    let outcome = try command.runInTerminal(["--help"], columns: columns, environment: [])
    #expect(outcome.exitCode == 0)
    let lines = outcome.output.split(separator: "\r\n")
    // Below 40 columns the terminal wraps the lines; the parser itself never wraps the last one.
    #expect(lines.count > 5 && lines.dropLast().allSatisfy { $0.count <= max(40, Int(columns)) })
    let mistake = try command.runInTerminal(["--nonsense"], columns: columns, environment: [])
    #expect(mistake.exitCode == CommandStatus.usage.rawValue)
  }
}

@Suite(.enabled(if: hasNoModule)) struct ProgressInTerminalTests {
  private func run(columns: UInt16, _ environment: String...) throws -> String {
    try command.runInTerminal(
      ["run", "--no-load", "--format", "json"], columns: columns, environment: environment
    ).output
  }

  @Test(arguments: [20, 80]) func progressIsOneLine(_ columns: UInt16) throws {
    let text = try run(columns: columns, "TERM=xterm")
    let progress = text.prefix { $0 != "{" }
    let lines = String(progress).components(separatedBy: "\r\u{1B}[K").dropFirst()
    #expect(lines.count > 1)
    #expect(lines.allSatisfy { $0.count < Int(columns) && !$0.contains("\n") })
  }

  @Test func terminalWithoutEscapesHasALineForEachCase() throws {
    let text = try run(columns: 80, "TERM=dumb")
    #expect(!text.contains("\u{1B}") && text.contains("[1/"))
  }
}

@Suite struct OneWayToStandardOutputTests {
  /// What writes to standard output, or stands for it. A child's is set with `STDOUT_FILENO`.
  private static let writers = [
    #"\b(print|debugPrint|dump|puts|putchar|printf|vprintf|fputs|fwrite|dprintf)\("#,
    #"\bstdout\b|standardOutput|TextOutputStream"#, #"\bwrite\(\s*(1|STDOUT_FILENO)\b"#,
    #"/dev/(stdout|fd/1|tty)\b|/proc/self/fd/1\b"#,
    #"StandardOutput\(\)"#,
  ]
  /// The file that writes, and those that make the one sink of a program.
  private static let allowed = [
    "Sources/CMATestSystem/Output.swift": [], "Sources/cma-test/CMATest.swift": [4],
    "Sources/cma-test/Support/Output.swift": [4],
    "Sources/cma-test-configure/BootHelper.swift": [4],
  ]

  @Test func nothingElseInTheSourcesWritesThere() throws {
    let files = try sourceFiles(below: "Sources").filter {
      $0.hasSuffix(".swift") || $0.hasSuffix(".c")
    }
    #expect(files.count > 50)
    for file in files where file != "Sources/CMATestSystem/Output.swift" {
      let text = try sourceFile(file)
      for (number, pattern) in Self.writers.enumerated()
      where Self.allowed[file]?.contains(number) != true {
        #expect(
          text.range(of: pattern, options: .regularExpression) == nil, "\(file): \(pattern)")
      }
    }
  }
}
