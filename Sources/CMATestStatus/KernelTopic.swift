// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// The running kernel and what it was built with.
struct KernelTopic: Topic {
  static let name = "kernel"

  private static let options = [
    "CONFIG_CMA", "CONFIG_DMA_CMA", "CONFIG_CMA_SIZE_MBYTES", "CONFIG_CMA_SYSFS",
    "CONFIG_CMA_DEBUGFS", "CONFIG_KALLSYMS_ALL",
  ]

  let release: String?
  let configuration: (KernelConfiguration, source: String)?

  /// The reason for which the symbols cannot be looked up; nil where they can.
  private let failure: ConfigureFailure?

  init(_ inputs: StatusInputs) {
    if case .failure(let failure) = inputs.plan { self.failure = failure } else { failure = nil }
    release = inputs.release
    configuration = inputs.configuration
  }

  var findings: [Finding] {
    guard let release else {
      return [.wrong("/proc/sys/kernel/osrelease cannot be read: is /proc mounted?", .unreadable)]
    }
    // The metapackage of Debian's backports; arm64's own kernels have CMA.
    let remedy =
      release.hasSuffix("-amd64")
      ? "apt install -t trixie-backports linux-image-amd64 linux-headers-amd64" : nil
    guard let (configuration, source) = configuration else {
      if let failure, failure.exitStatus == .noCMA {
        return [.wrong(failure.message, remedy: remedy, .noCMA)]
      }
      return [
        .notice(
          "\(release); whether it has CMA is not known: there is no /boot/config-\(release)")
      ]
    }
    if let option = configuration.missingForCMA {
      return [
        .wrong(
          "\(release) has no contiguous memory allocator: \(option) is not set in \(source)",
          remedy: remedy, .noCMA)
      ]
    }
    return [.good("\(release), built with CONFIG_CMA and CONFIG_DMA_CMA")]
  }

  var facts: [JSON.Member] {
    [
      JSON.Member("release", JSON(release)),
      JSON.Member("configuration_file", JSON(configuration?.source)),
      JSON.Member(
        "configuration",
        configuration.map { configuration in
          .object(Self.options.map { JSON.Member($0, JSON(configuration.0[$0])) })
        } ?? .null),
    ]
  }
}
