// SPDX-License-Identifier: GPL-2.0-or-later

/// Says what to measure (`struct cmatest_measure`). One of `requests` and `duration` must be set.
public struct MeasureRequest: Equatable, Sendable {
  public var block: BlockRequest
  /// How many allocations all threads make together; 0 for no limit.
  public var requests: UInt64 = 0
  /// How long they go on, in ns; 0 for no limit.
  public var duration: UInt64 = 0
  /// The time from one intended start to the next of each thread, in ns; 0 where each follows at once.
  public var interval: UInt64 = 0
  /// The time, in ns, above which an allocation ends the measurement; 0 for none.
  public var stopAbove: UInt64 = 0
  /// How many blocks each thread keeps; 0 where each is released at once.
  public var hold: UInt32 = 0
  /// How many threads make this request on the same open file.
  public var threads: UInt32 = 1
  /// Whether each call is timed; without that, only the whole is.
  public var takesTimes = true

  public init(_ block: BlockRequest) {
    self.block = block
  }
}

/// What one thread, or several together, measured. Times are in ns.
public struct Measurement: Equatable, Sendable {
  /// Allocations, how many of these failed, and how many releases were refused.
  public var done: UInt64 = 0
  public var failed: UInt64 = 0
  public var refused: UInt64 = 0
  /// From the common start to the end of the last thread.
  public var elapsed: UInt64 = 0
  /// How often the scheduler took the processor away.
  public var switches: UInt64 = 0
  /// How often an allocation began on another processor than the one before.
  public var moves: UInt64 = 0
  /// Ranges that the kernel tried in vain, and failed allocations for which the kernel found no range to
  /// try; nil where this kernel does not tell.
  public var retries: UInt64?
  public var withoutHole: UInt64?
  /// Pages that the kernel moved away, and pages that could not be moved; nil where this kernel does not
  /// tell.
  public var migrated: UInt64?
  public var unmigrated: UInt64?
  /// The allocation that ended the measurement by its time; nil where none did.
  public var slow: SlowAllocation?
  /// Of allocations that succeeded.
  public var allocations = Histogram()
  /// Of the same, since their intended start; empty without an interval.
  public var responses = Histogram()
  /// Of allocations that failed.
  public var failures = Histogram()
  public var releases = Histogram()

  public init() {}

  /// Adds what another thread measured at the same time.
  public mutating func add(_ other: Measurement) {
    // A thread without any allocation knows nothing of the kernel's counts either.
    guard other.done > 0 else { return }
    guard done > 0 else {
      self = other
      return
    }
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
public struct SlowAllocation: Equatable, Sendable {
  /// Its time in ns.
  public var time: UInt64
  /// Ranges that the kernel tried in vain; nil where this kernel does not tell.
  public var retries: UInt64?
  /// Pages that the kernel moved away; nil where this kernel does not tell.
  public var migrated: UInt64?
  /// The page frame number of the last page that was in the way; nil where there was none, or this kernel
  /// does not tell.
  public var pageInTheWay: UInt64?

  public init(
    time: UInt64, retries: UInt64? = nil, migrated: UInt64? = nil, pageInTheWay: UInt64? = nil
  ) {
    self.time = time
    self.retries = retries
    self.migrated = migrated
    self.pageInTheWay = pageInTheWay
  }
}
