// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

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
    /// What the text itself says, without what it takes from variables.
    public var own: String
  }

  private var values: [String: String] = [:]
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
    var rest = text[...]
    while !rest.isEmpty {
      rest = rest.drop { $0 == .space || $0 == .tab || $0 == .newline || $0 == .semicolon }
      if rest.starts(with: "export ".utf8) {
        rest = rest.dropFirst("export ".utf8.count)
        continue
      }
      let name = rest.prefix(while: Self.isOfName)
      let afterName = rest.dropFirst(name.count)
      let appends = afterName.starts(with: "+=".utf8)
      guard !name.isEmpty, appends || afterName.first == UInt8(ascii: "=") else {
        rest = rest.drop { $0 != .newline }
        continue
      }
      rest = afterName.dropFirst(appends ? 2 : 1)
      assign(
        String(decoding: name, as: UTF8.self), appends, Self.value(&rest, values), from: file)
    }
  }

  private mutating func assign(
    _ name: String, _ appends: Bool, _ value: (whole: String, own: String), from file: String
  ) {
    values[name] = (appends ? self[name] : "") + value.whole
    assignments.append(Assignment(file: file, name: name, own: value.own))
  }

  /// Takes a value off the front of `rest`: all up to a blank or `;` outside quotes.
  private static func value(
    _ rest: inout ArraySlice<UInt8>, _ values: [String: String]
  ) -> (whole: String, own: String) {
    var whole: [UInt8] = []
    var own: [UInt8] = []
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
        // A backslash before a newline continues the line; before another byte it takes that byte.
        if next != .newline {
          whole.append(next)
          own.append(next)
        }
      } else if byte == .dollar, quote != .apostrophe {
        whole += (values[variable(&rest)] ?? "").utf8
      } else {
        whole.append(byte)
        own.append(byte)
      }
    }
    return (String(decoding: whole, as: UTF8.self), String(decoding: own, as: UTF8.self))
  }

  /// Takes the name of a variable off the front, after its `$`, with its braces.
  private static func variable(_ rest: inout ArraySlice<UInt8>) -> String {
    let isBraced = rest.first == UInt8(ascii: "{")
    if isBraced { rest.removeFirst() }
    let name = rest.prefix(while: isOfName)
    rest = rest.dropFirst(name.count)
    // A default, as in ${NAME:-text}, is passed over: files of settings have none.
    if isBraced { rest = rest.drop { $0 != UInt8(ascii: "}") && $0 != .newline }.dropFirst() }
    return String(decoding: name, as: UTF8.self)
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
  fileprivate static let dollar = UInt8(ascii: "$")
}
