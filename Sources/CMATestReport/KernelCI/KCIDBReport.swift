// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench
package import CMATestCore

/// Writes results as KernelCI's database takes them: the schema of kcidb-io, version 5.3.
///
/// A measurement is a test with a number and the status DONE, a case of a run is one with PASS, FAIL or
/// SKIP. The checkout and the build that they belong to are submitted by whoever built the kernel.
package enum KCIDBReport {
  /// Who submits, and about which build.
  package struct Submission: Equatable, Sendable {
    /// The CI system's name: lower-case letters, digits and `_`.
    package var origin: String
    /// The build's identifier, which begins with the name of the system that built it: `maestro:1234`.
    package var build: String
    /// What tells this submission from all others of the system.
    package var run: String

    /// - Parameters:
    ///   - origin: the CI system's name.
    ///   - build: the build's identifier.
    ///   - run: what tells this submission from all others of the system, as the board and the time.
    /// - Throws: `KCIDBFailure` for what the schema would refuse.
    package init(origin: String, build: String, run: String) throws(KCIDBFailure) {
      guard Self.isOrigin(origin) else { throw .origin(origin) }
      guard let colon = build.firstIndex(of: ":"), Self.isOrigin(build[..<colon]),
        !build.utf8.contains(0)
      else { throw .build(build) }
      guard !run.isEmpty, !run.utf8.contains(0) else { throw .run(run) }
      self.origin = origin
      self.build = build
      self.run = run
    }

    private static func isOrigin(_ text: some StringProtocol) -> Bool {
      !text.isEmpty
        && text.utf8.allSatisfy { byte in
          switch byte {
          case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
          default: byte == UInt8(ascii: "_")
          }
        }
    }
  }

  /// Returns the submission's text as a value.
  ///
  /// - Parameters:
  ///   - measured: results of `cma-test bench`.
  ///   - runs: results of `cma-test run`.
  ///   - submission: who submits, and about which build.
  /// - Returns: an object of the schema, with tests alone.
  package static func json(
    of measured: [ResultSummary], runs: [RunResult] = [], for submission: Submission
  ) -> JSON {
    var tests = KCIDBTests(submission)
    for result in measured { tests.add(result) }
    for run in runs { tests.add(run) }
    return ["version": ["major": 5, "minor": 3], "tests": .array(tests.values)]
  }
}

/// Why a submission would be refused.
package enum KCIDBFailure: Error, Equatable, Sendable {
  case origin(String)
  case build(String)
  case run(String)

  package var message: String {
    switch self {
    case .origin(let text):
      "'\(text)' is no origin: lower-case letters, digits and '_', as in 'my_lab'"
    case .build(let text):
      "'\(text)' is no build: its origin, ':' and its name there, as in 'maestro:1234'"
    case .run(let text):
      "'\(text)' does not tell this submission from others: as the board and the time do"
    }
  }
}
