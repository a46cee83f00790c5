// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestStatus
internal import CMATestSuite
internal import CMATestSystem
internal import Glibc

/// A reason why a command has no device to work with, or could not finish its work.
enum DeviceSessionFailure: CommandFailure {
  /// The lock that commands with the device share cannot be made.
  case noLock(SystemFailure)
  /// Another process has the lock.
  case busy(holder: String)
  /// The module is not loaded; the explanation is that of `cma-test status`.
  case notLoaded(Explanation)
  /// The device cannot be opened.
  case cannotOpen(SystemFailure)
  /// The device or the machine refused what must work; one line.
  case refused(String)
  /// The module does not know where the area is.
  case placeNotKnown(area: String, mayHaveRanges: Bool)
  /// A limit of the module's own; the message of the request that was refused.
  case limited(String, parameter: String, String)
  /// The work takes more than a limit allows, which the line names.
  case tooLimited(String)
  /// A signal ended the work.
  case interrupted(by: String)
  /// The time that the user allowed ended the work.
  case timeUp

  /// Makes the failure of work that came to an early end.
  init(_ end: CaseEnd) {
    switch end {
    case .failed(let reason): self = .refused(reason)
    case .skipped(let reason): self = .tooLimited(reason)
    case .interrupted(let signal): self = .interrupted(by: signal)
    case .timeUp: self = .timeUp
    }
  }

  var explanation: Explanation {
    switch self {
    case .noLock(let failure):
      Explanation(
        .cannotWrite, kind: "no-lock", message: Self.words(failure),
        remedy: "check that /run exists and is writable")
    case .busy(let holder):
      Explanation(
        .deviceBusy, kind: "device-busy", message: "\(holder) has the device",
        remedy: "wait until that process has ended, or pass '--wait'")
    case .notLoaded(let cause):
      Explanation(.noDevice, kind: cause.kind, message: cause.message, remedy: cause.remedy)
    case .cannotOpen(let failure):
      Explanation(
        .noDevice, kind: "no-device", message: Self.words(failure),
        remedy: Self.remedy(forOpening: failure.code))
    case .refused(let reason):
      Explanation(
        .deviceRefused, kind: "device-refused", message: reason,
        remedy: "look for 'cmatest' in the output of dmesg")
    case .placeNotKnown(let area, let mayHaveRanges):
      Explanation(
        .deviceRefused, kind: "place-not-known",
        message: mayHaveRanges
          ? "the area \(area) may be several ranges, whose pages the module does not look at"
          : "this kernel does not tell where the area \(area) is",
        remedy: mayHaveRanges
          ? "choose another area with '--area'"
          : "look in 'cma-test status' for the function cma_get_base, whose address may be hidden")
    case .limited(let what, let parameter, let message):
      Explanation(
        .deviceRefused, kind: "limit-of-module",
        message: "\(message): the module's limit of \(what), \(parameter), is too low",
        remedy: "load the module with a higher \(parameter): cmatest(4)")
    case .tooLimited(let reason):
      Explanation(
        .deviceRefused, kind: "limit-of-module", message: reason,
        remedy: "load the module with higher limits: cmatest(4)")
    case .interrupted(let signal):
      Explanation(
        CommandStatus(signal: signal) ?? .failed, kind: "ended", message: "ended by \(signal)",
        remedy: "start the command again")
    case .timeUp:
      Explanation(
        .failed, kind: "ended", message: "the time was up", remedy: "start the command again")
    }
  }

  private static func words(_ failure: SystemFailure) -> String {
    "cannot \(failure.call.rawValue) \(failure.path): \(failure.reason)"
  }

  private static func remedy(forOpening code: CInt) -> String {
    switch code {
    case SystemFailure.notPermitted, SystemFailure.accessDenied:
      "run the command as root, outside a container"
    case SystemFailure.protocolNotSupported:
      "load the module of this version: 'rmmod cmatest', then 'modprobe cmatest alloc_count=0'"
    case ENOENT, ENXIO, ENODEV:
      // As in a /dev of somebody's own, where devtmpfs is not mounted.
      "look whether /dev is the kernel's own, or make the file: mknod -m 600 \(KernelDevice.path) c "
        + "$(tr : ' ' < /sys/class/misc/cmatest/dev)"
    case EMFILE: "raise the limit of open files of this process: ulimit -n"
    case ENOBUFS, ENOMEM: "free memory: the kernel has none for an open file"
    case ENFILE: "raise the limit of open files of the machine: sysctl fs.file-max"
    default: "look for 'cmatest' in the output of dmesg"
    }
  }
}
