// SPDX-License-Identifier: GPL-2.0-or-later

/// The options that a module would be loaded with, as modprobe.d(5) and the kernel command line
/// spell them, split as the kernel splits them: `name=value` or `name`, between blanks, a value or a
/// whole word in double quotes where it holds one. (`next_arg` in `lib/cmdline.c`)
public struct ModprobeOptions: Equatable, Sendable {
  /// One option; `value` is nil where there is no `=`.
  public struct Word: Equatable, Sendable {
    /// With `_` for each `-`: the kernel takes them for each other.
    public var name: String
    public var value: String?
  }

  public private(set) var words: [Word] = []

  public init() {}

  /// Adds one line's options; of two values for one name the kernel takes the later.
  public mutating func append(_ options: String) {
    var rest = Array(options.utf8)[...]
    while true {
      rest = rest.drop(while: Self.isBlank)
      guard !rest.isEmpty else { return }
      let word = Self.word(&rest)
      words.append(word)
      // What follows is not for the module.
      if word == Word(name: "__", value: nil) { return }
    }
  }

  /// - Returns: the value that the kernel would take, empty where it has none; nil where the
  ///   parameter is not given.
  public subscript(name: String) -> String? {
    words.last { $0.name == name }.map { $0.value ?? "" }
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == .space || (0x09...0x0D).contains(byte)
  }

  private static func word(_ rest: inout ArraySlice<UInt8>) -> Word {
    let quote = UInt8(ascii: "\"")
    let isWhollyQuoted = rest.first == quote
    if isWhollyQuoted { rest.removeFirst() }
    var isQuoted = isWhollyQuoted
    let end =
      rest.firstIndex { byte in
        if byte == quote { isQuoted.toggle() }
        return !isQuoted && isBlank(byte)
      } ?? rest.endIndex
    var word = rest[..<end]
    rest = rest[end...]
    var value: ArraySlice<UInt8>?
    // The kernel takes no word for `=value`.
    if let equals = word.firstIndex(of: UInt8(ascii: "=")), equals != word.startIndex {
      var text = word[(equals + 1)...]
      word = word[..<equals]
      if text.first == quote {
        text.removeFirst()
        if text.last == quote { text.removeLast() }
      } else if isWhollyQuoted, text.last == quote {
        text.removeLast()
      }
      value = text
    } else if isWhollyQuoted, word.last == quote {
      word.removeLast()
    }
    return Word(
      name: String(
        decoding: word.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 },
        as: UTF8.self),
      value: value.map { String(decoding: $0, as: UTF8.self) })
  }
}

extension ModprobeOptions {
  /// Reads the options for a module in one file of modprobe.d, so that a message can name the file.
  /// libkmod decides what modprobe passes; these options only show where that comes from.
  ///
  /// - Parameters:
  ///   - text: the file; a backslash before the newline continues a line.
  ///   - module: as the file spells it.
  public init(inConfiguration text: [UInt8], for module: String) {
    self.init()
    for statement in ModprobeStatement.all(in: text) where statement.keyword == "options" {
      if statement.subject == module { append(statement.rest) }
    }
  }

  public var isEmpty: Bool { words.isEmpty }

  /// The kernel command line's words, as `cmatest.area_base=…`.
  public init(commandLine text: [UInt8]) {
    self.init()
    append(String(decoding: text.filter { $0 != .newline }, as: UTF8.self))
  }
}
