// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestDevice

/// What a user asks to be measured, by options or in a profile.
package struct BenchSettings: Equatable, Sendable {
  /// The sizes of a block.
  package var sizes: [BlockSize] = [.pages(1), .pages(16), .pages(256)]
  /// The alignments of a block; each is a power of two.
  package var alignments: [BlockSize] = [.pages(1)]
  package var threads: [UInt64] = [1]
  /// Blocks that each thread keeps.
  package var hold: UInt64 = 0
  /// From one intended start to the next, in ns; 0 where each follows at once.
  package var every: UInt64 = 0
  /// Allocations of one round of one cell; 0 for no limit.
  package var count: UInt64 = 0
  /// The time of the whole measurement in ns; 0 for no limit.
  package var duration: UInt64 = 0
  package var rounds = 9
  /// Allocations before each round that do not count.
  package var warmUp: UInt64 = 8
  package var loads: [LoadMix] = [.none]
  /// The time in ns above which an allocation ends the measurement; 0 for none.
  package var stopAbove: UInt64 = 0
  /// The profile that was used; nil for none.
  package var profile: String?
  /// Figures that others published, to be shown beside those measured.
  package var references: [BenchReference] = []

  package init() {}

  /// The allocations of a round where neither a number nor a time is given.
  private static let usualCount: UInt64 = 100

  /// The allocations of one round of one cell; 0 where the time alone sets the end.
  package var requests: UInt64 { count == 0 && duration == 0 ? Self.usualCount : count }
}

/// A figure that others published of one size.
package struct BenchReference: Equatable, Sendable {
  package var size: BlockSize
  /// The shortest, the longest and the mean time of an allocation in ns.
  package var shortest: UInt64
  package var longest: UInt64
  package var mean: UInt64

  package init(size: BlockSize, shortest: UInt64, longest: UInt64, mean: UInt64) {
    self.size = size
    self.shortest = shortest
    self.longest = longest
    self.mean = mean
  }
}

/// A value that a setting does not take; one line.
package struct SettingFailure: Error, Equatable, Sendable {
  package var message: String

  package init(_ message: String) {
    self.message = message
  }
}
