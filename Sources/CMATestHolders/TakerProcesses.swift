// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestMachine
internal import CMATestSystem
internal import Glibc

/// Says what became of the processes that took blocks: the kernel gives the number of one that has ended to
/// another.
struct TakerProcesses {
  /// Times of two clocks, one of which may have been set a little meanwhile, do not tell closer than this.
  private static let doubt: UInt64 = 2_000_000_000

  private let machine: Machine
  /// The time of the boot in ns since 1970, by the clock as it is set now.
  private let boot: UInt64?
  private let tick: UInt64
  /// The processes that have the device open; nil until somebody asked for them.
  private var users: [Int32]?

  init(machine: Machine) {
    self.machine = machine
    tick = 1_000_000_000 / UInt64(max(1, sysconf(CInt(_SC_CLK_TCK))))
    boot =
      machine.isRunning
      ? Self.now(CLOCK_REALTIME).clampedDifference(Self.now(CLOCK_BOOTTIME))
      : machine.bootTime().map { UInt64(clamping: $0).clampedProduct(1_000_000_000) }
  }

  private static func now(_ clock: clockid_t) -> UInt64 {
    var now = timespec()
    clock_gettime(clock, &now)
    return UInt64(clamping: now.tv_sec) * 1_000_000_000 + UInt64(clamping: now.tv_nsec)
  }

  /// Whether the process that took a block has ended, as far as can be known.
  ///
  /// - Parameters:
  ///   - process: its number then.
  ///   - command: the name that its thread had then.
  ///   - time: when the block was allocated, in ns since 1970.
  /// - Returns: false where nothing tells.
  func hasEnded(_ process: Int32, command: String, since time: UInt64) -> Bool {
    // The kernel's own first process has no folder.
    guard process > 0 else { return false }
    guard machine.exists("/proc/\(process)") else { return true }
    guard let boot, let age = start(of: process) else { return false }
    let start = boot.clampedSum(age)
    if start <= time { return false }
    // Where the block is older than the boot, the clock was set after it, and tells nothing.
    if time >= boot, start - time > Self.doubt { return true }
    return !hasThread(process, named: command)
  }

  /// When a process began, in ns since the boot: proc_pid_stat(5).
  private func start(of process: Int32) -> UInt64? {
    guard let line = try? machine.line("/proc/\(process)/stat"),
      // The name may have anything in it.
      let name = line.lastIndex(of: ")")
    else { return nil }
    let fields = line[line.index(after: name)...].split(separator: " ")
    guard fields.count > 19, let ticks = UInt64(fields[19]) else { return nil }
    return ticks.clampedProduct(tick)
  }

  private func hasThread(_ process: Int32, named name: String) -> Bool {
    let folders = ["/proc/\(process)"] + machine.foldersOfOtherThreads(of: process)
    return folders.contains { (try? machine.line("\($0)/comm")) == name }
  }

  /// Whether a name is that of a program that loads modules: its block is the one that the module takes when it
  /// is loaded, and keeps.
  static func loadsModules(_ command: String) -> Bool {
    ["modprobe", "insmod", "kmod"].contains(command) || command.hasPrefix("systemd-mod")
      || command.contains("udev")
  }

  /// Finds who has /dev/cmatest open: a process that was forked, or that was sent the open file, has the blocks
  /// of the one that took them.
  ///
  /// - Parameter process: the one that took them; nil where it has ended.
  /// - Returns: the other processes, in ascending order; none where that one has the device open itself.
  mutating func otherUsers(than process: Int32?) -> [Int32] {
    if let process, process == getpid() || hasOpen(process) { return [] }
    let found = users ?? findUsers()
    users = found
    return found
  }

  private func findUsers() -> [Int32] {
    let names = (try? machine.names(in: "/proc")) ?? []
    return names.compactMap { Int32($0) }.sorted().filter { $0 != getpid() && hasOpen($0) }
  }

  private func hasOpen(_ process: Int32) -> Bool {
    let folder = "/proc/\(process)/fd"
    return ((try? machine.names(in: folder)) ?? []).contains {
      machine.link("\(folder)/\($0)") == KernelDevice.path
    }
  }
}
