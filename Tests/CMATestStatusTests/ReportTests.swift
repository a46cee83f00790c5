// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestMachine
import CMATestStatus
import CMATestSystem
import TestSupport
import Testing

@Suite struct StatusReportTests {
  private func text(_ terminal: Terminal) throws -> String {
    let tree = try CopiedTree()
    return StatusReport.text(Status(of: tree.machine), for: terminal)
  }

  @Test func signsOnlyWhereTheTerminalShowsThem() throws {
    let signs = try text(Terminal(showsUnicode: true, showsColor: false))
    #expect(signs.contains("✓ kernel ") && signs.contains("✗ options "))
    #expect(!signs.contains("\u{1B}"))
    let plain = try text(.none)
    #expect(plain.contains("ok  kernel ") && plain.contains("no  options "))
    #expect(plain.allSatisfy { $0.isASCII })
  }

  @Test func colorsOnlyWhereTheyAreWanted() throws {
    #expect(
      try text(Terminal(showsUnicode: true, showsColor: true)).contains("\u{1B}[31m✗\u{1B}[0m "))
    #expect(
      try text(Terminal(showsUnicode: false, showsColor: true)).contains("\u{1B}[31mno \u{1B}[0m "))
  }
}
