// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestReserve
import CMATestSystem
import Testing

@Suite struct ReserveFailureTests {
  private let all: [ReserveFailure] = [
    .noCMA(kernels: ["a", "b"]),
    .notPossible(reservation: "cma=1G", reason: "why", remedy: "what"),
    .overruled(parameter: "cma=1G", by: "cma=2G", source: "/etc/default/grub"),
    .overruledInMenu(parameter: "cma=1G", by: "cma=2G", menu: "/boot/grub/grub.cfg"),
    .updateGrubFailed(program: "update-grub", reason: "why", path: "p", restored: true),
    .updateGrubFailed(program: "update-grub", reason: "why", path: "p", restored: false),
    .interrupted(by: .interrupt, path: "p", restored: true, menuRestored: true),
    .interrupted(by: .hangUp, path: "p", restored: false, menuRestored: false),
    .cannotEdit(path: "p", reason: "why"),
    .unreadable(operation: "open", path: "p", reason: "why"),
    .cannotWrite(operation: "open", path: "p", reason: "why"),
  ]

  @Test func eachHasOneLineOfMessageAndOneOfRemedy() {
    for failure in all {
      #expect(!failure.message.isEmpty && !failure.message.contains("\n"))
      #expect(!failure.remedy.isEmpty && !failure.remedy.contains("\n"))
    }
  }

  @Test func whatCouldNotBePutBackIsSaid() {
    #expect(all[4].message.hasSuffix("as it was before"))
    #expect(all[5].message.contains("could not be put back"))
    #expect(all[5].remedy.hasPrefix("look at p; "))
    #expect(all[6].message.hasSuffix("p is as it was before, and so is GRUB's menu"))
    #expect(all[7].message.contains("could not be put back"))
    #expect(all[7].remedy.hasPrefix("look at p; run 'update-grub'"))
  }
}
