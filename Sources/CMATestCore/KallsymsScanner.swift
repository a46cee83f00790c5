// SPDX-License-Identifier: GPL-2.0-or-later

#if canImport(Glibc)
  internal import Glibc
#endif

/// The lines of /proc/kallsyms that name one wanted symbol.
public struct SymbolSighting: Equatable, Sendable {
  /// The number of lines of the kernel itself; a module's symbol of that name is not counted.
  public var count = 0
  /// The address on the first of those lines; 0 where the kernel hides it.
  public var address: UInt64 = 0
  /// The type letter on that line, as in nm(1): `T` and `t` code, `B`, `b`, `D`, `d` data.
  public var type: UInt8 = 0
  /// A line names it, but what stands before the name is not `ADDRESS TYPE`.
  public var isMalformed = false

  public init() {}
}

/// The wanted symbols in a whole /proc/kallsyms.
public struct KallsymsFindings: Equatable, Sendable {
  /// One for each wanted name, in the order asked for.
  public var sightings: [SymbolSighting]
  /// Lines of the form `ADDRESS TYPE NAME`.
  public var wellFormedLines = 0

  public init(sightings: [SymbolSighting]) {
    self.sightings = sightings
  }
}

/// Finds the addresses of a few names in the text of /proc/kallsyms, in one pass over pieces of any
/// size.
///
/// A line is `ADDRESS SP TYPE SP NAME [(TAB|SP) [MODULE]]` (`s_show` in `kernel/kallsyms.c`): 1 to
/// 16 hexadecimal digits of either case, one byte that is no blank, and a name that ends at a blank, a carriage
/// return or the end of the line. A name counts only when it is the whole wanted name, so that
/// `cma_alloc.cfi_jt`, `__pfx_cma_alloc` and `cma_alloc.llvm.123` are other symbols, and only when
/// no `[` follows it, since then it belongs to a module. Anything else is passed over, so no input
/// makes the scanner fail; memory is bounded whatever the length of a line.
public struct KallsymsScanner: ~Copyable {
  /// No line needs more than its first bytes: 16 digits, two blanks, the type, the longest name, a
  /// blank and a bracket.
  static let longestPrefix = 128
  /// Room for the fields beside the name: 16 digits, blank, type, blank, blank, bracket.
  static let fieldsBesideName = 21

  private struct Wanted {
    var name: [UInt8]
    /// The name's first eight bytes, in memory order: one comparison rejects nearly every symbol.
    var head: UInt64
  }

  private let wanted: [Wanted]
  /// A bit for each byte that a wanted name begins with, by its low six bits: most symbols begin with
  /// another, however many names are wanted.
  private let firstBytes: UInt64
  private var findings: KallsymsFindings
  /// The beginning of a line that the last piece cut, at most `longestPrefix` bytes of it.
  private var carry: [UInt8] = []
  private var isMidLine = false

  /// - Parameter names: whole symbol names, each of 8 to 107 bytes.
  public init(names: [String]) {
    wanted = names.map { name in
      let bytes = Array(name.utf8)
      precondition(
        bytes.count >= 8 && bytes.count + Self.fieldsBesideName <= Self.longestPrefix,
        "the scanner compares eight bytes at once and keeps a bounded prefix: \(name)")
      return Wanted(
        name: bytes, head: bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
    }
    firstBytes = wanted.reduce(0) { $0 | Self.bit($1.name[0]) }
    findings = KallsymsFindings(sightings: names.map { _ in SymbolSighting() })
    carry.reserveCapacity(Self.longestPrefix)
  }

  /// Takes the next piece of the file, cut anywhere.
  public mutating func scan(_ piece: UnsafeRawBufferPointer) {
    guard let base = piece.baseAddress, !piece.isEmpty else { return }
    var start = 0
    if isMidLine {
      guard let end = Self.newline(in: piece, from: 0) else {
        keep(UnsafeRawBufferPointer(rebasing: piece[...]))
        return
      }
      keep(UnsafeRawBufferPointer(rebasing: piece[..<end]))
      finishCarriedLine()
      start = end + 1
    }
    while start < piece.count {
      guard let end = Self.newline(in: piece, from: start) else {
        isMidLine = true
        keep(UnsafeRawBufferPointer(rebasing: piece[start...]))
        return
      }
      scanLine(UnsafeRawBufferPointer(start: base + start, count: end - start))
      start = end + 1
    }
  }

  /// Ends the file, whose last line may lack its newline.
  public consuming func finish() -> KallsymsFindings {
    if isMidLine { finishCarriedLine() }
    return findings
  }

  private static func newline(in piece: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard let base = piece.baseAddress,
      let hit = memchr(base + start, 0x0A, piece.count - start)
    else { return nil }
    return UnsafeRawPointer(hit) - base
  }

  private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
    carry.append(contentsOf: bytes.prefix(Self.longestPrefix - carry.count))
  }

  private mutating func finishCarriedLine() {
    let line = carry
    carry.removeAll(keepingCapacity: true)
    isMidLine = false
    line.withUnsafeBytes { scanLine($0) }
  }

  /// The hot path: nearly every line has 16 digits and a name that is not wanted.
  private mutating func scanLine(_ line: UnsafeRawBufferPointer) {
    let nameInUsualLine = 19
    if line.count >= nameInUsualLine + 8, line[16] == .space, line[17] != .space,
      line[18] == .space,
      !Self.holdsSpace(line.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
      !Self.holdsSpace(line.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    {
      match(line, addressDigits: 16)
      return
    }
    var digits = 0
    while digits < min(16, line.count), line[digits] != .space { digits += 1 }
    guard digits > 0, line.count > digits + 3,
      line[digits] == .space, line[digits + 1] != .space, line[digits + 2] == .space
    else { return }
    match(line, addressDigits: digits)
  }

  private mutating func match(_ line: UnsafeRawBufferPointer, addressDigits: Int) {
    findings.wellFormedLines += 1
    let name = addressDigits + 3
    guard line.count >= name + 8, firstBytes & Self.bit(line[name]) != 0 else { return }
    let head = line.loadUnaligned(fromByteOffset: name, as: UInt64.self)
    for index in wanted.indices where wanted[index].head == head {
      if Self.names(wanted[index].name, at: name, in: line) {
        record(index, line, addressDigits)
      }
    }
  }

  private static func bit(_ byte: UInt8) -> UInt64 { 1 &<< UInt64(byte) }

  /// Whether `line` has the whole `wanted` at `start`, and not as a module's symbol.
  private static func names(
    _ wanted: [UInt8], at start: Int, in line: UnsafeRawBufferPointer
  ) -> Bool {
    let end = start + wanted.count
    guard line.count >= end, line[start..<end].elementsEqual(wanted) else { return false }
    guard line.count > end else { return true }
    switch line[end] {
    case .carriageReturn: return true
    case .space, .tab: return !(line.count > end + 1 && line[end + 1] == UInt8(ascii: "["))
    default: return false
    }
  }

  private mutating func record(_ index: Int, _ line: UnsafeRawBufferPointer, _ digits: Int) {
    guard let address = UInt64(hexadecimal: line[..<digits]) else {
      findings.sightings[index].isMalformed = true
      return
    }
    findings.sightings[index].count += 1
    guard findings.sightings[index].count == 1 else { return }
    findings.sightings[index].address = address
    findings.sightings[index].type = line[digits + 1]
  }

  /// Whether any of the eight bytes is a space, without a loop.
  private static func holdsSpace(_ word: UInt64) -> Bool {
    let zeroAtSpace = word ^ 0x2020_2020_2020_2020
    return (zeroAtSpace &- 0x0101_0101_0101_0101) & ~zeroAtSpace & 0x8080_8080_8080_8080 != 0
  }
}

extension UInt8 {
  static let space = UInt8(ascii: " ")
  static let tab = UInt8(ascii: "\t")
  static let carriageReturn = UInt8(ascii: "\r")
  static let newline = UInt8(ascii: "\n")
}
