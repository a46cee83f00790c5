// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import Glibc

extension SimulatedKernel: AreaInsight {
  var insight: any AreaInsight { self }

  func holder(of frame: UInt64, in place: AreaPlace) -> String? {
    knowsUses ? "anonymous memory" : nil
  }

  func obstacle(to request: BlockRequest, in place: AreaPlace) -> String? { obstacle }

  func look(
    at frames: Range<UInt64>, in area: UInt32, _ body: (FrameRun) -> Void
  ) throws(DeviceFailure) {
    guard knowsPlaces else { throw DeviceFailure("look at pages of area \(area)", EOPNOTSUPP) }
    let simulated = locked { areas[Int(area)] }
    for frame in frames.clamped(to: simulated.frames) {
      let isUsed = simulated.used[Int(frame - simulated.base)]
      var run = FrameRun(frame..<frame + 1, isUsed ? .other : .free)
      if !isUsed, let pinned = runs.first(where: { $0.frames.contains(frame) }) {
        run = pinned
        run.frames = frame..<frame + 1
      }
      body(run)
    }
  }

  func file(of frame: UInt64, in area: UInt32) throws(DeviceFailure) -> PageFile? { files[frame] }

  func ledger(from frame: UInt64) throws(DeviceFailure) -> Ledger {
    locked {
      let next = ledgerBlocks.sorted { $0.frames.lowerBound < $1.frames.lowerBound }
        .first { $0.frames.upperBound > frame }
      return Ledger(
        isKept: keepsLedger, live: UInt32(ledgerBlocks.count), missed: 0, began: 0, block: next)
    }
  }

  func witness(_ request: BlockRequest) throws(DeviceFailure) -> Witness {
    var witness = Witness()
    do throws(DeviceFailure) {
      witness.block = try allocate(request)
      witness.nanoseconds = 1000
      return witness
    } catch {
      guard error.isOutOfMemory else { throw error }
    }
    let area = locked { areas[Int(request.area)] }
    witness.nanoseconds = 2000
    let pinned = pinnedFrames.ranges.map(\.lowerBound)
    if request.count > UInt64(area.used.count) {
      witness.cause = .larger
    } else if pinned.isEmpty {
      witness.cause = .noHole
    } else {
      witness.cause = .inUse
      witness.failed = UInt64(pinned.count)
      witness.migrated = 31
      witness.attempts = pinned.map { .init(frame: area.base, inTheWay: $0, nanoseconds: 1000) }
    }
    return witness
  }
}

extension FaultyKernel {
  var insight: any AreaInsight { base }

  func holder(of frame: UInt64, in place: AreaPlace) -> String? {
    base.holder(of: frame, in: place)
  }

  func obstacle(to request: BlockRequest, in place: AreaPlace) -> String? {
    base.obstacle(to: request, in: place)
  }
}
