// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSystem
internal import Glibc

/// A reason why a case ends before its last line.
public enum CaseEnd: Error, Equatable, Sendable {
  /// The allocator made a mistake; the reason says what was found and what is right.
  case failed(String)
  /// The case cannot run here; the text says why.
  case skipped(String)
  /// A signal asks for the end of the whole run.
  case interrupted(by: String)
  /// The time that was allowed for the whole run is up.
  case timeUp
}

extension CaseEnd {
  init(_ error: DeviceFailure) {
    // The module's limits are its user's choice, not the kernel's fault.
    self =
      if error.isPageLimit {
        .skipped("\(error.message): the module's max_pages is too low for this case")
      } else if error.isHandleLimit {
        .skipped("\(error.message): the module's max_handles is too low for this case")
      } else if error.isOfKernelMemory {
        .skipped(error.message)
      } else {
        .failed(error.message)
      }
  }

  init(_ error: SystemFailure) {
    guard ![EAGAIN, EMFILE, ENFILE, ENOMEM].contains(error.code) else {
      // The allocator has no part in that.
      self = .skipped(
        "\(error.call.rawValue) of \(error.path): \(error.reason): a limit on processes, open files or "
          + "memory is too low for this case")
      return
    }
    self = .failed("\(error.call.rawValue) of \(error.path): \(error.reason)")
  }
}

extension CaseEnd {
  init(_ error: PlacementFailure) {
    switch error {
    case .impossible(let reason): self = .skipped(reason)
    case .device(let error): self = CaseEnd(error)
    case .system(let error): self = CaseEnd(error)
    }
  }
}

/// Makes a request of the device, whose failure ends the case.
///
/// - Parameter request: the request.
/// - Returns: the answer.
/// - Throws: the end that the failure makes.
func asking<Answer: ~Copyable>(
  _ request: @autoclosure () throws(DeviceFailure) -> Answer
) throws(CaseEnd) -> Answer {
  do throws(DeviceFailure) { return try request() } catch { throw CaseEnd(error) }
}

/// Makes system calls, whose failure ends the case.
///
/// - Parameter calls: the calls.
/// - Returns: the result of the calls.
/// - Throws: the end that the failure makes.
func observing<Answer: ~Copyable>(
  _ calls: @autoclosure () throws(SystemFailure) -> Answer
) throws(CaseEnd) -> Answer {
  do throws(SystemFailure) { return try calls() } catch { throw CaseEnd(error) }
}
