// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestCore

/// The facts in /proc and /boot that explain a missing or hidden symbol. A file that cannot be read
/// leaves its fact unknown: the failure to explain is another one.
package struct ProcFacts: MachineFacts {
  private let machine: Machine
  package let release: String

  package init(machine: Machine, release: String) {
    self.machine = machine
    self.release = release
  }

  package var pointerRestriction: Int? { (try? machine.pointerRestriction()) ?? nil }

  package var configuration: (KernelConfiguration, source: String)? {
    machine.configuration(of: release)
  }
}
