// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLibkmod
internal import Glibc

extension KmodContext {
  /// Whether a module is in the kernel and has been initialized.
  public func isLive(_ name: String) throws(KmodFailure) -> Bool {
    try withModule(name) { module throws(KmodFailure) in
      let state = functions.kmod_module_get_initstate(module)
      if state == -ENOENT { return false }
      guard state >= 0 else {
        throw KmodFailure(operation: "kmod_module_get_initstate", code: -state)
      }
      return state == CInt(KMOD_MODULE_LIVE.rawValue) || state == CInt(KMOD_MODULE_BUILTIN.rawValue)
    }
  }

  /// Loads a module of the running kernel as `modprobe NAME OPTIONS` does: with the options of
  /// modprobe.d(5) and of the kernel command line, after what it depends on. An `install` command is
  /// run, as modprobe runs it: `installCommand(for:)` tells of it before.
  ///
  /// - Parameters:
  ///   - name: of the module.
  ///   - options: more of them, which win over the configured ones.
  /// - Returns: false where the module was loaded already, if only just now by somebody else.
  /// - Throws: ENOENT where modprobe finds no such module; else the errno of init_module(2).
  public func load(_ name: String, options: String) throws(KmodFailure) -> Bool {
    // libkmod would write of an error to standard error, which the caller reports.
    functions.kmod_set_log_priority(context, LOG_EMERG)
    return try withModule(name) { module throws(KmodFailure) in
      if let path = functions.kmod_module_get_path(module), !isRegular(path) {
        throw KmodFailure(operation: "open \(String(cString: path))", code: EINVAL)
      }
      let result = functions.kmod_module_probe_insert_module(
        module, KMOD_PROBE_FAIL_ON_LOADED.rawValue, options, nil, nil, nil)
      if result == -EEXIST { return false }
      guard result == 0 else { throw KmodFailure(operation: "init_module", code: abs(result)) }
      return true
    }
  }

  /// Removes a module from the running kernel, as rmmod(8) does.
  ///
  /// - Parameter name: of the module.
  /// - Returns: false where it was not loaded.
  /// - Throws: EAGAIN where it is in use; else the errno of delete_module(2).
  public func unload(_ name: String) throws(KmodFailure) -> Bool {
    functions.kmod_set_log_priority(context, LOG_EMERG)
    return try withModule(name) { module throws(KmodFailure) in
      let result = functions.kmod_module_remove_module(module, 0)
      if result == -ENOENT { return false }
      guard result == 0 else { throw KmodFailure(operation: "delete_module", code: -result) }
      return true
    }
  }
}
