// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux

/// Returns the words that follow the program's name on its command line.
///
/// Not `CommandLine.arguments`: that is empty where /proc is not mounted, as in a bare chroot, and a
/// program would do what it does without arguments.
public func commandLineArguments() -> [String] {
  var words: [String] = []
  var number: CInt = 1
  while let word = cma_test_argument(number) {
    words.append(String(cString: word))
    number += 1
  }
  return words
}
