// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestCore
package import CMATestDevice

/// A whole result, as a file has it.
package struct BenchResult: Sendable {
  package var version: String
  /// When it began, in UTC, as `2026-11-26T21:00:00Z`.
  package var time: String
  package var seed: UInt64
  /// Why it ended before its end; `nil` where it did not.
  package var endedBy: String?
  package var area: String
  package var areaPages: UInt64
  /// Free pages of the area when it began; `nil` where nothing tells.
  package var freePages: UInt64?
  /// The profile that was used; `nil` for none.
  package var profile: String?
  /// The allocation that took too long; `nil` where none did.
  package var slow: Slow?
  /// Whether the measurement goes on, so that this is a part so far.
  package var isRunning = false

  /// An allocation that took longer than the user allows, and where that was.
  package struct Slow: Sendable {
    /// The number of the cell, from 0, and of its round, from 1.
    package var cell: Int
    package var round: Int
    package var seen: SlowAllocation
    /// The use of the page that was in the way; `nil` where nothing tells.
    package var inTheWay: String?

    package init(cell: Int, round: Int, seen: SlowAllocation, inTheWay: String?) {
      self.cell = cell
      self.round = round
      self.seen = seen
      self.inTheWay = inTheWay
    }
  }

  /// Releases that the kernel refused.
  package var refused: UInt64 {
    cells.reduce(0) { $0 + $1.rounds.reduce(0) { $0 + $1.measured.refused } }
  }

  /// Whether a round of any cell was measured.
  package var hasRounds: Bool { cells.contains { !$0.rounds.isEmpty } }

  /// Whether all rounds of all cells were measured.
  package var isComplete: Bool { endedBy == nil && slow == nil && !isRunning }
  /// What the machine was. `page_size` is one of them.
  package var environment: [ResultSummary.Fact]
  package var cells: [(settings: CellSettings, rounds: [BenchRound])]

  package init(
    version: String, time: String, seed: UInt64, area: String, areaPages: UInt64,
    environment: [ResultSummary.Fact], cells: [CellSettings]
  ) {
    self.version = version
    self.time = time
    self.seed = seed
    self.area = area
    self.areaPages = areaPages
    self.environment = environment
    self.cells = cells.map { ($0, []) }
  }

  /// The text of a result file; `ResultSummary` reads it.
  package var json: JSON {
    [
      "format": "cma-test bench", "version": .int(Int64(ResultSummary.version)),
      "complete": .bool(isComplete), "ended_by": JSON(endedBy),
      "program": .string(version), "time": .string(time), "seed": .int(Int64(clamping: seed)),
      "profile": JSON(profile),
      "environment": .object(
        environment.map { fact in
          // A host may have the name 007, which is no number.
          JSON.Member(
            fact.name,
            Int64(fact.value).flatMap { "\($0)" == fact.value ? .int($0) : nil }
              ?? .string(fact.value))
        }),
      "area": [
        "name": .string(area), "pages": .int(Int64(clamping: areaPages)),
        "free_pages": freePages.map { .int(Int64(clamping: $0)) } ?? .null,
      ],
      "slow": slowJSON, "cells": .array(cells.map(Self.json)),
    ]
  }

  private static func json(_ cell: (settings: CellSettings, rounds: [BenchRound])) -> JSON {
    let settings = cell.settings
    let rounds = cell.rounds.enumerated().map { number, round in
      Self.json(round, number: number + 1)
    }
    return [
      "pages": .int(Int64(clamping: settings.pages)),
      "order": .int(Int64(clamping: settings.order)),
      "threads": .int(Int64(clamping: settings.threads)),
      "hold": .int(Int64(clamping: settings.hold)),
      "every_ns": .int(Int64(clamping: settings.every)), "load": .string(settings.load),
      "rounds": .array(rounds),
    ]
  }

  private static func json(_ round: BenchRound, number: Int) -> JSON {
    let measured = round.measured
    return [
      "number": .int(Int64(number)), "elapsed_ns": .int(Int64(clamping: measured.elapsed)),
      "refused": .int(Int64(clamping: measured.refused)),
      "involuntary_switches": .int(Int64(clamping: measured.switches)),
      "cpu_migrations": .int(Int64(clamping: measured.moves)),
      "busy_retries": optional(measured.retries), "no_hole": optional(measured.withoutHole),
      "migrated_pages": optional(measured.migrated),
      "unmigrated_pages": optional(measured.unmigrated),
      "filled_pages": optional(round.filledPages),
      "in_the_way": JSON(round.inTheWay),
      "allocations": measured.allocations.json, "responses": measured.responses.json,
      "failures": measured.failures.json, "releases": measured.releases.json,
      "slices": .array(round.slices.map(json)),
    ]
  }

  private static func json(_ slice: SliceSummary) -> JSON {
    [
      "at_ns": .int(Int64(clamping: slice.time)),
      "allocated": .int(Int64(clamping: slice.allocated)),
      "failed": .int(Int64(clamping: slice.failed)),
      "p50_ns": slice.p50.map(JSON.number) ?? .null, "p99_ns": slice.p99.map(JSON.number) ?? .null,
      "max_ns": optional(slice.largest), "free_pages": optional(slice.freePages),
    ]
  }

  private var slowJSON: JSON {
    guard let slow else { return .null }
    return [
      "cell": .int(Int64(slow.cell)), "round": .int(Int64(slow.round)),
      "ns": .int(Int64(clamping: slow.seen.time)),
      "busy_retries": Self.optional(slow.seen.retries),
      "migrated_pages": Self.optional(slow.seen.migrated), "in_the_way": JSON(slow.inTheWay),
    ]
  }

  private static func optional(_ number: UInt64?) -> JSON {
    number.map { .int(Int64(clamping: $0)) } ?? .null
  }
}
