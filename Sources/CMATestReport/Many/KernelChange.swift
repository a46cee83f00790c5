// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench

/// The comparison of two kernels on one machine: of each and the next newer one, as `cma-test compare` does it.
struct KernelChange {
  var machine: String
  var profile: String
  var before: String
  var after: String
  var comparison: Comparison
}

extension BoardResults {
  /// What two results must have in common to be compared.
  private struct Group: Hashable {
    var profile: String
    var area: String
    var areaPages: UInt64
    var pageSize: UInt64
    var flavour: String
  }

  /// Compares the kernels of this machine, each with the next one by its version.
  func changes() -> [KernelChange] {
    var order: [Group] = []
    var groups: [Group: [String: [BoardCell]]] = [:]
    for result in results {
      guard case .bench(let bench) = result.content, bench.isWhole else { continue }
      let group = Group(
        profile: result.content.profile, area: bench.area, areaPages: bench.areaPages,
        pageSize: bench.pageSize, flavour: KernelRelease(result.kernel).flavour)
      if groups[group] == nil { order.append(group) }
      groups[group, default: [:]][result.kernel, default: []] += bench.cells
    }
    return order.flatMap { group in
      let kernels = (groups[group] ?? [:]).map { (KernelRelease($0.key), $0.value) }
        .sorted { $0.0.isBefore($1.0) }
      return zip(kernels, kernels.dropFirst()).map { before, after in
        KernelChange(
          machine: name, profile: group.profile, before: before.0.name, after: after.0.name,
          comparison: Comparison(
            [Self.summary(before.0.name, before.1, group)],
            with: [Self.summary(after.0.name, after.1, group)]))
      }
    }
  }

  /// Several results of a kernel as one: a comparison puts rounds of the same cell together.
  private static func summary(
    _ kernel: String, _ cells: [BoardCell], _ group: Group
  ) -> ResultSummary {
    var joined: [BoardCell] = []
    var places: [CellSettings: Int] = [:]
    for cell in cells {
      if let place = places[cell.settings] {
        joined[place].add(cell)
      } else {
        places[cell.settings] = joined.count
        joined.append(cell)
      }
    }
    return ResultSummary(
      name: kernel, area: group.area, areaPages: group.areaPages, pageSize: group.pageSize,
      cells: joined.map(\.summary))
  }
}
