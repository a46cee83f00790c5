// SPDX-License-Identifier: GPL-2.0-or-later

/// The words of a kernel command line, as the kernel splits it (`next_arg` in `lib/cmdline.c`): at
/// blanks outside double quotes, and only up to a word `--`, after which they are init's.
public struct KernelCommandLine: Equatable, Sendable {
  /// Without their quotes.
  public let words: [String]

  public init(_ text: some Sequence<UInt8>) {
    var words: [String] = []
    var word: [UInt8] = []
    var isQuoted = false
    for byte in Array(text) + [.newline] {
      if byte == UInt8(ascii: "\"") {
        isQuoted.toggle()
      } else if byte == .newline || !isQuoted && (byte == .space || byte == .tab) {
        if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
        word = []
      } else {
        word.append(byte)
      }
    }
    self.words = words.prefix { $0 != "--" }.map { $0 }
  }

  public init(_ text: String) { self.init(text.utf8) }

  /// The values of a parameter, in their order.
  public func values(of name: String) -> [Substring] {
    words.filter { $0.hasPrefix(name + "=") }.map { $0.dropFirst(name.utf8.count + 1) }
  }

  /// What the kernel makes of all its `cma=`; nil where there is none. `cma_pernuma=`, `numa_cma=`
  /// and `hugetlb_cma=` are parameters of their own, for areas that are not the default one.
  public var cma: CMARequest? {
    let values = values(of: "cma")
    guard !values.isEmpty else { return nil }
    var request = CMARequest()
    for value in values { request.take(value.utf8) }
    return request
  }

  /// The line with one `cma=`, at its end, or with none.
  ///
  /// - Parameter parameter: `cma=…`; nil for none.
  /// - Returns: all other words, and it.
  public func replacingCMA(with parameter: String?) -> String {
    (words.filter { !$0.hasPrefix("cma=") } + [parameter].compactMap { $0 })
      .joined(separator: " ")
  }
}
