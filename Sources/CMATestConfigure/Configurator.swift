// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore
public import CMATestMachine
internal import CMATestSystem

/// The options that `Configurator.configure` left for modprobe.
public enum Configured: Equatable, Sendable {
  case wrote(OptionsFile)
  /// The options of an earlier run in this boot; `because` is why the addresses cannot be looked up
  /// now.
  case kept(OptionsFile, because: ConfigureFailure)
  /// No options, and `modprobe cmatest` works without: the kernel exports what the module needs;
  /// `because` is why there are no addresses for the rest. The options are empty.
  case unneeded(OptionsFile, because: ConfigureFailure)

  public var options: OptionsFile {
    switch self {
    case .wrote(let options), .kept(let options, because: _), .unneeded(let options, because: _):
      options
    }
  }
}

extension Machine {
  /// Whether this is the boot that the options were written in, so that their addresses are right.
  package func isInTheBoot(of file: OptionsFile) -> Bool {
    file.bootID == (try? bootID()) && file.release == (try? kernelRelease())
  }
}

/// Makes the options for `modprobe cmatest`: reads the addresses, writes them for this boot, and
/// checks that modprobe would use them. This is the work of the boot helper and of `cma-test
/// configure`.
public struct Configurator: Sendable {
  package let machine: Machine
  let usesCache: Bool
  let alwaysAsksLibkmod: Bool

  /// - Parameters:
  ///   - machine: whose symbols.
  ///   - usesCache: false to ignore the cache of an earlier boot and look the symbols up anew.
  ///   - alwaysAsksLibkmod: false to ask libkmod what modprobe would pass only where something
  ///     besides our own file names the module.
  public init(machine: Machine, usesCache: Bool = true, alwaysAsksLibkmod: Bool = true) {
    self.machine = machine
    self.usesCache = usesCache
    self.alwaysAsksLibkmod = alwaysAsksLibkmod
  }

  var optionsPath: String { machine.path(OptionsFile.path) }
  var kallsymsPath: String { machine.path("/proc/kallsyms") }

  /// Returns the file as it would be written now, and changes nothing.
  public func plan() throws(ConfigureFailure) -> OptionsFile {
    try lookUp().file()
  }

  /// Returns the options that `configure()` would leave, and changes nothing.
  public func preview() throws(ConfigureFailure) -> Configured {
    let symbols = try lookUp()
    do throws(ConfigureFailure) {
      return .wrote(try symbols.file())
    } catch {
      guard symbols.areExported else { throw error }
      return .unneeded(symbols.emptyFile, because: error)
    }
  }

  /// Looks the symbols up.
  package func lookUp() throws(ConfigureFailure) -> SymbolLookup {
    let release = try mapError(ConfigureFailure.init(reading:)) { () throws(SystemFailure) in
      try machine.kernelRelease()
    }
    let bootID = try mapError(ConfigureFailure.init(reading:)) { () throws(SystemFailure) in
      try machine.bootID()
    }
    if usesCache, let kept = OffsetCache(machine, release: release).symbols() {
      return SymbolLookup(
        release: release, bootID: bootID, source: .cache, areExported: kept.areExported,
        addresses: .success(kept.addresses))
    }
    let findings = try scan()
    let facts = ProcFacts(machine: machine, release: release)
    let addresses = Result { () throws(ConfigureFailure) in
      try findings.resolve(kallsyms: kallsymsPath, on: facts)
    }
    return SymbolLookup(
      release: release, bootID: bootID, source: .scan, areExported: findings.areExported,
      addresses: addresses)
  }

  /// Writes the options and checks them, and caches the symbols for the next boots.
  ///
  /// - Returns: the options that exist now: those that were written; or those of an earlier run in
  ///   this boot, where the addresses can no longer be looked up; or none, where the module needs
  ///   none.
  /// - Throws: the reason for which there are no options. No file is left then: a load that fails
  ///   for want of addresses is better than one with the addresses of another boot.
  public func configure() throws(ConfigureFailure) -> Configured {
    do throws(ConfigureFailure) {
      let symbols = try lookUp()
      do throws(ConfigureFailure) {
        return try configure(with: symbols)
      } catch {
        // A wrong address is refused, whatever the kernel exports.
        guard symbols.areExported, !error.passesAnAddress else { throw error }
        if machine.exists(OptionsFile.path) { try removeOptions(after: error) }
        try verifyWhereInDoubt(symbols.emptyFile)
        return .unneeded(symbols.emptyFile, because: error)
      }
    } catch {
      try removeOptions(after: error)
      throw error
    }
  }

  private func configure(with symbols: SymbolLookup) throws(ConfigureFailure) -> Configured {
    let options: OptionsFile
    do throws(ConfigureFailure) {
      options = try symbols.file()
    } catch {
      guard usesCache, error.hidesAddresses, let kept = optionsOfThisBoot() else { throw error }
      try verifyWhereInDoubt(kept)
      return .kept(kept, because: error)
    }
    try write(options)
    try verifyWhereInDoubt(options)
    if options.source == .scan {
      // At boot /var may not be mounted, or not be writable, yet: then there is no cache.
      _ = try? OffsetCache(machine, release: options.release)
        .save(options.addresses, areExported: options.areExported)
    }
    return .wrote(options)
  }

  /// Writes the options unless those of this boot are there.
  ///
  /// - Returns: nil where they are there.
  /// - Throws: as `configure()` does.
  public func configureIfNeeded() throws(ConfigureFailure) -> Configured? {
    optionsOfThisBoot() == nil ? try configure() : nil
  }

  private func write(_ options: OptionsFile) throws(ConfigureFailure) {
    try mapError(ConfigureFailure.init(writing:)) { () throws(SystemFailure) in
      try AtomicFile(optionsPath).replace(with: Array(options.text.utf8), mode: 0o600)
    }
  }

  private func removeOptions(after failure: ConfigureFailure) throws(ConfigureFailure) {
    do throws(SystemFailure) {
      try AtomicFile(optionsPath).remove()
    } catch {
      throw .cannotWrite(
        operation: "\(failure.message); and then \(error.call.rawValue)", path: error.path,
        reason: "\(error.reason), so that options of an earlier run may remain")
    }
  }

  /// The options that are there, if they were written in this boot, whose addresses stay the same.
  private func optionsOfThisBoot() -> OptionsFile? {
    guard let text = try? privateContents(of: optionsPath, limit: 4096),
      let file = OptionsFile(parsing: text), machine.isInTheBoot(of: file)
    else { return nil }
    return file
  }

  /// Caches the offsets for the next boots, and does nothing else, once /var is mounted.
  ///
  /// - Returns: whether there is a cache for this kernel now; false where the kernel can have none.
  /// - Throws: the reason why the symbols could not be looked up, or the cache not be written.
  public func saveCache() throws(ConfigureFailure) -> Bool {
    let options = try plan()
    guard options.source == .scan else { return true }
    return try mapError(ConfigureFailure.init(writing:)) { () throws(SystemFailure) in
      try OffsetCache(machine, release: options.release)
        .save(options.addresses, areExported: options.areExported)
    }
  }

  private func scan() throws(ConfigureFailure) -> KallsymsFindings {
    var scanner = KallsymsScanner(names: KernelSymbol.wantedNames)
    try mapError(ConfigureFailure.init(reading:)) { () throws(SystemFailure) in
      try forEachPiece(of: kallsymsPath) { scanner.scan($0) }
    }
    return scanner.finish()
  }
}

extension ConfigureFailure {
  fileprivate init(reading failure: SystemFailure) {
    self = .unreadable(
      operation: failure.call.rawValue, path: failure.path, reason: failure.reason)
  }

  fileprivate init(writing failure: SystemFailure) {
    self = .cannotWrite(
      operation: failure.call.rawValue, path: failure.path, reason: failure.reason)
  }
}
