// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestReserve
import CMATestSystem
import Testing

/// The cases of `ReserveFailure`. A new case does not compile before it has samples here: neither
/// switch has a default.
private enum Case: CaseIterable {
  case noCMA, notPossible, overruled, overruledInMenu, otherLoader, updateGrubFailed, interrupted
  case cannotEdit, unreadable, cannotWrite

  init(_ failure: ReserveFailure) {
    switch failure {
    case .noCMA: self = .noCMA
    case .notPossible: self = .notPossible
    case .overruled: self = .overruled
    case .overruledInMenu: self = .overruledInMenu
    case .otherLoader: self = .otherLoader
    case .updateGrubFailed: self = .updateGrubFailed
    case .interrupted: self = .interrupted
    case .cannotEdit: self = .cannotEdit
    case .unreadable: self = .unreadable
    case .cannotWrite: self = .cannotWrite
    }
  }

  var samples: [ReserveFailure] {
    switch self {
    case .noCMA: [.noCMA(kernels: ["a", "b"])]
    case .notPossible: [.notPossible(reservation: "cma=1G", reason: "why", remedy: "what")]
    case .overruled: [.overruled(parameter: "cma=1G", by: "cma=2G", source: "/etc/default/grub")]
    case .overruledInMenu:
      [.overruledInMenu(parameter: "cma=1G", by: "cma=2G", menu: "/boot/grub/grub.cfg")]
    case .otherLoader:
      [.otherLoader(BootLoaderAdvice(loader: "l", edits: [.init(.newFile, in: "f", "line")]))]
    case .updateGrubFailed:
      [
        .updateGrubFailed(program: "update-grub", reason: "why", path: "p", restored: true),
        .updateGrubFailed(program: "update-grub", reason: "why", path: "p", restored: false),
      ]
    case .interrupted:
      PendingSignal.allCases.flatMap { signal -> [ReserveFailure] in
        [
          .interrupted(by: signal, path: "p", restored: true, menuRestored: true),
          .interrupted(by: signal, path: "p", restored: true, menuRestored: false),
          .interrupted(by: signal, path: "p", restored: false, menuRestored: false),
        ]
      }
    case .cannotEdit: [.cannotEdit(path: "p", reason: "why")]
    case .unreadable:
      [
        .unreadable(operation: "open", path: "p", reason: "why"),
        .unreadable(operation: "open", path: "/proc/cmdline", reason: "why"),
      ]
    case .cannotWrite: [.cannotWrite(operation: "open", path: "p", reason: "why")]
    }
  }
}

@Suite struct ReserveFailureTests {
  @Test func eachCaseHasASampleOfItsOwn() {
    for one in Case.allCases {
      #expect(!one.samples.isEmpty && one.samples.allSatisfy { Case($0) == one })
    }
  }

  @Test func eachHasOneLineOfMessageAndOneOfRemedy() {
    for failure in Case.allCases.flatMap(\.samples) {
      #expect(!failure.message.isEmpty && !failure.message.contains("\n"))
      #expect(!failure.remedy.isEmpty && !failure.remedy.contains("\n"))
    }
  }

  @Test func whatCouldNotBePutBackIsSaid() {
    let failed = Case.updateGrubFailed.samples
    #expect(failed.first?.message.hasSuffix("as it was before") == true)
    #expect(failed.last?.message.contains("could not be put back") == true)
    #expect(failed.last?.remedy.hasPrefix("look at p; ") == true)
    let interrupted = Case.interrupted.samples
    #expect(
      interrupted.first?.message.hasSuffix("p is as it was before, and so is GRUB's menu") == true)
    #expect(interrupted.last?.message.contains("could not be put back") == true)
    #expect(interrupted.last?.remedy.hasPrefix("look at p; run 'update-grub'") == true)
  }
}
