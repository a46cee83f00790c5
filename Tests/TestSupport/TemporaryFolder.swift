// SPDX-License-Identifier: GPL-2.0-or-later

import Foundation

/// A folder for one test, removed with all that is in it when its owner goes.
public final class TemporaryFolder: Sendable {
  public let path: String

  public init() throws {
    path = NSTemporaryDirectory() + "cma-test." + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
