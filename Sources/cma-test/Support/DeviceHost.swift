// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestDevice
internal import CMATestMachine
internal import CMATestStatus
internal import CMATestSystem
internal import Glibc

/// What a session needs of the machine, so that a test can stand in for it.
protocol DeviceHost {
  /// Takes the lock that all commands with the device share, unless another process has it.
  func lock() throws(SystemFailure) -> ProcessLock.Attempt
  /// Sees to it that the module is loaded.
  ///
  /// - Parameter loads: false to take it only if it is there.
  /// - Returns: what removes it again, if it was loaded for that.
  /// - Throws: why it is not loaded, as `cma-test status` has it.
  func module(loads: Bool) throws(DeviceSessionFailure) -> any ModuleHold
  /// Opens the device.
  func open() throws(DeviceSessionFailure) -> any Kernel
  /// The words of a process; nil where it is gone, or not to be seen.
  func words(of process: CInt) -> String?
  /// Why the default area has no pages; nil where it has, or nothing tells.
  func unactivatedDefaultArea() -> UnactivatedArea?
  func pause(nanoseconds: UInt64)
}

/// The module for as long as a session lasts.
protocol ModuleHold {
  /// Removes it if the session had loaded it. All descriptors of the device must be closed by then.
  func end() throws(DeviceSessionFailure)
}

/// The running machine.
struct RunningHost: DeviceHost {
  static let lockPath = "/run/cma-test.lock"

  /// The words after this program's own name that make it an owner of blocks.
  let ownerCommand: [String]

  func lock() throws(SystemFailure) -> ProcessLock.Attempt { try ProcessLock.take(Self.lockPath) }

  func module(loads: Bool) throws(DeviceSessionFailure) -> any ModuleHold {
    // Where the device is, there is nothing to ask libkmod for.
    if Machine().exists(KernelDevice.path) { return ModuleOfOthers() }
    do throws(ModuleSessionFailure) {
      return ModuleOfSession(session: try ModuleSession.begin(loads: loads))
    } catch {
      throw DeviceSessionFailure(error)
    }
  }

  func open() throws(DeviceSessionFailure) -> any Kernel {
    do throws(SystemFailure) {
      let file = try KernelDevice()
      let information: DeviceInformation
      do throws(DeviceFailure) {
        information = try file.information()
      } catch {
        throw SystemFailure(.ioctl, KernelDevice.path, error.code)
      }
      return try RunningKernel(
        file: file, pageSize: information.pageSize, ownerCommand: ownerCommand)
    } catch {
      throw DeviceSessionFailure(error)
    }
  }

  func words(of process: CInt) -> String? {
    guard let bytes = try? contents(of: "/proc/\(process)/cmdline"), !bytes.isEmpty else {
      return nil
    }
    let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    return words.joined(separator: " ")
  }

  func unactivatedDefaultArea() -> UnactivatedArea? { Machine().unactivatedDefaultArea() }

  func pause(nanoseconds: UInt64) { CMATestSystem.pause(nanoseconds: nanoseconds) }
}

private struct ModuleOfOthers: ModuleHold {
  func end() throws(DeviceSessionFailure) {}
}

private struct ModuleOfSession: ModuleHold {
  let session: ModuleSession

  func end() throws(DeviceSessionFailure) {
    do throws(ModuleSessionFailure) {
      try session.end()
    } catch {
      throw DeviceSessionFailure(error)
    }
  }
}

extension DeviceSessionFailure {
  init(_ failure: ModuleSessionFailure) {
    self.init(
      .noDevice, kind: failure.kind, message: failure.message, remedy: failure.remedy)
  }

  fileprivate init(_ failure: SystemFailure) {
    let remedy =
      switch failure.code {
      case SystemFailure.notPermitted, SystemFailure.accessDenied:
        "run it as root, outside a container"
      case SystemFailure.protocolNotSupported:
        "load the module of this version: 'rmmod cmatest', then 'modprobe cmatest alloc_count=0'"
      default: "look for 'cmatest' in the output of dmesg"
      }
    self.init(
      .noDevice, kind: "no-device",
      message: "cannot \(failure.call.rawValue) \(failure.path): \(failure.reason)", remedy: remedy)
  }
}
