// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestCore
internal import CMATestSystem

extension Machine {
  /// Returns the build configuration of a kernel.
  ///
  /// - Parameter release: an installed one's.
  /// - Returns: the configuration and the file that it was read from; nil where no file has one, or
  ///   it cannot be read.
  public func configuration(of release: String) -> (KernelConfiguration, source: String)? {
    var files = ["/boot/config-\(release)", "/lib/modules/\(release)/config"]
    // The running kernel may carry its own.
    if release == (try? kernelRelease()) { files.append("/proc/config.gz") }
    for file in files {
      guard let text = try? unpackedContents(of: file) else { continue }
      let configuration = KernelConfiguration(parsing: text)
      if !configuration.isEmpty { return (configuration, path(file)) }
    }
    return nil
  }
}
