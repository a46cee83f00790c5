// SPDX-License-Identifier: GPL-2.0-or-later

/// SplitMix64 (Steele, Lea and Flood, 2014): the same numbers for the same seed, everywhere.
public struct SeededNumbers: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) {
    state = seed
  }

  /// Makes the numbers of one case, which are the same whatever cases run before.
  package init(seed: UInt64, name: String) {
    // FNV-1a: Swift's own hashes differ from run to run.
    state = name.utf8.reduce(seed ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// Draws a number from `low` to `high`; `low` where there is no other. Draws by remainder, since the
  /// standard library may change its own way.
  package mutating func number(from low: UInt64, to high: UInt64) -> UInt64 {
    let drawn = next()
    guard high > low else { return low }
    let span = high - low
    return span == .max ? drawn : low + drawn % (span + 1)
  }

  /// Puts elements into another order.
  package mutating func shuffle<Element>(_ elements: inout [Element]) {
    for index in elements.indices.dropFirst().reversed() {
      elements.swapAt(index, Int(number(from: 0, to: UInt64(index))))
    }
  }
}
