// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestSystem

/// A profile of a measurement, by its name or as a file of the user's own.
struct BenchProfileFile {
  /// Where the packaged profiles are.
  static let folder = "/usr/share/cma-test/profiles"

  let name: String

  /// The path of the file: a word without a slash names a packaged profile.
  private var path: String { name.contains("/") ? name : "\(Self.folder)/\(name).profile" }

  /// Reads the profile.
  ///
  /// - Throws: `BenchCommandFailure.noProfile`, or a `SettingFailure` with the line that is wrong.
  func read() throws -> BenchSettings {
    var settings = BenchSettings()
    let bytes = try mapError({ BenchCommandFailure.noProfile(name: name, $0) }) {
      () throws(SystemFailure) in try namedContents(of: path, limit: 1 << 20)
    }
    try settings.read(profile: String(decoding: bytes, as: UTF8.self), name: name)
    return settings
  }
}
