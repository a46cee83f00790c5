// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestMachine
import CMATestSystem
import Glibc
import TestSupport
import Testing

@Suite struct UnpackingTests {
  @Test func unpacksAConfigurationThatGzipMade() throws {
    let folder = try TemporaryFolder()
    let machine = Machine(root: folder.path)
    let text = Array("CONFIG_CMA=y\n".utf8)
    try AtomicFile(folder.path + "/config").replace(with: text, mode: 0o644)
    let packed = try output(of: "/usr/bin/gzip", ["-c", folder.path + "/config"]).output
    try AtomicFile(folder.path + "/config.gz").replace(with: packed, mode: 0o644)
    #expect(packed.starts(with: [0x1F, 0x8B]))
    #expect(try machine.unpackedContents(of: "/config") == text)
    #expect(try machine.unpackedContents(of: "/config.gz") == text)
  }

  @Test func tellsAPackedFileThatIsBroken() throws {
    let folder = try TemporaryFolder()
    try AtomicFile(folder.path + "/config.gz").replace(with: [0x1F, 0x8B, 8, 0, 1], mode: 0o644)
    #expect(throws: SystemFailure(.read, folder.path + "/config.gz", EILSEQ)) {
      try Machine(root: folder.path).unpackedContents(of: "/config.gz")
    }
  }
}
