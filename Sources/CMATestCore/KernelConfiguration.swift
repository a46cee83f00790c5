// SPDX-License-Identifier: GPL-2.0-or-later

/// The build configuration of a kernel, as in /boot/config-RELEASE or /proc/config.gz.
public struct KernelConfiguration: Equatable, Sendable {
  private let values: [String: String]

  /// - Parameter text: lines `CONFIG_X=value`; `# CONFIG_X is not set` and all else is passed over.
  public init(parsing text: some Sequence<UInt8>) {
    var values: [String: String] = [:]
    for line in Array(text).split(separator: .newline) {
      guard line.starts(with: "CONFIG_".utf8),
        let equals = line.firstIndex(of: UInt8(ascii: "="))
      else { continue }
      let name = String(decoding: line[..<equals], as: UTF8.self)
      var value = line[line.index(after: equals)...]
      if value.last == .carriageReturn { value.removeLast() }
      values[name] = String(decoding: value, as: UTF8.self)
    }
    self.values = values
  }

  /// Whether nothing in the text was an option: then it is no configuration at all.
  public var isEmpty: Bool { values.isEmpty }

  /// - Parameter option: with its prefix, as `CONFIG_CMA`.
  /// - Returns: the value as written (`y`, `m`, a number, a quoted string), nil where it is not set.
  public subscript(option: String) -> String? { values[option] }

  /// - Returns: whether the option is built in or a module.
  public func enables(_ option: String) -> Bool {
    values[option] == "y" || values[option] == "m"
  }

  /// The first option that the module needs and that is off; nil where all are on.
  public var missingForCMA: String? {
    ["CONFIG_CMA", "CONFIG_DMA_CMA"].first { !enables($0) }
  }
}
