// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// How far a run is, on standard error: one line that is written over and over on a terminal, a
/// line for each case elsewhere.
public final class ProgressReporter: RunObserver {
  private static let barWidth = 24
  private static let interval: UInt64 = 100_000_000

  private let write: (String) -> Void
  private let columns: (() -> Int)?
  private let now: () -> UInt64
  private var total = 0
  private var current = (number: 0, name: "", began: UInt64(0))
  private var written: UInt64 = 0

  /// - Parameters:
  ///   - columns: the width of the terminal now; nil where a line cannot be written over.
  ///   - now: nanoseconds, for the time that a case has taken.
  ///   - write: takes the text.
  public init(
    columns: (() -> Int)?, now: @escaping () -> UInt64, write: @escaping (String) -> Void
  ) {
    self.columns = columns
    self.now = now
    self.write = write
  }

  public func runBegan(_ facts: RunFacts, cases: [TestCase]) { total = cases.count }

  public func caseBegan(_ number: Int, _ name: String) {
    current = (number, name, now())
    show(nil)
  }

  public func caseAdvanced(_ done: Int, of total: Int) {
    guard total > 0, now().clampedDifference(written) >= Self.interval else { return }
    show(Double(min(done, total)) / Double(total))
  }

  public func caseEnded(_ number: Int, _ result: CaseResult) {
    if columns != nil {
      // The report's own line comes next.
      write("\r\u{1B}[K")
    } else {
      write(
        "[\(number)/\(total)] \(result.name): \(result.outcome.word) (\(seconds(result.nanoseconds)) s)\n"
      )
    }
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
