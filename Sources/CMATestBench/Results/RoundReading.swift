// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension RoundSummary {
  /// Reads a round of a result file.
  ///
  /// - Parameters:
  ///   - reader: What comes next is the round.
  ///   - pool: Takes all times of the round, where the reader asks for times.
  ///   - keepsDetails: Whether the reader asks for what the kernel told, and for how the allocations are
  ///     distributed.
  ///   - wrong: Says what contradicts itself, where something does.
  /// - Throws: Where the text is no round.
  init(
    _ reader: inout JSONReader, into pool: inout PooledTimes?, keepsDetails: Bool,
    wrong: inout String?
  ) throws(JSONReadFailure) {
    var times = PooledTimes()
    var details = RoundDetails()
    let wantsAll = pool != nil
    try reader.object { (key, reader) throws(JSONReadFailure) in
      switch key {
      case "allocations": try times.allocations.read(&reader, wrong: &wrong)
      case "failures": try times.failures.read(&reader, wrong: &wrong)
      case "releases": try times.releases.read(&reader, wrong: &wrong)
      case "responses" where wantsAll: try times.responses.read(&reader, wrong: &wrong)
      default:
        if wantsAll || keepsDetails { try details.read(key, &reader) } else { try reader.skip() }
      }
    }
    if wantsAll || keepsDetails { details.allocations = .init(times.allocations) }
    if wantsAll {
      details.responses = .init(times.responses)
      details.failures = .init(times.failures)
      details.releases = .init(times.releases)
      pool?.add(times)
    }
    self.init(
      allocated: times.allocations.count, failed: times.failures.count,
      times: Times(times.allocations, releases: times.releases),
      details: wantsAll || keepsDetails ? details : nil)
  }
}

extension PooledTimes {
  /// Adds the times of another round.
  package mutating func add(_ other: PooledTimes) {
    allocations.add(other.allocations)
    responses.add(other.responses)
    failures.add(other.failures)
    releases.add(other.releases)
  }
}

extension RoundDetails {
  fileprivate mutating func read(
    _ key: String, _ reader: inout JSONReader
  ) throws(JSONReadFailure) {
    switch key {
    case "number": number = try reader.unsigned()
    case "elapsed_ns": elapsed = try reader.unsigned()
    case "refused": refused = try reader.unsigned()
    case "involuntary_switches": switches = try reader.unsigned()
    case "cpu_migrations": moves = try reader.unsigned()
    case "busy_retries": retries = try reader.unsignedOrNull()
    case "no_hole": withoutHole = try reader.unsignedOrNull()
    case "migrated_pages": migrated = try reader.unsignedOrNull()
    case "unmigrated_pages": unmigrated = try reader.unsignedOrNull()
    case "filled_pages": filled = try reader.unsignedOrNull()
    case "in_the_way": inTheWay = try reader.stringOrNull()
    case "slices":
      try reader.array { (reader) throws(JSONReadFailure) in
        slices.append(try SliceSummary(&reader))
      }
    default: try reader.skip()
    }
  }
}

extension SliceSummary {
  fileprivate init(_ reader: inout JSONReader) throws(JSONReadFailure) {
    self.init(time: 0)
    try reader.object { (key, reader) throws(JSONReadFailure) in
      switch key {
      case "at_ns": time = try reader.unsigned()
      case "allocated": allocated = try reader.unsigned()
      case "failed": failed = try reader.unsigned()
      case "p50_ns": p50 = reader.takeNull() ? nil : try reader.number()
      case "p99_ns": p99 = reader.takeNull() ? nil : try reader.number()
      case "max_ns": largest = try reader.unsignedOrNull()
      case "free_pages": freePages = try reader.unsignedOrNull()
      default: try reader.skip()
      }
    }
  }
}

extension SlowSummary {
  init(_ reader: inout JSONReader) throws(JSONReadFailure) {
    self.init()
    try reader.object { (key, reader) throws(JSONReadFailure) in
      switch key {
      case "cell": cell = try reader.unsigned()
      case "round": round = try reader.unsigned()
      case "ns": nanoseconds = try reader.unsigned()
      case "busy_retries": retries = try reader.unsignedOrNull()
      case "migrated_pages": migrated = try reader.unsignedOrNull()
      case "in_the_way": inTheWay = try reader.stringOrNull()
      default: try reader.skip()
      }
    }
  }
}

extension JSONReader {
  /// Reads a whole number or `null`.
  mutating func unsignedOrNull() throws(JSONReadFailure) -> UInt64? {
    takeNull() ? nil : try unsigned()
  }

  /// Reads a string or `null`.
  mutating func stringOrNull() throws(JSONReadFailure) -> String? {
    takeNull() ? nil : try string()
  }
}
