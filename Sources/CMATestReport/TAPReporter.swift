// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

extension ReportFormat {
  /// The kernel's own form of results. (`Documentation/dev-tools/ktap.rst`)
  public static let ktap = ReportFormat(
    "ktap", isLive: true, makeReporter: { TAPReporter(.ktap, write: $0) })
  /// The same results for readers of the Test Anything Protocol, version 13.
  public static let tap = ReportFormat(
    "tap", isLive: true, makeReporter: { TAPReporter(.tap13, write: $0) })
}

/// Writes each line as soon as it is known, in one of two dialects of the Test Anything Protocol with
/// a flat plan.
private final class TAPReporter: RunObserver {
  enum Dialect {
    /// KTAP version 1. (`Documentation/dev-tools/ktap.rst`)
    case ktap
    /// TAP version 13, for readers that know no other first line. (testanything.org)
    case tap13

    var version: String { self == .ktap ? "KTAP version 1" : "TAP version 13" }
  }

  private let dialect: Dialect
  private let write: (String) -> Void

  init(_ dialect: Dialect, write: @escaping (String) -> Void) {
    self.dialect = dialect
    self.write = write
  }

  func runBegan(_ facts: RunFacts, cases: [CaseTitle]) {
    var text = "\(dialect.version)\n1..\(cases.count)\n"
    text += comment("cma-test \(facts.version), kernel \(facts.kernel), seed \(facts.seed)")
    if let area = facts.area { text += comment("area \(area)") }
    if let occupancy = facts.occupancy { text += comment(occupancy.words) }
    write(text)
  }

  func caseEnded(_ number: Int, _ result: CaseResult) {
    var text = result.metrics.map { comment("\(result.name): \($0.name) \($0.value)") }.joined()
    let title = "\(number) \(dialect == .tap13 ? "- " : "")\(result.name)"
    switch result.outcome {
    case .passed:
      text += "ok \(title)\n"
    case .failed(let reason):
      text += comment("\(result.name): \(reason)") + "not ok \(title)\n"
    case .skipped(let reason):
      text += "ok \(title) # SKIP \(Self.plain(reason))\n"
    case .notRun(let reason):
      // As the kernel's own tests have it. (`ksft_test_result_error`)
      text += "not ok \(title) # error \(Self.plain(reason))\n"
    }
    write(text)
  }

  func runEnded(_ result: RunResult) {
    // xfail and xpass are for others; the line is that of the kernel's own tests
    // (`ksft_print_cnts` in `tools/testing/selftests/kselftest.h`).
    write(
      (result.partial.map(comment) ?? "")
        + comment(
          "Totals: pass:\(result.passed) fail:\(result.failed) xfail:0 xpass:0 "
            + "skip:\(result.skipped) error:\(result.notRun)"))
  }

  private func comment(_ text: String) -> String { "# \(Self.plain(text))\n" }

  /// `#` begins a directive, and a line ends a result.
  private static func plain(_ text: String) -> String {
    String(printable(oneLine(text)).map { $0 == "#" ? "." : $0 })
  }
}
