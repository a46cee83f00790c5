// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestConfigure
public import CMATestCore
internal import CMATestMachine
internal import CMATestSystem
internal import Glibc
internal import Kmod

/// The module in the running kernel for as long as a command needs it: loaded, holding nothing of its
/// own, where nobody has loaded it, and removed by whoever loaded it.
///
///     let session: ModuleSession
///     do throws(ModuleSessionFailure) {
///       session = try ModuleSession.begin(loads: !noLoad)
///     } catch {
///       // error.message and error.remedy are what `cma-test status` says first.
///     }
///     // … open /dev/cmatest, use it, close it …
///     try session.end()
///
/// A signal that ends the process in between leaves the module loaded, which harms nothing; hold
/// signals back to call `end()` after them too. All descriptors of /dev/cmatest must be closed before
/// `end()`, also those of child processes.
public struct ModuleSession: Sendable {
  /// Whether `begin` loaded the module, so that `end` removes it.
  public let loadedModule: Bool
  /// What `begin` wrote for modprobe; nil where the options of this boot were there, or none could be
  /// needed.
  public let configured: Configured?

  /// The options with which the module holds nothing, whatever the administrator's options are.
  private static let options = "alloc_count=0 alloc_align=0"

  /// Loads the module unless it is loaded.
  ///
  /// The options are written first, as `cma-test configure` writes them, unless this boot has them.
  /// libkmod then loads the module with all options that modprobe would pass, and with
  /// `alloc_count=0`.
  ///
  /// - Parameter loads: false to take the module only if it is there.
  /// - Returns: the session, to be ended.
  /// - Throws: the reason why the module is not loaded, as `cma-test status` has it.
  public static func begin(loads: Bool = true) throws(ModuleSessionFailure) -> ModuleSession {
    let machine = Machine()
    let isLive: Bool
    do throws(KmodFailure) {
      isLive = try machine.kmod().isLive(OptionsFile.module)
    } catch {
      throw ModuleSessionFailure(error, on: machine, log: [])
    }
    if isLive { return ModuleSession(loadedModule: false, configured: nil) }
    guard loads else {
      throw ModuleSessionFailure(
        Explanation(
          .noDevice, kind: "not-loaded", message: "the module cmatest is not loaded",
          remedy: "modprobe cmatest alloc_count=0"))
    }
    guard geteuid() == 0 else {
      throw ModuleSessionFailure(
        Explanation(
          .noDevice, kind: "not-root",
          message: "the module cmatest is not loaded, and only root can load it",
          remedy: "run the command as root, for example with sudo"))
    }
    let configured: Configured?
    do throws(ConfigureFailure) {
      configured = try Configurator(machine: machine).configureIfNeeded()
    } catch {
      throw ModuleSessionFailure(error, on: machine)
    }
    return ModuleSession(loadedModule: try load(on: machine), configured: configured)
  }

  private static func load(on machine: Machine) throws(ModuleSessionFailure) -> Bool {
    let before = (try? machine.kernelLog())?.last?.time ?? 0
    do throws(KmodFailure) {
      let kmod = try machine.kmod()
      if let command = try kmod.installCommand(for: OptionsFile.module) {
        throw KmodFailure.forbidden(by: command)
      }
      return try kmod.load(OptionsFile.module, options: options)
    } catch {
      let log = ((try? machine.kernelLog()) ?? []).filter {
        $0.time > before && $0.text.hasPrefix("\(OptionsFile.module): ")
      }
      throw ModuleSessionFailure(error, on: machine, log: log.map(\.text))
    }
  }

  /// Removes the module if `begin` loaded it.
  ///
  /// - Throws: the reason why the module is still there, as where another process uses it.
  public func end() throws(ModuleSessionFailure) {
    guard loadedModule else { return }
    do throws(KmodFailure) {
      _ = try Machine().kmod().unload(OptionsFile.module)
    } catch {
      throw ModuleSessionFailure(
        Explanation(
          .failed, kind: "not-removed",
          message: error.code == EAGAIN || error.code == EBUSY
            ? "remove the module cmatest: it is in use by another process, and stays loaded"
            : "remove the module cmatest: \(error.operation): \(error.reason)",
          remedy: "rmmod cmatest"))
    }
  }
}

/// The reason why the module is not in the kernel, or is still there.
public struct ModuleSessionFailure: CommandFailure {
  /// The exit status is that of `cma-test status`, where it has one.
  public var explanation: Explanation

  init(_ explanation: Explanation) { self.explanation = explanation }

  /// The first cause that `cma-test status` has now; without one, what libkmod and the module said.
  init(_ failure: KmodFailure, on machine: Machine, log: [String]) {
    if let cause = Status(of: machine).cause {
      self.init(cause)
    } else {
      self.init(
        Explanation(
          .noDevice, kind: "load-failed",
          message: "load the module cmatest: \(failure.operation): \(failure.reason)"
            + log.map { "; \($0)" }.joined(),
          remedy: "dmesg | grep cmatest:"))
    }
  }

  init(_ failure: ConfigureFailure, on machine: Machine) {
    if let cause = Status(of: machine).cause {
      self.init(cause)
    } else {
      self.init(failure.explanation)
    }
  }

  private init(_ cause: Finding) {
    self.init(
      Explanation(
        cause.code ?? .noDevice, kind: "cannot-load", message: cause.text,
        remedy: cause.remedy ?? "cma-test status"))
  }
}

extension KmodFailure {
  fileprivate static func forbidden(by command: String) -> KmodFailure {
    KmodFailure(operation: "modprobe would run '\(command)' instead", reason: "not loaded")
  }
}
