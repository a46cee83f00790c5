// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
internal import CMATestDevice
internal import CMATestSystem

/// The other process of the case `owner-killed`; not for users.
struct OwnBlocks: PrintingCommand {
  static let name = "own-blocks"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "Own blocks until killed.", shouldDisplay: false)

  @Argument var area: UInt32
  @Argument var count: UInt64
  @Argument var order: UInt32
  @Argument var blocks: Int

  func run(printing output: StandardOutput) throws {
    let owner = BlockOwner(
      file: try KernelDevice(), request: BlockRequest(area: area, count: count, order: order))
    try owner.run(keeping: blocks) {
      try? output.write(BlockOwner.ready + "\n")
      return output.failure == nil
    }
    if let failure = output.failure { throw failure }
  }
}
