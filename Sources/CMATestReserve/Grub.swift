// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// GRUB, which is configured from here: a drop-in, and `update-grub`.
struct Grub: BootLoader {
  let name = "GRUB"
  private let updater: String

  /// Finds GRUB only where the machine has both its menu and the program that makes the menu.
  static func find(on machine: Machine) -> BootLoaderFinding? {
    guard machine.isFile(GrubMenu.path), let updater = machine.program("update-grub") else {
      return nil
    }
    return .init(Self(updater: updater), saysItself: machine.loaderInfo(beginsWith: "GRUB"))
  }

  func reserve(
    _ reservation: CMAReservation, notes: [String], in session: ReserveSession
  ) throws(ReserveFailure) -> ReserveOutcome {
    let (text, settings, more) = try dropIn(for: reservation, on: session.machine)
    var outcome = ReserveOutcome(
      reservation: reservation, path: session.machine.path(GrubSettings.dropIn), text: text,
      updater: updater, notes: notes + more)
    guard session.writes else { return outcome }
    try replaceDropIn(with: text, session) { () throws(ReserveFailure) in
      outcome.notes += try checkMenu(reservation, settings, session.machine)
    }
    outcome.wrote = true
    outcome.ran = session.runner != nil
    return outcome
  }

  func remove(in session: ReserveSession) throws(ReserveFailure) -> ReserveOutcome {
    let machine = session.machine
    var outcome = ReserveOutcome(path: machine.path(GrubSettings.dropIn))
    guard machine.exists(GrubSettings.dropIn) else {
      outcome.notes.append("there is no \(outcome.path): nothing to take back")
      return outcome
    }
    outcome.updater = updater
    for other in try Self.settings(with: nil, on: machine).others {
      outcome.notes.append("\(other.source) still has \(other.parameter)")
    }
    guard session.writes else { return outcome }
    try replaceDropIn(with: nil, session) { () throws(ReserveFailure) in }
    outcome.wrote = true
    outcome.ran = session.runner != nil
    return outcome
  }

  /// The drop-in that makes the kernel read the parameter, with what the settings then are.
  private func dropIn(
    for reservation: CMAReservation, on machine: Machine
  ) throws(ReserveFailure) -> (text: String, settings: GrubSettings, notes: [String]) {
    var text = GrubSettings.dropIn(for: reservation, comesFirst: false)
    var settings = try Self.settings(with: text, on: machine)
    var notes: [String] = []
    if settings.commandLine.cma != reservation.request {
      // After `--`, or inside a quote that is never closed, the kernel finds no parameter.
      let first = GrubSettings.dropIn(for: reservation, comesFirst: true)
      let settingsThen = try Self.settings(with: first, on: machine)
      let isRead = settingsThen.commandLine.cma == reservation.request
      // Where neither place will do, the one that shows who is to blame.
      if isRead || !settings.commandLine.words.contains(reservation.parameter) {
        (text, settings) = (first, settingsThen)
      }
      if isRead {
        notes.append(
          "\(reservation.parameter) is put before the rest of GRUB_CMDLINE_LINUX, which ends after "
            + "'--' or an open quote, where the kernel reads no parameters")
      }
    }
    try settings.check(reservation)
    for other in settings.others {
      notes.append(
        "\(other.source) has \(other.parameter) too; the kernel takes the last of them, which is "
          + reservation.parameter)
    }
    notes += xenNotes(reservation, settings, machine)
    return (text, settings, notes)
  }

  private func xenNotes(
    _ reservation: CMAReservation, _ settings: GrubSettings, _ machine: Machine
  ) -> [String] {
    let xen = settings.xenCommandLine
    guard xen.line.cma != reservation.request, let variable = xen.replacements.first,
      let names = try? machine.names(in: "/boot"), names.contains(where: { $0.hasPrefix("xen") })
    else { return [] }
    return [
      "the entries with Xen (/etc/grub.d/20_linux_xen) get no \(reservation.parameter), since "
        + "\(variable) in \(settings.source(of: variable) ?? GrubSettings.main) replaces the "
        + "settings for Linux in them: add \(reservation.parameter) to that variable too"
    ]
  }

  /// The settings as they would be with that drop-in.
  private static func settings(
    with dropIn: String?, on machine: Machine
  ) throws(ReserveFailure) -> GrubSettings {
    var names = try machine.filesForShell(in: GrubSettings.folder, suffix: ".cfg")
    names.removeAll { $0 == GrubSettings.dropIn }
    if dropIn != nil { names.append(GrubSettings.dropIn) }
    names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var files: [(name: String, text: [UInt8])] = []
    for name in [GrubSettings.main] + names {
      if name == GrubSettings.dropIn, let dropIn {
        files.append((name, Array(dropIn.utf8)))
      } else if let text = try machine.text(of: name) {
        files.append((name, text))
      }
    }
    return GrubSettings(files: files)
  }

  /// Replaces or removes the drop-in, runs `update-grub` and then `check`; whatever fails, or asks
  /// for the end meanwhile, the drop-in is put back and the menu made again.
  private func replaceDropIn(
    with text: String?, _ session: ReserveSession, _ check: () throws(ReserveFailure) -> Void
  ) throws(ReserveFailure) {
    let before = try session.machine.text(of: GrubSettings.dropIn)
    try session.writeDropIn(text.map { Array($0.utf8) })
    guard let runner = session.runner else { return }
    do throws(ReserveFailure) {
      try run(runner, session.machine)
      try check()
    } catch {
      let isRestored: Bool
      do throws(ReserveFailure) {
        try session.writeDropIn(before)
        isRestored = true
      } catch {
        isRestored = false
      }
      switch error {
      case .updateGrubFailed(let program, let reason, let path, _):
        throw .updateGrubFailed(
          program: program, reason: reason, path: path, restored: isRestored)
      case .interrupted(let signal, let path, _, _):
        throw .interrupted(
          by: signal, path: path, restored: isRestored, menuRestored: makesMenuAgain(runner))
      default:
        // The menu has what was just taken back. The first failure is the one to tell.
        _ = makesMenuAgain(runner)
        throw error
      }
    }
  }

  private func run(
    _ runner: any ProgramRunner, _ machine: Machine
  ) throws(ReserveFailure) {
    let path = machine.path(GrubSettings.dropIn)
    let exitCode: CInt
    do throws(SystemFailure) {
      exitCode = try runner.run(updater, [], untilSignal: true)
    } catch {
      throw .updateGrubFailed(
        program: updater, reason: error.reason, path: path, restored: true)
    }
    if let signal = runner.signal {
      throw .interrupted(by: signal, path: path, restored: true, menuRestored: true)
    }
    guard exitCode == 0 else {
      throw .updateGrubFailed(
        program: updater, reason: "it ended with exit code \(exitCode)", path: path,
        restored: true)
    }
  }

  /// Runs `update-grub` on the restored drop-in to its end, even if a signal asks this program to
  /// end.
  private func makesMenuAgain(_ runner: any ProgramRunner) -> Bool {
    (try? runner.run(updater, [], untilSignal: false)) == 0
  }

  /// Compares the menu that update-grub made with the reservation.
  private func checkMenu(
    _ reservation: CMAReservation, _ settings: GrubSettings, _ machine: Machine
  ) throws(ReserveFailure) -> [String] {
    let path = machine.path(GrubMenu.path)
    let (menu, kernels) = try readable { () throws(SystemFailure) in
      (
        GrubMenu(try contents(of: path, limit: 64 << 20)), try machine.installedKernels()
      )
    }
    for entry in menu.ours where entry.line.cma != reservation.request {
      throw .overruledInMenu(
        parameter: reservation.parameter,
        by: entry.line.values(of: "cma").last.map { "cma=\($0)" } ?? "no cma=", menu: path)
    }
    var notes: [String] = []
    if menu.ours.isEmpty {
      notes.append(
        "\(path) has no entry of /etc/grub.d/10_linux: check its entries for "
          + reservation.parameter)
    }
    let others = menu.others(of: kernels).filter { $0.line.cma != reservation.request }
    for section in Set(others.map(\.section)).sorted() {
      let titles = others.filter { $0.section == section }.map { "'\($0.title)'" }
      notes.append(
        "entries of \(section) in \(path) have no \(reservation.parameter): "
          + titles.joined(separator: ", "))
    }
    return notes
  }
}

extension GrubSettings {
  /// Throws where these settings would not give the kernel this reservation.
  fileprivate func check(_ reservation: CMAReservation) throws(ReserveFailure) {
    guard commandLine.cma != reservation.request else { return }
    // Either a later one counts, or an earlier one leaves its address; or ours was thrown away.
    let parameter = reservation.parameter
    guard commandLine.words.contains(parameter), let culprit = others.last else {
      throw .overruled(
        parameter: parameter, by: "GRUB_CMDLINE_LINUX=",
        source: lastToSet ?? GrubSettings.main)
    }
    throw .overruled(parameter: parameter, by: culprit.parameter, source: culprit.source)
  }
}
