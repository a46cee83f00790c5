// SPDX-License-Identifier: GPL-2.0-or-later

/// The offsets of the wanted symbols from the start of the kernel's text: constants of a build, since
/// KASLR moves the kernel as a whole. One address and the offsets give all other addresses.
public struct SymbolOffsets: Equatable, Sendable {
  /// No kernel image is larger. (`KERNEL_IMAGE_SIZE` in x86's `asm/page_64_types.h`)
  private static let largestImage: UInt64 = 1 << 30
  /// KASLR moves the kernel by whole pages, at the least.
  private static let smallestStep: UInt64 = 4096

  /// GNU build ID of the kernel, in hexadecimal digits.
  public let buildID: String
  public let release: String
  /// Whether this kernel exports what the module needs, so that no address is required.
  public let areExported: Bool
  /// The part of the text's address that KASLR leaves alone.
  private let place: UInt64
  /// The addresses as if the text lay at 0, in the order of `KernelSymbol.allCases`; a kernel may
  /// lack some.
  private let offsets: [SymbolAddress]

  /// - Parameters:
  ///   - buildID: of the kernel.
  ///   - release: of the kernel.
  ///   - text: the address of its text.
  ///   - addresses: in the order of `KernelSymbol.allCases`. The result is nil where they cannot
  ///     all be in the kernel's image, or are too few for the module: such are not cached.
  ///   - areExported: whether the kernel exports what the module needs.
  public init?(
    buildID: String, release: String, text: UInt64, addresses: [SymbolAddress],
    areExported: Bool = false
  ) {
    self.init(
      buildID: buildID, release: release, areExported: areExported,
      place: text % Self.smallestStep,
      offsets: addresses.map {
        SymbolAddress(symbol: $0.symbol, address: $0.address &- text)
      })
    guard self.addresses(fromText: text) != nil else { return nil }
  }

  private init(
    buildID: String, release: String, areExported: Bool, place: UInt64, offsets: [SymbolAddress]
  ) {
    self.buildID = buildID
    self.release = release
    self.areExported = areExported
    self.place = place
    self.offsets = offsets
  }

  /// - Parameter text: the address of the kernel's text in this boot.
  /// - Returns: the addresses; nil where they, or the text's own, cannot be right.
  public func addresses(fromText text: UInt64) -> [SymbolAddress]? {
    // The kernel has the upper half of the address space for itself.
    guard text >> 63 == 1, text % Self.smallestStep == place, text <= .max - Self.largestImage,
      areExported
        ? !offsets.isEmpty
        : KernelSymbol.areEnough({ symbol in offsets.contains { $0.symbol == symbol } })
    else { return nil }
    var addresses = offsets
    for index in offsets.indices {
      let offset = offsets[index]
      guard offset.address > 0, offset.address < Self.largestImage else { return nil }
      for earlier in offsets[..<index]
      where earlier.address == offset.address || earlier.symbol.rawValue >= offset.symbol.rawValue {
        return nil
      }
      addresses[index].address += text
    }
    return addresses
  }

  public static func == (left: Self, right: Self) -> Bool { left.text == right.text }

  /// The file's text, whose last line is a checksum of all before.
  public var text: String {
    var body =
      "cma-test offsets 3\nbuild-id \(buildID)\nkernel \(release)\nexported "
      + (areExported ? "yes" : "no") + "\ntext \(place.hexadecimal)\n"
    for offset in offsets { body += "\(offset.symbol.name) \(offset.address.hexadecimal)\n" }
    return body + "checksum \(Self.checksum(body).hexadecimal)\n"
  }

  /// - Parameter text: the text of a file. The result is nil for a file that is not whole, byte for
  ///   byte, or that another version of the package wrote.
  public init?(parsing text: [UInt8]) {
    var fields = FieldReader(text)
    fields.skipLine()
    guard let buildID = fields.value(of: "build-id"), let release = fields.value(of: "kernel"),
      let exported = fields.value(of: "exported"), let place = fields.number(of: "text")
    else { return nil }
    var offsets: [SymbolAddress] = []
    for symbol in KernelSymbol.allCases {
      guard let offset = fields.number(of: symbol.name) else { continue }
      offsets.append(SymbolAddress(symbol: symbol, address: offset))
    }
    self.init(
      buildID: String(decoding: buildID, as: UTF8.self),
      release: String(decoding: release, as: UTF8.self),
      areExported: exported.elementsEqual("yes".utf8), place: place, offsets: offsets)
    // What was not looked at above, the first line and the checksum, is so here.
    guard self.text.utf8.elementsEqual(text) else { return nil }
  }

  /// Returns the FNV-1a sum, which finds errors of a disk, but no enemy: only root can write the
  /// file.
  private static func checksum(_ text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}

/// Reads lines of a name, a blank and a value, one after the other. It makes no arrays of lines and
/// words: at a boot, that is most of what this file costs.
private struct FieldReader {
  private let text: [UInt8]
  private var position = 0

  init(_ text: [UInt8]) { self.text = text }

  mutating func skipLine() {
    while position < text.count, text[position] != .newline { position += 1 }
    position = min(position + 1, text.count)
  }

  /// - Parameter name: the name of the field that must come next.
  /// - Returns: its value; nil where another field comes next, of which nothing is read then.
  mutating func value(of name: String) -> ArraySlice<UInt8>? {
    var start = position
    for byte in name.utf8 {
      guard start < text.count, text[start] == byte else { return nil }
      start += 1
    }
    guard start < text.count, text[start] == .space else { return nil }
    skipLine()
    return text[(start + 1)..<position].dropLast()
  }

  /// Reads the next field, as `value(of:)` does, whose value is `0x…`.
  mutating func number(of name: String) -> UInt64? {
    value(of: name).flatMap { UInt64(hexadecimal: $0.dropFirst(2)) }
  }
}

/// Finds the address of the kernel's text in the beginning of /proc/kallsyms.
///
/// The kernel lists its symbols by address. On arm64 the text is the first of them; so it is on x86
/// in kernels whose per-CPU variables have addresses like all others (6.15). In older ones these,
/// at fixed addresses near 0, come before it, and fill the first page.
///
/// - Parameter page: at least the first line; the last may be cut.
/// - Returns: nil where the text's line is not there, or is there twice, or has its address hidden.
public func textAddress(inFirstPage page: [UInt8]) -> UInt64? {
  let end = Array(" T _text\n".utf8)
  var address: UInt64?
  var start = 0
  // Plain indices: splitting the page into lines would take longer than reading it.
  for index in page.indices where page[index] == .newline {
    let digits = start..<max(start, index + 1 - end.count)
    start = index + 1
    guard page[digits.upperBound..<start].elementsEqual(end) else { continue }
    guard address == nil, let value = UInt64(hexadecimal: page[digits]), value != 0 else {
      return nil
    }
    address = value
  }
  return address
}

/// Finds the GNU build ID in ELF notes, as in /sys/kernel/notes.
///
/// - Parameter notes: each has the lengths of name and description and a type, 32 bits in the
///   machine's order, then both, padded to four bytes. (elf(5))
/// - Returns: 2 to 128 hexadecimal digits; nil where there is none.
public func buildID(inNotes notes: [UInt8]) -> String? {
  var rest = notes[...]
  func word() -> Int? {
    guard rest.count >= 4 else { return nil }
    defer { rest = rest.dropFirst(4) }
    return rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
  }
  let typeOfBuildID = 3
  while let nameLength = word(), let length = word(), let type = word() {
    let name = rest.prefix(nameLength)
    rest = rest.dropFirst((nameLength + 3) / 4 * 4)
    let description = rest.prefix(length)
    rest = rest.dropFirst((length + 3) / 4 * 4)
    guard type == typeOfBuildID, name.elementsEqual("GNU\0".utf8) else { continue }
    guard (1...64).contains(description.count), description.count == length else { return nil }
    var digits = ""
    for byte in description {
      digits.unicodeScalars.append((byte >> 4).lowHexadecimalDigit)
      digits.unicodeScalars.append(byte.lowHexadecimalDigit)
    }
    return digits
  }
  return nil
}
