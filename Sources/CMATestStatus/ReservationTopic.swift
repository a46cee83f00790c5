// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestSystem

/// What is reserved for CMA, and what was asked for.
struct ReservationTopic: Topic {
  static let name = "reservation"

  private static let folder = "/sys/kernel/mm/cma"
  private static let counters = [
    "total_pages", "available_pages", "alloc_pages_success", "alloc_pages_fail",
    "release_pages_success",
  ]

  struct Area {
    var name: String
    /// Those of `counters` that this kernel has, all in pages.
    var counts: [(name: String, value: Int64)]
  }

  let commandLine: KernelCommandLine?
  /// Whether /proc/meminfo could be read.
  let isKnown: Bool
  /// All areas together, in bytes; nil where the kernel does not say.
  let total: UInt64?
  let free: UInt64?
  /// Nil where this kernel does not list them.
  let areas: [Area]?

  init(_ machine: Machine) {
    commandLine = (try? contents(of: machine.path("/proc/cmdline"))).map { KernelCommandLine($0) }
    let information = (try? contents(of: machine.path("/proc/meminfo")))
      .map { MemoryInformation(parsing: $0) }
    isKnown = information != nil
    total = information?["CmaTotal"]
    free = information?["CmaFree"]
    areas = machine.exists(Self.folder) ? Self.areas(machine) : nil
  }

  private static func areas(_ machine: Machine) -> [Area] {
    ((try? machine.names(in: folder)) ?? []).map { name in
      Area(
        name: name,
        counts: counters.compactMap { counter in
          (try? machine.line("\(folder)/\(name)/\(counter)")).flatMap { Int64($0) }
            .map { (counter, $0) }
        })
    }
  }

  /// `cma=…` as it is on the command line; where there are several, all of them.
  private var asked: String? {
    let values = commandLine?.values(of: "cma") ?? []
    return values.isEmpty ? nil : values.map { "cma=\($0)" }.joined(separator: " ")
  }

  var findings: [Finding] {
    guard isKnown else { return [.wrong("/proc/meminfo cannot be read", .unreadable)] }
    guard let total else {
      return [
        .wrong(
          "/proc/meminfo has no CmaTotal: this kernel reserves nothing for CMA", .nothingReserved)
      ]
    }
    guard total > 0 else { return [nothing] }
    let names = areas.map { $0.map(\.name).joined(separator: ", ") }.map { " (\($0))" } ?? ""
    let sizes = "\(byteCount(total)) reserved, \(byteCount(free ?? 0)) free"
    guard let asked, let wanted = commandLine?.cma?.size, wanted > total else {
      return [.good(sizes + names + (asked.map { ", as \($0) says" } ?? ", by default"))]
    }
    return [
      .notice(
        "\(sizes)\(names), though \(asked) asks for \(byteCount(wanted))",
        remedy: "dmesg | grep -i cma")
    ]
  }

  private var nothing: Finding {
    guard let asked else {
      return .wrong(
        "nothing is reserved: the kernel command line has no cma=; reboot after",
        remedy: "cma-test reserve 256M", .nothingReserved)
    }
    if commandLine?.cma?.size == 0 {
      return .wrong(
        "nothing is reserved: \(asked) switches it off; reboot after",
        remedy: "cma-test reserve 256M", .nothingReserved)
    }
    return .wrong(
      "nothing is reserved: the kernel could not do \(asked), and its log says why",
      remedy: "dmesg | grep -i cma", .nothingReserved)
  }

  var facts: [JSON.Member] {
    let request = commandLine?.cma
    return [
      JSON.Member("command_line", JSON(asked)),
      JSON.Member("requested_bytes", Self.json(request?.size)),
      JSON.Member("total_bytes", Self.json(total)),
      JSON.Member("free_bytes", Self.json(free)),
      JSON.Member(
        "areas",
        areas.map { areas in
          .array(
            areas.map { area in
              .object(
                [JSON.Member("name", .string(area.name))]
                  + area.counts.map { JSON.Member($0.name, .int($0.value)) })
            })
        } ?? .null),
    ]
  }

  private static func json(_ bytes: UInt64?) -> JSON {
    bytes.map { .int(Int64(clamping: $0)) } ?? .null
  }
}
