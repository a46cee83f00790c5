// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSystem
internal import Synchronization

/// Gives a case what it works with: the area, the device, numbers by the seed, and a place for measured
/// numbers. An unexpected refusal of the device or the machine fails the case.
final class CaseRun {
  let kernel: any TestedKernel
  let area: AreaUnderTest
  let ending: Ending
  var numbers: SeededNumbers
  private(set) var metrics: [Metric] = []
  /// The pages that all threads of the case were given.
  let tally: PageTally
  private var knownOccupancy: Occupancy?
  private let advanced: (Int, Int) -> Void

  var file: any DeviceFile { kernel.file }

  init(
    kernel: any TestedKernel, area: AreaUnderTest, numbers: SeededNumbers, ending: Ending,
    occupancy: Occupancy? = nil, tally: PageTally = PageTally(),
    advanced: @escaping (Int, Int) -> Void = { _, _ in }
  ) {
    self.kernel = kernel
    self.area = area
    self.numbers = numbers
    self.ending = ending
    self.tally = tally
    knownOccupancy = occupancy
    self.advanced = advanced
  }

  /// Runs a case to its end.
  ///
  /// - Parameter test: the case.
  /// - Returns: the reason why the case did not pass; nil where it did.
  func end(of test: TestCase) -> CaseEnd? {
    do throws(CaseEnd) {
      // While the case has nothing yet.
      _ = try occupancy()
      try test.body(self)
      // A case that was given nothing has shown nothing, whatever it has found right.
      guard test.needsPages, tally.pages == 0 else { return nil }
      return try tooFull("nothing could be allocated")
    } catch {
      return error
    }
  }

  /// Returns the pages of others when the case began.
  func occupancy() throws(CaseEnd) -> Occupancy {
    if let knownOccupancy { return knownOccupancy }
    let occupancy = try Occupancy.read(of: area, on: kernel)
    knownOccupancy = occupancy
    return occupancy
  }

  /// Leaves a number for the report.
  func measure(_ name: String, _ value: UInt64) {
    metrics.append(Metric(name, value))
  }

  func measure(_ name: String, _ value: Int) {
    measure(name, UInt64(clamping: value))
  }

  /// Ends the case where the run is to end, and shows how far the case is; called between two operations.
  func step(_ done: Int = 0, of total: Int = 0) throws(CaseEnd) {
    if total > 0 { advanced(done, total) }
    if let reason = ending.reason { throw reason }
  }

  func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws(CaseEnd) {
    if !condition { throw .failed(message()) }
  }
}

/// Counts the pages that a case was given. Several threads may count at once.
final class PageTally: Sendable {
  private let count = Mutex<UInt64>(0)

  var pages: UInt64 { count.withLock { $0 } }

  func add(_ pages: UInt64) { count.withLock { $0 = $0.clampedSum(pages) } }
}
