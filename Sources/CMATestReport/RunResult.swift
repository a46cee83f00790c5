// SPDX-License-Identifier: GPL-2.0-or-later

/// One number that a case measured. Its unit is the end of its name, as `alloc_ns` or `pages`.
public struct Metric: Equatable, Sendable {
  public var name: String
  public var value: UInt64

  public init(_ name: String, _ value: UInt64) {
    self.name = name
    self.value = value
  }
}

/// How a case ended.
public enum Outcome: Equatable, Sendable {
  case passed
  case failed(String)
  case skipped(String)
  /// The run ended first; the text says why.
  case notRun(String)

  public var reason: String? {
    switch self {
    case .passed: nil
    case .failed(let reason), .skipped(let reason), .notRun(let reason): reason
    }
  }

  /// As reports call it.
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
  /// One line.
  public var purpose: String

  public init(_ name: String, _ purpose: String) {
    self.name = name
    self.purpose = purpose
  }
}

/// What became of a case.
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

/// What every report says of a run besides its cases.
public struct RunFacts: Equatable, Sendable {
  /// Of this package.
  public var version: String
  /// `uname -r`.
  public var kernel: String
  /// Nil where the run could not get at one.
  public var area: String?
  /// Pages of the area, and bytes of a page; nil where they are not known.
  public var pages: UInt64?
  public var pageSize: UInt64?
  /// What others had of the area when the run began; nil where the run could not get at one.
  public var occupancy: Occupancy?
  public var seed: UInt32
  /// When it began, in UTC.
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
  /// What ended it before its last case: a signal's name, or `timeout`; nil for a whole run.
  public var endedBy: String?

  public init(
    facts: RunFacts, cases: [CaseResult] = [], nanoseconds: UInt64 = 0, endedBy: String? = nil
  ) {
    self.facts = facts
    self.cases = cases
    self.nanoseconds = nanoseconds
    self.endedBy = endedBy
  }

  /// How many cases ended in that way: `pass`, `fail`, `skip` or `not-run`.
  public func count(_ word: String) -> Int { cases.count { $0.outcome.word == word } }

  public var failed: Int { count("fail") }
  public var passed: Int { count("pass") }
  public var skipped: Int { count("skip") }
  public var notRun: Int { count("not-run") }
}
