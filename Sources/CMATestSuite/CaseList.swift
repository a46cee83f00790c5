// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// The cases without running them.
public enum CaseList {
  /// - Parameters:
  ///   - cases: which.
  ///   - format: JSON as JSON, all else as lines.
  /// - Returns: a line for each case, its name and its purpose.
  public static func text(_ cases: [TestCase], as format: ReportFormat) -> String {
    if format == .json {
      let list = cases.map { test -> JSON in
        ["name": .string(test.name), "purpose": .string(test.purpose)]
      }
      let whole: JSON = ["schema": 1, "cases": .array(list)]
      return whole.text + "\n"
    }
    let width = cases.map(\.name.count).max() ?? 0
    return cases.map { "\(padded($0.name, width))  \($0.purpose)\n" }.joined()
  }
}
