// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestReport
internal import CMATestSystem

/// Shows on standard error how far a command is: in one line that is written over and over on a
/// terminal, in a line for each step elsewhere.
final class Progress {
  private static let barWidth = 24
  private static let interval: UInt64 = 100_000_000

  private let write: (String) -> Void
  private let columns: (() -> Int)?
  private let now: () -> UInt64
  private var total = 0
  private var current = (number: 0, name: "", began: UInt64(0))
  private var written: UInt64 = 0

  /// - Parameters:
  ///   - columns: returns the present width of the terminal; nil where a line cannot be written over.
  ///   - now: returns nanoseconds by a clock, for the time that a step has taken.
  ///   - write: takes the text.
  init(columns: (() -> Int)?, now: @escaping () -> UInt64, write: @escaping (String) -> Void) {
    self.columns = columns
    self.now = now
    self.write = write
  }

  /// Makes the progress of this process.
  static func ofThisProcess() -> Progress {
    let terminal = Terminal.of(.error)
    return Progress(
      columns: terminal.rewritesLines ? { terminal.columns } : nil, now: monotonicNanoseconds,
      write: StandardError.write)
  }

  /// Whether each line takes the place of the one before.
  var rewritesLines: Bool { columns != nil }

  /// Begins work of so many steps.
  func begin(steps: Int) { total = steps }

  /// Begins a step; `number` counts from 1.
  func beginStep(_ number: Int, _ name: String) {
    current = (number, name, now())
    show(nil)
  }

  /// Shows how far a long step is.
  func advance(_ done: Int, of total: Int) {
    guard total > 0, now().clampedDifference(written) >= Self.interval else { return }
    show(Double(min(done, total)) / Double(total))
  }

  /// Ends a step.
  ///
  /// - Parameters:
  ///   - number: the number of the step.
  ///   - words: the result in one line, shown where lines cannot be written over.
  func endStep(_ number: Int, _ words: String) {
    // On a terminal the line of the report comes next.
    write(rewritesLines ? "\r\u{1B}[K" : "[\(number)/\(total)] \(words)\n")
  }

  private func show(_ fraction: Double?) {
    guard let columns else { return }
    let time = now()
    written = time
    // The last column stays free: some terminals go to the next line as soon as it is filled.
    let room = max(0, columns() - 1)
    let spent = seconds(time.clampedDifference(current.began))
    var line = "[\(current.number)/\(total)] \(current.name) \(spent) s"
    let barWidth = min(Self.barWidth, room - line.count - 3)
    if let fraction, barWidth > 0 {
      let full = Int(fraction * Double(barWidth))
      line += " [" + padded(String(repeating: "#", count: full), barWidth) + "]"
    }
    write("\r\u{1B}[K" + line.prefix(room))
  }
}

extension Progress: RunObserver {
  func runBegan(_ facts: RunFacts, cases: [CaseTitle]) { begin(steps: cases.count) }

  func caseBegan(_ number: Int, _ name: String) { beginStep(number, name) }

  func caseAdvanced(_ done: Int, of total: Int) { advance(done, of: total) }

  func caseEnded(_ number: Int, _ result: CaseResult) {
    endStep(
      number, "\(result.name): \(result.outcome.word) (\(seconds(result.nanoseconds)) s)")
  }
}
