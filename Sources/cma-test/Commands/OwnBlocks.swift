// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
internal import CMATestDevice
internal import CMATestSystem

/// Is the process that the case `owner-killed` starts and kills; not for users.
struct OwnBlocks: PrintingCommand {
  static let name = "own-blocks"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "Own blocks until killed.", shouldDisplay: false)

  @Argument var area: UInt32
  @Argument var count: UInt64
  @Argument var order: UInt32
  @Argument var blocks: Int

  func run(printing output: StandardOutput) throws {
    let request = BlockRequest(area: area, count: count, order: order)
    try BlockOwnerProcess.own(request, keeping: blocks, from: try KernelDevice()) { text in
      try? output.write(text)
      return output.failure == nil
    }
    if let failure = output.failure { throw failure }
  }
}
