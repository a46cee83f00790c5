// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestReport
import CMATestSuite
import Foundation
import TestSupport
import Testing

private let command = Program("cma-test")
/// Where the module is loaded, these would test the machine.
private let hasNoModule = !FileManager.default.fileExists(atPath: "/dev/cmatest")

@Suite struct RunUsageTests {
  @Test func listHasEveryCaseWithItsPurpose() throws {
    let outcome = try command.run("run", "--list")
    #expect(outcome.exitCode == 0 && outcome.errors.isEmpty)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == TestCase.all.count)
    for (line, test) in zip(lines, TestCase.all) {
      #expect(line.hasPrefix(test.name + " ") && line.hasSuffix("  " + test.purpose))
    }
  }

  @Test func listIsFilteredAndIsJSONToo() throws {
    let outcome = try command.run("run", "--list", "--filter", "movable-*", "--format", "json")
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    let cases = json?["cases"] as? [[String: String]]
    #expect(cases?.map { $0["name"] } == ["movable-anonymous", "movable-page-cache"])
  }

  @Test(arguments: ReportFormat.allCases.map(\.rawValue))
  func listIsInTheFormThatIsAskedForOrRefused(_ format: String) throws {
    let outcome = try command.run("run", "--list", "--format", format)
    switch format {
    case "text", "json":
      #expect(outcome.exitCode == 0 && outcome.output.contains("single-page"))
      #expect(outcome.output.hasPrefix("{") == (format == "json"))
    default:
      #expect(outcome.exitCode == CommandStatus.usage.rawValue && outcome.output.isEmpty)
      #expect(
        outcome.errors.contains("'--list' has no form '\(format)': pass '--format' text or json"))
    }
  }

  @Test(arguments: [
    ["--filter", "nothing*"], ["--format", "yaml"], ["--seed", "-1"], ["--seed", "4294967296"],
    ["--timeout", "0"], ["--timeout", "soon"],
  ])
  func whatMakesNoSenseIsAUsageError(_ words: [String]) throws {
    let outcome = try command.run("run", words[0], words[1])
    #expect(outcome.exitCode == CommandStatus.usage.rawValue)
    #expect(outcome.output.isEmpty && outcome.errors.contains("Usage:"))
  }

  @Test func helperOfTheSuiteIsNotShown() throws {
    #expect(try !command.run("--help").output.contains("own-blocks"))
    #expect(try !sourceFile("completions/cma-test.bash").contains("own-blocks"))
  }

  @Test func manualHasEveryCase() throws {
    let manual = try sourceFile("man/cma-test.8")
    for test in TestCase.all { #expect(manual.contains("\n.It Cm \(test.name)\n"), "\(test.name)") }
  }
}

@Suite(.enabled(if: hasNoModule)) struct RunWithoutModuleTests {
  @Test func runIsSkippedAndSaysOnceWhatToDo() throws {
    let outcome = try command.run("run", "--no-load", "--format", "ktap", "--seed", "5")
    #expect(outcome.exitCode == CommandStatus.skipped.rawValue)
    #expect(outcome.output.contains("\n1..1\n") && outcome.output.contains(", seed 5\n"))
    #expect(outcome.output.contains("ok 1 device # SKIP the module cmatest is not loaded: "))
    #expect(outcome.output.contains("modprobe cmatest alloc_count=0"))
  }

  @Test func autopkgtestHasItsOwnCode() throws {
    #expect(try command.run("run", "--no-load", "--autopkgtest").exitCode == 77)
  }

  @Test func areasFailsInTwoLinesOrAsJSON() throws {
    let outcome = try command.run("areas", "--no-load")
    #expect(outcome.exitCode == CommandStatus.noDevice.rawValue)
    #expect(outcome.output.isEmpty && outcome.errors.split(separator: "\n").count == 2)
    let text = try command.run("areas", "--no-load", "--json").output
    let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(json?["ok"] as? Bool == false)
    let error = json?["error"] as? [String: Any]
    #expect(error?["code"] as? Int == 30 && error?["kind"] as? String == "not-loaded")
    #expect(error?.keys.count == 4)
  }
}
