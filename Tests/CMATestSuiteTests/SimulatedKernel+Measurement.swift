// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestDevice
import Glibc

extension SimulatedKernel {
  /// Allocates and releases as the module does, in one thread: each allocation takes 2 µs, and as many
  /// more as `measuredDelays` says of its number.
  func measure(_ request: MeasureRequest) throws(DeviceFailure) -> Measurement {
    if let refusal = refusedMeasurement { throw refusal }
    var result = Measurement()
    (result.retries, result.withoutHole, result.migrated, result.unmigrated) = (0, 0, 0, 0)
    var ring: [UInt32] = []
    let start = now
    let share = request.requests / UInt64(request.threads)
    while request.requests == 0 || result.done < share {
      if request.duration > 0, now - start >= request.duration { break }
      let delay = measuredDelays(measuredAllocations)
      let fails = failsMeasured(measuredAllocations)
      measuredAllocations += 1
      let began = now
      let block = fails ? nil : try? allocate(request.block)
      pause(nanoseconds: 1000 + delay)
      let time = now - began
      result.done += 1
      if let block {
        result.allocations.add(time)
        ring.append(block.handle)
      } else {
        result.failed += 1
        result.withoutHole = (result.withoutHole ?? 0) + 1
        result.failures.add(time)
      }
      if ring.count > Int(request.hold) {
        _ = try release(ring.removeFirst())
        result.releases.add(1000)
      }
      if request.stopAbove > 0, time > request.stopAbove {
        result.slow = SlowAllocation(time: time, retries: 3, migrated: 40, pageInTheWay: 7)
        break
      }
    }
    for handle in ring { _ = try release(handle) }
    result.elapsed = now - start
    return result
  }
}

extension FaultyKernel {
  func measure(_ request: MeasureRequest) throws(DeviceFailure) -> Measurement {
    try base.measure(request)
  }
}
