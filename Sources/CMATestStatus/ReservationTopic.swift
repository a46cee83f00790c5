// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// The memory that is reserved for CMA, and the reservation that was asked for.
struct ReservationTopic: Topic {
  static let name = "reservation"

  private let commandLine: KernelCommandLine?
  private let reservation: Reservation
  private let isDefault: (String) -> Bool
  /// The device tree's pools for single devices.
  private let pools: [String]

  init(_ inputs: StatusInputs) {
    commandLine = inputs.commandLine
    reservation = inputs.reservation
    isDefault = inputs.machine.isDefaultArea
    pools = DefaultArea.ownPools(inputs.machine)
  }

  /// `cma=…` as it is on the command line; where there are several, all of them.
  private var asked: String? {
    let values = commandLine?.values(of: "cma") ?? []
    return values.isEmpty ? nil : values.map { "cma=\($0)" }.joined(separator: " ")
  }

  var findings: [Finding] {
    guard reservation.isKnown else { return [.wrong("/proc/meminfo cannot be read", .unreadable)] }
    guard let total = reservation.total else {
      return [
        .wrong(
          "/proc/meminfo has no CmaTotal: this kernel reserves nothing for CMA", .nothingReserved)
      ]
    }
    switch reservation.defaultArea {
    case .present(let size): return [present(size ?? total, total)]
    case .notActivated(let area):
      return [.wrong("\(area.message); reboot afterwards", remedy: area.remedy, .nothingReserved)]
    case .absent, nil: return [nothing(total)]
    case .unknown:
      return [
        .notice(
          "\(byteCount(total)) reserved in all; whether the default area is part of that is not "
            + "known, since this kernel lists no areas and has others (\(others))",
          remedy: "dmesg | grep -i cma", code: .nothingReserved)
      ]
    }
  }

  /// Returns the finding on a default area; `total` is the size of all areas.
  private func present(_ size: UInt64, _ total: UInt64) -> Finding {
    let names =
      reservation.areas.map { $0.map(\.name).joined(separator: ", ") }.map { " (\($0))" } ?? ""
    let sizes =
      "\(byteCount(total)) reserved, \(byteCount(reservation.free ?? 0)) free"
      + (size < total ? ", \(byteCount(size)) of it in the default area" : "")
    guard let asked, let wanted = commandLine?.cma?.size, wanted > size else {
      return .good(sizes + names + (asked.map { ", as \($0) says" } ?? ", by default"))
    }
    return .notice(
      "\(sizes)\(names), though \(asked) asks for \(byteCount(wanted))",
      remedy: "dmesg | grep -i cma")
  }

  /// The areas besides the default one.
  private var others: String {
    let names = (reservation.areas ?? []).map(\.name).filter { !isDefault($0) }
    let words = OtherArea.all(on: commandLine) + pools
    return (names.isEmpty ? words : names).joined(separator: ", ")
  }

  private func nothing(_ total: UInt64) -> Finding {
    let what =
      total == 0
      ? "nothing is reserved"
      : "nothing is reserved in the default area, since all \(byteCount(total)) are in others"
        + (others.isEmpty ? "" : " (\(others))")
    guard let asked else {
      return .wrong(
        "\(what): the kernel command line has no cma=; reboot afterwards",
        remedy: "cma-test reserve 256M", .nothingReserved)
    }
    if commandLine?.cma?.size == 0 {
      return .wrong(
        "\(what): \(asked) turns the default area off; reboot afterwards",
        remedy: "cma-test reserve 256M", .nothingReserved)
    }
    return .wrong(
      "\(what): the kernel could not satisfy \(asked), and its log says why",
      remedy: "dmesg | grep -i cma", .nothingReserved)
  }

  /// The word for it in the facts.
  private var state: String? {
    switch reservation.defaultArea {
    case .present: "present"
    case .notActivated: "not-activated"
    case .absent: "absent"
    case .unknown: "unknown"
    case nil: nil
    }
  }

  var facts: [JSON.Member] {
    let request = commandLine?.cma
    return [
      JSON.Member("command_line", JSON(asked)),
      JSON.Member("requested_bytes", Self.json(request?.size)),
      JSON.Member("total_bytes", Self.json(reservation.total)),
      JSON.Member("free_bytes", Self.json(reservation.free)),
      JSON.Member("default_area", JSON(state)),
      JSON.Member(
        "areas",
        reservation.areas.map { areas in
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
