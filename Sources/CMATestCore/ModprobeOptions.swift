// SPDX-License-Identifier: GPL-2.0-or-later

/// The options that a module would be loaded with, as modprobe.d(5) and the kernel command line
/// spell them: `name=value` or `name`, between blanks, a value in double quotes where it holds one.
public struct ModprobeOptions: Equatable, Sendable {
  private var words: [(name: String, value: String)] = []

  public init() {}

  public static func == (left: Self, right: Self) -> Bool {
    left.words.elementsEqual(right.words, by: ==)
  }

  /// Adds one line's options; of two values for one name the kernel takes the later.
  public mutating func append(_ options: String) {
    for word in Self.words(of: options.utf8) {
      let equals = word.firstIndex(of: UInt8(ascii: "=")) ?? word.endIndex
      let name = String(decoding: word[..<equals], as: UTF8.self)
      let value = String(decoding: word[equals...].dropFirst(), as: UTF8.self)
      words.append((name, value))
    }
  }

  /// - Returns: the value that the kernel would take; nil where the parameter is not given.
  public subscript(name: String) -> String? {
    words.last { $0.name == name }?.value
  }

  private static func words(of text: some Collection<UInt8>) -> [[UInt8]] {
    var words: [[UInt8]] = []
    var word: [UInt8] = []
    var isQuoted = false
    for byte in text {
      if byte == UInt8(ascii: "\"") {
        isQuoted.toggle()
      } else if !isQuoted, byte == .space || byte == .tab {
        if !word.isEmpty { words.append(word) }
        word = []
      } else {
        word.append(byte)
      }
    }
    return word.isEmpty ? words : words + [word]
  }
}

extension ModprobeOptions {
  /// The options for `module` in one file of modprobe.d, so that a file can be blamed by name. What
  /// `modprobe` really does is asked of libkmod; this only looks for who says it.
  ///
  /// - Parameters:
  ///   - text: the file; a backslash before the newline continues a line.
  ///   - module: as the file spells it.
  public init(inConfiguration text: [UInt8], for module: String) {
    self.init()
    var joined: [UInt8] = []
    for line in text.split(separator: .newline, omittingEmptySubsequences: false) {
      if line.last == UInt8(ascii: "\\") {
        joined += line.dropLast()
        continue
      }
      joined += line
      let fields = joined.split(maxSplits: 2) { $0 == .space || $0 == .tab }
      if fields.count == 3, fields[0].elementsEqual("options".utf8),
        String(decoding: fields[1], as: UTF8.self) == module
      {
        append(String(decoding: fields[2], as: UTF8.self))
      }
      joined = []
    }
  }

  public var isEmpty: Bool { words.isEmpty }

  /// The kernel command line's words, as `cmatest.area_base=…`.
  public init(commandLine text: [UInt8]) {
    self.init()
    append(String(decoding: text.filter { $0 != .newline }, as: UTF8.self))
  }
}
