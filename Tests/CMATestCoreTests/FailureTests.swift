// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import Testing

/// The cases of `ConfigureFailure`. A new case does not compile before it has samples here: neither
/// switch has a default.
private enum Case: CaseIterable {
  case noCMA, noAllocator, dataSymbolsNotListed, symbolMissing, hiddenFromProcess, hiddenFromAll
  case symbolTwice, unreadable, kallsymsMalformed, cannotWrite, overridden, cannotVerify

  init(_ failure: ConfigureFailure) {
    switch failure {
    case .noCMA: self = .noCMA
    case .noAllocator: self = .noAllocator
    case .dataSymbolsNotListed: self = .dataSymbolsNotListed
    case .symbolMissing: self = .symbolMissing
    case .hiddenFromProcess: self = .hiddenFromProcess
    case .hiddenFromAll: self = .hiddenFromAll
    case .symbolTwice: self = .symbolTwice
    case .unreadable: self = .unreadable
    case .kallsymsMalformed: self = .kallsymsMalformed
    case .cannotWrite: self = .cannotWrite
    case .overridden: self = .overridden
    case .cannotVerify: self = .cannotVerify
    }
  }

  var samples: [ConfigureFailure] {
    switch self {
    case .noCMA: [.noCMA(option: "CONFIG_CMA", release: "r", source: "s")]
    case .noAllocator: [.noAllocator(release: "r", kallsyms: "k")]
    case .dataSymbolsNotListed: [.dataSymbolsNotListed(symbol: "s", release: "r", source: "s")]
    case .symbolMissing:
      [
        .symbolMissing(symbol: "s", kallsyms: "k", configuration: nil),
        .symbolMissing(symbol: "s", kallsyms: "k", configuration: "c"),
      ]
    case .hiddenFromProcess: [.hiddenFromProcess(kallsyms: "k")]
    case .hiddenFromAll: [.hiddenFromAll(kallsyms: "k")]
    case .symbolTwice: [.symbolTwice(symbol: "s", count: 2, kallsyms: "k")]
    case .unreadable: [.unreadable(operation: "open", path: "p", reason: "r")]
    case .kallsymsMalformed: [.kallsymsMalformed(path: "p", what: "w")]
    case .cannotWrite: [.cannotWrite(operation: "open", path: "p", reason: "r")]
    case .overridden:
      [
        .overridden(parameter: "p", value: nil, written: "0x1", path: "p", source: nil),
        .overridden(parameter: "p", value: "0x2", written: "0x1", path: "p", source: "/etc/x.conf"),
        .overridden(parameter: "p", value: "0x2", written: nil, path: "p", source: "/etc/x.conf"),
        .overridden(parameter: "p", value: "0x2", written: nil, path: "p", source: "/proc/cmdline"),
        .overridden(
          parameter: "p", value: "0x2", written: nil, path: "p", source: "/etc\(OptionsFile.path)"),
      ]
    case .cannotVerify: [.cannotVerify(operation: "kmod_new", path: "p", reason: "r")]
    }
  }
}

@Suite struct FailureTests {
  private let all = Case.allCases.flatMap(\.samples)

  @Test func eachCaseHasASampleOfItsOwn() {
    for one in Case.allCases {
      #expect(!one.samples.isEmpty && one.samples.allSatisfy { Case($0) == one })
    }
  }

  @Test func eachHasOneLineOfMessageAndOneOfRemedy() {
    for failure in all {
      #expect(!failure.message.isEmpty && !failure.message.contains("\n"))
      #expect(!failure.remedy.isEmpty && !failure.remedy.contains("\n"))
    }
  }

  @Test func causesHaveExitCodesOfTheirOwn() {
    // A file that cannot be written and one that cannot be read back are one trouble to the user.
    #expect(Set(all.map(\.exitStatus)).count == 10)
    #expect(Set(all.map(\.exitStatus.rawValue)).isDisjoint(with: [0, 1, 2, 64]))
  }

  @Test func noMessageHoldsAnAddress() {
    for failure in all { #expect(!failure.message.contains("0x")) }
  }

  @Test func terminalJournalAndScriptsAreToldTheSame() {
    let failure = ConfigureFailure.hiddenFromProcess(kallsyms: "k")
    let (message, remedy) = (failure.message, failure.remedy)
    #expect(failure.text(program: "p") == "p: error: \(message)\np: to mend it: \(remedy)\n")
    #expect(failure.line(program: "p") == "p: error: \(message); to mend it: \(remedy)\n")
    let error: JSON = [
      "code": 13, "kind": "hidden-from-process", "message": .string(message),
      "remedy": .string(remedy),
    ]
    #expect(failure.json == ["schema": 1, "ok": false, "error": error])
  }
}
