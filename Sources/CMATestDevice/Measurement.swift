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
    allocations.add(other.allocations)
    responses.add(other.responses)
    failures.add(other.failures)
    releases.add(other.releases)
  }
}

/// A device that measures.
package protocol Measurer: DeviceFile {
  /// Counts the times of many allocations. A signal ends it, with what there is.
  func measure(_ request: MeasureRequest) throws(DeviceFailure) -> Measurement
}
