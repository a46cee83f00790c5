// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestReport
internal import CMATestSystem

/// The most bytes that a result may have; one of a thousand cells has about forty million.
let mostBytes = 1 << 30

/// Reads a file of `cma-test bench`.
///
/// - Parameters:
///   - path: the file, as the user named it.
///   - keepsTimes: whether the cells get the times of all their rounds.
/// - Returns: the result.
/// - Throws: why the file cannot be used.
func readResult(_ path: String, keepsTimes: Bool = false) throws(ResultFileFailure)
  -> ResultSummary
{
  let bytes = try mapError(ResultFileFailure.cannotRead) { () throws(SystemFailure) in
    try namedContents(of: path, limit: mostBytes)
  }
  return try mapError(ResultFileFailure.unusable) { () throws(ResultFailure) in
    try ResultSummary(reading: bytes, name: path, keepsTimes: keepsTimes)
  }
}

/// A file that `cma-test report` takes.
enum ReportedFile {
  case bench(ResultSummary)
  case run(NamedRun)
  case holders(NamedHolderResult)

  /// Reads a file of `cma-test bench`, or what `cma-test run --format json`, `map --json` or `explain --json`
  /// printed.
  init(reading path: String) throws(ResultFileFailure) {
    let bytes = try mapError(ResultFileFailure.cannotRead) { () throws(SystemFailure) in
      try namedContents(of: path, limit: mostBytes)
    }
    self = try mapError(ResultFileFailure.unusable) { () throws(ResultFailure) in
      if let run = RunResult(reading: bytes) { return .run(NamedRun(name: path, result: run)) }
      if let result = try HolderResult(reading: bytes, name: path) {
        return .holders(NamedHolderResult(name: path, result: result))
      }
      return .bench(try ResultSummary(reading: bytes, name: path, keepsTimes: true))
    }
  }
}
