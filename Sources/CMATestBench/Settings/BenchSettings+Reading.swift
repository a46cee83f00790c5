// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension BenchSettings {
  /// Sets one setting from its text.
  ///
  /// - Parameters:
  ///   - name: the name, as the option has it without its hyphens.
  ///   - value: the text behind the option, or in the profile.
  /// - Throws: where there is no such setting, or it does not take the value.
  package mutating func set(_ name: String, to value: String) throws(SettingFailure) {
    switch name {
    case "size":
      sizes = try Self.list(name, value, "sizes as 16p, 64K or 1M") { BlockSize(parsing: $0) }
    case "align":
      alignments = try Self.list(name, value, "powers of two as 1p, 64K or 1M") {
        BlockSize(parsing: $0).flatMap { $0.isPowerOfTwo ? $0 : nil }
      }
    case "threads":
      threads = try Self.list(name, value, "numbers from 1 to 1024") {
        Self.number($0, in: 1...1024)
      }
    case "hold":
      hold = try Self.one(name, value, "a number up to 65536") { Self.number($0, in: 0...65536) }
    case "count":
      count = try Self.one(name, value, "a number from 1 on") {
        Self.number($0, in: 1...UInt64(Int64.max))
      }
    case "rounds":
      rounds = Int(
        try Self.one(name, value, "a number from 1 to 10000") {
          Self.number($0, in: 1...10_000)
        })
    case "warm-up":
      warmUp = try Self.one(name, value, "a number up to 1000000") {
        Self.number($0, in: 0...1_000_000)
      }
    case "every":
      every = try Self.span(name, value)
      guard every <= 3_600_000_000_000 else { throw SettingFailure("--every is at most an hour") }
    case "duration": duration = try Self.span(name, value)
    case "stop-above": stopAbove = try Self.span(name, value)
    case "load": loads = [try Self.load(value)]
    default: throw SettingFailure("there is no setting '\(name)'")
    }
  }

  /// Reads the name of a load.
  package static func load(_ text: String) throws(SettingFailure) -> LoadMix {
    try one(
      "load", text,
      "none, anon, cache, dirty, pinned, churn, several with + between them, or command:WORDS"
    ) {
      LoadMix(parsing: $0)
    }
  }

  /// Reads a time, which can be `0` for none.
  private static func span(_ name: String, _ text: String) throws(SettingFailure) -> UInt64 {
    if text == "0" { return 0 }
    return try one(name, text, TimeSpan.forms) { TimeSpan(parsing: $0) }.nanoseconds
  }

  private static func number(_ text: String, in range: ClosedRange<UInt64>) -> UInt64? {
    UInt64(text).flatMap { range.contains($0) ? $0 : nil }
  }

  private static func one<Value>(
    _ name: String, _ text: String, _ wanted: String, _ read: (String) -> Value?
  ) throws(SettingFailure) -> Value {
    guard let value = read(text) else {
      throw SettingFailure("--\(name) takes \(wanted), not '\(text)'")
    }
    return value
  }

  /// Reads values with commas between them, none of them twice.
  private static func list<Value: Hashable>(
    _ name: String, _ text: String, _ wanted: String, _ read: (String) -> Value?
  ) throws(SettingFailure) -> [Value] {
    var values: [Value] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      let value = try one(name, String(word), wanted, read)
      guard !values.contains(value) else {
        throw SettingFailure("--\(name) has '\(word)' twice")
      }
      values.append(value)
    }
    return values
  }
}
