// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestDevice
internal import CMATestSystem

/// A reason why a measurement could not be made, or not be kept.
enum BenchCommandFailure: CommandFailure {
  /// The profile cannot be read.
  case noProfile(name: String, SystemFailure)
  /// The module refused a request that must work.
  case refused(DeviceFailure)
  /// The kernel has no threads for the measurement.
  case noThreads(SystemFailure)
  /// A load did not load, or ended before its time.
  case load(LoadFailure)
  /// The blocks of a cell would leave too little memory for everybody else.
  case noMemory(CellSettings, MemoryShortage)
  /// The file of the result cannot be written.
  case cannotWrite(SystemFailure)

  init(_ failure: BenchFailure) {
    switch failure {
    case .refused(let failure): self = .refused(failure)
    case .noThreads(let failure): self = .noThreads(failure)
    case .load(let failure): self = .load(failure)
    case .noMemory(let cell, let shortage): self = .noMemory(cell, shortage)
    }
  }

  var explanation: Explanation {
    switch self {
    case .noProfile(let name, let failure):
      Explanation(
        .unreadable, kind: "no-profile",
        message: "cannot read the profile \(name): \(failure.reason)",
        remedy: "name a profile of \(BenchProfileFile.folder), or a file with its path")
    case .refused(let failure) where failure.isPageLimit:
      Explanation(
        .deviceRefused, kind: "device-refused", message: failure.message,
        remedy: "ask for smaller blocks, fewer threads or a smaller '--hold'")
    case .refused(let failure):
      Explanation(
        .deviceRefused, kind: "device-refused", message: failure.message,
        remedy: "look for 'cmatest' in the output of dmesg")
    case .noThreads(let failure):
      Explanation(
        .failed, kind: "no-threads", message: "cannot start \(failure.path): \(failure.reason)",
        remedy: "ask for fewer with '--threads'")
    case .load(let failure):
      Explanation(
        .loadFailed, kind: "load-failed", message: failure.message, remedy: failure.remedy)
    case .noMemory(let cell, let shortage):
      Explanation(
        .deviceRefused, kind: "no-memory",
        message: "blocks of \(cell.words) were not asked for, since \(shortage.words)",
        remedy: "free memory, or ask for smaller blocks, fewer threads or a smaller '--hold'")
    case .cannotWrite(let failure):
      Explanation(
        .cannotWrite, kind: "cannot-write",
        message: "cannot \(failure.call.rawValue) \(failure.path): \(failure.reason)",
        remedy: "name another file with '--output'")
    }
  }
}
