// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestMachine
public import CMATestSystem

/// The kernel that this process runs on, and the real device.
public struct RunningKernel: TestedKernel {
  public var file: any DeviceFile { placer }
  public var insight: any AreaInsight { placer }
  public let release: String
  public var processors: Int { processorCount() }
  private let placer: any PagePlacer & AreaInsight
  private let machine = Machine()
  private let pageSize: UInt64
  private let ownerCommand: [String]
  private let naming: any HolderNaming

  /// - Parameters:
  ///   - file: the open device.
  ///   - pageSize: the bytes of a page.
  ///   - naming: names who is in the way.
  ///   - ownerCommand: the arguments that make this program a block owner, before those that tell
  ///     the blocks.
  /// - Throws: the call that failed, where /proc cannot be read.
  public init(
    file: any PagePlacer & AreaInsight, pageSize: UInt64, naming: any HolderNaming,
    ownerCommand: [String]
  ) throws(SystemFailure) {
    placer = file
    self.pageSize = pageSize
    self.naming = naming
    self.ownerCommand = ownerCommand
    release = try machine.kernelRelease()
  }

  public func counters(of area: String?) throws(SystemFailure) -> Counters {
    // A processor keeps some of its counts to itself for up to a second; reading this collects them.
    // It is root's, as is the device.
    _ = try? contents(of: "/proc/sys/vm/stat_refresh")
    return try Counters(on: machine, area: area, pageSize: pageSize)
  }

  public func shortage(taking bytes: UInt64) -> MemoryShortage? {
    (try? MemoryState(on: machine))?.shortage(taking: bytes)
  }

  public func bitmap(of area: String) throws(SystemFailure) -> AreaBitmap? {
    try AreaBitmap(on: machine, area: area)
  }

  public func fixedPages(in frames: Range<UInt64>) throws(SystemFailure) -> FrameRanges? {
    try PageUses.fixed(on: machine, frames)
  }

  public func occupiedPages(in frames: Range<UInt64>) throws(SystemFailure) -> FrameRanges? {
    try PageUses.occupied(on: machine, frames)
  }

  public func holder(of frame: UInt64, in place: AreaPlace) -> String? {
    naming.holder(of: frame, in: place)
  }

  public func obstacle(to request: BlockRequest, in place: AreaPlace) -> String? {
    naming.obstacle(to: request, in: place)
  }

  public func placePages(
    _ kind: UserPageKind, in area: UInt32, _ frames: Range<UInt64>, wanted: Int, seed: UInt64,
    isEnding: () -> Bool
  ) throws(PlacementFailure) -> any UserPages {
    let placement = PagePlacement(
      machine: machine, file: placer, pageSize: Int(pageSize), area: area, frames: frames,
      wanted: wanted)
    return try placement.place(kind, seed: seed, isEnding: isEnding)
  }

  public func startOwner(
    _ request: BlockRequest, blocks: Int
  ) throws(SystemFailure) -> any BlockOwner {
    try BlockOwnerProcess(
      ownerCommand + [
        "\(request.area)", "\(request.count)", "\(request.order)", "\(blocks)",
      ])
  }

  public func pause(nanoseconds: UInt64) { CMATestSystem.pause(nanoseconds: nanoseconds) }

  public var now: UInt64 { monotonicNanoseconds() }
}
