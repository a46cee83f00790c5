// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestDevice
package import CMATestSystem

/// Why a measurement ended before its end.
package enum BenchEnd: Error, Equatable, Sendable {
  /// The module refused a request.
  case refused(DeviceFailure)
  /// The threads could not be made.
  case noThreads(SystemFailure)
}

/// Measures all cells of a plan.
package struct BenchRun {
  private let plan: BenchPlan
  private let area: UInt32
  private let device: any Measurer
  /// Says why the measurement has to end; `nil` while it goes on.
  private let reason: () -> String?

  package init(
    _ plan: BenchPlan, area: UInt32, on device: any Measurer, reason: @escaping () -> String?
  ) {
    self.plan = plan
    self.area = area
    self.device = device
    self.reason = reason
  }

  /// Measures, round by round, until the end or until there is a reason to end.
  ///
  /// - Parameters:
  ///   - began: Called before each step with the number of the step, from 1, and its cell.
  ///   - ended: Called with the number of a cell and what a round of it came to.
  package func measure(
    began: (Int, CellSettings) -> Void, ended: (Int, Measurement) -> Void
  ) throws(BenchEnd) {
    var step = 0
    for round in plan.order {
      for cell in round {
        if reason() != nil { return }
        step += 1
        let settings = plan.cells[cell]
        began(step, settings)
        if plan.warmUp > 0 {
          _ = try measure(settings, requests: plan.warmUp, duration: 0)
          if reason() != nil { return }
        }
        let measured = try measure(
          settings, requests: plan.requests, duration: plan.duration)
        ended(cell, measured)
      }
    }
  }

  private func measure(
    _ settings: CellSettings, requests: UInt64, duration: UInt64
  ) throws(BenchEnd) -> Measurement {
    var request = MeasureRequest(
      BlockRequest(area: area, count: settings.pages, order: UInt32(clamping: settings.order)))
    request.requests = requests
    request.duration = duration
    request.interval = settings.every
    request.hold = UInt32(clamping: settings.hold)
    request.threads = UInt32(clamping: settings.threads)
    let (device, ask) = (device, request)
    let parts: [Result<Measurement, DeviceFailure>]
    do throws(SystemFailure) {
      parts = try inThreads(Int(request.threads)) { _ in
        Result { () throws(DeviceFailure) in try device.measure(ask) }
      }
    } catch {
      throw .noThreads(error)
    }
    var whole: Measurement?
    for part in parts {
      switch part {
      case .success(let measurement):
        if whole == nil { whole = measurement } else { whole?.add(measurement) }
      case .failure(let failure): throw .refused(failure)
      }
    }
    return whole ?? Measurement()
  }
}
