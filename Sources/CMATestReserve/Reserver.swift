// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
public import CMATestCore
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

  /// Reserves.
  ///
  /// - Parameters:
  ///   - reservation: what for.
  ///   - writes: false to look at everything and touch nothing.
  /// - Returns: what was, or would be, done.
  /// - Throws: why not; then the machine is as it was before.
  public func reserve(
    _ reservation: CMAReservation, writes: Bool = true
  ) throws(ReserveFailure) -> ReserveOutcome {
    let memory = try machine.physicalMemory()
    var notes = try reservation.check(on: memory)
    notes += try kernelsWithoutCMA()
    let loader = BootLoader(of: machine)
    guard case .grub(let updater) = loader else {
      throw .otherLoader(loader.advice(for: reservation.parameter, on: machine))
    }
    let text = GrubSettings.dropIn(for: reservation)
    let settings = try settings(with: text)
    try settings.check(reservation)
    for other in settings.others {
      notes.append(
        "\(other.source) has \(other.parameter) too; of two the kernel takes the last, which is "
          + reservation.parameter)
    }
    var outcome = ReserveOutcome(
      reservation: reservation, path: machine.path(GrubSettings.dropIn), text: text,
      updater: updater, notes: notes)
    guard writes else { return outcome }
    try replaceDropIn(with: text, updater) { () throws(ReserveFailure) in
      outcome.notes += try checkMenu(reservation, settings)
    }
    outcome.wrote = true
    outcome.ran = runner != nil
    return outcome
  }

  /// Takes the reservation back.
  public func remove(writes: Bool = true) throws(ReserveFailure) -> ReserveOutcome {
    let loader = BootLoader(of: machine)
    let isThere = machine.exists(GrubSettings.dropIn)
    var outcome = ReserveOutcome(path: machine.path(GrubSettings.dropIn))
    guard case .grub(let updater) = loader else {
      // A drop-in of a GRUB that went is of no use to anybody.
      if isThere, writes { try write(nil) }
      throw .otherLoader(loader.advice(for: nil, on: machine))
    }
    guard isThere else {
      outcome.notes.append("there is no \(outcome.path): nothing to take back")
      return outcome
    }
    outcome.updater = updater
    for other in try settings(with: nil).others {
      outcome.notes.append("\(other.source) still has \(other.parameter)")
    }
    guard writes else { return outcome }
    try replaceDropIn(with: nil, updater) { () throws(ReserveFailure) in }
    outcome.wrote = true
    outcome.ran = runner != nil
    return outcome
  }

  /// The settings as they would be with that drop-in.
  private func settings(with dropIn: String?) throws(ReserveFailure) -> GrubSettings {
    try readable { () throws(SystemFailure) in
      var names = try machine.names(in: GrubSettings.folder).filter { $0.hasSuffix(".cfg") }
        .map { "\(GrubSettings.folder)/\($0)" }
      names.removeAll { $0 == GrubSettings.dropIn }
      if dropIn != nil { names.append(GrubSettings.dropIn) }
      names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      var files: [(name: String, text: [UInt8])] = []
      for name in [GrubSettings.main] + names {
        if name == GrubSettings.dropIn, let dropIn {
          files.append((name, Array(dropIn.utf8)))
        } else if machine.exists(name) {
          files.append((name, try contents(of: machine.path(name))))
        }
      }
      return GrubSettings(files: files)
    }
  }

  /// Replaces or removes the drop-in, runs `update-grub` and then `check`; whatever fails, the
  /// drop-in is put back and the menu made again.
  private func replaceDropIn(
    with text: String?, _ updater: String, _ check: () throws(ReserveFailure) -> Void
  ) throws(ReserveFailure) {
    let path = machine.path(GrubSettings.dropIn)
    let before = try readable { () throws(SystemFailure) in
      machine.exists(GrubSettings.dropIn) ? try contents(of: path) : nil
    }
    try write(text.map { Array($0.utf8) })
    guard let runner else { return }
    do throws(ReserveFailure) {
      try run(updater, runner)
      try check()
    } catch {
      var failure = error
      var restored = true
      do throws(ReserveFailure) {
        try write(before)
      } catch {
        restored = false
      }
      if case .updateGrubFailed(let program, let reason, let path, _) = failure {
        failure = .updateGrubFailed(
          program: program, reason: reason, path: path, restored: restored)
      } else {
        // The menu has what was just taken back. The first failure is the one to tell.
        try? run(updater, runner)
      }
      throw failure
    }
  }

  private func run(
    _ updater: String, _ runner: any ProgramRunner
  ) throws(ReserveFailure) {
    let reason: String
    do throws(SystemFailure) {
      let exitCode = try runner.run(updater, [])
      guard exitCode != 0 else { return }
      reason = "it ended with exit code \(exitCode)"
    } catch {
      reason = error.reason
    }
    throw .updateGrubFailed(
      program: updater, reason: reason, path: machine.path(GrubSettings.dropIn), restored: true)
  }

  /// Holds what update-grub made against what was asked for.
  private func checkMenu(
    _ reservation: CMAReservation, _ settings: GrubSettings
  ) throws(ReserveFailure) -> [String] {
    let path = machine.path(GrubMenu.path)
    let menu = GrubMenu(
      try readable { () throws(SystemFailure) in try contents(of: path, limit: 64 << 20) })
    guard !menu.commandLines.isEmpty else {
      return [
        "\(path) has no entry of /etc/grub.d/10_linux: look there for \(reservation.parameter)"
      ]
    }
    for line in menu.commandLines where line.cma != reservation.request {
      throw .overruledInMenu(
        parameter: reservation.parameter,
        by: line.values(of: "cma").last.map { "cma=\($0)" } ?? "no cma=", menu: path)
    }
    return []
  }

  private func write(_ text: [UInt8]?) throws(ReserveFailure) {
    let file = AtomicFile(machine.path(GrubSettings.dropIn))
    do throws(SystemFailure) {
      if let text {
        try file.replace(with: text, mode: 0o644)
      } else {
        try file.remove()
      }
    } catch {
      throw .cannotWrite(operation: error.call.rawValue, path: error.path, reason: error.reason)
    }
  }

  /// Installed kernels that will pass over `cma=`, a line each.
  private func kernelsWithoutCMA() throws(ReserveFailure) -> [String] {
    let kernels = try readable { () throws(SystemFailure) in try machine.installedKernels() }
    var without: [String] = []
    var isSomeCapable = false
    for kernel in kernels {
      guard let (configuration, source) = machine.configuration(of: kernel),
        let option = configuration.missingForCMA
      else {
        // Not known to lack it, so let it pass.
        isSomeCapable = true
        continue
      }
      without.append("\(kernel): \(option) is not set in \(source)")
    }
    guard isSomeCapable || without.isEmpty else { throw .noCMA(kernels: without) }
    return without.map { "this kernel has no CMA and will pass over cma=: \($0)" }
  }

  private func readable<Value>(
    _ read: () throws(SystemFailure) -> Value
  ) throws(ReserveFailure) -> Value {
    do throws(SystemFailure) {
      return try read()
    } catch {
      throw .unreadable(operation: error.call.rawValue, path: error.path, reason: error.reason)
    }
  }
}

extension GrubSettings {
  /// Throws where these settings would not give the kernel this reservation.
  fileprivate func check(_ reservation: CMAReservation) throws(ReserveFailure) {
    let line = commandLine
    guard line.cma != reservation.request else { return }
    // Either a later one counts, or an earlier one leaves its address; or ours was thrown away.
    let parameter = reservation.parameter
    guard line.words.contains(parameter) else {
      throw .overruled(
        parameter: parameter, by: "GRUB_CMDLINE_LINUX=",
        source: lastToSet ?? GrubSettings.main)
    }
    let culprit = others.last
    throw .overruled(
      parameter: parameter, by: culprit?.parameter ?? "cma=",
      source: culprit?.source ?? GrubSettings.main)
  }
}
