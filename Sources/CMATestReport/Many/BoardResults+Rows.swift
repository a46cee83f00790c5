// SPDX-License-Identifier: GPL-2.0-or-later

extension BoardResults {
  /// The results of this machine by kernel and profile, in the order of kernels.
  func rows() -> [BoardRow] {
    var rows: [BoardRow] = []
    var places: [[String]: Int] = [:]
    for result in results where result.content.hasRequests {
      let key = [result.kernel, result.content.profile]
      if let place = places[key] {
        rows[place].add(result.content)
      } else {
        var row = BoardRow(machine: name, kernel: result.kernel, profile: result.content.profile)
        row.add(result.content)
        places[key] = rows.count
        rows.append(row)
      }
    }
    for place in rows.indices { rows[place].findSlowest() }
    let sorted = rows.map { (KernelRelease($0.kernel), $0) }.sorted { one, other in
      one.0 == other.0 ? one.1.profile < other.1.profile : one.0.isBefore(other.0)
    }
    return sorted.map(\.1)
  }

  /// The failures of this machine, by their causes.
  func failures() -> [FailureCause: UInt64] {
    var counts: [FailureCause: UInt64] = [:]
    for failure in results.lazy.flatMap(\.content.failures) {
      counts[failure.cause, default: 0] += failure.count
    }
    return counts
  }
}
