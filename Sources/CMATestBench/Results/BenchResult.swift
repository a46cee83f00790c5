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
  /// What the machine was. `page_size` is one of them.
  package var environment: [ResultSummary.Fact]
  package var cells: [(settings: CellSettings, rounds: [Measurement])]

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
      "complete": .bool(endedBy == nil), "ended_by": JSON(endedBy),
      "program": .string(version), "time": .string(time), "seed": .int(Int64(clamping: seed)),
      "environment": .object(
        environment.map { fact in
          JSON.Member(fact.name, Int64(fact.value).map(JSON.int) ?? .string(fact.value))
        }),
      "area": [
        "name": .string(area), "pages": .int(Int64(clamping: areaPages)),
        "free_pages": freePages.map { .int(Int64(clamping: $0)) } ?? .null,
      ],
      "cells": .array(cells.map(Self.json)),
    ]
  }

  private static func json(_ cell: (settings: CellSettings, rounds: [Measurement])) -> JSON {
    let settings = cell.settings
    let rounds = cell.rounds.enumerated().map { number, round -> JSON in
      [
        "number": .int(Int64(number + 1)), "elapsed_ns": .int(Int64(clamping: round.elapsed)),
        "refused": .int(Int64(clamping: round.refused)),
        "involuntary_switches": .int(Int64(clamping: round.switches)),
        "cpu_migrations": .int(Int64(clamping: round.moves)),
        "busy_retries": optional(round.retries), "no_hole": optional(round.withoutHole),
        "migrated_pages": optional(round.migrated), "unmigrated_pages": optional(round.unmigrated),
        "allocations": round.allocations.json, "responses": round.responses.json,
        "failures": round.failures.json, "releases": round.releases.json,
      ]
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

  private static func optional(_ number: UInt64?) -> JSON {
    number.map { .int(Int64(clamping: $0)) } ?? .null
  }

  /// The result without its bins, as a comparison or a table needs it.
  package var summary: ResultSummary {
    ResultSummary(
      name: "this measurement", isComplete: endedBy == nil, area: area, areaPages: areaPages,
      pageSize: environment.first { $0.name == "page_size" }.flatMap { UInt64($0.value) } ?? 0,
      environment: environment,
      cells: cells.map { cell in
        var times = PooledTimes()
        for round in cell.rounds {
          times.allocations.add(round.allocations)
          times.failures.add(round.failures)
          times.releases.add(round.releases)
        }
        return CellSummary(
          settings: cell.settings,
          rounds: cell.rounds.map {
            RoundSummary(
              allocated: $0.allocations.count, failed: $0.failures.count,
              times: .init($0.allocations))
          }, times: times)
      })
  }
}
