// SPDX-License-Identifier: GPL-2.0-or-later

/// The words of a kernel command line, as the kernel splits it (`next_arg` in `lib/cmdline.c`): at
/// blanks outside double quotes, and only up to a word `--`, after which they are init's.
public struct KernelCommandLine: Equatable, Sendable {
  /// Without their quotes.
  public let words: [String]

  public init(_ text: some Sequence<UInt8>) {
    let text = Array(text)
    words = Self.places(in: text)
      .map { String(decoding: Self.unquoted(text[$0]), as: UTF8.self) }
      .filter { !$0.isEmpty }.prefix { $0 != "--" }.map { $0 }
  }

  /// Finds the words of a line, quotes and all, those after a word `--` too.
  ///
  /// - Parameter text: the line.
  /// - Returns: where each word lies in `text`.
  public static func places(in text: [UInt8]) -> [Range<Int>] {
    var places: [Range<Int>] = []
    var start: Int?
    var isQuoted = false
    for (index, byte) in text.enumerated() {
      if byte == .doubleQuote { isQuoted.toggle() }
      if byte == .newline || !isQuoted && Self.isBlank(byte) {
        if let first = start { places.append(first..<index) }
        start = nil
      } else if start == nil {
        start = index
      }
    }
    if let first = start { places.append(first..<text.count) }
    return places
  }

  static func unquoted(_ word: some Sequence<UInt8>) -> [UInt8] {
    word.filter { $0 != .doubleQuote }
  }

  /// Returns whether the kernel's `isspace()` takes an ASCII byte for a blank.
  static func isBlank(_ byte: UInt8) -> Bool { byte == .space || (9...13).contains(byte) }

  public init(_ text: String) { self.init(text.utf8) }

  /// The values of a parameter, in their order.
  public func values(of name: String) -> [Substring] {
    words.filter { $0.hasPrefix(name + "=") }.map { $0.dropFirst(name.utf8.count + 1) }
  }

  /// The request that the kernel makes of all its `cma=`; nil where there is none. `cma_pernuma=`,
  /// `numa_cma=` and `hugetlb_cma=` are parameters of their own, for areas that are not the default
  /// one.
  public var cma: CMARequest? {
    let values = values(of: "cma")
    guard !values.isEmpty else { return nil }
    var request = CMARequest()
    for value in values { request.take(value.utf8) }
    return request
  }
}

extension UInt8 {
  fileprivate static let doubleQuote = UInt8(ascii: "\"")
}
