// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestBench
internal import CMATestCore
internal import CMATestSystem

/// Reads a file of `cma-test bench`.
///
/// - Parameter keepsTimes: whether the cells get the times of all their rounds.
/// - Throws: a `ValidationError` that names the file and the reason.
func readResult(_ path: String, keepsTimes: Bool = false) throws -> ResultSummary {
  let bytes: [UInt8]
  do throws(SystemFailure) {
    bytes = try contents(of: path, limit: 1 << 30)
  } catch {
    throw ValidationError("cannot read the result \(path): \(error.reason)")
  }
  do throws(ResultFailure) {
    return try ResultSummary(reading: bytes, name: path, keepsTimes: keepsTimes)
  } catch {
    throw ValidationError(error.message)
  }
}

extension ResultFailure {
  var message: String {
    switch self {
    case .unreadable(let name, let failure):
      "cannot read the result \(name): \(failure.expected) is missing after \(failure.offset) bytes"
    case .foreign(let name):
      "cannot read the result \(name): 'cma-test bench' did not write that file"
    case .newer(let name, let version):
      "cannot read the result \(name): its format, \(version), is newer than this cma-test"
    case .inconsistent(let name, let what):
      "cannot read the result \(name): \(what)"
    }
  }
}
