// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// Returns the nanoseconds since some time in the past, by a clock that nobody sets.
public func monotonicNanoseconds() -> UInt64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

/// Waits for a number of nanoseconds, or until a signal comes.
public func pause(nanoseconds: UInt64) {
  var time = timespec(
    tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
  nanosleep(&time, nil)
}
