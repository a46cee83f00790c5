// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// How far a run is, on standard error: one line that is written over and over on a terminal, a
/// line for each case elsewhere.
public final class ProgressReporter: RunObserver {
  private static let barWidth = 24
  private static let interval: UInt64 = 100_000_000

  private let write: (String) -> Void
  private let isTerminal: Bool
  private let now: () -> UInt64
  private var total = 0
  private var current = (number: 0, name: "", began: UInt64(0))
  private var written: UInt64 = 0

  /// - Parameters:
  ///   - isTerminal: whether a line can be written over.
  ///   - now: nanoseconds, for the time that a case has taken.
  ///   - write: takes the text.
  public init(isTerminal: Bool, now: @escaping () -> UInt64, write: @escaping (String) -> Void) {
    self.isTerminal = isTerminal
    self.now = now
    self.write = write
  }

  public func runBegan(_ facts: RunFacts, cases: [TestCase]) { total = cases.count }

  public func caseBegan(_ number: Int, _ name: String) {
    current = (number, name, now())
    show(nil)
  }

  public func caseAdvanced(_ done: Int, of total: Int) {
    guard now().clampedDifference(written) >= Self.interval else { return }
    show(Double(min(done, total)) / Double(total))
  }

  public func caseEnded(_ number: Int, _ result: CaseResult) {
    if isTerminal {
      // The report's own line comes next.
      write("\r\u{1B}[K")
    } else {
      write(
        "[\(number)/\(total)] \(result.name): \(result.outcome.word) (\(seconds(result.nanoseconds)) s)\n"
      )
    }
  }

  private func show(_ fraction: Double?) {
    guard isTerminal else { return }
    let time = now()
    written = time
    var line = "\r\u{1B}[K[\(current.number)/\(total)] \(current.name) "
    line += seconds(time.clampedDifference(current.began)) + " s"
    if let fraction {
      let full = Int(fraction * Double(Self.barWidth))
      line += " [" + padded(String(repeating: "#", count: full), Self.barWidth) + "]"
    }
    write(line)
  }
}
