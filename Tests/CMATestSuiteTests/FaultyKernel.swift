// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import CMATestSystem
import Foundation

/// What goes wrong.
struct Hooks {
  /// Each may change the answer, or throw in its place.
  var information: (inout DeviceInformation) throws(DeviceFailure) -> Void = { _ in }
  var area: (inout AreaInformation) throws(DeviceFailure) -> Void = { _ in }
  /// Before a block is allocated; throws to refuse it.
  var refusal: (BlockRequest) throws(DeviceFailure) -> Void = { _ in }
  /// After a block was allocated. Another handle than the true one stands for it from then on.
  var block: (BlockRequest, inout Block) -> Void = { _, _ in }
  /// After a request was refused: a block that is not there in place of the error.
  var invented: (BlockRequest, DeviceFailure) throws(DeviceFailure) -> Block = {
    _, error throws(DeviceFailure) in throw error
  }
  var release: (inout Release) throws(DeviceFailure) -> Void = { _ in }
  /// After a release of a handle that is gone: what to say in place of the error.
  var releaseOfNothing: (DeviceFailure) throws(DeviceFailure) -> Release = {
    error throws(DeviceFailure) in throw error
  }
  var inspection: (inout BlockInspection) throws(DeviceFailure) -> Void = { _ in }
  var filling: () throws(DeviceFailure) -> Void = {}
  var patternCheck: (inout PatternCheck) throws(DeviceFailure) -> Void = { _ in }
  var batch: (inout Batch) throws(DeviceFailure) -> Void = { _ in }
  var probe: (Probe, inout ProbeResult) throws(DeviceFailure) -> Void = { _, _ in }
  var counters: (inout Counters) throws(SystemFailure) -> Void = { _ in }
  var bitmap: (inout AreaBitmap?) throws(SystemFailure) -> Void = { _ in }
  var placement: () throws(SystemFailure) -> Void = {}
  var pages = PageHooks()
  var start: () throws(SystemFailure) -> Void = {}
  var killing: () throws(SystemFailure) -> Void = {}
}

/// What goes wrong with pages of a process.
struct PageHooks {
  var frames: (inout [UInt64?]) throws(SystemFailure) -> Void = { _ in }
  var firstWrongPage: (Int?) -> Int? = { $0 }
  var pin: () throws(SystemFailure) -> Void = {}
  /// Whether a page that is to be pinned really is.
  var isPinned: () -> Bool = { true }
  var unpin: (Bool) throws(SystemFailure) -> Bool = { $0 }
}

/// A simulated kernel that is right, and what it answers made wrong on its way to the suite: one
/// hook for each operation, called with what is true.
final class FaultyKernel: TestedKernel, DeviceFile, @unchecked Sendable {
  let base: SimulatedKernel

  var on = Hooks()

  private let lock = NSRecursiveLock()
  private var handles: [UInt32: UInt32] = [:]
  /// Of operations until now; for hooks that are wrong from one on.
  private(set) var allocations = 0
  private(set) var releases = 0
  private(set) var kills = 0

  init(_ base: SimulatedKernel = SimulatedKernel()) { self.base = base }

  var file: any DeviceFile { self }
  var release: String { base.release }
  var processors: Int { base.processors }
  var now: UInt64 { base.now }
  /// Pages that are allocated in truth.
  var usedPages: Int { base.usedPages }

  private func locked<Result, E: Error>(_ body: () throws(E) -> Result) throws(E) -> Result {
    lock.lock()
    defer { lock.unlock() }
    return try body()
  }
}

extension FaultyKernel {
  func information() throws(DeviceFailure) -> DeviceInformation {
    var answer = try base.information()
    try on.information(&answer)
    return answer
  }

  func area(_ index: UInt32) throws(DeviceFailure) -> AreaInformation {
    var answer = try base.area(index)
    try on.area(&answer)
    return answer
  }

  func allocate(_ request: BlockRequest) throws(DeviceFailure) -> Block {
    try locked { () throws(DeviceFailure) in
      do throws(DeviceFailure) {
        try on.refusal(request)
        var answer = try base.allocate(request)
        allocations += 1
        let handle = answer.handle
        on.block(request, &answer)
        handles[answer.handle] = handle
        return answer
      } catch {
        let answer = try on.invented(request, error)
        handles[answer.handle] = .max
        return answer
      }
    }
  }

  func release(_ handle: UInt32) throws(DeviceFailure) -> Release {
    try locked { () throws(DeviceFailure) in
      var answer: Release
      releases += 1
      switch handles.removeValue(forKey: handle) {
      case UInt32.max?:
        answer = Release(isAccepted: true, nanoseconds: 1)
      case let handle?:
        answer = try base.release(handle)
      case nil:
        do throws(DeviceFailure) {
          answer = try base.release(handle)
        } catch {
          answer = try on.releaseOfNothing(error)
        }
      }
      try on.release(&answer)
      return answer
    }
  }

  private func real(_ handle: UInt32) -> UInt32 { locked { handles[handle] ?? handle } }

  func inspect(_ handle: UInt32) throws(DeviceFailure) -> BlockInspection {
    var answer = try base.inspect(real(handle))
    try on.inspection(&answer)
    return answer
  }

  func fill(_ handle: UInt32, seed: UInt64, _ range: Range<UInt64>) throws(DeviceFailure) {
    try on.filling()
    try base.fill(real(handle), seed: seed, range)
  }

  func check(
    _ handle: UInt32, seed: UInt64, _ range: Range<UInt64>
  ) throws(DeviceFailure) -> PatternCheck {
    var answer = try base.check(real(handle), seed: seed, range)
    try on.patternCheck(&answer)
    return answer
  }

  func batch(_ request: BlockRequest, pairs: Int) throws(DeviceFailure) -> Batch {
    var answer = try base.batch(request, pairs: pairs)
    try on.batch(&answer)
    return answer
  }

  func probe(_ kind: Probe, area: UInt32) throws(DeviceFailure) -> ProbeResult {
    var answer = try base.probe(kind, area: area)
    try on.probe(kind, &answer)
    return answer
  }

  func counters(of area: String?) throws(SystemFailure) -> Counters {
    var answer = try base.counters(of: area)
    try on.counters(&answer)
    return answer
  }

  func shortage(taking bytes: UInt64) -> MemoryShortage? { base.shortage(taking: bytes) }

  func bitmap(of area: String) throws(SystemFailure) -> AreaBitmap? {
    var answer = try base.bitmap(of: area)
    try on.bitmap(&answer)
    return answer
  }

  func fixedPages(in frames: Range<UInt64>) throws(SystemFailure) -> FrameRanges? {
    try base.fixedPages(in: frames)
  }

  func occupiedPages(in frames: Range<UInt64>) throws(SystemFailure) -> FrameRanges? {
    try base.occupiedPages(in: frames)
  }

  func placePages(
    _ kind: UserPageKind, in area: UInt32, _ frames: Range<UInt64>, wanted: Int, seed: UInt64,
    isEnding: () -> Bool
  ) throws(PlacementFailure) -> any UserPages {
    do throws(SystemFailure) {
      try on.placement()
    } catch {
      throw .system(error)
    }
    return FaultyPages(
      try base.placePages(kind, in: area, frames, wanted: wanted, seed: seed, isEnding: isEnding),
      on.pages)
  }

  func startOwner(
    _ request: BlockRequest, blocks: Int
  ) throws(SystemFailure) -> any BlockOwner {
    try on.start()
    return FaultyOwner(try base.startOwner(request, blocks: blocks)) { () throws(SystemFailure) in
      self.kills += 1
      try self.on.killing()
    }
  }

  func pause(nanoseconds: UInt64) { base.pause(nanoseconds: nanoseconds) }
}

private final class FaultyPages: UserPages {
  private let base: any UserPages
  private let hooks: PageHooks

  init(_ base: any UserPages, _ hooks: PageHooks) {
    self.base = base
    self.hooks = hooks
  }

  func frames() throws(SystemFailure) -> [UInt64?] {
    var answer = try base.frames()
    try hooks.frames(&answer)
    return answer
  }

  func firstWrongPage() -> Int? { hooks.firstWrongPage(base.firstWrongPage()) }

  func pin(_ page: Int) throws(SystemFailure) {
    try hooks.pin()
    if hooks.isPinned() { try base.pin(page) }
  }

  func unpin() throws(SystemFailure) -> Bool { try hooks.unpin(try base.unpin()) }
}

private final class FaultyOwner: BlockOwner {
  private let base: any BlockOwner
  private let killing: () throws(SystemFailure) -> Void

  init(_ base: any BlockOwner, killing: @escaping () throws(SystemFailure) -> Void) {
    self.base = base
    self.killing = killing
  }

  func kill() throws(SystemFailure) {
    try base.kill()
    try killing()
  }

  /// As the real one: it is killed at the latest when its owner goes.
  deinit { try? base.kill() }
}
