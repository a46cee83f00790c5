// SPDX-License-Identifier: GPL-2.0-or-later

/// The variables that files of shell assignments set, as those in /etc/default that GRUB and U-Boot
/// are configured with; read in the order in which their programs source them.
///
/// This is no shell: it knows `NAME=value` and `NAME+=value`, quotes, and `$NAME`. It is there to
/// say beforehand who sets what; what is really booted is read from what the programs made of it.
public struct ShellAssignments: Sendable {
  /// One `NAME=…`.
  public struct Assignment: Equatable, Sendable {
    public var file: String
    public var name: String
    /// The value of the text itself, without the values of variables in it.
    public var own: String
    /// Whether the text has nothing that only a shell can evaluate, as `$(program)`.
    public var isPlain: Bool
    /// The variables whose values the text uses.
    public var variables: Set<String>
    /// Whether it is `NAME+=…`, which leaves what the variable had before.
    public var appends: Bool
    /// The lines of the file that have the assignment, counted from 1.
    public var lines: ClosedRange<Int>
  }

  /// A value as it is being read.
  private struct Value {
    var whole: [UInt8] = []
    var own: [UInt8] = []
    var isPlain = true
    var variables: Set<String> = []

    mutating func append(_ bytes: UInt8...) {
      whole += bytes
      own += bytes
    }
  }

  private var values: [String: String] = [:]
  private var scripts: [ShellScript] = []
  public private(set) var assignments: [Assignment] = []

  public init() {}

  /// - Returns: the variable's value; empty where nothing sets it.
  public subscript(name: String) -> String { values[name] ?? "" }

  /// Reads one file.
  ///
  /// - Parameters:
  ///   - text: its bytes.
  ///   - file: its name, for `assignments`.
  public mutating func read(_ text: [UInt8], from file: String) {
    scripts.append(ShellScript(text, file: file))
    var rest = text[...]
    while !rest.isEmpty {
      rest = rest.drop { $0 == .space || $0 == .tab || $0 == .newline || $0 == .semicolon }
      let afterExport = rest.dropFirst("export".utf8.count)
      if rest.starts(with: "export".utf8), afterExport.first == .space || afterExport.first == .tab
      {
        rest = afterExport
        continue
      }
      let start = rest.startIndex
      let name = rest.prefix(while: Self.isOfName)
      let afterName = rest.dropFirst(name.count)
      let appends = afterName.starts(with: "+=".utf8)
      guard !name.isEmpty, appends || afterName.first == UInt8(ascii: "=") else {
        rest = rest.drop { $0 != .newline }
        continue
      }
      rest = afterName.dropFirst(appends ? 2 : 1)
      let value = Self.value(&rest, values)
      let first = 1 + text[..<start].count { $0 == .newline }
      let last = first + text[start..<rest.startIndex].count { $0 == .newline }
      assign(
        String(decoding: name, as: UTF8.self), appends, value, from: file, lines: first...last)
    }
  }

  /// Returns the last file that only a shell can tell the value of a variable from: one that has a
  /// program print it, sets it under a condition, reads other files, or uses variables that are in
  /// doubt themselves, or in none of the files.
  ///
  /// - Parameter name: the variable's.
  /// - Returns: nil where the value is certain.
  public func doubtfulFile(for name: String) -> String? { doubtfulFile(for: name, asking: []) }

  private func doubtfulFile(for name: String, asking names: Set<String>) -> String? {
    var doubtful: String?
    for script in scripts {
      if script.maySet(name) {
        doubtful = script.file
        continue
      }
      for assignment in assignments where assignment.name == name && assignment.file == script.file
      {
        let others = assignment.variables.subtracting(names).subtracting([name])
        let isDoubtful = others.contains { other in
          !assignments.contains { $0.name == other }
            || doubtfulFile(for: other, asking: names.union([name])) != nil
        }
        if isDoubtful || !assignment.isPlain {
          doubtful = script.file
        } else if !assignment.appends, !assignment.variables.contains(name) {
          doubtful = nil
        }
      }
    }
    return doubtful
  }

  /// Returns the text of an assignment as its file has it.
  public func text(of assignment: Assignment) -> String {
    scripts.last { $0.file == assignment.file }?.text(of: assignment.lines) ?? ""
  }

  private mutating func assign(
    _ name: String, _ appends: Bool, _ value: Value, from file: String, lines: ClosedRange<Int>
  ) {
    values[name] = (appends ? self[name] : "") + String(decoding: value.whole, as: UTF8.self)
    assignments.append(
      Assignment(
        file: file, name: name, own: String(decoding: value.own, as: UTF8.self),
        isPlain: value.isPlain, variables: value.variables, appends: appends, lines: lines))
  }

  /// Takes a value off the front of `rest`: all up to a blank or `;` outside quotes.
  private static func value(
    _ rest: inout ArraySlice<UInt8>, _ values: [String: String]
  ) -> Value {
    var value = Value()
    var quote: UInt8?
    while let byte = rest.first {
      if quote == nil,
        byte == .space || byte == .tab || byte == .newline || byte == .semicolon
      {
        break
      }
      rest.removeFirst()
      if byte == quote {
        quote = nil
      } else if quote == nil, byte == .quote || byte == .apostrophe {
        quote = byte
      } else if byte == .backslash, quote != .apostrophe, let next = rest.popFirst() {
        escape(next, in: quote, &value)
      } else if byte == .dollar, quote != .apostrophe {
        expand(&rest, values, &value)
      } else if byte == .backtick, quote != .apostrophe {
        value.append(byte)
        takeProgram(&rest, upTo: .backtick, &value)
      } else {
        value.append(byte)
      }
    }
    return value
  }

  /// A backslash before a newline continues the line; before another byte it takes that byte, inside
  /// double quotes only one that is special there.
  private static func escape(_ byte: UInt8, in quote: UInt8?, _ value: inout Value) {
    if byte == .newline { return }
    let isSpecial = [.quote, .backslash, .dollar, .backtick].contains(byte)
    if quote == nil || isSpecial { value.append(byte) } else { value.append(.backslash, byte) }
  }

  /// Takes the name of a variable off the front, after its `$`, with its braces, and puts its value.
  private static func expand(
    _ rest: inout ArraySlice<UInt8>, _ values: [String: String], _ value: inout Value
  ) {
    let isBraced = rest.first == UInt8(ascii: "{")
    if isBraced { rest.removeFirst() }
    let name = rest.prefix(while: isOfName)
    rest = rest.dropFirst(name.count)
    if name.isEmpty {
      // `$(program)`, `$1` and the like; a `$` by itself is one.
      value.isPlain = value.isPlain && !isBraced
      value.append(.dollar)
      if !isBraced, let parenthesis = rest.first, parenthesis == .opening {
        rest.removeFirst()
        value.append(parenthesis)
        takeProgram(&rest, upTo: .closing, &value)
      }
      return
    }
    if isBraced {
      // As in ${NAME:-text}.
      if rest.first != UInt8(ascii: "}") { value.isPlain = false }
      rest = rest.drop { $0 != UInt8(ascii: "}") && $0 != .newline }.dropFirst()
    }
    let text = String(decoding: name, as: UTF8.self)
    value.variables.insert(text)
    value.whole += (values[text] ?? "").utf8
  }

  /// Takes the text of a program of the shell off the front, which has quotes of its own, and puts
  /// it as it is, up to the byte that closes it.
  private static func takeProgram(
    _ rest: inout ArraySlice<UInt8>, upTo end: UInt8, _ value: inout Value
  ) {
    value.isPlain = false
    var quote: UInt8?
    var depth = 1
    while depth > 0, let byte = rest.popFirst() {
      value.append(byte)
      if byte == .backslash, quote != .apostrophe {
        if let next = rest.popFirst() { value.append(next) }
      } else if byte == quote {
        quote = nil
      } else if quote != nil {
        continue
      } else if byte == end {
        depth -= 1
      } else if byte == .quote || byte == .apostrophe {
        quote = byte
      } else if end == .closing, byte == .opening {
        depth += 1
      }
    }
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

extension UInt8 {
  fileprivate static let space = UInt8(ascii: " ")
  fileprivate static let tab = UInt8(ascii: "\t")
  fileprivate static let newline = UInt8(ascii: "\n")
  fileprivate static let semicolon = UInt8(ascii: ";")
  fileprivate static let quote = UInt8(ascii: "\"")
  fileprivate static let apostrophe = UInt8(ascii: "'")
  fileprivate static let backslash = UInt8(ascii: "\\")
  fileprivate static let backtick = UInt8(ascii: "`")
  fileprivate static let dollar = UInt8(ascii: "$")
  fileprivate static let opening = UInt8(ascii: "(")
  fileprivate static let closing = UInt8(ascii: ")")
}
