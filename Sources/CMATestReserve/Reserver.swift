// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore
public import CMATestMachine
public import CMATestSystem

/// Reserves memory for CMA from the next boot on, or takes that back: a drop-in for GRUB, and
/// `update-grub`. For other boot loaders it says what to do.
public struct Reserver {
  let machine: Machine
  let runner: (any ProgramRunner)?

  /// - Parameters:
  ///   - machine: whose settings.
  ///   - runner: what runs `update-grub`; nil for a copied tree, whose boot loader is not this
  ///     machine's.
  public init(machine: Machine, runner: (any ProgramRunner)?) {
    self.machine = machine
    self.runner = runner
  }

  /// Reserves memory from the next boot on.
  ///
  /// - Parameters:
  ///   - reservation: what for.
  ///   - writes: false to look at everything and touch nothing.
  /// - Returns: what was, or would be, done.
  /// - Throws: the reason why nothing was reserved; the machine is then as it was before.
  public func reserve(
    _ reservation: CMAReservation, writes: Bool = true
  ) throws(ReserveFailure) -> ReserveOutcome {
    let memory = try machine.physicalMemory()
    var notes = try reservation.check(on: memory)
    notes += try machine.kernelsWithoutCMA()
    return try machine.bootLoader().reserve(reservation, notes: notes, in: session(writes))
  }

  /// Takes the reservation back from the next boot on.
  public func remove(writes: Bool = true) throws(ReserveFailure) -> ReserveOutcome {
    try machine.bootLoader().remove(in: session(writes))
  }

  private func session(_ writes: Bool) -> ReserveSession {
    ReserveSession(machine: machine, runner: runner, writes: writes)
  }
}

/// One call of `reserve`: the machine, and what may be done there.
struct ReserveSession {
  let machine: Machine
  let runner: (any ProgramRunner)?
  /// False to look at everything and touch nothing.
  let writes: Bool

  /// Removes the drop-in of a GRUB that no longer boots the machine.
  func removeStaleDropIn() throws(ReserveFailure) {
    if writes, machine.exists(GrubSettings.dropIn) { try writeDropIn(nil) }
  }

  /// Replaces the drop-in.
  ///
  /// - Parameter text: its bytes; nil to remove it.
  /// - Throws: `cannotWrite`; the file is then as it was.
  func writeDropIn(_ text: [UInt8]?) throws(ReserveFailure) {
    let file = AtomicFile(machine.path(GrubSettings.dropIn))
    try mapError(ReserveFailure.init(writing:)) { () throws(SystemFailure) in
      if let text {
        try file.replace(with: text, mode: 0o644)
      } else {
        try file.remove()
      }
    }
  }
}

extension Machine {
  /// Returns the installed kernels that will ignore `cma=`, a line each.
  fileprivate func kernelsWithoutCMA() throws(ReserveFailure) -> [String] {
    var kernels = try readable { () throws(SystemFailure) in try installedKernels() }
    // A board's own kernel may be anywhere.
    if kernels.isEmpty, let running = try? kernelRelease() { kernels = [running] }
    var without: [String] = []
    var isSomeCapable = false
    for kernel in kernels {
      guard let (configuration, source) = configuration(of: kernel),
        let option = configuration.missingForCMA
      else {
        // Not known to lack it, so let it pass.
        isSomeCapable = true
        continue
      }
      without.append("\(kernel): \(option) is not set in \(source)")
    }
    guard isSomeCapable || without.isEmpty else { throw .noCMA(kernels: without) }
    return without.map { "this kernel has no CMA and will ignore cma=: \($0)" }
  }

  /// Returns the bytes of a file; nil where there is no such file.
  ///
  /// - Throws: where the file exists and cannot be read.
  func text(of file: String) throws(ReserveFailure) -> [UInt8]? {
    // A folder, or a device, is what a program passes over that looks for a file.
    if exists(file), !isFile(file) { return nil }
    return try readable { () throws(SystemFailure) in
      do throws(SystemFailure) {
        return try contents(of: path(file))
      } catch  where error.call == .open && error.code == SystemFailure.noSuchFile {
        return nil
      }
    }
  }

  /// Returns the files that a shell finds as `FOLDER/*SUFFIX` and sources: no hidden file, and no
  /// folder.
  ///
  /// - Throws: where the folder cannot be read, or the shell would not come back from one of them.
  func filesForShell(in folder: String, suffix: String) throws(ReserveFailure) -> [String] {
    let files = try readable { () throws(SystemFailure) in try names(in: folder) }
      .filter { !$0.hasPrefix(".") && $0.hasSuffix(suffix) }.map { "\(folder)/\($0)" }
    for file in files {
      guard let kind = endlessKind(of: file) else { continue }
      throw .unreadable(
        operation: "read", path: path(file),
        reason: "it is \(kind), and the program that makes the boot menu would hang on it")
    }
    return files.filter(isFile)
  }
}

/// Runs a body that reads, and throws its failure as a `ReserveFailure`.
func readable<Value>(
  _ read: () throws(SystemFailure) -> Value
) throws(ReserveFailure) -> Value {
  try mapError(ReserveFailure.init(reading:), read)
}

extension ReserveFailure {
  fileprivate init(reading failure: SystemFailure) {
    self = .unreadable(
      operation: failure.call.rawValue, path: failure.path, reason: failure.reason)
  }

  fileprivate init(writing failure: SystemFailure) {
    self = .cannotWrite(
      operation: failure.call.rawValue, path: failure.path, reason: failure.reason)
  }
}
