// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
public import CMATestDevice
public import CMATestReport

/// Runs cases one after another, and tells observers.
public struct Runner {
  private let facts: RunFacts
  private let ending: Ending
  private let observers: [any RunObserver]

  public init(facts: RunFacts, ending: Ending, observers: [any RunObserver]) {
    self.facts = facts
    self.ending = ending
    self.observers = observers
  }

  /// Runs all cases, whatever becomes of each, unless a signal or the clock ends the run.
  ///
  /// - Parameters:
  ///   - cases: the cases, in their order.
  ///   - area: the area to work in.
  ///   - kernel: the kernel, with the open device.
  /// - Returns: one result for each case.
  public func run(
    _ cases: [TestCase], in area: AreaUnderTest, on kernel: any TestedKernel
  ) -> RunResult {
    follow(cases, now: { kernel.now }) { test in
      let run = CaseRun(
        kernel: kernel, area: area,
        numbers: SeededNumbers(seed: UInt64(facts.seed), name: test.name), ending: ending
      ) { done, total in
        for observer in observers { observer.caseAdvanced(done, of: total) }
      }
      let end = ending.reason ?? run.end(of: test)
      return (end, run.metrics)
    }
  }

  /// Reports that no case can run, once for all of them.
  ///
  /// - Parameters:
  ///   - reason: the reason, and what to do next.
  ///   - isError: whether the cases could run on this machine, but the run could not begin.
  /// - Returns: a result with one case, which is named `device`.
  public func refuse(because reason: String, isError: Bool = false) -> RunResult {
    let device = CaseTitle("device", "the area can be used")
    var result = RunResult(facts: facts)
    let outcome: Outcome = isError ? .notRun(reason) : .skipped(reason)
    result.cases = [CaseResult(name: device.name, purpose: device.purpose, outcome: outcome)]
    for observer in observers {
      observer.runBegan(facts, cases: [device])
      observer.caseBegan(1, device.name)
      observer.caseEnded(1, result.cases[0])
      observer.runEnded(result)
    }
    return result
  }

  private func follow(
    _ cases: [TestCase], now: () -> UInt64, _ body: (TestCase) -> (CaseEnd?, [Metric])
  ) -> RunResult {
    var result = RunResult(facts: facts)
    let began = now()
    for observer in observers { observer.runBegan(facts, cases: cases.map(\.title)) }
    for (index, test) in cases.enumerated() {
      let caseBegan = now()
      var outcome: Outcome
      var metrics: [Metric] = []
      if let reason = result.endedBy {
        outcome = .notRun("the run was ended before by \(reason)")
      } else {
        for observer in observers { observer.caseBegan(index + 1, test.name) }
        let end: CaseEnd?
        (end, metrics) = body(test)
        outcome = Outcome(end)
        switch end {
        case .interrupted(let signal): result.endedBy = signal
        case .timeUp: result.endedBy = "timeout"
        default: break
        }
      }
      let ended = CaseResult(
        name: test.name, purpose: test.purpose, outcome: outcome,
        nanoseconds: now().clampedDifference(caseBegan), metrics: metrics)
      result.cases.append(ended)
      for observer in observers { observer.caseEnded(index + 1, ended) }
    }
    result.nanoseconds = now().clampedDifference(began)
    for observer in observers { observer.runEnded(result) }
    return result
  }
}

extension Outcome {
  fileprivate init(_ end: CaseEnd?) {
    self =
      switch end {
      case nil: .passed
      case .failed(let reason): .failed(reason)
      case .skipped(let reason): .skipped(reason)
      case .interrupted(let signal): .notRun("interrupted by \(signal)")
      // A case that does not end is a fault of what it tests.
      case .timeUp: .failed("the time for the run was up")
      }
  }
}
