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
  ///   - host: the machine.
  ///   - ending: ends the waiting, and the work.
  /// - Returns: the session, with these options.
  func session(
    for command: String, on host: any DeviceHost, ending: Ending
  ) -> DeviceSession {
    DeviceSession(
      loads: !noLoad, waits: wait, host: host, ending: ending,
      warn: { StandardError.write("cma-test \(command): \($0)\n") })
  }
}
