// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLibkmod
internal import Glibc

/// libkmod's view of modprobe.d(5) and of the module options on the kernel command line: the very
/// one that modprobe(8) has.
public struct KmodContext: ~Copyable {
  private let library: UnsafePointer<cma_test_libkmod>
  let context: OpaquePointer
  var functions: cma_test_libkmod { library.pointee }

  /// Reads and parses the configuration.
  ///
  /// - Parameters:
  ///   - modules: the folder of a kernel's modules, as /lib/modules/RELEASE; nil for the running
  ///     kernel's.
  ///   - folders: the folders of modprobe.d, the first the strongest; nil for libkmod's own list.
  /// - Throws: why libkmod could not be loaded, or the errno of `kmod_new`.
  public init(modules: String? = nil, folders: [String]? = nil) throws(KmodFailure) {
    guard let library = cma_test_libkmod() else {
      throw KmodFailure(
        operation: "dlopen", reason: String(cString: cma_test_libkmod_error()))
    }
    let new = library.pointee.kmod_new
    var context: OpaquePointer?
    if let folders {
      var paths = folders.map { UnsafePointer(strdup($0)) } + [nil]
      defer { paths.forEach { free(UnsafeMutablePointer(mutating: $0)) } }
      context = new(modules, &paths)
    } else {
      context = new(modules, nil)
    }
    guard let context else { throw KmodFailure(operation: "kmod_new", code: errno) }
    self.library = library
    self.context = context
  }

  deinit { _ = functions.kmod_unref(context) }

  /// The options for a module, in the order in which modprobe joins them; the last value of a
  /// parameter is the one that counts.
  public func options(for module: String) throws(KmodFailure) -> [String] {
    try values(
      of: module, in: functions.kmod_config_get_options(context), "kmod_config_get_options")
  }

  /// The command that modprobe would run instead of loading a module: of those whose pattern
  /// matches, the first.
  ///
  /// - Returns: nil where there is none; libkmod passes over all of them where a soft dependency of
  ///   the module is configured.
  public func installCommand(for module: String) throws(KmodFailure) -> String? {
    try withModule(module) { module throws(KmodFailure) in
      guard let command = functions.kmod_module_get_install_commands(module) else { return nil }
      var before: OpaquePointer?
      var after: OpaquePointer?
      let result = functions.kmod_module_get_softdeps(module, &before, &after)
      defer {
        _ = functions.kmod_module_unref_list(before)
        _ = functions.kmod_module_unref_list(after)
      }
      guard result >= 0 else {
        throw KmodFailure(operation: "kmod_module_get_softdeps", code: -result)
      }
      return before == nil && after == nil ? String(cString: command) : nil
    }
  }

  /// The command that `modprobe -r` would run instead of removing a module; nil where there is none.
  public func removeCommand(for module: String) throws(KmodFailure) -> String? {
    try withModule(module) { module throws(KmodFailure) in
      functions.kmod_module_get_remove_commands(module).map { String(cString: $0) }
    }
  }

  /// Whether the module is not to be loaded by itself, as at boot or for a device; its name still
  /// loads it.
  public func blacklists(_ module: String) throws(KmodFailure) -> Bool {
    try !values(
      of: module, in: functions.kmod_config_get_blacklists(context), "kmod_config_get_blacklists"
    ).isEmpty
  }

  /// Calls `body` with libkmod's object of a module, which need not exist.
  func withModule<Value>(
    _ name: String, _ body: (OpaquePointer) throws(KmodFailure) -> Value
  ) throws(KmodFailure) -> Value {
    var module: OpaquePointer?
    let result = functions.kmod_module_new_from_name(context, name, &module)
    guard result >= 0, let module else {
      throw KmodFailure(operation: "kmod_module_new_from_name", code: -result)
    }
    defer { _ = functions.kmod_module_unref(module) }
    return try body(module)
  }

  private func values(
    of module: String, in iterator: OpaquePointer?, _ operation: String
  ) throws(KmodFailure) -> [String] {
    guard let iterator else { throw KmodFailure(operation: operation, code: errno) }
    defer { functions.kmod_config_iter_free_iter(iterator) }
    var values: [String] = []
    while functions.kmod_config_iter_next(iterator) {
      guard let key = functions.kmod_config_iter_get_key(iterator), String(cString: key) == module
      else {
        continue
      }
      values.append(
        functions.kmod_config_iter_get_value(iterator).map { String(cString: $0) } ?? "")
    }
    return values
  }

  /// What `modprobe NAME` would load, by the kernel's modules.dep.
  ///
  /// - Parameter name: a module's, or an alias.
  /// - Returns: nil where modprobe would not find it.
  /// - Throws: the errno of `kmod_module_new_from_lookup`.
  public func module(_ name: String) throws(KmodFailure) -> FoundModule? {
    var list: OpaquePointer?
    let result = functions.kmod_module_new_from_lookup(context, name, &list)
    guard result >= 0 else {
      if result == -ENOENT { return nil }
      throw KmodFailure(operation: "kmod_module_new_from_lookup", code: -result)
    }
    defer { _ = functions.kmod_module_unref_list(list) }
    guard let list, let module = functions.kmod_module_get_module(list) else { return nil }
    defer { _ = functions.kmod_module_unref(module) }
    guard let name = functions.kmod_module_get_name(module) else { return nil }
    guard let path = functions.kmod_module_get_path(module) else {
      return FoundModule(name: String(cString: name), path: nil, information: [], needs: [])
    }
    guard isRegular(path) else {
      // libkmod would wait for a pipe.
      return FoundModule(
        name: String(cString: name), path: String(cString: path), information: [], needs: [])
    }
    return FoundModule(
      name: String(cString: name), path: String(cString: path),
      information: (try? information(of: module)) ?? [],
      needs: (try? neededSymbols(of: module)) ?? [])
  }

  /// Whether a path is that of a regular file.
  func isRegular(_ path: UnsafePointer<CChar>) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// The symbols that the module's file leaves to the kernel, also such as it can do without.
  private func neededSymbols(of module: OpaquePointer) throws(KmodFailure) -> [String] {
    var list: OpaquePointer?
    let result = functions.kmod_module_get_dependency_symbols(module, &list)
    guard result >= 0 else {
      throw KmodFailure(operation: "kmod_module_get_dependency_symbols", code: -result)
    }
    defer { functions.kmod_module_dependency_symbols_free_list(list) }
    var names: [String] = []
    var entry = list
    while let current = entry {
      if let name = functions.kmod_module_dependency_symbol_get_symbol(current) {
        names.append(String(cString: name))
      }
      entry = functions.kmod_list_next(list, current)
    }
    return names
  }

  private func information(
    of module: OpaquePointer
  ) throws(KmodFailure) -> [FoundModule.Item] {
    var list: OpaquePointer?
    let result = functions.kmod_module_get_info(module, &list)
    guard result >= 0 else {
      throw KmodFailure(operation: "kmod_module_get_info", code: -result)
    }
    defer { functions.kmod_module_info_free_list(list) }
    var items: [FoundModule.Item] = []
    var entry = list
    while let current = entry {
      if let key = functions.kmod_module_info_get_key(current),
        let value = functions.kmod_module_info_get_value(current)
      {
        items.append(
          FoundModule.Item(name: String(cString: key), value: String(cString: value)))
      }
      entry = functions.kmod_list_next(list, current)
    }
    return items
  }
}

/// A module as modprobe would find it.
public struct FoundModule: Equatable, Sendable {
  /// One line of modinfo(8).
  public struct Item: Equatable, Sendable {
    public var name: String
    public var value: String
  }

  /// Another than the one that was looked up where an alias leads there.
  public var name: String
  /// Its file; nil where it is built into the kernel.
  public var path: String?
  /// Empty where the file cannot be read or is no module.
  public var information: [Item]
  /// The symbols that it leaves to the kernel; empty where the file cannot be read.
  public var needs: [String]

  /// - Returns: the first value of that name, as of `version`.
  public subscript(name: String) -> String? { information.first { $0.name == name }?.value }

  /// - Returns: all values of that name, as of `parm`.
  public func values(of name: String) -> [String] {
    information.filter { $0.name == name }.map(\.value)
  }
}

/// A call into libkmod that failed.
public struct KmodFailure: Error, Equatable, Sendable {
  public var operation: String
  public var reason: String
  /// A value of errno(3); nil where libkmod could not be loaded.
  public var code: CInt?
  /// The file that libkmod, and so modprobe, would read without end; nil for other failures.
  package var path: String?

  /// - Parameters:
  ///   - path: of a file that never ends, which libkmod was not asked to read.
  ///   - kind: what it is, as `a named pipe`.
  package init(endless path: String, kind: String) {
    self.init(operation: "read", reason: "it is \(kind), and modprobe would hang on it")
    self.path = path
  }

  package init(operation: String, reason: String) {
    self.operation = operation
    self.reason = reason
  }

  /// - Parameters:
  ///   - operation: the function that failed.
  ///   - code: a value of errno(3).
  init(operation: String, code: CInt) {
    self.init(operation: operation, reason: String(cString: strerror(code)))
    self.code = code
  }
}
