// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestCore

/// What to measure, and in which order.
package struct BenchPlan: Equatable, Sendable {
  /// Every combination that is measured.
  package var cells: [CellSettings]
  /// How often each cell is measured.
  package var rounds: Int
  /// The allocations of one round of one cell, all threads together; 0 for no limit.
  package var requests: UInt64
  /// The time of one round of one cell, in ns; 0 for no limit.
  package var duration: UInt64
  /// The allocations before each round that do not count.
  package var warmUp: UInt64
  /// Sets the order of the cells within the rounds.
  package var seed: UInt64

  package init(
    cells: [CellSettings], rounds: Int = 9, requests: UInt64, duration: UInt64 = 0,
    warmUp: UInt64 = 8, seed: UInt64
  ) {
    self.cells = cells
    self.rounds = rounds
    self.requests = requests
    self.duration = duration
    self.warmUp = warmUp
    self.seed = seed
  }

  /// The numbers of the cells in the order of measuring, round by round. Each round has an order of its
  /// own, so that what changes while the machine warms up or slows down spreads over all cells.
  package var order: [[Int]] {
    var numbers = SeededNumbers(seed: seed)
    return (0..<rounds).map { _ in
      var order = Array(cells.indices)
      numbers.shuffle(&order)
      return order
    }
  }

  /// Every combination of some values, as the options of the command name them.
  package static func cells(
    pages: [UInt64], orders: [UInt64], threads: [UInt64], hold: UInt64, every: UInt64,
    loads: [String]
  ) -> [CellSettings] {
    var cells: [CellSettings] = []
    for load in loads {
      for count in threads {
        for order in orders {
          for size in pages {
            cells.append(
              CellSettings(
                pages: size, order: order, threads: count, hold: hold, every: every, load: load))
          }
        }
      }
    }
    return cells
  }
}
