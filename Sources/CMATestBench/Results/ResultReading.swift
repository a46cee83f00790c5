// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// Why a file is no result that can be used.
package enum ResultFailure: Error, Equatable, Sendable {
  /// The text is not what a result is made of.
  case unreadable(name: String, JSONReadFailure)
  /// The text is JSON, but not of `cma-test bench`.
  case foreign(name: String)
  /// A later version of `cma-test` wrote the file.
  case newer(name: String, version: UInt64)
  /// Bins and counts contradict each other.
  case inconsistent(name: String, what: String)
}

extension ResultSummary {
  /// The version of the format that is read and written here.
  package static let version: UInt64 = 1
  /// The value of `format` in every result.
  package static let format = "cma-test bench"

  /// Reads a result of `cma-test bench`.
  ///
  /// Keys that are not known are skipped, so that later versions can add some.
  ///
  /// - Parameters:
  ///   - bytes: The text of the file.
  ///   - name: The file's name, for failures.
  ///   - keepsTimes: Whether the cells get their times, a histogram of all rounds.
  ///   - keepsDetails: Whether the rounds get what the kernel told of them; with the times they do.
  /// - Throws: Why the text is no result.
  package init(
    reading bytes: [UInt8], name: String, keepsTimes: Bool = false, keepsDetails: Bool = false
  ) throws(ResultFailure) {
    self.init(name: name, isComplete: false, area: "", areaPages: 0, pageSize: 0, cells: [])
    var format: String?
    var version: UInt64?
    var wrong: String?
    var reader = JSONReader(bytes)
    do throws(JSONReadFailure) {
      try reader.object { (key, reader) throws(JSONReadFailure) in
        switch key {
        case "format": format = try reader.string()
        case "version": version = try reader.unsigned()
        case "complete": isComplete = try reader.bool()
        case "ended_by": endedBy = try reader.stringOrNull()
        case "program": program = try reader.string()
        case "time": time = try reader.string()
        case "seed": seed = try reader.unsigned()
        case "profile": profile = try reader.stringOrNull()
        case "slow": slow = reader.takeNull() ? nil : try SlowSummary(&reader)
        case "environment": environment = try Self.environment(&reader)
        case "area": try readArea(&reader)
        case "cells":
          try reader.array { (reader) throws(JSONReadFailure) in
            cells.append(
              try CellSummary(
                &reader, keepsTimes: keepsTimes, keepsDetails: keepsDetails, wrong: &wrong))
          }
        default: try reader.skip()
        }
      }
      try reader.end()
    } catch {
      throw .unreadable(name: name, error)
    }
    guard format == Self.format, let version else { throw .foreign(name: name) }
    guard version <= Self.version else { throw .newer(name: name, version: version) }
    if let wrong { throw .inconsistent(name: name, what: wrong) }
    if let size = environment.first(where: { $0.name == "page_size" }) {
      pageSize = UInt64(size.value) ?? 0
    }
  }

  private mutating func readArea(_ reader: inout JSONReader) throws(JSONReadFailure) {
    try reader.object { (key, reader) throws(JSONReadFailure) in
      switch key {
      case "name": area = try reader.string()
      case "pages": areaPages = try reader.unsigned()
      case "free_pages": freePages = try reader.unsignedOrNull()
      default: try reader.skip()
      }
    }
  }

  private static func environment(_ reader: inout JSONReader) throws(JSONReadFailure) -> [Fact] {
    var facts: [Fact] = []
    try reader.object { (key, reader) throws(JSONReadFailure) in
      if let value = try reader.scalarText() { facts.append(Fact(key, value)) }
    }
    return facts
  }
}

extension CellSummary {
  fileprivate init(
    _ reader: inout JSONReader, keepsTimes: Bool, keepsDetails: Bool, wrong: inout String?
  ) throws(JSONReadFailure) {
    var settings = CellSettings(pages: 0)
    var times = keepsTimes ? PooledTimes() : nil
    var rounds: [RoundSummary] = []
    try reader.object { (key, reader) throws(JSONReadFailure) in
      switch key {
      case "pages": settings.pages = try reader.unsigned()
      case "order": settings.order = try reader.unsigned()
      case "threads": settings.threads = try reader.unsigned()
      case "hold": settings.hold = try reader.unsigned()
      case "every_ns": settings.every = try reader.unsigned()
      case "load": settings.load = try reader.string()
      case "rounds":
        try reader.array { (reader) throws(JSONReadFailure) in
          rounds.append(
            try RoundSummary(&reader, into: &times, keepsDetails: keepsDetails, wrong: &wrong))
        }
      default: try reader.skip()
      }
    }
    self.init(settings: settings, rounds: rounds, times: times)
  }
}
