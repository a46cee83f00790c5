// SPDX-License-Identifier: GPL-2.0-or-later

/// A kernel module as far as modinfo(8) reads one: an ELF file with nothing but its information, and
/// the signature behind it.
public struct ModuleFile {
  public var information: [(name: String, value: String)]
  /// PKCS#7, as sign-file appends it.
  public var signature: [UInt8]?
  /// The symbols that it leaves to the kernel, weakly.
  public var needs: [String]

  public init(
    information: [(name: String, value: String)], signature: [UInt8]? = nil, needs: [String] = []
  ) {
    self.information = information
    self.signature = signature
    self.needs = needs
  }

  /// Ours, as DKMS builds it.
  public static func cmatest(version: String, release: String) -> ModuleFile {
    ModuleFile(information: [
      ("version", version), ("srcversion", "5F1C5D4B0A7E2C3D4E5F607"),
      ("vermagic", "\(release) SMP preempt mod_unload modversions "),
      ("parm", "area_base:address (ulong)"), ("parm", "alloc_fn:address (ulong)"),
      ("parm", "free_fn:address (ulong)"), ("parm", "for_each_fn:address (ulong)"),
      ("parm", "name_fn:address (ulong)"), ("parm", "base_fn:address (ulong)"),
      ("parm", "size_fn:address (ulong)"), ("parm", "alloc_count:pages (ulong)"),
    ])
  }

  public var bytes: [UInt8] {
    let text = information.flatMap { Array("\($0.name)=\($0.value)\0".utf8) }
    let names = Array("\0.modinfo\0.shstrtab\0.strtab\0.symtab\0".utf8)
    var strings: [UInt8] = [0]
    var symbols = [UInt8](repeating: 0, count: 24)
    for symbol in needs {
      // STB_WEAK, of no section.
      symbols += little(UInt64(strings.count), 4) + [0x20, 0, 0, 0] + little(0, 8) + little(0, 8)
      strings += Array("\(symbol)\0".utf8)
    }
    var parts = [(name: 1, type: 1, bytes: text), (10, 3, names)] as [(Int, UInt64, [UInt8])]
    if !needs.isEmpty { parts += [(20, 3, strings), (28, 2, symbols)] }
    let tableOffset = (64 + UInt64(parts.reduce(0) { $0 + $1.2.count }) + 7) / 8 * 8
    var file = Array("\u{7F}ELF".utf8) + [2, 1, 1] + [UInt8](repeating: 0, count: 9)
    // ET_REL, EM_X86_64, version 1; no entry and no program headers.
    file += little(1, 2) + little(62, 2) + little(1, 4) + little(0, 8) + little(0, 8)
    file += little(tableOffset, 8) + little(0, 4) + little(64, 2)
    file += little(0, 2) + little(0, 2) + little(64, 2) + little(UInt64(parts.count + 1), 2)
    file += little(2, 2)
    var table = [UInt8](repeating: 0, count: 64)
    for (name, type, bytes) in parts {
      table += section(
        name: UInt64(name), type: type, offset: UInt64(file.count), size: bytes.count)
      file += bytes
    }
    file += [UInt8](repeating: 0, count: Int(tableOffset) - file.count) + table
    guard let signature else { return file }
    // struct module_signature: no algorithm, no hash, PKEY_ID_PKCS7, and the length, big-endian.
    let length = little(UInt64(signature.count), 4).reversed()
    return file + signature + [0, 0, 2, 0, 0, 0, 0, 0] + length
      + Array("~Module signature appended~\n".utf8)
  }

  private func section(name: UInt64, type: UInt64, offset: UInt64, size: Int) -> [UInt8] {
    little(name, 4) + little(type, 4) + little(2, 8) + little(0, 8) + little(offset, 8)
      + little(UInt64(size), 8) + little(0, 4) + little(0, 4) + little(1, 8) + little(0, 8)
  }

  private func little(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
  }
}

/// modules.dep.bin with one module, as depmod(8) makes it: magic, version, and one node that has the
/// name as its prefix and one value. (`libkmod-index.c`)
///
/// - Parameters:
///   - name: of the module.
///   - path: of its file, from the folder of the kernel's modules.
/// - Returns: the file.
public func moduleIndex(_ name: String, path: String) -> [UInt8] {
  let hasPrefixAndValues: UInt8 = 0xC0
  return [0xB0, 0x07, 0xF4, 0x57, 0, 2, 0, 1, hasPrefixAndValues, 0, 0, 12]
    + Array("\(name)\0".utf8) + [0, 0, 0, 1, 0, 0, 0, 0] + Array("\(path):\0".utf8)
}
