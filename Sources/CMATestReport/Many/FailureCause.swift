// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench

/// A class of failures.
struct FailureCause: Hashable {
  /// What failed: `allocation`, or the name of a case.
  var subject: String
  /// Why, with `#` for each number, so that the same failure of two machines is one class.
  var reason: String
  /// Who had the pages in the way, with `#` for each number; nil where a result does not tell.
  var holder: String?

  init(_ subject: String, _ reason: String, holder: String? = nil) {
    self.subject = subject
    self.reason = Self.withoutNumbers(oneLine(reason))
    self.holder = holder.map { Self.withoutNumbers(oneLine($0)) }
  }

  /// An order of causes that are equally frequent.
  var sortKey: String { "\(subject)\u{0}\(reason)\u{0}\(holder ?? "")" }

  /// Longer reasons than this differ in nothing that a table shows.
  private static let most = 300

  private static func withoutNumbers(_ text: String) -> String {
    var result = ""
    var isNumber = false
    for scalar in text.unicodeScalars.prefix(most) {
      let isDigit = ("0"..."9").contains(scalar)
      if isDigit, !isNumber { result += "#" }
      if !isDigit { result.unicodeScalars.append(scalar) }
      isNumber = isDigit
    }
    return result
  }
}

/// How often something failed in a result.
struct FailureCount: Hashable {
  var cause: FailureCause
  var count: UInt64
  /// Whether nothing but a fault of the kernel explains it. A request that finds no room is none.
  var isFault: Bool
}

extension FailureCount {
  /// The failures of a measurement, by their causes.
  static func all(of result: ResultSummary) -> [FailureCount] {
    var (failed, withoutHole, refused): (UInt64, UInt64, UInt64) = (0, 0, 0)
    var isTold = true
    // Each round tells of its own failures.
    var held: [String: UInt64] = [:]
    for round in result.cells.lazy.flatMap(\.rounds) {
      failed += round.failed
      guard let details = round.details else { continue }
      refused += details.refused
      // Where nothing failed nothing has to be told.
      if let number = details.withoutHole {
        withoutHole += min(number, round.failed)
        if let holder = details.inTheWay, round.failed > number {
          held[FailureCause("", "", holder: holder).holder ?? "", default: 0] +=
            round.failed - number
        }
      } else if round.failed > 0 {
        isTold = false
      }
    }
    var all: [FailureCount] = []
    func add(
      _ count: UInt64, _ subject: String, _ reason: String, holder: String? = nil,
      isFault: Bool = false
    ) {
      guard count > 0 else { return }
      let cause = FailureCause(subject, reason, holder: holder)
      all.append(FailureCount(cause: cause, count: count, isFault: isFault))
    }
    if isTold {
      add(withoutHole, "allocation", "no free range is large enough")
      let notMoved = "pages in the way could not be moved"
      for (holder, count) in held.sorted(by: { $0.key < $1.key }) {
        add(count, "allocation", notMoved, holder: holder)
      }
      let ofNobody = failed - withoutHole - held.values.reduce(0, +)
      add(ofNobody, "allocation", notMoved)
    } else {
      add(failed, "allocation", "this kernel does not tell why")
    }
    add(refused, "release", "the kernel refused its own pages", isFault: true)
    if let slow = result.slow {
      let cause = FailureCause(
        "allocation", "it took longer than the limit of the user", holder: slow.inTheWay)
      all.append(FailureCount(cause: cause, count: 1, isFault: true))
    }
    return all
  }

  /// The set of blocks that did not fit: no fault, since an area may be too small.
  static func all(of explanation: ExplanationSummary) -> [FailureCount] {
    guard let cause = explanation.cause else { return [] }
    let holder = explanation.inTheWay.first.first?.words
    return [
      FailureCount(
        cause: FailureCause("explain", cause, holder: holder), count: 1, isFault: false)
    ]
  }

  /// The cases of a run that failed.
  static func all(of run: RunResult) -> [FailureCount] {
    run.cases.compactMap { test in
      guard case .failed(let reason) = test.outcome else { return nil }
      return FailureCount(cause: FailureCause(test.name, reason), count: 1, isFault: true)
    }
  }
}
