// SPDX-License-Identifier: GPL-2.0-or-later

/// Follows a run, to report the run or to show its progress.
public protocol RunObserver: AnyObject {
  /// Called once, before the first case.
  func runBegan(_ facts: RunFacts, cases: [CaseTitle])
  /// Called before each case; `number` counts from 1.
  func caseBegan(_ number: Int, _ name: String)
  /// Called now and then during a long case.
  func caseAdvanced(_ done: Int, of total: Int)
  /// Called after each case, and for each case that the end of the run left out.
  func caseEnded(_ number: Int, _ result: CaseResult)
  /// Called once, after the last case.
  func runEnded(_ result: RunResult)
}

extension RunObserver {
  public func runBegan(_ facts: RunFacts, cases: [CaseTitle]) {}
  public func caseBegan(_ number: Int, _ name: String) {}
  public func caseAdvanced(_ done: Int, of total: Int) {}
  public func caseEnded(_ number: Int, _ result: CaseResult) {}
  public func runEnded(_ result: RunResult) {}
}
