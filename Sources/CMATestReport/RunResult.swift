// SPDX-License-Identifier: GPL-2.0-or-later

/// A number that a case measured. The name ends with the unit, as `alloc_ns` or `pages`.
public struct Metric: Equatable, Sendable {
  public var name: String
  public var value: UInt64

  public init(_ name: String, _ value: UInt64) {
    self.name = name
    self.value = value
  }
}

/// The end of a case.
public enum Outcome: Equatable, Sendable {
  case passed
  case failed(String)
  case skipped(String)
  /// The run ended before the case; the text says why.
  case notRun(String)

  public var reason: String? {
    switch self {
    case .passed: nil
    case .failed(let reason), .skipped(let reason), .notRun(let reason): reason
    }
  }

  /// The word of reports for the outcome.
  public var word: String {
    switch self {
    case .passed: "pass"
    case .failed: "fail"
    case .skipped: "skip"
    case .notRun: "not-run"
    }
  }
}

/// Names a case in a list and in every report.
public struct CaseTitle: Equatable, Sendable {
  /// Lower-case words with hyphens.
  public var name: String
  /// The thing to prove, in one line.
  public var purpose: String

  public init(_ name: String, _ purpose: String) {
    self.name = name
    self.purpose = purpose
  }
}

/// The result of a case.
public struct CaseResult: Equatable, Sendable {
  public var name: String
  public var purpose: String
  public var outcome: Outcome
  public var nanoseconds: UInt64
  public var metrics: [Metric]

  public init(
    name: String, purpose: String, outcome: Outcome, nanoseconds: UInt64 = 0,
    metrics: [Metric] = []
  ) {
    self.name = name
    self.purpose = purpose
    self.outcome = outcome
    self.nanoseconds = nanoseconds
    self.metrics = metrics
  }
}

/// The facts of a run that every report tells besides the cases.
public struct RunFacts: Equatable, Sendable {
  /// The version of this package.
  public var version: String
  /// The name of the kernel's release, as `uname -r` prints it.
  public var kernel: String
  /// The name of the machine; nil where the report has none.
  public var host: String?
  /// The area; nil where the run had none.
  public var area: String?
  /// Pages of the area; nil where the number is not known.
  public var pages: UInt64?
  /// Bytes of a page; nil where the run had no area.
  public var pageSize: UInt64?
  /// The pages that others had of the area when the run began; nil where the run had no area.
  public var occupancy: Occupancy?
  public var seed: UInt32
  /// The time of the beginning, in UTC.
  public var time: String

  public init(
    version: String, kernel: String, area: String? = nil, pages: UInt64? = nil,
    pageSize: UInt64? = nil, seed: UInt32, time: String
  ) {
    self.version = version
    self.kernel = kernel
    self.area = area
    self.pages = pages
    self.pageSize = pageSize
    self.seed = seed
    self.time = time
  }
}

public struct RunResult: Equatable, Sendable {
  public var facts: RunFacts
  public var cases: [CaseResult]
  public var nanoseconds: UInt64
  /// The cause of an end before the last case: the name of a signal, or `timeout`; nil for a whole run.
  public var endedBy: String?

  public init(
    facts: RunFacts, cases: [CaseResult] = [], nanoseconds: UInt64 = 0, endedBy: String? = nil
  ) {
    self.facts = facts
    self.cases = cases
    self.nanoseconds = nanoseconds
    self.endedBy = endedBy
  }

  /// Counts the cases of an outcome: `pass`, `fail`, `skip` or `not-run`.
  public func count(_ word: String) -> Int { cases.count { $0.outcome.word == word } }

  public var failed: Int { count("fail") }
  public var passed: Int { count("pass") }
  public var skipped: Int { count("skip") }
  public var notRun: Int { count("not-run") }
}
