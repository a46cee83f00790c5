// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import Foundation
import TestSupport
import Testing

private let command = Program("cma-test")

/// The keys of the JSON, and the words that begin the lines, which scripts rely on.
private let topics = [
  "machine", "kernel", "reservation", "symbols", "options", "dkms", "module", "loading",
  "signature", "loaded",
]

@Suite struct StatusCommandTests {
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
    try tree.addWorkingModule(version: packageVersion)
    #expect(try command.run("configure", "--root", tree.root).exitCode == 0)
  }

  @Test func inAPipeEachLineBeginsWithAPlainMark() throws {
    let outcome = try command.run("status", "--root", tree.root)
    #expect(outcome.exitCode == 0 && outcome.errors.isEmpty)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == topics.count + 1)
    #expect(lines.dropLast().allSatisfy { $0.hasPrefix("ok  ") })
    #expect(lines.last == "'modprobe cmatest' would work now")
    #expect(outcome.output.allSatisfy { $0.isASCII })
  }

  @Test func whatIsWrongHasACommandAndTheExitCode() throws {
    try tree.remove("/run/modprobe.d/cma-test-symbols.conf")
    let outcome = try command.run("status", "--root", tree.root)
    #expect(outcome.exitCode == CommandStatus.optionsMissing.rawValue)
    let lines = outcome.output.split(separator: "\n")
    let index = try #require(lines.firstIndex { $0.hasPrefix("no  options  ") })
    #expect(lines[index + 1].drop { $0 == " " } == "to mend it: cma-test configure")
    #expect(lines.last?.hasSuffix("exit code 25") == true)
  }

  @Test func jsonHasStableKeys() throws {
    let outcome = try command.run("status", "--json", "--root", tree.root)
    #expect(outcome.exitCode == 0)
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    #expect(json?.keys.sorted() == (topics + ["code", "ok", "schema", "version"]).sorted())
    #expect(json?["schema"] as? Int == 1 && json?["ok"] as? Bool == true)
    func keys(_ topic: String) -> [String]? {
      (json?[topic] as? [String: Any])?.keys.filter { $0 != "findings" }.sorted()
    }
    #expect(keys("machine") == ["chroot", "container"])
    #expect(keys("kernel") == ["configuration", "configuration_file", "release"])
    #expect(
      keys("reservation")
        == [
          "areas", "command_line", "default_area", "free_bytes", "requested_bytes", "total_bytes",
        ])
    #expect(keys("symbols") == ["exported", "found", "kind"])
    #expect(
      keys("options") == [
        "honoured", "kernel", "of_this_boot", "path", "present", "private", "time",
      ])
    #expect(keys("dkms") == ["kernels", "versions"])
    #expect(
      keys("module")
        == ["built_in", "links_to_exports", "path", "srcversion", "vermagic", "version"])
    #expect(
      keys("loading") == [
        "blacklisted", "blacklisted_by_kernel", "install_command", "install_file",
        "modules_disabled", "remove_command",
      ])
    #expect(
      keys("signature")
        == [
          "certificate", "lockdown", "secure_boot", "sig_enforce", "signed", "signer", "trusted",
        ])
    #expect(keys("loaded") == ["current", "loaded", "since", "srcversion", "version"])
    let areas = (json?["reservation"] as? [String: Any])?["areas"] as? [[String: Any]]
    #expect(areas?.first?["total_pages"] as? Int == 65536)
    let finding = ((json?["kernel"] as? [String: Any])?["findings"] as? [[String: Any]])?.first
    #expect(finding?.keys.sorted() == ["code", "mark", "remedy", "text"])
  }

  @Test func nothingThatIsSaidHoldsAnAddress() throws {
    for words in [["status"], ["status", "--json"]] {
      let output = try command.run(words + ["--root", tree.root]).output
      #expect(!output.contains("ffffffff8"))
    }
  }

  /// On whatever machine this runs: a verdict and no crash, as root and as nobody.
  @Test func looksAtTheRunningMachineToo() throws {
    let outcome = try command.run("status", "--json")
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    #expect(json?["code"] as? Int == Int(outcome.exitCode))
  }
}
