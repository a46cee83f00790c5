// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// One of the boot loaders of Debian machines: how a machine shows that it boots with it, where the
/// kernel command line comes from, and how that is changed. A new loader is a type of this protocol
/// and a place in `Machine.bootLoaders`.
protocol BootLoader {
  /// Looks for the loader.
  ///
  /// - Parameter machine: where.
  /// - Returns: nil where the machine does not boot with it.
  static func find(on machine: Machine) -> BootLoaderFinding?

  /// The name for people.
  var name: String { get }

  /// Reserves memory, or throws what the user has to do.
  ///
  /// - Parameters:
  ///   - reservation: the reservation.
  ///   - notes: notes for the user that are known already.
  ///   - session: the machine, and the limits of what may be done there.
  /// - Returns: the changes that were, or would be, made.
  /// - Throws: `otherLoader` with what to do by hand, or why it cannot be done.
  func reserve(
    _ reservation: CMAReservation, notes: [String], in session: ReserveSession
  ) throws(ReserveFailure) -> ReserveOutcome

  /// Takes the reservation back, or throws what the user has to do.
  func remove(in session: ReserveSession) throws(ReserveFailure) -> ReserveOutcome
}

/// A boot loader that was found.
struct BootLoaderFinding {
  var loader: any BootLoader
  /// Whether the loader itself says that it booted this machine, rather than lying on the disk only.
  var saysItself = false

  init(_ loader: any BootLoader, saysItself: Bool = false) {
    self.loader = loader
    self.saysItself = saysItself
  }
}

extension Machine {
  /// The types of boot loader; where several lie on the disk, the first counts. U-Boot looks for
  /// extlinux.conf before scripts, so the files that scripts read come last.
  private static var bootLoaders: [any BootLoader.Type] {
    [
      Grub.self, RaspiFirmware.self, RaspberryPi.self, UBootMenu.self, Extlinux.self,
      EnvironmentFile.self, FlashKernel.self, SystemdBoot.self,
    ]
  }

  /// Finds out what boots the machine.
  func bootLoader() -> any BootLoader {
    let findings = Self.bootLoaders.compactMap { $0.find(on: self) }
    return (findings.first { $0.saysItself } ?? findings.first)?.loader ?? UnknownLoader()
  }

  /// Returns whether a loader of a name wrote that name into the firmware's variable for this boot,
  /// as systemd-boot does, and GRUB in newer versions.
  func loaderInfo(beginsWith name: String) -> Bool {
    let variable =
      "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
    // Four bytes of attributes, then UTF-16: the plain letters are every other byte.
    let info = (try? contents(of: path(variable))) ?? []
    return info.dropFirst(4).filter { $0 != 0 }.starts(with: name.utf8)
  }
}

/// A boot loader that is not configured from here: the user is told what to do.
protocol AdvisedBootLoader: BootLoader {
  /// Returns the changes to make by hand.
  ///
  /// - Parameters:
  ///   - reservation: what to reserve; nil to take it back.
  ///   - machine: the machine whose files are read.
  /// - Returns: the changes to files, the commands, and what the user should know.
  /// - Throws: where a line cannot be read or changed.
  func advice(
    for reservation: CMAReservation?, on machine: Machine
  ) throws(ReserveFailure) -> BootLoaderAdvice
}

extension AdvisedBootLoader {
  func reserve(
    _ reservation: CMAReservation, notes: [String], in session: ReserveSession
  ) throws(ReserveFailure) -> ReserveOutcome {
    var advice = try advice(for: reservation, on: session.machine)
    advice.notes = notes + advice.notes
    throw .otherLoader(advice)
  }

  func remove(in session: ReserveSession) throws(ReserveFailure) -> ReserveOutcome {
    // A drop-in of a GRUB that went is of no use to anybody.
    try session.removeStaleDropIn()
    var advice = try advice(for: nil, on: session.machine)
    let file = advice.file.map(session.machine.path) ?? ""
    advice.edits.removeAll { !$0.isNeeded }
    guard advice.edits.isEmpty else { throw .otherLoader(advice) }
    return ReserveOutcome(
      path: file,
      notes: ["the settings of \(name), such as \(file), have no cma=: nothing to take back"])
  }
}
