// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore
internal import CMATestMachine
public import CMATestSystem

/// A reason for which nothing was reserved, or a reservation was not taken back.
public enum ReserveFailure: Error, Equatable, Sendable {
  /// None of the installed kernels has CMA; `kernels` has a line for each, with the option that is not
  /// set and the file that says so.
  case noCMA(kernels: [String])
  /// The kernel would refuse the reservation, or this machine could not live with it.
  case notPossible(reservation: String, reason: String, remedy: String)
  /// Another `cma=` on the same line would count instead. `source` is the file that has it.
  case overruled(parameter: String, by: String, source: String)
  /// An entry of the menu that update-grub made has another `cma=`, whose source was not found.
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

extension ReserveFailure: CommandFailure {
  public var explanation: Explanation {
    switch self {
    case .noCMA(let kernels):
      Explanation(
        .noCMA, kind: "no-cma",
        message: "no installed kernel has a contiguous memory allocator: "
          + kernels.joined(separator: "; "),
        remedy: "install a kernel with CMA first: on Debian amd64 that is one from "
          + "trixie-backports or later")
    case .notPossible(let reservation, let reason, let remedy):
      Explanation(
        .cannotReserve, kind: "cannot-reserve", message: "cannot reserve \(reservation): \(reason)",
        remedy: remedy)
    case .overruled(let parameter, let other, let source):
      Explanation(
        .overruled, kind: "overruled",
        message: "cannot reserve with \(parameter): \(other) in \(source) would count instead",
        remedy: "remove '\(other)' from \(source), then try again")
    case .overruledInMenu(let parameter, let other, let menu):
      Explanation(
        .overruled, kind: "overruled",
        message: "cannot reserve with \(parameter): "
          + "update-grub made entries with \(other) in \(menu)",
        remedy: "look for what sets GRUB_CMDLINE_LINUX in /etc/default/grub and "
          + "/etc/default/grub.d, then try again")
    case .otherLoader(let advice):
      Explanation(
        .otherBootLoader, kind: "other-boot-loader",
        message: "this machine boots with \(advice.loader), which cma-test does not configure",
        remedy: advice.steps.map { $0.drop { $0 == " " } }.joined(separator: " "))
    case .updateGrubFailed(let program, let reason, let path, let restored):
      Explanation(
        .updateGrubFailed, kind: "update-grub-failed",
        message: "\(program): \(reason); \(Self.words(path, restored: restored))",
        remedy: Self.look(at: path, restored: restored)
          + "run '\(program)' by itself, correct the errors that it reports, then try again")
    case .interrupted(let signal, let path, let restored, let menuRestored):
      Explanation(
        Self.exitStatus(after: signal), kind: "interrupted",
        message: "ended by \(signal.name); \(Self.words(path, restored: restored))"
          + (menuRestored
            ? ", and so is GRUB's menu" : ", and GRUB's menu could not be made again"),
        remedy: restored && menuRestored
          ? "nothing has changed: run the command again and let it finish"
          : "\(Self.look(at: path, restored: restored))run 'update-grub' by itself, then try again")
    case .cannotEdit(let path, let reason):
      Explanation(
        .cannotReserve, kind: "cannot-edit",
        message: "change the kernel command line in \(path): \(reason)",
        remedy: "correct the line in \(path) by hand, then try again")
    case .unreadable(let operation, let path, let reason):
      Explanation(
        .unreadable, kind: "unreadable", message: "\(operation) \(path): \(reason)",
        remedy: path.contains("/proc/")
          ? "check that /proc is mounted, and run the command as root"
          : "check \(path), and run the command as root")
    case .cannotWrite(let operation, let path, let reason):
      Explanation(
        .cannotWrite, kind: "cannot-write", message: "\(operation) \(path): \(reason)",
        remedy: "run the command as root, with the file system writable and not full")
    }
  }

  /// The boot loader that must be configured by hand, else null.
  public var details: [JSON.Member] {
    guard case .otherLoader(let advice) = self else { return [JSON.Member("loader", .null)] }
    return [
      JSON.Member("loader", ReserveReport.json(advice)),
      JSON.Member("notes", .array(advice.notes.map(JSON.string))),
    ]
  }

  private static func words(_ path: String, restored: Bool) -> String {
    restored ? "\(path) is as it was before" : "\(path) could not be put back as it was"
  }

  private static func look(at path: String, restored: Bool) -> String {
    restored ? "" : "look at \(path); "
  }

  private static func exitStatus(after signal: PendingSignal) -> CommandStatus {
    switch signal {
    case .interrupt: .interrupted
    case .hangUp: .hungUp
    case .terminate: .terminated
    }
  }
}
