// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice
internal import CMATestMachine
internal import CMATestSystem
internal import Glibc

/// Says who took the blocks of the ledger, and for which driver.
struct BlockTakers {
  /// Modules that allocate for drivers: none of these is the driver.
  private static let helpers = [
    "videobuf2", "videodev", "v4l2", "mc", "drm", "dma_", "cma_heap", "system_heap", "snd", "ttm",
    "cmatest",
  ]
  /// Functions of the kernel that pass a request on to the allocator.
  private static let passers = ["cma_", "__cma", "dma_", "__dma", "iommu_dma", "alloc_contig"]

  private let machine: Machine
  private let processes: TakerProcesses
  /// The driver of each process whose stack names none.
  private var drivers: [Int32: String?] = [:]

  init(machine: Machine, _ processes: TakerProcesses) {
    self.machine = machine
    self.processes = processes
  }

  /// Reads all entries of the ledger in a range.
  ///
  /// - Parameters:
  ///   - frames: the page frame numbers.
  ///   - insight: has the ledger.
  /// - Returns: the state of the ledger, and the blocks in ascending order.
  /// - Throws: the request that failed.
  static func blocks(
    in frames: Range<UInt64>, of insight: any AreaInsight
  ) throws(DeviceFailure) -> (Ledger, [Ledger.Block]) {
    var blocks: [Ledger.Block] = []
    var next = frames.lowerBound
    var ledger = try insight.ledger(from: next)
    while let block = ledger.block, block.frames.lowerBound < frames.upperBound,
      block.frames.upperBound > next
    {
      blocks.append(block)
      next = block.frames.upperBound
      ledger = try insight.ledger(from: next)
    }
    ledger.block = nil
    return (ledger, blocks)
  }

  /// Says who took a block.
  mutating func taker(of block: Ledger.Block) -> Holder.Taker {
    var taker = Holder.Taker(process: block.process, command: block.command, stack: block.stack)
    guard !block.isOfModule else { return taker }
    taker.function =
      block.stack.first { Self.module(of: $0) != nil }
      ?? block.stack.first { line in !Self.passers.contains { line.hasPrefix($0) } }
      ?? block.stack.first
    taker.driver =
      block.stack.lazy.compactMap(Self.module).first { module in
        !Self.helpers.contains { module.hasPrefix($0) }
      } ?? driver(usedBy: block)
    return taker
  }

  /// The module that a line of a stack names, as in `vb2_dc_alloc [videobuf2_dma_contig]`.
  static func module(of line: String) -> String? {
    guard line.last == "]", let start = line.lastIndex(of: "[") else { return nil }
    return String(line[line.index(after: start)...].dropLast())
  }

  /// Finds the driver by the devices that a process has open: a helper such as videobuf2 is called without
  /// any function of the driver's own.
  private mutating func driver(usedBy block: Ledger.Block) -> String? {
    let process = block.process
    if let known = drivers[process] { return known }
    let modules = block.stack.compactMap(Self.module)
    // Without a helper in the stack, none of these devices has to do with the block.
    let folder: String? =
      if modules.contains(where: { $0.hasPrefix("videobuf2") }) {
        "/dev/video"
      } else if modules.contains(where: { $0.hasPrefix("drm") || $0.hasPrefix("ttm") }) {
        "/dev/dri/"
      } else if modules.contains(where: { $0.hasPrefix("snd") }) {
        "/dev/snd/"
      } else {
        nil
      }
    var found: Set<String> = []
    if let folder,
      !processes.hasEnded(process, command: block.command, since: block.time)
    {
      for name in (try? machine.names(in: "/proc/\(process)/fd")) ?? [] {
        guard let file = machine.link("/proc/\(process)/fd/\(name)"), file.hasPrefix(folder) else {
          continue
        }
        if let driver = driver(ofDevice: file) { found.insert(driver) }
      }
    }
    // Of several, nothing says which.
    let driver = found.count == 1 ? found.first : nil
    drivers[process] = .some(driver)
    return driver
  }

  private func driver(ofDevice file: String) -> String? {
    var status = stat()
    guard stat(machine.path(file), &status) == 0, status.st_mode & S_IFMT == S_IFCHR else {
      return nil
    }
    let number = UInt64(status.st_rdev)
    let major = number >> 8 & 0xFFF | number >> 32 & 0xFFFF_F000
    let minor = number & 0xFF | number >> 12 & 0xFFFF_FF00
    guard let driver = machine.link("/sys/dev/char/\(major):\(minor)/device/driver"),
      let slash = driver.lastIndex(of: "/")
    else { return nil }
    return String(driver[driver.index(after: slash)...])
  }
}
