// SPDX-License-Identifier: GPL-2.0-or-later

/// A symbol and the address at which the running kernel has it.
public struct SymbolAddress: Equatable, Sendable {
  public var symbol: KernelSymbol
  public var address: UInt64

  public init(symbol: KernelSymbol, address: UInt64) {
    self.symbol = symbol
    self.address = address
  }
}

/// The facts of a machine, besides its /proc/kallsyms, that explain a missing symbol. Each is read
/// only when something is wrong.
public protocol MachineFacts {
  /// `uname -r`.
  var release: String { get }
  /// `kernel.kptr_restrict`: 0, 1 or 2; nil where it cannot be read.
  var pointerRestriction: Int? { get }
  /// The configuration and the file that it was read from.
  var configuration: (KernelConfiguration, source: String)? { get }
}

extension KallsymsFindings {
  /// Whether the kernel exports what the module cannot do without. False where only
  /// `KernelSymbol.allCases` were looked for.
  public var areExported: Bool {
    let marks = sightings.dropFirst(KernelSymbol.allCases.count)
    return marks.count == KernelSymbol.exportMarks.count && marks.allSatisfy { $0.count > 0 }
  }

  /// Decides whether these findings, for `KernelSymbol.wantedNames`, can be trusted.
  ///
  /// Where the kernel exports what the module needs, no address is required, and each symbol about
  /// which anything is in doubt is left out.
  ///
  /// - Parameters:
  ///   - kallsyms: the path that was read, for messages.
  ///   - machine: the facts that explain what is wrong.
  /// - Returns: the addresses, none 0, in the order of `KernelSymbol.allCases`: of all that the
  ///   module needs, and of each optional one about which nothing is in doubt.
  /// - Throws: the fault of the first symbol that the module needs and that cannot be used.
  public func resolve(
    kallsyms: String, on machine: some MachineFacts
  ) throws(ConfigureFailure) -> [SymbolAddress] {
    guard wellFormedLines > 0 else {
      throw .kallsymsMalformed(path: kallsyms, what: "no line is of the form 'ADDRESS TYPE NAME'")
    }
    if areExported {
      let usable = KernelSymbol.allCases.filter { sightings[$0.rawValue].isUsable(for: $0) }
      if usable.isEmpty { try check(.allocate, kallsyms, machine) }
      return addresses(of: usable)
    }
    var symbols = KernelSymbol.optional.filter { sightings[$0.rawValue].isUsable(for: $0) }
    // Functions first: where they are missing too, there is no CMA, which is the better answer.
    for symbol in KernelSymbol.required {
      try check(symbol, kallsyms, machine)
      symbols.append(symbol)
    }
    if try !canFindByName(.defaultArea, with: symbols, on: machine) {
      try check(.defaultArea, kallsyms, machine)
      symbols.append(.defaultArea)
    }
    return addresses(of: KernelSymbol.allCases.filter(symbols.contains))
  }

  private func addresses(of symbols: [KernelSymbol]) -> [SymbolAddress] {
    symbols.map { SymbolAddress(symbol: $0, address: sightings[$0.rawValue].address) }
  }

  /// Whether the default area is not listed but can be found otherwise. One that is listed and
  /// cannot be used is no such case: then something is wrong that must be told.
  private func canFindByName(
    _ area: KernelSymbol, with symbols: [KernelSymbol], on machine: some MachineFacts
  ) throws(ConfigureFailure) -> Bool {
    let sighting = sightings[area.rawValue]
    guard sighting.count == 0, !sighting.isMalformed, KernelSymbol.areEnough(symbols.contains)
    else {
      return false
    }
    // Without CONFIG_DMA_CMA there may be areas, but no default one.
    if let (configuration, source) = machine.configuration,
      !configuration.enables("CONFIG_DMA_CMA")
    {
      throw .noCMA(option: "CONFIG_DMA_CMA", release: machine.release, source: source)
    }
    return true
  }

  private func check(
    _ symbol: KernelSymbol, _ kallsyms: String, _ machine: some MachineFacts
  ) throws(ConfigureFailure) {
    let sighting = sightings[symbol.rawValue]
    guard !sighting.isMalformed else {
      throw .kallsymsMalformed(
        path: kallsyms, what: "the line of \(symbol.name) has no hexadecimal address")
    }
    guard sighting.count > 0 else {
      throw Self.reasonForAbsence(of: symbol, kallsyms, machine)
    }
    guard sighting.count == 1 else {
      throw .symbolTwice(symbol: symbol.name, count: sighting.count, kallsyms: kallsyms)
    }
    guard sighting.address != 0 else {
      throw machine.pointerRestriction == 2
        ? .hiddenFromAll(kallsyms: kallsyms) : .hiddenFromProcess(kallsyms: kallsyms)
    }
    guard sighting.isCode == symbol.isFunction else {
      throw .kallsymsMalformed(
        path: kallsyms,
        what: "\(symbol.name) is of type '\(Character(Unicode.Scalar(sighting.type)))', "
          + "which is not \(symbol.isFunction ? "code" : "data")")
    }
  }

  private static func reasonForAbsence(
    of symbol: KernelSymbol, _ kallsyms: String, _ machine: some MachineFacts
  ) -> ConfigureFailure {
    guard let (configuration, source) = machine.configuration else {
      // At boot /boot may not be mounted yet. The list itself tells enough: a kernel with the
      // allocator has that function, and lists it with or without CONFIG_KALLSYMS_ALL.
      return symbol == .allocate
        ? .noAllocator(release: machine.release, kallsyms: kallsyms)
        : .symbolMissing(symbol: symbol.name, kallsyms: kallsyms, configuration: nil)
    }
    let needed = symbol.isFunction ? ["CONFIG_CMA"] : ["CONFIG_CMA", "CONFIG_DMA_CMA"]
    if let option = needed.first(where: { !configuration.enables($0) }) {
      return .noCMA(option: option, release: machine.release, source: source)
    }
    if !symbol.isFunction, !configuration.enables("CONFIG_KALLSYMS_ALL") {
      return .dataSymbolsNotListed(symbol: symbol.name, release: machine.release, source: source)
    }
    return .symbolMissing(symbol: symbol.name, kallsyms: kallsyms, configuration: source)
  }
}

extension SymbolSighting {
  fileprivate var isCode: Bool { "TtWw".utf8.contains(type) }

  /// Returns whether this sighting is of `symbol` beyond doubt.
  fileprivate func isUsable(for symbol: KernelSymbol) -> Bool {
    !isMalformed && count == 1 && address != 0 && isCode == symbol.isFunction
  }
}
