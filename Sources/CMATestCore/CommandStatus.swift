// SPDX-License-Identifier: GPL-2.0-or-later

/// The exit codes of every program here; cma-test(8), EXIT STATUS, lists them.
///
/// 64 is sysexits(3)'s `EX_USAGE`, which the argument parser uses too. A run has those of the
/// kernel's own tests (`tools/testing/selftests/kselftest.h`), autopkgtest's for a test that is
/// skipped, and 128 + N where signal N ended it, as shells say it.
public enum CommandStatus: Int32, CaseIterable, Sendable {
  case success = 0
  case failed = 1
  case skipped = 4
  case noCMA = 10
  case dataSymbolsNotListed = 11
  case symbolMissing = 12
  case hiddenFromProcess = 13
  case hiddenFromAll = 14
  case symbolTwice = 15
  case unreadable = 16
  case kallsymsMalformed = 17
  case cannotWrite = 18
  case overridden = 19
  case cannotReserve = 20
  case otherBootLoader = 21
  case updateGrubFailed = 22
  case overruled = 23
  case nothingReserved = 24
  case optionsMissing = 25
  case moduleMissing = 26
  case otherModule = 27
  case loadingBlocked = 28
  case signatureRejected = 29
  case noDevice = 30
  case deviceRefused = 31
  case inContainer = 32
  case deviceBusy = 33
  case loadFailed = 34
  case resultUnusable = 35
  case notComparable = 36
  case usage = 64
  case skippedForAutopkgtest = 77
  case hungUp = 129
  case interrupted = 130
  case terminated = 143
}
