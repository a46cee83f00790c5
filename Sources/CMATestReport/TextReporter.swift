// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

extension ReportFormat {
  /// A line for each case, for people.
  public static let text = ReportFormat(
    "text", isLive: true,
    list: { cases in
      let width = cases.map(\.name.count).max() ?? 0
      return cases.map { "\(padded($0.name, width))  \($0.purpose)\n" }.joined()
    },
    makeReporter: { TextReporter(write: $0) })
}

private final class TextReporter: RunObserver {
  private let write: (String) -> Void
  private var width = 0

  init(write: @escaping (String) -> Void) {
    self.write = write
  }

  func runBegan(_ facts: RunFacts, cases: [CaseTitle]) {
    width = cases.map(\.name.count).max() ?? 0
    var words = ["cma-test \(facts.version)", "kernel \(facts.kernel)"]
    if let area = facts.area {
      let size = facts.pages.flatMap { pages in
        facts.pageSize.map { byteCount(pages.clampedProduct($0)) }
      }
      words.append("area \(area)" + (size.map { " of \($0)" } ?? ""))
    }
    let head = (words + ["seed \(facts.seed)"]).joined(separator: ", ") + "\n"
    write(head + (facts.occupancy.map { $0.words + "\n" } ?? ""))
  }

  func caseEnded(_ number: Int, _ result: CaseResult) {
    let word =
      switch result.outcome {
      case .passed: "ok  "
      case .failed: "FAIL"
      case .skipped: "skip"
      case .notRun: "-   "
      }
    var line = "\(word)  \(padded(result.name, width))  \(seconds(result.nanoseconds)) s"
    switch result.outcome {
    case .passed:
      let metrics = result.metrics.map { "\($0.name) \($0.value)" }
      if !metrics.isEmpty { line += "  " + metrics.joined(separator: ", ") }
    case .failed(let reason), .skipped(let reason), .notRun(let reason):
      line += "  " + oneLine(reason)
    }
    write(line + "\n")
  }

  func runEnded(_ result: RunResult) {
    write(
      result.tally + " in \(seconds(result.nanoseconds)) s\n"
        + (result.partial.map { $0 + "\n" } ?? ""))
  }
}
