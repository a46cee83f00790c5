// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestReport

/// One thing to prove of the allocator.
///
/// A new case is one file in `Cases`, with a static member and the function that proves it, and the
/// member's entry in `all`.
public struct TestCase: Sendable {
  /// Lower-case words with hyphens, for `--filter` and every report.
  public let name: String
  /// The thing to prove, in one line.
  public let purpose: String
  /// The case as lists and reports name it.
  public var title: CaseTitle { CaseTitle(name, purpose) }
  /// Whether the case proves nothing unless it is given pages.
  let needsPages: Bool
  let body: @Sendable (CaseRun) throws(CaseEnd) -> Void

  init(
    _ name: String, _ purpose: String, needsPages: Bool = true,
    _ body: @escaping @Sendable (CaseRun) throws(CaseEnd) -> Void
  ) {
    self.name = name
    self.needsPages = needsPages
    self.purpose = purpose
    self.body = body
  }
}
