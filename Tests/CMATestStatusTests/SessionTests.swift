// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestMachine
import CMATestStatus
import CMATestSystem
import Glibc
import TestSupport
import Testing

/// On the machine that runs the tests, which need not have the module: Tests/vm loads it.
@Suite struct SessionTests {
  private var isLoaded: Bool { Machine().exists("/sys/module/cmatest/initstate") }

  @Test func takesTheModuleOnlyIfItIsThere() throws {
    do throws(ModuleSessionFailure) {
      let session = try ModuleSession.begin(loads: false)
      #expect(isLoaded && !session.loadedModule)
      try session.end()
    } catch {
      #expect(!isLoaded && error.exitStatus == .noDevice && error.kind == "not-loaded")
      #expect(error.remedy == "modprobe cmatest alloc_count=0")
    }
  }
}
