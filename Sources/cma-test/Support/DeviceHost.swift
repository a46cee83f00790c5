// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestConfigure
internal import CMATestCore
internal import CMATestDevice
internal import CMATestHolders
internal import CMATestMachine
internal import CMATestStatus
internal import CMATestSystem
internal import Glibc

/// Does what a session needs of the machine; a test replaces it.
protocol DeviceHost {
  /// The machine, for its processes and files.
  var machine: Machine { get }
  /// Takes the lock that all commands with the device share, unless another process has it.
  func lock() throws(SystemFailure) -> ProcessLock.Attempt
  /// Loads the module unless it is loaded.
  ///
  /// - Parameter loads: false to use only a module that is loaded.
  /// - Returns: the hold that removes the module again, if the module was loaded for this.
  /// - Throws: the reason why the module is not loaded, as `cma-test status` has it.
  func module(loads: Bool) throws(DeviceSessionFailure) -> any ModuleHold
  /// Opens the device.
  func open() throws(DeviceSessionFailure) -> any TestedKernel
  /// Returns the command line of a process; nil where the process is gone, or cannot be seen.
  func words(of process: CInt) -> String?
  /// Explains why the default area has no pages; nil where it has some, or nothing tells.
  func unactivatedDefaultArea() -> UnactivatedArea?
  func pause(nanoseconds: UInt64)
  /// Starts a load, and returns when it is there.
  ///
  /// - Parameters:
  ///   - kind: the kind of the load.
  ///   - folder: the folder for files.
  ///   - area: the page frame numbers of the area that is measured; nil where they are not known.
  ///   - spare: bytes that the load leaves free outside the area.
  ///   - isEnding: asked meanwhile; true gives up.
  /// - Returns: the load, whose memory is filled.
  /// - Throws: the reason why it does not load.
  func startLoad(
    _ kind: LoadKind, in folder: String, beside area: Range<UInt64>?, spare: UInt64,
    isEnding: () -> Bool
  ) throws(LoadFailure) -> any RunningLoad
  /// Counts the pages of an area that have what a kind of load makes; nil where nothing tells.
  func filledPages(by kind: LoadKind, in area: Range<UInt64>) -> UInt64?
}

/// Holds the module for as long as a session lasts.
protocol ModuleHold {
  /// Removes the module if the session had loaded it. All descriptors of the device must be closed by
  /// then.
  func end() throws(DeviceSessionFailure)
}

/// The running machine.
struct RunningHost: DeviceHost {
  static let lockPath = "/run/cma-test.lock"

  let machine = Machine()
  /// The arguments that make this program an owner of blocks.
  let ownerCommand: [String]

  func lock() throws(SystemFailure) -> ProcessLock.Attempt { try ProcessLock.take(Self.lockPath) }

  func module(loads: Bool) throws(DeviceSessionFailure) -> any ModuleHold {
    // Where the device is, there is nothing to ask libkmod for.
    if Machine().exists(KernelDevice.path) { return ModuleOfOthers() }
    return try mapError({ DeviceSessionFailure.notLoaded($0.explanation) }) {
      () throws(ModuleSessionFailure) in
      ModuleOfSession(session: try ModuleSession.begin(loads: loads))
    }
  }

  func open() throws(DeviceSessionFailure) -> any TestedKernel {
    do throws(SystemFailure) {
      let file = try KernelDevice()
      let information: DeviceInformation
      do throws(DeviceFailure) {
        information = try file.information()
      } catch {
        throw SystemFailure(.ioctl, KernelDevice.path, error.code)
      }
      return try RunningKernel(
        file: file, pageSize: information.pageSize,
        naming: HolderWords(file: file, insight: file, machine: machine),
        ownerCommand: ownerCommand)
    } catch {
      throw .cannotOpen(error)
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

  func startLoad(
    _ kind: LoadKind, in folder: String, beside area: Range<UInt64>?, spare: UInt64,
    isEnding: () -> Bool
  ) throws(LoadFailure) -> any RunningLoad {
    let starter = LoadStarter(
      child: ["/proc/self/exe", Load.name], folder: folder, area: area, spare: spare)
    return try starter.start(kind, ending: isEnding)
  }

  func filledPages(by kind: LoadKind, in area: Range<UInt64>) -> UInt64? {
    try? CMATestBench.filledPages(by: kind, in: area, on: Machine())
  }
}

private struct ModuleOfOthers: ModuleHold {
  func end() throws(DeviceSessionFailure) {}
}

private struct ModuleOfSession: ModuleHold {
  let session: ModuleSession

  func end() throws(DeviceSessionFailure) {
    try mapError({ DeviceSessionFailure.notLoaded($0.explanation) }) {
      () throws(ModuleSessionFailure) in
      try session.end()
    }
  }
}
