// SPDX-License-Identifier: GPL-2.0-or-later

/// KTAP version 1 with a flat plan, a line as soon as it is known.
/// (`Documentation/dev-tools/ktap.rst`)
final class KTAPReporter: RunObserver {
  private let write: (String) -> Void

  init(write: @escaping (String) -> Void) {
    self.write = write
  }

  func runBegan(_ facts: RunFacts, cases: [TestCase]) {
    var text = "KTAP version 1\n1..\(cases.count)\n"
    text += comment("cma-test \(facts.version), kernel \(facts.kernel), seed \(facts.seed)")
    if let area = facts.area { text += comment("area \(area)") }
    write(text)
  }

  func caseEnded(_ number: Int, _ result: CaseResult) {
    var text = result.metrics.map { comment("\(result.name): \($0.name) \($0.value)") }.joined()
    switch result.outcome {
    case .passed:
      text += "ok \(number) \(result.name)\n"
    case .failed(let reason):
      text += comment("\(result.name): \(reason)") + "not ok \(number) \(result.name)\n"
    case .skipped(let reason), .notRun(let reason):
      text += "ok \(number) \(result.name) # SKIP \(Self.plain(reason))\n"
    }
    write(text)
  }

  func runEnded(_ result: RunResult) {
    // xfail, xpass and error are for others; the line is that of the kernel's own tests
    // (`ksft_print_cnts` in `tools/testing/selftests/kselftest.h`).
    write(
      (result.partial.map(comment) ?? "")
        + comment(
          "Totals: pass:\(result.passed) fail:\(result.failed) xfail:0 xpass:0 "
            + "skip:\(result.skipped + result.notRun) error:0"))
  }

  private func comment(_ text: String) -> String { "# \(Self.plain(text))\n" }

  /// `#` begins a directive, and a line ends a result.
  private static func plain(_ text: String) -> String {
    String(oneLine(text).map { $0 == "#" ? "." : $0 })
  }
}
