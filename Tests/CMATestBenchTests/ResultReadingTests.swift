// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestCore
import CMATestDevice
import Testing

@Suite struct ResultReadingTests {
  private func histogram(_ times: [UInt64]) -> Histogram {
    var histogram = Histogram()
    for time in times { histogram.add(time) }
    return histogram
  }

  /// A result of one cell and one round.
  private func result(_ allocations: JSON, format: JSON = "cma-test bench", version: JSON = 1)
    -> [UInt8]
  {
    let round: JSON = [
      "number": 1, "allocations": allocations, "failures": histogram([900]).json,
      "releases": histogram([40]).json,
    ]
    let cell: JSON = [
      "pages": 16, "order": 4, "threads": 2, "hold": 3, "every_ns": 1000, "load": "anon",
      "later": ["x"], "rounds": [round],
    ]
    let whole: JSON = [
      "format": format, "version": version, "complete": true,
      "environment": ["kernel": "7.3.4", "page_size": 4096, "list": [1]],
      "area": ["name": "reserved", "pages": 1024], "cells": [cell],
    ]
    return Array(whole.text.utf8)
  }

  @Test func aResultIsReadAsItWasWritten() throws {
    let times: [UInt64] = [5, 127, 128, 20_000, 20_000, 3_600_000_000_000]
    let summary = try ResultSummary(reading: result(histogram(times).json), name: "a.json")
    #expect(summary.isComplete)
    #expect(summary.area == "reserved" && summary.areaPages == 1024 && summary.pageSize == 4096)
    #expect(summary.environment.map(\.name) == ["kernel", "page_size"])
    let cell = try #require(summary.cells.first)
    #expect(
      cell.settings
        == CellSettings(pages: 16, order: 4, threads: 2, hold: 3, every: 1000, load: "anon"))
    #expect(cell.allocated == 6 && cell.failed == 1)
    #expect(cell.rounds.first?.times == .init(histogram(times), releases: histogram([40])))
  }

  /// An hour is the end of the last bin, and the kernel's sum ends where a number does.
  @Test(
    arguments: [[7_200_000_000_000], [5, 9_000_000_000_000], [.max], [.max, .max]] as [[UInt64]])
  func timesOfMoreThanAnHourAreRead(_ times: [UInt64]) throws {
    #expect(throws: Never.self) {
      try ResultSummary(reading: result(histogram(times).json), name: "x")
    }
  }

  @Test func whatIsNoResultIsNamed() {
    let good = histogram([7]).json
    #expect(throws: ResultFailure.foreign(name: "x")) {
      try ResultSummary(reading: result(good, format: "other"), name: "x")
    }
    #expect(throws: ResultFailure.newer(name: "x", version: 2)) {
      try ResultSummary(reading: result(good, version: 2), name: "x")
    }
    #expect(throws: ResultFailure.foreign(name: "x")) {
      try ResultSummary(reading: Array("{}".utf8), name: "x")
    }
    #expect(throws: ResultFailure.self) { try ResultSummary(reading: [], name: "x") }
    #expect(throws: ResultFailure.self) {
      try ResultSummary(reading: result(good).dropLast(9) + [], name: "x")
    }
  }

  @Test(
    arguments: [
      ["count": 2, "sum_ns": 7, "min_ns": 7, "max_ns": 7, "bins": [7, 1]],
      ["count": 1, "sum_ns": 7, "min_ns": 7, "max_ns": 7, "bins": [7]],
      ["count": 1, "sum_ns": 7, "min_ns": 7, "max_ns": 7, "bins": [99999, 1]],
      ["count": 1, "sum_ns": 7, "min_ns": nil, "max_ns": 7, "bins": [7, 1]],
      ["count": 1, "sum_ns": 7, "min_ns": 9, "max_ns": 7, "bins": [7, 1]],
      ["count": 2, "sum_ns": 15, "min_ns": 5, "max_ns": 8, "bins": [7, 1, 8, 1]],
      ["count": 2, "sum_ns": 15, "min_ns": 7, "max_ns": 900_000, "bins": [7, 1, 8, 1]],
      ["count": 2, "sum_ns": 14, "min_ns": 7, "max_ns": 8, "bins": [7, 1, 8, 1]],
      ["count": 2, "sum_ns": 16, "min_ns": 7, "max_ns": 8, "bins": [7, 1, 8, 1]],
    ] as [JSON])
  func countsThatContradictEachOtherAreRefused(_ allocations: JSON) {
    #expect {
      try ResultSummary(reading: result(allocations), name: "x")
    } throws: { error in
      if case .inconsistent? = error as? ResultFailure { true } else { false }
    }
  }
}
