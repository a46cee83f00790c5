// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// Returns a time in UTC to the second, in the form of RFC 3339.
///
/// - Parameter seconds: since 1970; nil for now.
/// - Returns: as `2026-11-22T11:53:51Z`.
public func utcTimestamp(_ seconds: Int? = nil) -> String {
  let seconds = seconds ?? time(nil)
  func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  let (days, second) = seconds.quotientAndRemainder(dividingBy: 86400)
  let date = civilDate(days)
  return "\(date.year)-\(padded(date.month))-\(padded(date.day))"
    + "T\(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60))Z"
}

/// Returns the date a number of days, 0 or more, after 1970-01-01. The C library's own function
/// would read the time zone from a file first, at each boot.
private func civilDate(_ days: Int) -> (year: Int, month: Int, day: Int) {
  // Years that begin in March have their leap day at the end; 400 of them have 146097 days.
  let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(dividingBy: 146_097)
  let yearOfEra =
    (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let month = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * month + 2) / 5 + 1
  return (
    era * 400 + yearOfEra + (month < 10 ? 0 : 1), month < 10 ? month + 3 : month - 9, day
  )
}
