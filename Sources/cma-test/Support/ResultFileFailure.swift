// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestReport
internal import CMATestSystem

/// A reason why result files cannot be used, or what is made of them not be kept.
enum ResultFileFailure: CommandFailure {
  case cannotRead(SystemFailure)
  /// The file is no result.
  case unusable(ResultFailure)
  /// Two files of one side have the same rounds.
  case twice(String, String)
  /// The results are of different things; one line.
  case notComparable(String)
  /// The form has no place for some of the files; one line.
  case noPlace(String)
  case cannotWrite(SystemFailure)
  /// Of many files and folders, none is a result that can be used.
  case nothingUsable([String], leftOut: Int)
  /// KernelCI's database would refuse the submission.
  case submission(KCIDBFailure)

  var explanation: Explanation {
    switch self {
    case .cannotRead(let failure): Self.explanation(failure)
    case .unusable(let failure): failure.explanation
    case .twice(let one, let other):
      Explanation(
        .notComparable, kind: "same-result",
        message: "\(one) and \(other) on one side have the same rounds, which count once",
        remedy: "name each result once")
    case .notComparable(let reason):
      Explanation(
        .notComparable, kind: "not-comparable", message: reason,
        remedy:
          "measure both in the same way, or compare all the same with 'cma-test compare --force'")
    case .noPlace(let reason):
      Explanation(
        .resultUnusable, kind: "no-place", message: reason,
        remedy: "name results of 'cma-test bench'")
    case .cannotWrite(let failure):
      Explanation(
        .cannotWrite, kind: "cannot-write",
        message: "cannot \(failure.call.rawValue) \(failure.path): \(failure.reason)",
        remedy: "name another file with '--output'")
    case .nothingUsable(let names, let count):
      Explanation(
        .resultUnusable, kind: "no-result",
        message: count == 0
          ? "there is no file NAME.json in \(names.joined(separator: " "))"
          : "none of \(count) file\(count == 1 ? "" : "s") is a result that can be used",
        remedy: "name a folder with results of 'cma-test bench' and 'cma-test run --format json'")
    case .submission(let failure):
      Explanation(
        .usage, kind: "no-submission", message: failure.message,
        remedy: "name the system and the build with '--origin' and '--build'")
    }
  }

  private static func explanation(_ failure: SystemFailure) -> Explanation {
    let reason =
      switch failure.code {
      case SystemFailure.invalid: "this is a device or a socket"
      case SystemFailure.tooLarge: "this is larger than 1 GiB"
      default: failure.reason
      }
    return Explanation(
      .resultUnusable, kind: "cannot-read",
      message: "cannot read the result \(failure.path): \(reason)",
      remedy: "name a file that 'cma-test bench --output' wrote")
  }
}

extension ResultFailure {
  fileprivate var explanation: Explanation {
    switch self {
    case .unreadable(let name, let failure) where failure.offset == 0:
      Explanation(
        .resultUnusable, kind: "no-result", message: "the result \(name) is empty, or no JSON",
        remedy: "name a file that 'cma-test bench --output' wrote")
    case .unreadable(let name, let failure):
      Explanation(
        .resultUnusable, kind: "damaged-result",
        message:
          "the result \(name) is damaged: \(failure.expected) is missing after \(failure.offset) bytes",
        remedy: "copy the file again, whole, or measure again")
    case .foreign(let name):
      Explanation(
        .resultUnusable, kind: "no-result", message: "'cma-test bench' did not write \(name)",
        remedy: "name a file that 'cma-test bench --output' wrote")
    case .newer(let name, let version):
      Explanation(
        .resultUnusable, kind: "newer-result",
        message: "the format of the result \(name) is version \(version), newer than this program",
        remedy: "install a newer cma-test")
    case .inconsistent(let name, let what):
      Explanation(
        .resultUnusable, kind: "damaged-result", message: "the result \(name) is damaged: \(what)",
        remedy: "copy the file again, whole, or measure again")
    }
  }
}
