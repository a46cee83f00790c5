// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// The offsets of this kernel's symbols, kept so that the next boots of the same build need not
/// read the whole of /proc/kallsyms, which takes many times as long as all other work of the boot
/// helper.
///
/// A cache with any fault counts as none. Its addresses are trusted no more than those that are
/// looked up: the module proves each.
struct OffsetCache {
  static let folder = "/var/cache/cma-test"
  private static let prefix = "offsets-"

  private let machine: Machine
  private let release: String
  /// Nil where the kernel has none.
  private let buildID: String?

  init(_ machine: Machine, release: String) {
    self.machine = machine
    self.release = release
    buildID = (try? contents(of: machine.path("/sys/kernel/notes"))).flatMap {
      CMATestCore.buildID(inNotes: $0)
    }
  }

  private var path: String? {
    buildID.map { machine.path("\(Self.folder)/\(Self.prefix)\($0)") }
  }

  /// The addresses in this boot, and whether the kernel exports what the module needs; nil where
  /// they must be looked up.
  func symbols() -> (addresses: [SymbolAddress], areExported: Bool)? {
    guard let path, let text = try? privateContents(of: path, limit: 4096),
      let offsets = SymbolOffsets(parsing: text),
      offsets.buildID == buildID, offsets.release == release,
      let start = textAddress()
    else { return nil }
    return offsets.addresses(fromText: start).map { ($0, offsets.areExported) }
  }

  /// Writes the cache, which only root can read.
  ///
  /// - Parameters:
  ///   - addresses: of all symbols that this kernel has.
  ///   - areExported: whether the kernel exports what the module needs.
  /// - Returns: whether there is a cache now: not for a kernel without a build ID, or whose text is
  ///   not among its first symbols.
  /// - Throws: the call that failed.
  func save(_ addresses: [SymbolAddress], areExported: Bool) throws(SystemFailure) -> Bool {
    guard let path, let buildID, let start = textAddress(),
      let offsets = SymbolOffsets(
        buildID: buildID, release: release, text: start, addresses: addresses,
        areExported: areExported)
    else { return false }
    try AtomicFile(path).replace(with: Array(offsets.text.utf8), mode: 0o600)
    prune()
    return true
  }

  private func textAddress() -> UInt64? {
    (try? beginning(of: machine.path("/proc/kallsyms"), limit: 4096)).flatMap {
      CMATestCore.textAddress(inFirstPage: $0)
    }
  }

  /// Removes the caches of other kernels that are gone, or were built anew under the same name.
  private func prune() {
    for name in (try? machine.names(in: Self.folder)) ?? []
    where name.hasPrefix(Self.prefix) && name != "\(Self.prefix)\(buildID ?? "")" {
      let path = machine.path("\(Self.folder)/\(name)")
      let offsets = (try? contents(of: path, limit: 4096)).flatMap { SymbolOffsets(parsing: $0) }
      if let offsets, offsets.release != release,
        machine.exists("/lib/modules/\(offsets.release)")
      {
        continue
      }
      try? AtomicFile(path).remove()
    }
  }
}
