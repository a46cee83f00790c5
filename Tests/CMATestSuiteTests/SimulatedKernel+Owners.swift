// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import CMATestSystem
import Glibc

extension SimulatedKernel {
  func startOwner(
    _ request: BlockRequest, blocks: Int
  ) throws(SystemFailure) -> any BlockOwner {
    let owner = locked {
      nextOwner += 1
      return nextOwner
    }
    for _ in 0..<blocks {
      do throws(DeviceFailure) {
        _ = try allocate(request, owner: owner)
      } catch {
        throw SystemFailure(.spawn, "owner", ECHILD)
      }
    }
    return SimulatedOwner(kernel: self, owner: owner)
  }

  func pause(nanoseconds: UInt64) { locked { clock += nanoseconds } }

  var now: UInt64 { locked { clock } }

  fileprivate func releaseAll(of owner: Int) {
    locked {
      guard fault != .keepsBlocksOfTheDead else { return }
      for (handle, gone) in owned where gone.owner == owner {
        owned[handle] = nil
        free(gone.freed, of: gone.area, keepsLast: false)
      }
    }
  }
}

private final class SimulatedOwner: BlockOwner {
  private let kernel: SimulatedKernel
  private let owner: Int

  init(kernel: SimulatedKernel, owner: Int) {
    self.kernel = kernel
    self.owner = owner
  }

  func kill() throws(SystemFailure) { kernel.releaseAll(of: owner) }
}
