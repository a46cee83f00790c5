// SPDX-License-Identifier: GPL-2.0-or-later

/// The file of modprobe.d(5) that hands the addresses to `modprobe cmatest`.
///
/// The file lives in /run because the addresses hold for one boot only, must not reach an initramfs,
/// and are root's alone.
public struct OptionsFile: Equatable, Sendable {
  /// The file's path below the root.
  public static let path = "/run/modprobe.d/cma-test-symbols.conf"
  public static let module = "cmatest"

  public var release: String
  /// /proc/sys/kernel/random/boot_id: tells the file of this boot from one of another.
  public var bootID: String
  /// When the addresses were read, in UTC, as 2026-11-22T11:34:18Z.
  public var time: String
  /// The source of the addresses.
  public var source: Source
  /// Whether the kernel exports what the module needs, so that modprobe would do without this file;
  /// then it has the addresses that could be had, for what the kernel does not export.
  public var areExported: Bool
  public var addresses: [SymbolAddress]

  public enum Source: String, Sendable {
    /// /proc/kallsyms, read whole.
    case scan
    /// The offsets that an earlier scan of the same kernel build left, and where this boot has it.
    case cache
  }

  public init(
    release: String, bootID: String, time: String, source: Source, areExported: Bool = false,
    addresses: [SymbolAddress]
  ) {
    self.release = release
    self.bootID = bootID
    self.time = time
    self.source = source
    self.areExported = areExported
    self.addresses = addresses
  }

  /// The parameters in the order of the file, as `name=0x…`.
  public var parameters: [(name: String, value: String)] {
    addresses.map { ($0.symbol.parameter, $0.address.hexadecimal) }
  }

  private static let unneeded = "no, this kernel exports what the module cannot do without"

  /// The file's text.
  public var text: String {
    var text = """
      # Written by cma-test configure. Do not edit, copy or keep: it is made anew at each boot.
      # kernel: \(release)
      # boot: \(bootID)
      # time: \(time)
      # addresses: \(source.rawValue)

      """
    if areExported { text += "# needed: \(Self.unneeded)\n" }
    text += "options \(Self.module)"
    for address in addresses {
      text += " \(address.symbol.parameter)=\(address.address.hexadecimal)"
    }
    return text + "\n"
  }

  /// Reads a file that `text` made.
  ///
  /// - Parameter text: the file; nil comes of one that is not ours, whole and unchanged.
  public init?(parsing text: [UInt8]) {
    func header(_ name: String) -> String? {
      let start = "# \(name): "
      return text.split(separator: .newline).first { $0.starts(with: start.utf8) }
        .map { String(decoding: $0.dropFirst(start.utf8.count), as: UTF8.self) }
    }
    guard let release = header("kernel"), let bootID = header("boot"), let time = header("time"),
      let source = header("addresses").flatMap(Source.init)
    else { return nil }
    let options = ModprobeOptions(inConfiguration: text, for: Self.module)
    var addresses: [SymbolAddress] = []
    for symbol in KernelSymbol.allCases {
      guard let value = options[symbol.parameter] else { continue }
      guard value.hasPrefix("0x"), let address = UInt64(hexadecimal: value.utf8.dropFirst(2))
      else { return nil }
      addresses.append(SymbolAddress(symbol: symbol, address: address))
    }
    let areExported = header("needed") == Self.unneeded
    guard
      areExported
        ? !addresses.isEmpty
        : KernelSymbol.areEnough({ symbol in addresses.contains { $0.symbol == symbol } })
    else { return nil }
    self.init(
      release: release, bootID: bootID, time: time, source: source, areExported: areExported,
      addresses: addresses)
    guard Array(self.text.utf8) == text else { return nil }
  }
}
