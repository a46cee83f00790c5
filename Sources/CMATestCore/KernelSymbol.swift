// SPDX-License-Identifier: GPL-2.0-or-later

/// A kernel symbol whose address the module `cmatest` takes as a parameter.
public enum KernelSymbol: Int, CaseIterable, Sendable {
  case defaultArea
  case allocate
  case release
  case forEachArea
  case areaName
  case areaBase
  case areaSize

  /// The exact name in /proc/kallsyms. (`kernel/dma/contiguous.c`, `mm/cma.c`)
  public var name: String {
    switch self {
    case .defaultArea: "dma_contiguous_default_area"
    case .allocate: "cma_alloc"
    case .release: "cma_release"
    case .forEachArea: "cma_for_each_area"
    case .areaName: "cma_get_name"
    case .areaBase: "cma_get_base"
    case .areaSize: "cma_get_size"
    }
  }

  /// The module parameter that carries the address. (`modinfo cmatest`)
  public var parameter: String {
    switch self {
    case .defaultArea: "area_base"
    case .allocate: "alloc_fn"
    case .release: "free_fn"
    case .forEachArea: "for_each_fn"
    case .areaName: "name_fn"
    case .areaBase: "base_fn"
    case .areaSize: "size_fn"
    }
  }

  /// Whether the symbol is code. Data is in /proc/kallsyms only under `CONFIG_KALLSYMS_ALL`.
  public var isFunction: Bool {
    self != .defaultArea
  }

  /// Functions that the module cannot do without.
  static let required: [KernelSymbol] = [.allocate, .release]

  /// Functions that tell more than the module needs. A kernel may lack one, or have it only where it
  /// was inlined.
  static let optional: [KernelSymbol] = [.forEachArea, .areaName, .areaBase, .areaSize]

  /// With these the module finds the default area by its name, and so without `defaultArea`.
  static let findingTheDefaultArea: [KernelSymbol] = [.forEachArea, .areaName]

  /// Whether the module can be loaded with some of the symbols.
  ///
  /// - Parameter has: tells which of them there are.
  /// - Returns: as `cmatest_symbol_is_required` in `src-kmod/cma.c` has it.
  static func areEnough(_ has: (KernelSymbol) -> Bool) -> Bool {
    required.allSatisfy(has) && (has(.defaultArea) || findingTheDefaultArea.allSatisfy(has))
  }

  /// The names by which /proc/kallsyms tells that the kernel exports what the module cannot do
  /// without, so that the module links to it and needs no address (Linux 7.1 and later). Data, and so
  /// only listed under `CONFIG_KALLSYMS_ALL`. (`__KSYMTAB` in `include/linux/export-internal.h`)
  public static let exportMarks = [
    "__ksymtab_cma_alloc", "__ksymtab_cma_release", "__ksymtab_dev_get_cma_area",
  ]

  /// The names that a scan must look for to resolve the symbols.
  public static let wantedNames = allCases.map(\.name) + exportMarks
}
