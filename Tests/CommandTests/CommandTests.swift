// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import Foundation
import TestSupport
import Testing

private let command = Program("cma-test")
private let helper = Program("cma-test-configure")
/// The commands that users see, each with a help text and a section of the manual.
private let subcommands = [
  "status", "configure", "reserve", "areas", "run", "bench", "compare", "report",
  "map", "explain",
]

@Suite struct HelpTests {
  @Test func theHelpListsTheCommandsThatAreTestedHere() throws {
    let help = try command.run("--help").output
    let list = try #require(help.components(separatedBy: "\nSUBCOMMANDS:\n").last)
    let names = list.split(separator: "\n").prefix { !$0.hasPrefix("  See ") }
      .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names == subcommands)
  }

  @Test(arguments: [""] + subcommands)
  func helpIsWhatTheSourceTreeShows(_ subcommand: String) throws {
    let words = subcommand.isEmpty ? ["--help"] : [subcommand, "--help"]
    let outcome =
      words.count == 1 ? try command.run(words[0]) : try command.run(words[0], words[1])
    #expect(outcome.exitCode == 0 && outcome.errors.isEmpty)
    let name = subcommand.isEmpty ? "cma-test" : subcommand
    #expect(
      try snapshot("Tests/Fixtures/help/\(name).txt", current: outcome.output) == outcome.output)
  }

  @Test func bootHelperHasHelpToo() throws {
    let outcome = try helper.run("--help")
    #expect(outcome.exitCode == 0)
    #expect(outcome.output.hasPrefix("usage: cma-test-configure"))
  }

  @Test(arguments: [
    ("bash", "completions/cma-test.bash"), ("zsh", "completions/_cma-test"),
    ("fish", "completions/cma-test.fish"),
  ])
  func completionIsWhatThePackageInstalls(_ shell: String, _ file: String) throws {
    let script = try command.run("--generate-completion-script", shell).output
    #expect(try snapshot(file, current: script) == script)
  }
}

@Suite struct VersionTests {
  @Test func versionIsThatOfTheChangelog() throws {
    let head = try sourceFile("debian/changelog").prefix { $0 != "\n" }
    let whole = head.split(separator: "(")[1].split(separator: ")")[0]
    let version = whole.split(separator: "-")[0]
    #expect(packageVersion == version)
    #expect(try command.run("--version").output == "\(version)\n")
    #expect(try helper.run("--version").output == "\(version)\n")
  }
}

@Suite struct UsageTests {
  @Test func unknownWordsAreAUsageErrorThatShowsTheUsage() throws {
    for outcome in [
      try command.run("configure", "--nonsense"), try command.run("nonsense"),
      try command.run("configure", "--root", ""), try helper.run("--root"),
      try command.run("reserve"), try command.run("reserve", "256M", "--remove"),
      try command.run("reserve", "256MB"), try command.run("reserve", "all"),
      try helper.run("--root", ""), try helper.run("nonsense"),
      try command.run("status", "--root", "/nowhere"),
      try command.run("reserve", "64M", "--root", "/dev/null"),
      try helper.run("--no-cache", "--save-cache"), try helper.run("--version", "--no-cache"),
    ] {
      #expect(outcome.exitCode == CommandStatus.usage.rawValue)
      #expect(outcome.output.isEmpty)
      #expect(outcome.errors.lowercased().contains("usage:"))
    }
  }
}

@Suite struct JSONUsageTests {
  private func reason(_ outcome: Program.Outcome) throws -> String? {
    #expect(outcome.exitCode == CommandStatus.usage.rawValue)
    #expect(outcome.errors.contains("Usage: "))
    let data = Data(outcome.output.utf8)
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    #expect(object?["schema"] as? Int == 1)
    #expect(object?["ok"] as? Bool == false)
    let error = object?["error"] as? [String: Any]
    #expect(error?["code"] as? Int == 64)
    #expect(error?["kind"] as? String == "usage")
    #expect((error?["remedy"] as? String)?.hasPrefix("see 'cma-test ") == true)
    return error?["message"] as? String
  }

  @Test func wrongCommandLineIsTheErrorInJSON() throws {
    #expect(try reason(command.run("explain", "--json", "0"))?.hasPrefix("'0'") == true)
    #expect(try reason(command.run("explain", "--json"))?.hasPrefix("Missing expected") == true)
    for words in [
      ["map", "--json", "--nonsense"], ["map", "--format", "json", "--width", "1"],
      ["bench", "--format=json", "--size", "nope"], ["areas", "--json", "more"],
      ["status", "--json", "--root", ""], ["configure", "--json", "--root", "/nowhere"],
      ["reserve", "--json"], ["run", "--filter", "none", "--format", "json"],
      ["compare", "--format", "json"], ["--json"],
    ] {
      #expect(try reason(command.run(words))?.isEmpty == false)
    }
  }

  @Test func nothingIsPrintedForOthers() throws {
    for words in [["map", "--width", "1"], ["map", "--format", "svg", "--nonsense"]] {
      #expect(try command.run(words).output.isEmpty)
    }
  }

  @Test func errorThatACommandFindsLaterShowsItsOwnUsage() throws {
    let outcome = try command.run("run", "--filter", "none")
    #expect(outcome.exitCode == 64)
    #expect(outcome.errors.contains("\nUsage: cma-test run "))
    #expect(
      outcome.errors.hasSuffix("\n  See 'cma-test run --help' for more information.\n"))
  }
}

@Suite struct ConfigureTests {
  private let tree: CopiedTree

  init() throws { tree = try CopiedTree() }

  @Test func dryRunPrintsTheFileAndWritesNone() throws {
    let outcome = try command.run("configure", "--dry-run", "--root", tree.root)
    #expect(outcome.exitCode == 0 && outcome.errors.isEmpty)
    #expect(
      outcome.output.hasSuffix(
        "options cmatest area_base=0xffffffff83a1b2c8 alloc_fn=0xffffffff8142a1e0 "
          + "free_fn=0xffffffff8142a910 for_each_fn=0xffffffff8142ac00 "
          + "name_fn=0xffffffff8142a0a0 base_fn=0xffffffff8142aa40 size_fn=0xffffffff8142aa80\n"))
    #expect(!FileManager.default.fileExists(atPath: tree.optionsPath))
  }

  @Test func commandAndBootHelperWriteTheSame() throws {
    func written() throws -> [Substring] {
      let text = try String(contentsOfFile: tree.optionsPath, encoding: .utf8)
      return text.split(separator: "\n").filter { !$0.hasPrefix("# time:") }
    }
    #expect(try command.run("configure", "--root", tree.root).exitCode == 0)
    let byCommand = try written()
    try FileManager.default.removeItem(atPath: tree.optionsPath)
    #expect(try helper.run("--root", tree.root).exitCode == 0)
    #expect(try written() == byCommand)
  }

  @Test func cacheIsUsedUnlessItIsNotWanted() throws {
    try tree.addBuildID([1, 2])
    try tree.write("", to: "/var/cache/keep")
    #expect(try helper.run("--save-cache", "--root", tree.root).exitCode == 0)
    #expect(!FileManager.default.fileExists(atPath: tree.optionsPath))
    for (program, words) in [(command, ["configure"]), (helper, [])] {
      let cached = try program.run(words + ["--root", tree.root])
      #expect(cached.exitCode == 0 && cached.output.hasSuffix(", from the cache\n"))
      let scanned = try program.run(words + ["--no-cache", "--root", tree.root])
      #expect(scanned.exitCode == 0 && !scanned.output.contains("cache"))
    }
  }

  @Test func jsonHasStableKeys() throws {
    let outcome = try command.run("configure", "--json", "--dry-run", "--root", tree.root)
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    #expect(
      json?.keys.sorted()
        == [
          "boot_id", "exported", "kept_because", "kernel", "none_because", "ok", "parameters",
          "path", "schema", "source", "time", "wrote",
        ])
    #expect(json?["wrote"] as? Bool == false)
    let parameters = json?["parameters"] as? [String: String]
    #expect(parameters?["alloc_fn"] == "0xffffffff8142a1e0")
  }

  @Test func saysThatItKeptTheOptionsOfThisBoot() throws {
    _ = try command.run("configure", "--root", tree.root)
    try tree.hideAddresses()
    for (program, words) in [(command, ["configure"]), (helper, [])] {
      let outcome = try program.run(words + ["--root", tree.root])
      #expect(outcome.exitCode == 0 && outcome.output.hasPrefix("kept \(tree.optionsPath), "))
      #expect(!outcome.output.contains("0x") && outcome.output.contains("CAP_SYSLOG"))
    }
    let outcome = try command.run("configure", "--json", "--root", tree.root)
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    #expect(json?["wrote"] as? Bool == false)
    #expect(json?["kept_because"] as? String == "hidden-from-process")
  }

  @Test func failureIsTwoLinesAndAnExitCode() throws {
    try tree.write("ffffffff81000000 T _text\n", to: "/proc/kallsyms")
    try tree.write("# CONFIG_CMA is not set\nCONFIG_X=y\n", to: "/boot/config-7.3.4+deb13-amd64")
    let outcome = try command.run("configure", "--root", tree.root)
    #expect(outcome.exitCode == CommandStatus.noCMA.rawValue)
    #expect(outcome.output.isEmpty)
    let lines = outcome.errors.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.hasPrefix("cma-test configure: error: no contiguous memory") == true)
    #expect(lines.last?.hasPrefix("cma-test configure: to mend it: ") == true)
    // The journal has one line a message.
    let journal = try helper.run("--root", tree.root)
    #expect(journal.exitCode == CommandStatus.noCMA.rawValue)
    #expect(journal.errors.split(separator: "\n").count == 1)
  }

  @Test func failureIsJSONToo() throws {
    try tree.write("", to: "/proc/kallsyms")
    let outcome = try command.run("configure", "--json", "--root", tree.root)
    #expect(outcome.exitCode == CommandStatus.kallsymsMalformed.rawValue)
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    let error = json?["error"] as? [String: Any]
    #expect(error?["kind"] as? String == "kallsyms-malformed")
    #expect(error?["code"] as? Int == 17)
  }
}

@Suite struct ManualTests {
  @Test func manualListsEveryExitCode() throws {
    let manual = try sourceFile("man/cma-test.8")
    for code in CommandStatus.allCases {
      #expect(manual.contains("\n.It \(code.rawValue)\n"), "exit code \(code.rawValue)")
    }
  }

  @Test(arguments: subcommands)
  func manualHasEveryOption(_ subcommand: String) throws {
    let manual = try sourceFile("man/cma-test.8")
    let section = manual.components(separatedBy: "\n.Ss ")
      .first { $0.hasPrefix("cma-test \(subcommand)\n") }
    let help = try command.run(subcommand, "--help").output
    for word in help.split(whereSeparator: { " \n,[]<>".contains($0) })
    where word.hasPrefix("--") && !["--version", "--help"].contains(word) {
      #expect(section?.contains("Fl \(word.dropFirst())") == true, "\(word)")
    }
    #expect(manual.contains("Fl -version") && manual.contains("Fl -help"))
  }

  @Test func manualOfTheModuleHasEveryRequest() throws {
    let manual = try sourceFile("man/cmatest.4")
    let requests = try words(after: "#define CMATEST_IOC_", in: "src-kmod/uapi/cmatest.h")
      .filter { $0 != "MAGIC" }
    #expect(requests.contains("ALLOC"))
    for request in requests {
      #expect(manual.contains("\n.It Dv CMATEST_IOC_\(request)\n"), "CMATEST_IOC_\(request)")
    }
  }

  @Test func documentsHaveEveryParameterOfTheModule() throws {
    let manual = try sourceFile("man/cmatest.4")
    let parameters = try words(after: "module_param_named(", in: "src-kmod/main.c")
    #expect(parameters.contains("alloc_count"))
    for parameter in parameters {
      #expect(manual.contains("\n.It Va \(parameter)\n"), "\(parameter)")
    }
    for readme in ["README.md", "README.zh-CN.md"] {
      let rows = try sourceFile(readme).split(separator: "\n").filter { $0.hasPrefix("| `") }
      for parameter in parameters {
        #expect(rows.contains { $0.contains("`\(parameter)`") }, "\(readme): \(parameter)")
      }
    }
  }

  /// Returns the words that directly follow `text` in the lines of a file of the sources which begin with
  /// `text`.
  private func words(after text: String, in path: String) throws -> [String] {
    try sourceFile(path).split(separator: "\n").filter { $0.hasPrefix(text) }.map { line in
      String(line.dropFirst(text.count).prefix { $0.isLetter || $0 == "_" })
    }
  }
}
