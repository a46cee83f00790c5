// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestSuite
internal import CMATestSystem

/// The options of every command that works with the device.
struct DeviceOptions: ParsableArguments {
  @Flag(name: .customLong("no-load"), help: "Do not load the module where it is not loaded.")
  var noLoad = false

  @Flag(help: "Wait while another process has the device.")
  var wait = false

  /// - Parameters:
  ///   - command: its name, for warnings.
  ///   - ownerCommand: see `RunningKernel`.
  ///   - ending: ends the waiting.
  func session(for command: String, ownerCommand: [String], ending: Ending) -> DeviceSession {
    DeviceSession(
      loads: !noLoad, waits: wait, host: RunningHost(ownerCommand: ownerCommand), ending: ending,
      warn: { warn(command, $0) })
  }

  /// Says one line on standard error.
  func warn(_ command: String, _ message: String) {
    try? StandardStream.error.write("cma-test \(command): \(message)\n")
  }
}
