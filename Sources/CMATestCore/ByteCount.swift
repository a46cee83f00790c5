// SPDX-License-Identifier: GPL-2.0-or-later

/// Returns a number of bytes for people, in the largest unit of 1024 that the number reaches: a
/// whole number, or one decimal, rounded down.
///
/// - Parameter bytes: how many.
/// - Returns: as `256 MiB`, `1.5 GiB`.
public func byteCount(_ bytes: UInt64) -> String {
  let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
  var unit = 0
  while unit + 1 < units.count, bytes >> (10 * UInt64(unit + 1)) != 0 { unit += 1 }
  let shift = 10 * UInt64(unit)
  let whole = bytes >> shift
  let rest = bytes - whole << shift
  guard rest != 0 else { return "\(whole) \(units[unit])" }
  // Ten times the rest would overflow in the largest unit.
  let tenths = ((rest >> (shift - 10)) * 10) >> 10
  return tenths == 0 ? "\(whole) \(units[unit])" : "\(whole).\(tenths) \(units[unit])"
}

/// Returns a number of bytes as `cma=` takes it, exactly, in the largest unit that divides it.
///
/// - Parameter bytes: how many.
/// - Returns: as `256M`, `1536M`.
public func kernelSize(_ bytes: UInt64) -> String {
  let units = ["", "K", "M", "G", "T", "P", "E"]
  let unit = bytes == 0 ? 0 : min(units.count - 1, bytes.trailingZeroBitCount / 10)
  return "\(bytes >> (10 * UInt64(unit)))\(units[unit])"
}
