// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore

extension CMAReservation {
  /// Checks what the kernel will make of the reservation on a machine.
  /// (`cma_declare_contiguous_nid` in `mm/cma.c`)
  ///
  /// - Parameter memory: the memory of the machine.
  /// - Returns: notes for the user on a reservation that is possible, a line each.
  /// - Throws: `notPossible` where the kernel would refuse the reservation, or would be left with
  ///   too little memory.
  public func check(on memory: PhysicalMemory) throws(ReserveFailure) -> [String] {
    guard size > 0 else {
      throw impossible(
        "with 0 the kernel reserves nothing, not even its default",
        "give a size, as 256M; 'cma-test reserve --remove' takes a reservation back")
    }
    let block = memory.blockSize
    let (rounded, overflows) = size.roundedUp(to: block)
    guard !overflows, rounded <= memory.largestArea else {
      throw impossible(
        "this machine has \(byteCount(memory.total)), of which the kernel and the programs need "
          + "\(byteCount(memory.margin))",
        "reserve at most \(kernelSize(memory.largestArea))")
    }
    if start == 0, end == nil {
      throw impossible(
        "with @0 alone the area must end at SIZE, and the kernel itself uses the start of memory",
        "leave @0 out, or give an end, as in \(text)-4G")
    }
    if request.isFixed { try checkFixed(block) }
    try checkPlace(rounded, memory)
    if start ?? 0 == 0, end ?? 0 == 0, let reachable = memory.reachableByAll, rounded > reachable {
      throw impossible(
        "without an address the kernel takes the area from the \(byteCount(reachable)) that every "
          + "device can reach",
        "reserve less; newer kernels also take a range above, as SIZE@START-END")
    }
    return notes(rounded, memory)
  }

  /// The kernel refuses a fixed area that is not made of whole blocks rather than move it.
  private func checkFixed(_ block: UInt64) throws(ReserveFailure) {
    let base = request.base
    guard base % block == 0 else {
      throw impossible(
        "START must be a multiple of \(byteCount(block))",
        // At 0 is the kernel itself.
        "begin at 0x\(String(max(block, base / block * block), radix: 16)), or give a range as SIZE@START-END"
      )
    }
    guard size % block == 0 else {
      let (rounded, _) = size.roundedUp(to: block)
      throw impossible(
        "at a fixed START, SIZE must be a multiple of \(byteCount(block))",
        "reserve \(kernelSize(rounded))")
    }
  }

  private func checkPlace(_ rounded: UInt64, _ memory: PhysicalMemory) throws(ReserveFailure) {
    let block = memory.blockSize
    let (first, startOverflows) = request.base.roundedUp(to: block)
    // 0 is no limit to the kernel.
    let last = request.limit == 0 ? UInt64.max : request.limit / block * block
    guard !startOverflows, first <= last, rounded <= last - first else {
      throw impossible(
        "\(byteCount(rounded)) do not fit between START and END, in whole blocks of "
          + byteCount(block),
        "give a larger END or a smaller SIZE")
    }
    guard start != nil, let ranges = memory.ranges else { return }
    let fits = ranges.contains { range in
      holds(rounded, max(range.lowerBound, first), min(range.upperBound, last), block)
    }
    guard fits else {
      let known = ranges.map {
        "0x\(String($0.lowerBound, radix: 16))-0x\(String($0.upperBound, radix: 16))"
      }
      throw impossible(
        "this machine has no memory for the area at that place; its memory is at "
          + known.joined(separator: ", "),
        "choose START inside one of these ranges, or leave @START out")
    }
  }

  private func notes(_ rounded: UInt64, _ memory: PhysicalMemory) -> [String] {
    var notes: [String] = []
    if rounded != size {
      notes.append(
        "the kernel reserves whole blocks of \(byteCount(memory.blockSize)): "
          + "\(byteCount(size)) become \(byteCount(rounded))")
    }
    if start != nil, memory.ranges == nil {
      notes.append(
        "whether there is memory at START is not known: /proc/iomem, which shows addresses only to "
          + "root, could not be read")
    }
    return notes + occupationNotes(rounded, memory)
  }

  /// What lies where the area would have to be. Most of it moves from boot to boot, so that the
  /// kernel may well find the place free: no reason to refuse.
  private func occupationNotes(_ rounded: UInt64, _ memory: PhysicalMemory) -> [String] {
    guard request.base != 0 || request.limit != 0, let ranges = memory.ranges else { return [] }
    let first = request.base
    let last = request.isFixed ? first + rounded : request.limit == 0 ? .max : request.limit
    let inTheWay = memory.occupied.filter {
      $0.range.lowerBound < last && first < $0.range.upperBound
    }
    let block = memory.blockSize
    let isFree = ranges.contains { range in
      var low = max(range.lowerBound, first)
      for part in inTheWay where part.range.overlaps(range) {
        if holds(rounded, low, min(part.range.lowerBound, last), block) { return true }
        low = max(low, part.range.upperBound)
      }
      return holds(rounded, low, min(range.upperBound, last), block)
    }
    guard !isFree else { return [] }
    let owners = inTheWay.map { part in
      let first = String(part.range.lowerBound, radix: 16)
      let last = String(part.range.upperBound - 1, radix: 16)
      return "\(part.owner) at 0x\(first)-0x\(last)"
    }
    let list = owners.joined(separator: ", ")
    return [
      "no place for the area is free there in this boot (/proc/iomem lists \(list)); if none is "
        + "free at the next boot, the kernel reserves nothing"
    ]
  }

  /// Whether whole blocks of so many bytes lie between two addresses.
  private func holds(_ size: UInt64, _ low: UInt64, _ high: UInt64, _ block: UInt64) -> Bool {
    let (first, overflows) = low.roundedUp(to: block)
    let last = high / block * block
    return !overflows && first <= last && size <= last - first
  }

  private func impossible(_ reason: String, _ remedy: String) -> ReserveFailure {
    .notPossible(reservation: parameter, reason: reason, remedy: remedy)
  }
}

extension UInt64 {
  /// The next multiple of `block`, which is not 0.
  fileprivate func roundedUp(to block: UInt64) -> (value: UInt64, overflows: Bool) {
    let (sum, overflows) = addingReportingOverflow(block - 1)
    return (sum / block * block, overflows)
  }
}
