// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestSystem

/// What /proc and /boot say when a symbol is missing or hidden. A file that cannot be read leaves
/// the fact unknown: the failure to explain is another one.
struct ProcFacts: MachineFacts {
  let machine: Machine
  let release: String

  var pointerRestriction: Int? { (try? machine.pointerRestriction()) ?? nil }

  var configuration: (KernelConfiguration, source: String)? {
    machine.configuration(of: release)
  }
}
