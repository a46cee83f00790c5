// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestSystem

extension Machine {
  /// The name of the running system, as `uname -n` prints it; nil where it has none.
  public var hostName: String? {
    guard let name = try? line("/proc/sys/kernel/hostname"), !name.isEmpty, name != "(none)" else {
      return nil
    }
    return name
  }

  /// What of this machine can change how fast the kernel allocates, as names and values. What cannot be
  /// read is left out.
  public func environment(pageSize: UInt64) -> [(name: String, value: String)] {
    var facts: [(name: String, value: String)] = []
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { facts.append((name, value)) }
    }
    add("host", hostName)
    let release = try? kernelRelease()
    add("kernel", release)
    add("kernel_build", try? line("/proc/sys/kernel/version"))
    add("command_line", try? line("/proc/cmdline"))
    add("page_size", "\(pageSize)")
    add("cpu", processorModel)
    add("cpus_online", try? line("/sys/devices/system/cpu/online"))
    add("governor", try? line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))
    add(
      "clocksource", try? line("/sys/devices/system/clocksource/clocksource0/current_clocksource"))
    add("transparent_hugepage", chosen("/sys/kernel/mm/transparent_hugepage/enabled"))
    add("init_on_alloc", release.flatMap { initOnAlloc(of: $0) })
    add("memory_kib", meminfo("MemTotal"))
    add("memory_available_kib", meminfo("MemAvailable"))
    add("cma_total_kib", meminfo("CmaTotal"))
    add("cma_free_kib", meminfo("CmaFree"))
    add("kernel_tainted", try? line("/proc/sys/kernel/tainted"))
    return facts
  }

  /// Whether the kernel zeroes pages as it allocates them: the word of the command line, or else the
  /// kernel's own default.
  private func initOnAlloc(of release: String) -> String? {
    let words = ((try? line("/proc/cmdline")) ?? "").split(separator: " ")
    if let word = words.last(where: { $0.hasPrefix("init_on_alloc=") }) {
      return String(word.dropFirst("init_on_alloc=".count))
    }
    guard let (configuration, _) = configuration(of: release) else { return nil }
    return configuration.enables("CONFIG_INIT_ON_ALLOC_DEFAULT_ON") ? "1" : "0"
  }

  private var processorModel: String? {
    guard let text = text("/proc/cpuinfo") else { return nil }
    for key in ["model name", "Model", "CPU part"] {
      for line in text.split(separator: "\n") where line.hasPrefix(key) {
        guard let colon = line.firstIndex(of: ":") else { continue }
        return String(line[line.index(after: colon)...].drop { $0 == " " })
      }
    }
    return nil
  }

  /// The word in brackets of a file that lists what can be chosen.
  private func chosen(_ file: String) -> String? {
    guard let line = try? line(file), let open = line.firstIndex(of: "["),
      let close = line.firstIndex(of: "]"), open < close
    else { return nil }
    return String(line[line.index(after: open)..<close])
  }

  private func meminfo(_ key: String) -> String? {
    text("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix(key + ":") }
      .flatMap { $0.split(separator: " ").dropFirst().first }.map(String.init)
  }

  private func text(_ file: String) -> String? {
    (try? contents(of: path(file))).map { String(decoding: $0, as: UTF8.self) }
  }
}
