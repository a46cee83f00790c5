// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore
public import CMATestSystem

/// Why nothing was reserved, or the reservation not taken back.
public enum ReserveFailure: Error, Equatable, Sendable {
  /// None of the installed kernels has CMA; `kernels` names them, with what is not set in what file.
  case noCMA(kernels: [String])
  /// The kernel would refuse the reservation, or this machine could not live with it.
  case notPossible(reservation: String, reason: String, remedy: String)
  /// Another `cma=` on the same line would count instead. `source` is where it is said.
  case overruled(parameter: String, by: String, source: String)
  /// The same, but who says it was not found: an entry of the menu that update-grub made has it.
  case overruledInMenu(parameter: String, by: String, menu: String)
  /// The machine boots with something that is not configured from here.
  case otherLoader(BootLoaderAdvice)
  /// `update-grub` failed; `restored` says whether the drop-in is as it was before.
  case updateGrubFailed(program: String, reason: String, path: String, restored: Bool)
  /// A signal asked for the end while `update-grub` ran; `restored` says whether the drop-in is as it
  /// was before, `menuRestored` whether the menu was made of it again.
  case interrupted(by: PendingSignal, path: String, restored: Bool, menuRestored: Bool)
  /// The kernel command line is in a form to which nothing can be added safely.
  case cannotEdit(path: String, reason: String)
  case unreadable(operation: String, path: String, reason: String)
  case cannotWrite(operation: String, path: String, reason: String)
}

extension ReserveFailure {
  public var exitStatus: CommandStatus {
    switch self {
    case .noCMA: .noCMA
    case .notPossible: .cannotReserve
    case .overruled, .overruledInMenu: .overruled
    case .otherLoader: .otherBootLoader
    case .updateGrubFailed: .updateGrubFailed
    case .interrupted(.interrupt, _, _, _): .interrupted
    case .interrupted(.hangUp, _, _, _): .hungUp
    case .interrupted(.terminate, _, _, _): .terminated
    case .cannotEdit: .cannotReserve
    case .unreadable: .unreadable
    case .cannotWrite: .cannotWrite
    }
  }

  /// A stable word for scripts; `cma-test reserve --json` has it as `error.kind`.
  public var kind: String {
    switch self {
    case .noCMA: "no-cma"
    case .notPossible: "cannot-reserve"
    case .overruled, .overruledInMenu: "overruled"
    case .otherLoader: "other-boot-loader"
    case .updateGrubFailed: "update-grub-failed"
    case .interrupted: "interrupted"
    case .cannotEdit: "cannot-edit"
    case .unreadable: "unreadable"
    case .cannotWrite: "cannot-write"
    }
  }

  /// What was done, on what, and why it failed; one line.
  public var message: String {
    switch self {
    case .noCMA(let kernels):
      "no installed kernel has a contiguous memory allocator: " + kernels.joined(separator: "; ")
    case .notPossible(let reservation, let reason, _):
      "cannot reserve \(reservation): \(reason)"
    case .overruled(let parameter, let other, let source):
      "cannot reserve with \(parameter): \(other) in \(source) would count instead"
    case .overruledInMenu(let parameter, let other, let menu):
      "cannot reserve with \(parameter): update-grub made entries with \(other) in \(menu)"
    case .otherLoader(let advice):
      "this machine boots with \(advice.loader), which cma-test does not configure"
    case .updateGrubFailed(let program, let reason, let path, let restored):
      "\(program): \(reason); "
        + (restored ? "\(path) is as it was before" : "\(path) could not be put back as it was")
    case .interrupted(let signal, let path, let restored, let menuRestored):
      "ended by \(signal.name); "
        + (restored ? "\(path) is as it was before" : "\(path) could not be put back as it was")
        + (menuRestored ? ", and so is GRUB's menu" : ", and GRUB's menu could not be made again")
    case .cannotEdit(let path, let reason):
      "change the kernel command line in \(path): \(reason)"
    case .unreadable(let operation, let path, let reason),
      .cannotWrite(let operation, let path, let reason):
      "\(operation) \(path): \(reason)"
    }
  }

  /// What to do next; one line.
  public var remedy: String {
    switch self {
    case .noCMA:
      "install a kernel with CMA first: on Debian amd64 that is one from trixie-backports or later"
    case .notPossible(_, _, let remedy):
      remedy
    case .overruled(_, let other, let source):
      "remove '\(other)' from \(source), then try again"
    case .overruledInMenu:
      "look for what sets GRUB_CMDLINE_LINUX in /etc/default/grub and /etc/default/grub.d, "
        + "then try again"
    case .otherLoader(let advice):
      advice.steps.map { $0.drop { $0 == " " } }.joined(separator: " ")
    case .updateGrubFailed(let program, _, let path, let restored):
      (restored ? "" : "look at \(path); ")
        + "run '\(program)' by itself, mend what it complains of, then try again"
    case .interrupted(_, let path, true, true):
      "nothing has changed, \(path) neither: run it again when it may end"
    case .interrupted(_, let path, let restored, _):
      (restored ? "" : "look at \(path); ") + "run 'update-grub' by itself, then try again"
    case .cannotEdit(let path, _):
      "mend the line in \(path) by hand, then try again"
    case .unreadable(_, let path, _):
      path.contains("/proc/")
        ? "check that /proc is mounted, and run it as root" : "look at \(path), and run it as root"
    case .cannotWrite:
      "run it as root, with the file system writable and not full"
    }
  }
}
