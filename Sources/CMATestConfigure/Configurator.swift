// SPDX-License-Identifier: GPL-2.0-only

public import CMATestCore
public import CMATestSystem

/// Makes the options for `modprobe cmatest`: reads the addresses, writes them for this boot, and
/// checks that modprobe would use them. The boot helper and `cma-test configure` are this.
public struct Configurator: Sendable {
  let machine: Machine
  let usesCache: Bool

  /// - Parameters:
  ///   - machine: whose symbols.
  ///   - usesCache: false to look the symbols up whatever an earlier boot has kept.
  public init(machine: Machine, usesCache: Bool = true) {
    self.machine = machine
    self.usesCache = usesCache
  }

  var optionsPath: String { machine.path(OptionsFile.path) }
  var kallsymsPath: String { machine.path("/proc/kallsyms") }

  /// The file as it would be written now; nothing is touched.
  public func plan() throws(ConfigureFailure) -> OptionsFile {
    let release = try readable { () throws(SystemFailure) in try machine.kernelRelease() }
    if usesCache, let addresses = OffsetCache(machine, release: release).addresses() {
      return try file(addresses, .cache, release)
    }
    let findings = try scan()
    let facts = ProcFacts(machine: machine, release: release)
    return try file(try findings.resolve(kallsyms: kallsymsPath, on: facts), .scan, release)
  }

  /// Writes the options and checks them, and keeps for the next boots what had to be looked up.
  ///
  /// - Returns: what was written.
  /// - Throws: why not; then no file of ours is left, since modprobe must rather refuse for want of
  ///   addresses than use those of another boot.
  public func configure() throws(ConfigureFailure) -> OptionsFile {
    let file = AtomicFile(optionsPath)
    do throws(ConfigureFailure) {
      let options = try plan()
      do throws(SystemFailure) {
        try file.replace(with: Array(options.text.utf8), mode: 0o600)
      } catch {
        throw .cannotWrite(
          operation: error.call.rawValue, path: error.path, reason: error.reason)
      }
      try verify(options)
      if options.source == .scan {
        // At boot /var may not be mounted, or not be writable, yet: then there is no cache.
        _ = try? OffsetCache(machine, release: options.release).save(options.addresses)
      }
      return options
    } catch {
      do throws(SystemFailure) {
        try file.remove()
      } catch let removal {
        throw .cannotWrite(
          operation: "\(error.message); and then \(removal.call.rawValue)", path: removal.path,
          reason: "\(removal.reason), so that options of an earlier run may remain")
      }
      throw error
    }
  }

  /// Keeps the offsets for the next boots, and does nothing else: for when /var is there at last.
  ///
  /// - Returns: whether there is a cache for this kernel now; false where it can have none.
  /// - Throws: why the symbols could not be looked up, or the cache not be written.
  public func saveCache() throws(ConfigureFailure) -> Bool {
    let options = try plan()
    guard options.source == .scan else { return true }
    do throws(SystemFailure) {
      return try OffsetCache(machine, release: options.release).save(options.addresses)
    } catch {
      throw .cannotWrite(operation: error.call.rawValue, path: error.path, reason: error.reason)
    }
  }

  private func file(
    _ addresses: [SymbolAddress], _ source: OptionsFile.Source, _ release: String
  ) throws(ConfigureFailure) -> OptionsFile {
    OptionsFile(
      release: release,
      bootID: try readable { () throws(SystemFailure) in try machine.bootID() },
      time: utcTimestamp(), source: source, addresses: addresses)
  }

  private func scan() throws(ConfigureFailure) -> KallsymsFindings {
    var scanner = KallsymsScanner(names: KernelSymbol.allCases.map(\.name))
    try readable { () throws(SystemFailure) in
      try forEachPiece(of: kallsymsPath) { scanner.scan($0) }
    }
    return scanner.finish()
  }

  private func readable<Value>(
    _ read: () throws(SystemFailure) -> Value
  ) throws(ConfigureFailure) -> Value {
    do throws(SystemFailure) {
      return try read()
    } catch {
      throw .unreadable(
        operation: error.call.rawValue, path: error.path, reason: error.reason)
    }
  }
}
