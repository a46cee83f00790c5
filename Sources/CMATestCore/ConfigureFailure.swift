// SPDX-License-Identifier: GPL-2.0-or-later

/// A reason for which no options for `modprobe cmatest` could be made, or be trusted.
public enum ConfigureFailure: Error, Equatable, Sendable {
  /// The kernel lacks the allocator: `option` is CONFIG_CMA or CONFIG_DMA_CMA, by `source`.
  case noCMA(option: String, release: String, source: String)
  /// The kernel lists its symbols, `cma_alloc` is none of them, and no configuration was found that
  /// would tell more.
  case noAllocator(release: String, kallsyms: String)
  /// The kernel lists no data symbols, so that the default area has no known address, and lacks the
  /// functions with which the module would find that area by its name.
  case dataSymbolsNotListed(symbol: String, release: String, source: String)
  /// The symbol is not listed, and the kernel's configuration, if it could be read, does not say
  /// why.
  case symbolMissing(symbol: String, kallsyms: String, configuration: String?)
  /// Addresses read as 0: this process lacks CAP_SYSLOG.
  case hiddenFromProcess(kallsyms: String)
  /// Addresses read as 0 for everyone: kernel.kptr_restrict is 2.
  case hiddenFromAll(kallsyms: String)
  /// The kernel has several symbols of that name, and nothing says which is meant.
  case symbolTwice(symbol: String, count: Int, kallsyms: String)
  case unreadable(operation: String, path: String, reason: String)
  case kallsymsMalformed(path: String, what: String)
  case cannotWrite(operation: String, path: String, reason: String)
  /// `modprobe` would pass another value than the one `written`, which is nil where none was; `source`
  /// is the file or the kernel command line that has the value, nil where that was not found.
  case overridden(
    parameter: String, value: String?, written: String?, path: String, source: String?)
  /// The file just written could not be read back through libkmod.
  case cannotVerify(operation: String, path: String, reason: String)
}

extension ConfigureFailure {
  /// Whether the kernel lists the symbols but hides their addresses.
  public var hidesAddresses: Bool {
    switch self {
    case .hiddenFromAll, .hiddenFromProcess: true
    default: false
    }
  }

  /// Whether modprobe would pass an address that is not the one found, which the module refuses.
  public var passesAnAddress: Bool {
    if case .overridden(_, value: .some, _, _, _) = self { return true }
    return false
  }
}

extension ConfigureFailure: CommandFailure {
  /// No message holds an address.
  public var explanation: Explanation {
    switch self {
    case .noCMA(let option, let release, let source):
      Explanation(
        .noCMA, kind: "no-cma",
        message: "no contiguous memory allocator in kernel \(release): "
          + "\(option) is not set in \(source)",
        remedy: Self.bootAnother)
    case .noAllocator(let release, let kallsyms):
      Explanation(
        .noCMA, kind: "no-cma",
        message: "no contiguous memory allocator in kernel \(release): "
          + "\(kallsyms) lists no cma_alloc",
        remedy: Self.bootAnother)
    case .dataSymbolsNotListed(let symbol, let release, let source):
      Explanation(
        .dataSymbolsNotListed, kind: "data-symbols-not-listed",
        message: "look up \(symbol): kernel \(release) lists no data symbols in /proc/kallsyms "
          + "(CONFIG_KALLSYMS_ALL is not set in \(source)), and lacks the functions that find "
          + "the area by its name: "
          + KernelSymbol.findingTheDefaultArea.map(\.name).joined(separator: ", "),
        remedy: "use a kernel with CONFIG_KALLSYMS_ALL=y")
    case .symbolMissing(let symbol, let kallsyms, let configuration?):
      Explanation(
        .symbolMissing, kind: "symbol-missing",
        message: "look up \(symbol): the symbol is not in \(kallsyms), although "
          + "\(configuration) enables CONFIG_CMA, CONFIG_DMA_CMA and CONFIG_KALLSYMS_ALL",
        remedy: "report this with reportbug cma-test: the kernel may have renamed the symbol")
    case .symbolMissing(let symbol, let kallsyms, nil):
      Explanation(
        .symbolMissing, kind: "symbol-missing",
        message: "look up \(symbol): the symbol is not in \(kallsyms), and no configuration of "
          + "this kernel was found that tells whether CONFIG_CMA, CONFIG_DMA_CMA or "
          + "CONFIG_KALLSYMS_ALL is off",
        remedy: "install the kernel's /boot/config-RELEASE, then run 'cma-test configure' again")
    case .hiddenFromProcess(let kallsyms):
      Explanation(
        .hiddenFromProcess, kind: "hidden-from-process",
        message: "read addresses from \(kallsyms): "
          + "the kernel hides them from a process without CAP_SYSLOG",
        remedy: "run the command as root, outside a container")
    case .hiddenFromAll(let kallsyms):
      Explanation(
        .hiddenFromAll, kind: "hidden-from-all",
        message: "read addresses from \(kallsyms): the kernel hides them from everyone "
          + "(kernel.kptr_restrict is 2)",
        remedy: "set kernel.kptr_restrict to 1 or 0 (sysctl, and the file in /etc/sysctl.d that "
          + "sets it), then run 'cma-test configure'")
    case .symbolTwice(let symbol, let count, let kallsyms):
      Explanation(
        .symbolTwice, kind: "symbol-twice",
        message: "look up \(symbol): \(count) symbols of that name in \(kallsyms)",
        remedy: "load cmatest with insmod and the right address, and report this with "
          + "reportbug cma-test")
    case .unreadable(let operation, let path, let reason):
      Explanation(
        .unreadable, kind: "unreadable", message: "\(operation) \(path): \(reason)",
        remedy: "check that /proc is mounted and that the kernel has CONFIG_KALLSYMS")
    case .kallsymsMalformed(let path, let what):
      Explanation(
        .kallsymsMalformed, kind: "kallsyms-malformed", message: "parse \(path): \(what)",
        remedy: "examine the file; if it is the running kernel's own, report this with "
          + "reportbug cma-test")
    case .cannotWrite(let operation, let path, let reason):
      Explanation(
        .cannotWrite, kind: "cannot-write", message: "\(operation) \(path): \(reason)",
        remedy: "make /run writable for root and give it some space, then run 'cma-test configure'")
    case .cannotVerify(let operation, let path, let reason):
      // A file that cannot be written and one that cannot be read back are one trouble to the user.
      Explanation(
        .cannotWrite, kind: "cannot-verify", message: "\(operation) \(path): \(reason)",
        remedy: "check /etc/modprobe.d and /run/modprobe.d, then run 'cma-test configure'")
    case .overridden(let parameter, let value, let written, let path, let source):
      Explanation(
        .overridden, kind: "overridden",
        message: "verify \(path): modprobe would load cmatest "
          + Self.words(overriding: parameter, value, written: written)
          + ", because of \(source ?? "a source that could not be found")",
        remedy: Self.remedy(overriding: parameter, source))
    }
  }

  private static let bootAnother =
    "boot a kernel with CMA: on Debian amd64 that is one from trixie-backports or later"

  private static func words(
    overriding parameter: String, _ value: String?, written: String?
  ) -> String {
    guard let value else { return "without \(parameter)" }
    return value == written || written == nil
      ? "with \(parameter) from elsewhere" : "with another \(parameter)"
  }

  private static func remedy(overriding parameter: String, _ source: String?) -> String {
    guard let source else { return "look for 'cmatest' in the output of 'modprobe --showconfig'" }
    // A file that hides ours need not have options itself: a link to /dev/null masks ours.
    if isNamedAsOurs(source) { return "rm \(shellWord(source)) && cma-test configure" }
    if source.hasSuffix("/proc/cmdline") {
      return "remove cmatest.\(parameter)= from the kernel command line, and reboot"
    }
    return "remove the options for cmatest from \(source), then run 'cma-test configure'"
  }

  private static func isNamedAsOurs(_ path: String) -> Bool {
    path.split(separator: "/").last == OptionsFile.path.split(separator: "/").last
  }
}
