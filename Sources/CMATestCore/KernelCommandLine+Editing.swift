// SPDX-License-Identifier: GPL-2.0-or-later

extension KernelCommandLine {
  /// Replaces every `cma=` of a line by one at the end, or removes them all. Every other byte
  /// stays: a line put together anew from its words would lose its quotes.
  ///
  /// - Parameters:
  ///   - text: the line; blanks and line ends around it are left out.
  ///   - reservation: what to reserve; nil for no `cma=`.
  /// - Returns: the line; nil where no place in it makes the kernel read the parameter.
  public static func replacingCMA(
    in text: [UInt8], with reservation: CMAReservation?
  ) -> [UInt8]? {
    let line = withoutCMA(trimmed(text))
    guard let reservation else { return KernelCommandLine(line).cma == nil ? line : nil }
    // After a word `--`, or inside a quote that is never closed, the kernel finds no parameter.
    let places = places(in: line)
    let end = places.first { unquoted(line[$0]).elementsEqual("--".utf8) }?.lowerBound ?? line.count
    for position in [end, 0] {
      let edited = inserting(reservation.parameter, at: position, of: line)
      if KernelCommandLine(edited).cma == reservation.request { return edited }
    }
    return nil
  }

  /// Returns a text without the blanks and line ends around it.
  public static func trimmed(_ text: [UInt8]) -> [UInt8] {
    guard let first = text.firstIndex(where: { !isBlank($0) }),
      let last = text.lastIndex(where: { !isBlank($0) })
    else { return [] }
    return Array(text[first...last])
  }

  private static func withoutCMA(_ text: [UInt8]) -> [UInt8] {
    var line = text
    let ours = places(in: text).prefix { !unquoted(text[$0]).elementsEqual("--".utf8) }
      .filter { unquoted(text[$0]).starts(with: "cma=".utf8) }
    for word in ours.reversed() {
      // The word goes with the blanks before it, the first one with those behind it.
      var range = word
      while range.lowerBound > 0, isBlank(line[range.lowerBound - 1]) {
        range = range.lowerBound - 1..<range.upperBound
      }
      if range.lowerBound == 0 {
        while range.upperBound < line.count, isBlank(line[range.upperBound]) {
          range = range.lowerBound..<range.upperBound + 1
        }
      }
      line.removeSubrange(range)
    }
    return line
  }

  private static func inserting(_ word: String, at position: Int, of line: [UInt8]) -> [UInt8] {
    let head = line[..<position]
    let tail = line[position...]
    let before: [UInt8] = head.last.map { isBlank($0) ? [] : [.space] } ?? []
    return head + before + word.utf8 + (tail.isEmpty ? [] : [.space]) + tail
  }
}
