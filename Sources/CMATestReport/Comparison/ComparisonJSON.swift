// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench
package import CMATestCore

extension Comparison {
  /// The comparison as one object with stable keys. Times are in ns; shares, ratios and probabilities
  /// are numbers with decimals.
  ///
  /// - Parameter notes: what the user should know of the results, as that one is a part.
  /// - Returns: The object.
  package func json(notes: [String] = []) -> JSON {
    [
      "schema": 1, "ok": .bool(outcome == .noRegression),
      "outcome": .string(Self.key(outcome)),
      "by": .string(rules.quantity.rawValue), "level": .number(rules.level),
      "rounds_needed": roundsNeeded.map { .int(Int64($0)) } ?? .null,
      "words": .string(words), "notes": .array(notes.map(JSON.string)),
      "cells": .array(cells.map(Self.json)),
      "only_before": .array(onlyBefore.map(\.json)),
      "only_after": .array(onlyAfter.map(\.json)),
      "environment_differs": .array(
        differences.map {
          ["name": .string($0.name), "before": JSON($0.before), "after": JSON($0.after)]
        }),
    ]
  }

  private static func key(_ outcome: Outcome) -> String {
    switch outcome {
    case .regression: "regression"
    case .noRegression: "no-regression"
    case .notKnown: "not-known"
    }
  }

  private static func json(_ cell: CellComparison) -> JSON {
    func change(_ quantity: Quantity) -> JSON { cell.changes[quantity].map(json) ?? .null }
    let changes = [Quantity.p50, .p99, .max].map { JSON.Member($0.rawValue, change($0)) }
    return [
      "cell": cell.settings.json, "verdict": .string(cell.verdict.key),
      "reason": JSON(cell.verdict.reason?.words),
      "rounds": .array([.int(Int64(cell.rounds.before)), .int(Int64(cell.rounds.after))]),
      "requests": pair(cell.requests), "failed": pair(cell.failed),
      "p_time": number(cell.timeP), "p_failures": number(cell.failureP),
      "threshold": .number(cell.threshold), "noise": number(cell.noise),
      "alloc": .object(changes), "release": change(.release), "pair": change(.pair),
    ]
  }

  private static func json(_ change: Change) -> JSON {
    let interval = change.interval()
    return [
      "before_ns": .number(change.before), "after_ns": .number(change.after),
      "ratio": .number(change.ratio), "ratio_low": number(interval?.bounds.lowerBound),
      "ratio_high": number(interval?.bounds.upperBound),
    ]
  }

  private static func pair(_ values: (before: UInt64, after: UInt64)) -> JSON {
    .array([.int(Int64(clamping: values.before)), .int(Int64(clamping: values.after))])
  }

  private static func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
}

extension CellSettings {
  /// The settings with the keys that a result file has.
  package var json: JSON {
    [
      "pages": .int(Int64(clamping: pages)), "order": .int(Int64(clamping: order)),
      "threads": .int(Int64(clamping: threads)), "hold": .int(Int64(clamping: hold)),
      "every_ns": .int(Int64(clamping: every)), "load": .string(load),
    ]
  }
}
