// SPDX-License-Identifier: GPL-2.0-or-later

/// The reservation that a user asks for as `cma=SIZE[@START[-END]]`: a size in bytes and, if given,
/// the physical addresses at or between which the area must lie. (`early_cma` in
/// `kernel/dma/contiguous.c`)
///
/// The kernel takes what it can read and ignores the rest in silence, so that `256MB` is 256 MiB
/// and `all` is nothing at all. Here both are errors, which the user would notice only at the next
/// boot.
public struct CMAReservation: Equatable, Sendable {
  /// The text as the user wrote it, which is what the kernel will get.
  public let text: String
  /// Bytes.
  public let size: UInt64
  /// The address at which the area must begin or, with `end`, the lowest one that it may have; nil
  /// where none is given.
  public let start: UInt64?
  /// The first address beyond the range of the area; 0 is no limit.
  public let end: UInt64?

  /// - Parameter text: what follows `cma=`.
  /// - Throws: the part of the text that the kernel would ignore or take for something else.
  public init(parsing text: String) throws(CMAGrammarError) {
    var rest = ArraySlice(text.utf8)
    size = try Self.number("SIZE", &rest)
    var start: UInt64?
    var end: UInt64?
    if rest.first == UInt8(ascii: "@") {
      rest.removeFirst()
      start = try Self.number("START", &rest)
      if rest.first == UInt8(ascii: "-") {
        rest.removeFirst()
        end = try Self.number("END", &rest)
      }
    }
    guard rest.isEmpty else {
      throw .trailing(String(decoding: rest, as: UTF8.self))
    }
    self.text = text
    self.start = start
    self.end = end
  }

  /// The word for the kernel command line.
  public var parameter: String { "cma=" + text }

  /// The request that the kernel makes of this text where no other is on its command line.
  public var request: CMARequest {
    var request = CMARequest()
    request.take(text.utf8)
    return request
  }

  private static func number(
    _ name: String, _ rest: inout ArraySlice<UInt8>
  ) throws(CMAGrammarError) -> UInt64 {
    let number = KernelNumber(prefixOf: rest)
    guard number.hasDigits else { throw .noNumber(name) }
    guard !number.overflows else { throw .tooLarge(name) }
    rest = rest.dropFirst(number.length)
    return number.value
  }
}

/// A reason for which a text does not have the form `SIZE[@START[-END]]`.
public enum CMAGrammarError: Error, Equatable, Sendable {
  /// There is no digit where SIZE, START or END should be.
  case noNumber(String)
  /// SIZE, START or END needs more than 64 bits.
  case tooLarge(String)
  /// The text ends with something that the kernel would ignore.
  case trailing(String)

  /// One line, for a usage error.
  public var message: String {
    switch self {
    case .noNumber(let name):
      "\(name) is missing or not a number: give digits and, if needed, one of K, M, G, T, P, E, "
        + "as in 256M"
    case .tooLarge(let name):
      "\(name) does not fit into 64 bits"
    case .trailing(let rest):
      "the kernel would ignore '\(rest)' at the end: the form is SIZE[@START[-END]], as in 256M, "
        + "256M@1G or 256M@0-4G"
    }
  }
}

/// The three variables in which the kernel keeps what `cma=` says, all in bytes.
public struct CMARequest: Equatable, Sendable {
  public var size: UInt64 = 0
  /// The lowest address; 0 is anywhere.
  public var base: UInt64 = 0
  /// The first address beyond; 0 is no limit.
  public var limit: UInt64 = 0

  public init() {}

  /// Whether the area can only begin at `base`.
  public var isFixed: Bool { base != 0 && base &+ size == limit }

  /// Reads one `cma=` as the kernel does. A second one replaces the size alone, unless it has an
  /// address too: the addresses of the first stay.
  mutating func take(_ text: some Collection<UInt8>) {
    var rest = ArraySlice(text)
    func number() -> UInt64 {
      let number = KernelNumber(prefixOf: rest)
      rest = rest.dropFirst(number.length)
      return number.value
    }
    size = number()
    guard rest.popFirst() == UInt8(ascii: "@") else { return }
    base = number()
    guard rest.popFirst() == UInt8(ascii: "-") else {
      limit = base &+ size
      return
    }
    limit = number()
  }
}
