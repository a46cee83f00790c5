// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestMachine
internal import CMATestSystem

/// Throws where `--root` names no folder: all else would be blamed on a /proc that is not mounted.
func checkRoot(_ root: String) throws {
  guard !root.isEmpty else { throw ValidationError("'--root' needs the name of a folder") }
  guard Machine(root: root).exists("/.") else {
    throw ValidationError("'--root \(root)' names no folder that can be looked into")
  }
}
