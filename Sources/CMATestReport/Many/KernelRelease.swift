// SPDX-License-Identifier: GPL-2.0-or-later

/// The name of a kernel's release, in its parts: `7.3.4+deb13-arm64-16k` is a version and a flavour.
struct KernelRelease: Equatable {
  let name: String
  /// What kernels that follow each other have in common, as `arm64-16k`; empty for a kernel of one's own.
  let flavour: String
  /// The version's numbers; -1 stands before that of a release candidate.
  private let numbers: [Int]

  init(_ name: String) {
    self.name = name
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    let end = parts.dropFirst().firstIndex { Self.isFlavour($0) } ?? parts.endIndex
    flavour = parts[end...].joined(separator: "-")
    var numbers: [Int] = []
    for part in parts[..<end] {
      if part.hasPrefix("rc") { numbers.append(-1) }
      for digits in part.split(whereSeparator: { !("0"..."9").contains($0) }) {
        numbers.append(Int(digits) ?? Int.max)
      }
    }
    self.numbers = numbers
  }

  /// Neither a number, nor a release candidate, nor the commit of a kernel of one's own.
  private static func isFlavour(_ part: Substring) -> Bool {
    guard let first = part.first, first.isLetter else { return false }
    let rest = part.dropFirst()
    if part.hasPrefix("rc"), part.count > 2, part.dropFirst(2).allSatisfy(\.isNumber) {
      return false
    }
    if first == "g", rest.count >= 7, rest.allSatisfy(\.isHexDigit) { return false }
    return part != "dirty"
  }

  /// Whether the kernel is the older one, by its version.
  func isBefore(_ other: KernelRelease) -> Bool {
    for place in 0..<max(numbers.count, other.numbers.count) {
      let mine = place < numbers.count ? numbers[place] : 0
      let others = place < other.numbers.count ? other.numbers[place] : 0
      if mine != others { return mine < others }
    }
    return name.utf8.lexicographicallyPrecedes(other.name.utf8)
  }
}
