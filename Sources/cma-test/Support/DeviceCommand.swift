// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
internal import CMATestMachine
internal import CMATestReport
internal import CMATestSuite
internal import CMATestSystem

/// A command that works with the device.
///
/// A new command is one file, with its options and what it does in a session, and the file's type among
/// the subcommands of `CMATest`.
protocol DeviceCommand: PrintingCommand {
  /// The options that all commands with the device share.
  var device: DeviceOptions { get }
  /// The time, in seconds, after which the work ends; nil for no limit.
  var secondsAllowed: UInt32? { get }

  /// Does what can be done without the device.
  ///
  /// - Parameter output: the one way to standard output.
  /// - Returns: whether that is all that the user asked for.
  /// - Throws: a failure to write.
  func finishesWithoutDevice(printing output: StandardOutput) throws -> Bool

  /// Does the work of the command.
  ///
  /// - Parameters:
  ///   - output: the one way to standard output.
  ///   - session: opens the device, and tells the user what changes no result.
  /// - Throws: the error that ends the program, with its exit status.
  func run(printing output: StandardOutput, in session: DeviceSession) throws
}

extension DeviceCommand {
  var secondsAllowed: UInt32? { nil }

  func finishesWithoutDevice(printing output: StandardOutput) throws -> Bool { false }

  func run(printing output: StandardOutput) throws {
    try run(printing: output, on: RunningHost(ownerCommand: [OwnBlocks.name]))
  }

  /// Runs the command on a machine.
  ///
  /// - Parameters:
  ///   - output: the one way to standard output.
  ///   - host: the machine; a test passes another than the running one.
  ///   - tell: takes what is meant for standard error.
  /// - Throws: the error that ends the program, with its exit status.
  func run(
    printing output: StandardOutput, on host: any DeviceHost,
    telling tell: @escaping (String) -> Void = StandardError.write
  ) throws {
    if try finishesWithoutDevice(printing: output) { return }
    let signals = PendingSignal.hold()
    let ending = Ending(
      deadline: secondsAllowed.map { monotonicNanoseconds() + UInt64($0) * 1_000_000_000 },
      now: monotonicNanoseconds,
      signal: {
        output.failure == nil ? signals.pending?.name : "a failed write to standard output"
      })
    let program = "cma-test \(Self._commandName)"
    try run(
      printing: output,
      in: DeviceSession(
        loads: !device.noLoad, waits: device.wait, host: host, ending: ending,
        warn: { tell("\(program): \($0)\n") }))
  }
}

extension RunFacts {
  /// Makes the facts of a run that begins now, on this machine.
  init(seed: UInt32) {
    self.init(
      version: packageVersion, kernel: (try? Machine().kernelRelease()) ?? "unknown", seed: seed,
      time: utcTimestamp())
    host = Machine().hostName
  }
}
