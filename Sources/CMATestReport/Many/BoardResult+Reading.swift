// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench

/// Why a page of many results cannot use a file.
struct UnusableFile: Error {
  /// One line.
  var reason: String

  init(_ reason: String) { self.reason = reason }

  init(_ failure: ResultFailure) {
    switch failure {
    case .unreadable(_, let failure) where failure.offset == 0: reason = "empty, or no JSON"
    case .unreadable(_, let failure):
      reason = "damaged: \(failure.expected) is missing after \(failure.offset) bytes"
    case .foreign: reason = "no result of 'cma-test bench', 'run', 'map' or 'explain'"
    case .newer(_, let version): reason = Self.newer(version)
    case .inconsistent(_, let what): reason = "damaged: \(what)"
    }
  }

  static func newer(_ version: UInt64) -> String {
    "version \(version) of the format, newer than this program"
  }
}

extension BoardResult {
  /// Reads what is to be kept of a file.
  ///
  /// - Parameters:
  ///   - bytes: All of the file.
  ///   - path: Its name.
  /// - Throws: Why the file cannot be used; a part of a measurement is not, either.
  init(reading bytes: [UInt8], path: String) throws(UnusableFile) {
    if let run = RunResult(reading: bytes) {
      self = try Self.kept(run, path)
      return
    }
    let holders: HolderResult?
    do throws(ResultFailure) {
      holders = try HolderResult(reading: bytes, name: path)
    } catch {
      throw UnusableFile(error)
    }
    if let holders {
      self = Self.kept(holders, path)
      return
    }
    let result: ResultSummary
    do throws(ResultFailure) {
      result = try ResultSummary(reading: bytes, name: path, keepsDetails: true)
    } catch {
      if let schema = RunResult.schema(of: bytes), schema > RunResult.schema {
        throw UnusableFile(UnusableFile.newer(schema))
      }
      throw UnusableFile(error)
    }
    self = try Self.kept(result, path)
  }

  private static func kept(_ run: RunResult, _ path: String) throws(UnusableFile) -> BoardResult {
    let facts = run.facts
    if let cause = run.endedBy {
      let failed = run.failed > 0 ? ", after \(run.failed) cases had failed" : ""
      throw UnusableFile("a part of a run, ended by \(cause)\(failed)")
    }
    let content = BoardRun(
      time: facts.time, kernel: facts.kernel, seed: facts.seed, nanoseconds: run.nanoseconds,
      passed: run.passed, failed: run.failed, skipped: run.skipped,
      failures: FailureCount.all(of: run))
    return BoardResult(
      file: path, host: facts.host.flatMap { $0.isEmpty ? nil : $0 }, kernel: facts.kernel,
      time: facts.time, content: .run(content))
  }

  private static func kept(_ result: HolderResult, _ path: String) -> BoardResult {
    let (facts, content): (HolderFacts, BoardContent) =
      switch result {
      case .map(let map): (map.facts, .map(map))
      case .explanation(let explanation): (explanation.facts, .explanation(explanation))
      }
    return BoardResult(
      file: path, host: facts.host.flatMap { $0.isEmpty ? nil : $0 }, kernel: facts.kernel,
      time: facts.time, content: content)
  }

  private static func kept(
    _ result: ResultSummary, _ path: String
  ) throws(UnusableFile) -> BoardResult {
    // One that ended at an allocation that took too long has found what it looked for.
    if !result.isComplete, result.slow == nil || result.endedBy != nil {
      let cause = result.endedBy.map { "ended by \($0)" } ?? "still running, or killed"
      throw UnusableFile("a part of a measurement, \(oneLine(cause))")
    }
    func fact(_ name: String) -> String? {
      result.environment.first { $0.name == name }?.value
    }
    let kernel = fact("kernel") ?? "unknown"
    let content = BoardBench(
      time: result.time, kernel: kernel, profile: result.profile, area: result.area,
      areaPages: result.areaPages, pageSize: result.pageSize, isWhole: result.isComplete,
      cells: result.cells.map(BoardCell.init), failures: FailureCount.all(of: result))
    return BoardResult(
      file: path, host: fact("host").flatMap { $0.isEmpty ? nil : $0 }, kernel: kernel,
      time: result.time,
      facts: result.environment, content: .bench(content))
  }
}

extension BoardCell {
  fileprivate init(_ cell: CellSummary) {
    self.init(
      settings: cell.settings, rounds: cell.rounds.count, requests: cell.requests,
      failed: cell.failed, p50: cell.values(of: .p50), p99: cell.values(of: .p99),
      max: cell.values(of: .max))
    for spread in cell.rounds.lazy.compactMap(\.details?.allocations) {
      least.append(Double(spread.least))
      p90.append(spread.p90)
      p999.append(spread.p999)
    }
  }
}
