// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

/// What to measure, and in which order.
package struct BenchPlan: Equatable, Sendable {
  /// Every combination that is measured.
  package var cells: [CellSettings]
  /// What is measured of each cell.
  package var settings: BenchSettings
  /// Sets the order of the cells within the rounds.
  package var seed: UInt64

  /// - Parameters:
  ///   - settings: what the user asks for.
  ///   - pageSize: the bytes of a page.
  ///   - seed: sets the order.
  package init(_ settings: BenchSettings, pageSize: UInt64, seed: UInt64) {
    self.settings = settings
    self.seed = seed
    cells = []
    for load in settings.loads {
      for threads in settings.threads {
        for alignment in settings.alignments {
          let order = UInt64(alignment.pages(of: pageSize).trailingZeroBitCount)
          for size in settings.sizes {
            let cell = CellSettings(
              pages: size.pages(of: pageSize), order: order, threads: threads,
              hold: settings.hold, every: settings.every, load: load.word)
            // 1p and 4K can be the same.
            if !cells.contains(cell) { cells.append(cell) }
          }
        }
      }
    }
  }

  /// The numbers of the cells in the order of measuring, for each round, and in each round for each load.
  ///
  /// Each round has an order of its own, so that what changes while the machine warms up or slows down
  /// spreads over all cells. Cells with one load follow each other, since a load takes long to begin.
  package var order: [[(load: LoadMix, cells: [Int])]] {
    var numbers = SeededNumbers(seed: seed)
    return (0..<settings.rounds).map { _ in
      var loads = settings.loads
      numbers.shuffle(&loads)
      return loads.map { load in
        var group = cells.indices.filter { cells[$0].load == load.word }
        numbers.shuffle(&group)
        return (load, group)
      }
    }
  }

  /// The steps of the whole measurement: one round of one cell each.
  package var steps: Int { cells.count * settings.rounds }

  /// The time in ns for one round of one cell; 0 for no limit.
  package var durationOfStep: UInt64 {
    settings.duration == 0 ? 0 : max(1, settings.duration / UInt64(max(1, steps)))
  }
}
