// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestCore

/// Says what to measure (`struct cmatest_measure`). One of `requests` and `duration` must be set.
package struct MeasureRequest: Equatable, Sendable {
  package var block: BlockRequest
  /// How many allocations all threads make together; 0 for no limit.
  package var requests: UInt64 = 0
  /// How long they go on, in ns; 0 for no limit.
  package var duration: UInt64 = 0
  /// The time from one intended start to the next of each thread, in ns; 0 where each follows at once.
  package var interval: UInt64 = 0
  /// The time, in ns, above which an allocation ends the measurement; 0 for none.
  package var stopAbove: UInt64 = 0
  /// How many blocks each thread keeps; 0 where each is released at once.
  package var hold: UInt32 = 0
  /// How many threads make this request on the same open file.
  package var threads: UInt32 = 1
  /// Whether each call is timed; without that, only the whole is.
  package var takesTimes = true

  package init(_ block: BlockRequest) {
    self.block = block
  }
}

/// What one thread, or several together, measured. Times are in ns.
package struct Measurement: Equatable, Sendable {
  /// Allocations, how many of these failed, and how many releases were refused.
  package var done: UInt64 = 0
  package var failed: UInt64 = 0
  package var refused: UInt64 = 0
  /// From the common start to the end of the last thread.
  package var elapsed: UInt64 = 0
  /// How often the scheduler took the processor away.
  package var switches: UInt64 = 0
  /// How often an allocation began on another processor than the one before.
  package var moves: UInt64 = 0
  /// Ranges that the kernel tried in vain, and failed allocations for which the kernel found no range to
  /// try; nil where this kernel does not tell.
  package var retries: UInt64?
  package var withoutHole: UInt64?
  /// Pages that the kernel moved away, and pages that could not be moved; nil where this kernel does not
  /// tell.
  package var migrated: UInt64?
  package var unmigrated: UInt64?
  /// The allocation that ended the measurement by its time; nil where none did.
  package var slow: SlowAllocation?
  /// Of allocations that succeeded.
  package var allocations = Histogram()
  /// Of the same, since their intended start; empty without an interval.
  package var responses = Histogram()
  /// Of allocations that failed.
  package var failures = Histogram()
  package var releases = Histogram()

  package init() {}

  /// Adds what another thread measured at the same time.
  package mutating func add(_ other: Measurement) {
    done += other.done
    failed += other.failed
    refused += other.refused
    elapsed = max(elapsed, other.elapsed)
    switches += other.switches
    moves += other.moves
    retries = retries.flatMap { known in other.retries.map { known + $0 } }
    withoutHole = withoutHole.flatMap { known in other.withoutHole.map { known + $0 } }
    migrated = migrated.flatMap { known in other.migrated.map { known + $0 } }
    unmigrated = unmigrated.flatMap { known in other.unmigrated.map { known + $0 } }
    slow = slow ?? other.slow
    allocations.add(other.allocations)
    responses.add(other.responses)
    failures.add(other.failures)
    releases.add(other.releases)
  }
}

/// What was seen of an allocation that took too long.
package struct SlowAllocation: Equatable, Sendable {
  /// Its time in ns.
  package var time: UInt64
  /// Ranges that the kernel tried in vain; nil where this kernel does not tell.
  package var retries: UInt64?
  /// Pages that the kernel moved away; nil where this kernel does not tell.
  package var migrated: UInt64?
  /// The page frame number of the last page that was in the way; nil where there was none, or this kernel
  /// does not tell.
  package var pageInTheWay: UInt64?

  package init(
    time: UInt64, retries: UInt64? = nil, migrated: UInt64? = nil, pageInTheWay: UInt64? = nil
  ) {
    self.time = time
    self.retries = retries
    self.migrated = migrated
    self.pageInTheWay = pageInTheWay
  }
}

/// A device that measures.
package protocol Measurer: DeviceFile {
  /// Counts the times of many allocations. A signal ends it, with what there is.
  func measure(_ request: MeasureRequest) throws(DeviceFailure) -> Measurement
}
