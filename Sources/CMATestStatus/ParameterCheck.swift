// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestConfigure
internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem
internal import Kmod

/// The findings of the kernel's parser and the module on the parameters that modprobe would pass.
struct ParameterCheck {
  let findings: [Finding]

  private struct Given {
    var value: UInt64
    /// The parameter with its value, as `alloc_count=4096`.
    var text: String
    var source: String?
    /// A command that keeps modprobe from passing the parameter.
    var remedy: String?
  }

  init(_ inputs: StatusInputs) {
    let machine = inputs.machine
    var findings: [Finding] = []
    var given: [String: Given] = [:]
    let known = Set(
      (inputs.modprobe.found?.values(of: "parm") ?? []).map { String($0.prefix { $0 != ":" }) })
    for option in (try? inputs.modprobe.options.get()) ?? [] {
      // The addresses are proved against those of this boot.
      if option.source == machine.path(OptionsFile.path) { continue }
      var words = ModprobeOptions()
      words.append(option.text)
      var strangers: [String] = []
      // What follows `--` is not for the module.
      for word in words.words where word.name != "__" {
        let text = word.value.map { "\(word.name)=\($0)" } ?? word.name
        guard let width = ModuleParameter.width(of: word.name) else {
          if !known.isEmpty, !known.contains(word.name), !Self.ofTheKernel.contains(word.name) {
            strangers.append("'\(text)'")
          }
          continue
        }
        do throws(ParameterRefusal) {
          given[word.name] = Given(
            value: try ModuleParameter.number(word.value, width: width), text: text,
            source: option.source, remedy: option.remedy)
        } catch {
          findings.append(
            .wrong(
              Self.sentence(option.source, "'\(text)' \(error.message); modprobe would fail"),
              remedy: option.remedy, .overridden))
        }
      }
      if !strangers.isEmpty {
        findings.append(
          .notice(
            Self.sentence(
              option.source,
              "the kernel ignores " + strangers.joined(separator: ", ")
                + ": the module has no such parameter")))
      }
    }
    if !inputs.isLoaded {
      let area = AreaLimits(machine, inputs.reservation)
      // What the module has if nothing is said, in src-kmod/main.c.
      let count = given["alloc_count"] ?? Given(value: 256, text: "alloc_count=256")
      findings += Self.judge(count: count, area)
      if let align = given["alloc_align"] {
        findings += Self.judge(align: align, count: count.value, area)
      }
    }
    self.findings = findings
  }

  /// Parameters that the kernel takes for every module. (`unknown_module_param_cb`)
  private static let ofTheKernel: Set = ["async_probe", "dyndbg"]

  private static func sentence(_ source: String?, _ text: String) -> String {
    source.map { "\($0): \(text)" } ?? text
  }

  private static func judge(count: Given, _ area: AreaLimits) -> [Finding] {
    guard count.value > 0, let pages = area.pages else { return [] }
    let remedy = count.remedy ?? "modprobe cmatest alloc_count=\(pages)"
    if count.value > pages {
      return [
        .wrong(
          sentence(
            count.source,
            "\(count.text) is more than the \(pages) pages that the default area has"),
          remedy: remedy, .nothingReserved)
      ]
    }
    if let free = area.free, count.value > free {
      return [
        .wrong(
          sentence(
            count.source,
            "\(count.text) is more than the \(free) pages that are free in the default area"),
          remedy: free > 0
            ? "modprobe cmatest alloc_count=\(free)" : "modprobe cmatest alloc_count=0",
          .nothingReserved)
      ]
    }
    return []
  }

  private static func judge(align: Given, count: UInt64, _ area: AreaLimits) -> [Finding] {
    if let memory = area.memoryPages, align.value > 63 || 1 << align.value > memory {
      return [
        .wrong(
          sentence(
            align.source,
            "\(align.text) asks for blocks of 2^\(align.value) pages, more than this machine has"),
          remedy: align.remedy, .overridden)
      ]
    }
    guard count > 0, align.value < 52, let pages = area.pages, count <= pages else { return [] }
    let step = 1 << align.value as UInt64
    // However the area lies, there is room for such a block.
    if count + step - 1 <= pages { return [] }
    let size = byteCount(step * area.pageSize)
    guard let first = area.firstPage else {
      return [
        .notice(
          sentence(
            align.source,
            "\(align.text) asks for a multiple of \(size), and whether the default area has one "
              + "is not known"),
          remedy: "dmesg | grep -i cma", code: .nothingReserved)
      ]
    }
    let aligned = (first + step - 1) / step * step
    guard aligned + count > first + pages else { return [] }
    return [
      .wrong(
        sentence(
          align.source,
          "\(align.text) asks for a multiple of \(size), and no block of \(count) pages in the "
            + "default area begins at one"),
        remedy: align.remedy, .nothingReserved)
    ]
  }
}

/// The most that the default area can give.
private struct AreaLimits {
  let pageSize: UInt64
  /// The pages of the default area.
  let pages: UInt64?
  /// The pages of them that nobody has allocated; nil where this kernel does not tell.
  let free: UInt64?
  /// The number of its first page frame; nil where the log does not tell.
  let firstPage: UInt64?
  /// The pages of the whole machine.
  let memoryPages: UInt64?

  init(_ machine: Machine, _ reservation: Reservation) {
    let pageSize = machine.pageSize()
    self.pageSize = pageSize
    let counts = reservation.areas?.first { machine.isDefaultArea($0.name) }?.counts ?? []
    func count(_ name: String) -> UInt64? {
      counts.first { $0.name == name }.map { UInt64(max(0, $0.value)) }
    }
    var size: UInt64?
    if case .present(let known)? = reservation.defaultArea { size = known ?? reservation.total }
    pages = count("total_pages") ?? size.map { $0 / pageSize }
    free = count("available_pages")
    firstPage = size.flatMap { machine.areaLog()?.reservation(ofSize: $0) }.map {
      $0.base / pageSize
    }
    memoryPages = (try? contents(of: machine.path("/proc/meminfo")))
      .flatMap { MemoryInformation(parsing: $0)["MemTotal"] }.map { $0 / pageSize }
  }
}
