// SPDX-License-Identifier: GPL-2.0-or-later

/// The areas of CMA in the kernel's log: those that were reserved at boot, and those that could not
/// be. (`mm/cma.c`, `drivers/of/of_reserved_mem.c`, `kernel/dma/contiguous.c`)
public struct AreaLog: Equatable, Sendable {
  /// A reservation in one piece.
  public struct Reservation: Equatable, Sendable {
    /// Its first byte.
    public var base: UInt64
    /// In MiB, as the kernel rounds it down.
    public var mebibytes: UInt64
    /// The node of the device tree that asked for it; nil for other areas.
    public var node: String?

    public init(base: UInt64, mebibytes: UInt64, node: String? = nil) {
      self.base = base
      self.mebibytes = mebibytes
      self.node = node
    }
  }

  public private(set) var reservations: [Reservation] = []
  /// The names of the areas that were reserved, and whose memory the allocator then could not use.
  public private(set) var notActivated: [String] = []
  /// The number of reservations that the kernel could not make at all.
  public private(set) var failures = 0

  private static let pool = "Reserved memory: created CMA memory pool at "

  /// - Parameter messages: the log, a message each, without time and priority.
  public init(_ messages: some Sequence<String>) {
    var followsPool = false
    for message in messages {
      read(message, followsPool: followsPool)
      followsPool = message.hasPrefix(Self.pool)
    }
  }

  private mutating func read(_ message: String, followsPool: Bool) {
    let words = message.split(separator: " ")
    func number(after word: Substring) -> UInt64? {
      guard let place = words.firstIndex(of: word), place + 1 < words.count else { return nil }
      let text = words[place + 1].prefix { $0 != "," }
      let value =
        text.hasPrefix("0x") ? UInt64(hexadecimal: text.utf8.dropFirst(2)) : UInt64(text)
      // Nothing larger is an address or a size, so that sums of two do not overflow.
      return value.flatMap { $0 < 1 << 56 ? $0 : nil }
    }
    // The prefix is that of the file, and not in all kernels.
    let text = message.hasPrefix("cma: ") ? message.dropFirst(5) : message[...]
    if text.hasPrefix(Self.pool) {
      append(number(after: "size"), number(after: "at"))
    } else if message.hasPrefix("OF: reserved mem: initialized node ") {
      // Directly after the line above, where the node is an area's: 6.1 and later.
      let name = message.dropFirst("OF: reserved mem: initialized node ".count)
        .prefix { $0 != " " }
      guard followsPool, name.last == ",", !reservations.isEmpty else { return }
      reservations[reservations.count - 1].node = String(name.dropLast())
    } else if text.hasPrefix("Reserved "), message.hasPrefix("cma: ") {
      // `Reserved N MiB at 0xBASE`, ` on node N` in some; of several ranges no base is told.
      append(number(after: "Reserved"), number(after: "at"))
    } else if message.hasPrefix("cma: Failed to reserve ") {
      failures += 1
    } else if message.hasPrefix("cma: CMA area "), message.hasSuffix(" could not be activated") {
      // Some names end with a newline, which the log has as two characters or as a blank.
      var name = message.dropFirst("cma: CMA area ".count)
        .dropLast(" could not be activated".count)
      while name.last == " " || name.hasSuffix("\\x0a") {
        name = name.last == " " ? name.dropLast() : name.dropLast(4)
      }
      notActivated.append(String(name))
    }
  }

  private mutating func append(_ mebibytes: UInt64?, _ base: UInt64?) {
    guard let mebibytes, mebibytes < 1 << 36, let base else { return }
    reservations.append(Reservation(base: base, mebibytes: mebibytes))
  }

  /// Returns the reservation of an area of a size.
  ///
  /// - Parameter size: bytes, as they were asked for; the kernel rounds them up.
  /// - Returns: the last reservation of that size, since areas are not named there; nil where there
  ///   is none.
  public func reservation(ofSize size: UInt64) -> Reservation? {
    // Rounded up to whole page blocks, of at most 512 MiB.
    reservations.last { $0.mebibytes >= size >> 20 && $0.mebibytes - size >> 20 < 512 }
  }
}
