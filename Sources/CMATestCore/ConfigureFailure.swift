// SPDX-License-Identifier: GPL-2.0-or-later

/// Why no options for `modprobe cmatest` could be made, or be trusted.
public enum ConfigureFailure: Error, Equatable, Sendable {
  /// The kernel lacks the allocator: `option` is CONFIG_CMA or CONFIG_DMA_CMA, by `source`.
  case noCMA(option: String, release: String, source: String)
  /// The kernel lists its symbols, `cma_alloc` is none of them, and no configuration was found that
  /// would tell more.
  case noAllocator(release: String, kallsyms: String)
  /// The kernel lists no data symbols, so the default area's address cannot be had, and it lacks
  /// what the module would find that area by its name with.
  case dataSymbolsNotListed(symbol: String, release: String, source: String)
  /// Not listed, though the kernel's configuration, if it could be read, does not say why.
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
  /// What `modprobe` would really pass is not what was written, nil where nothing was; `source` is
  /// the file or the kernel command line that is to blame, nil when it could not be found.
  case overridden(
    parameter: String, value: String?, written: String?, path: String, source: String?)
  /// The file just written could not be read back through libkmod.
  case cannotVerify(operation: String, path: String, reason: String)
}

extension ConfigureFailure {
  /// Whether the kernel lists the symbols, and only their addresses are not to be seen now.
  public var hidesAddresses: Bool {
    switch self {
    case .hiddenFromAll, .hiddenFromProcess: true
    default: false
    }
  }

  /// Whether modprobe would pass an address that is not the one that was found, which the module
  /// refuses.
  public var passesAnAddress: Bool {
    if case .overridden(_, value: .some, _, _, _) = self { return true }
    return false
  }

  public var exitStatus: CommandStatus {
    switch self {
    case .noCMA, .noAllocator: .noCMA
    case .dataSymbolsNotListed: .dataSymbolsNotListed
    case .symbolMissing: .symbolMissing
    case .hiddenFromProcess: .hiddenFromProcess
    case .hiddenFromAll: .hiddenFromAll
    case .symbolTwice: .symbolTwice
    case .unreadable: .unreadable
    case .kallsymsMalformed: .kallsymsMalformed
    case .cannotWrite, .cannotVerify: .cannotWrite
    case .overridden: .overridden
    }
  }

  /// A stable word for scripts; `cma-test configure --json` has it as `error.kind`.
  public var kind: String {
    switch self {
    case .noCMA, .noAllocator: "no-cma"
    case .dataSymbolsNotListed: "data-symbols-not-listed"
    case .symbolMissing: "symbol-missing"
    case .hiddenFromProcess: "hidden-from-process"
    case .hiddenFromAll: "hidden-from-all"
    case .symbolTwice: "symbol-twice"
    case .unreadable: "unreadable"
    case .kallsymsMalformed: "kallsyms-malformed"
    case .cannotWrite: "cannot-write"
    case .cannotVerify: "cannot-verify"
    case .overridden: "overridden"
    }
  }

  /// What was done, on what, and why it failed; one line, no address in it.
  public var message: String {
    switch self {
    case .noCMA(let option, let release, let source):
      "no contiguous memory allocator in kernel \(release): \(option) is not set in \(source)"
    case .noAllocator(let release, let kallsyms):
      "no contiguous memory allocator in kernel \(release): \(kallsyms) lists no cma_alloc"
    case .dataSymbolsNotListed(let symbol, let release, let source):
      "look up \(symbol): kernel \(release) lists no data symbols in /proc/kallsyms "
        + "(CONFIG_KALLSYMS_ALL is not set in \(source)), and lacks what would find it by name: "
        + KernelSymbol.findingTheDefaultArea.map(\.name).joined(separator: ", ")
    case .symbolMissing(let symbol, let kallsyms, let configuration?):
      "look up \(symbol): it is not in \(kallsyms), although \(configuration) enables "
        + "CONFIG_CMA, CONFIG_DMA_CMA and CONFIG_KALLSYMS_ALL"
    case .symbolMissing(let symbol, let kallsyms, nil):
      "look up \(symbol): it is not in \(kallsyms), and no configuration of this kernel was found "
        + "that would say whether CONFIG_CMA, CONFIG_DMA_CMA or CONFIG_KALLSYMS_ALL is off"
    case .hiddenFromProcess(let kallsyms):
      "read addresses from \(kallsyms): the kernel hides them from a process without CAP_SYSLOG"
    case .hiddenFromAll(let kallsyms):
      "read addresses from \(kallsyms): the kernel hides them from everyone "
        + "(kernel.kptr_restrict is 2)"
    case .symbolTwice(let symbol, let count, let kallsyms):
      "look up \(symbol): \(count) symbols of that name in \(kallsyms)"
    case .unreadable(let operation, let path, let reason):
      "\(operation) \(path): \(reason)"
    case .kallsymsMalformed(let path, let what):
      "parse \(path): \(what)"
    case .cannotWrite(let operation, let path, let reason):
      "\(operation) \(path): \(reason)"
    case .cannotVerify(let operation, let path, let reason):
      "\(operation) \(path): \(reason)"
    case .overridden(let parameter, let value, let written, let path, let source):
      "verify \(path): modprobe would load cmatest "
        + (value == nil
          ? "without \(parameter)"
          : value == written || written == nil
            ? "with \(parameter) from elsewhere" : "with another \(parameter)")
        + ", because of " + (source ?? "a source that could not be found")
    }
  }

  /// What to do next; one line.
  public var remedy: String {
    switch self {
    case .noCMA, .noAllocator:
      "boot a kernel with CMA: on Debian amd64 that is one from trixie-backports or later"
    case .dataSymbolsNotListed:
      "use a kernel with CONFIG_KALLSYMS_ALL=y"
    case .symbolMissing(_, _, configuration: .some):
      "report this with reportbug cma-test: the kernel may have renamed it"
    case .symbolMissing(_, _, configuration: nil):
      "install the kernel's /boot/config-RELEASE, then run 'cma-test configure' again"
    case .hiddenFromProcess:
      "run it as root, outside a container"
    case .hiddenFromAll:
      "set kernel.kptr_restrict to 1 or 0 (sysctl, and the file in /etc/sysctl.d that sets it), "
        + "then run 'cma-test configure'"
    case .symbolTwice:
      "load cmatest with insmod and the address that is meant, and report this with reportbug cma-test"
    case .unreadable:
      "check that /proc is mounted and that the kernel has CONFIG_KALLSYMS"
    case .kallsymsMalformed:
      "look at the file; if it is the running kernel's own, report this with reportbug cma-test"
    case .cannotWrite:
      "make /run writable for root and give it some space, then run 'cma-test configure'"
    case .cannotVerify:
      "check /etc/modprobe.d and /run/modprobe.d, then run 'cma-test configure'"
    case .overridden(_, _, _, _, source: let source?) where Self.isNamedAsOurs(source):
      // What hides ours need not have options itself: a link to /dev/null masks it.
      "rm \(shellWord(source)) && cma-test configure"
    case .overridden(let parameter, _, _, _, source: let source?)
    where source.hasSuffix("/proc/cmdline"):
      "take cmatest.\(parameter)= off the kernel command line, and reboot"
    case .overridden(_, _, _, _, source: let source?):
      "remove the options for cmatest from \(source), then run 'cma-test configure'"
    case .overridden:
      "look for 'cmatest' in the output of 'modprobe --showconfig'"
    }
  }

  private static func isNamedAsOurs(_ path: String) -> Bool {
    path.split(separator: "/").last == OptionsFile.path.split(separator: "/").last
  }
}
