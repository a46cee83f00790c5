// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestReport

/// One thing that is proved of the allocator.
public struct TestCase: Sendable {
  /// Lower-case words with hyphens: what `--filter` and every report call it.
  public let name: String
  /// One line.
  public let purpose: String
  /// The case as lists and reports name it.
  public var title: CaseTitle { CaseTitle(name, purpose) }
  /// Whether it must be given pages to show anything.
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
