// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestBench
internal import CMATestCore
internal import CMATestDevice
internal import CMATestMachine
internal import CMATestReport
internal import CMATestSuite
internal import CMATestSystem

struct Bench: DeviceCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how fast, and how surely, the kernel allocates from an area.",
    discussion: """
      Allocates and releases blocks of each size with each number of threads, in rounds whose order \
      the seed sets, and counts the times in the kernel. 'cma-test compare' tells two results \
      apart. Needs root; loads the module where that is not loaded, and removes it again.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json
  }

  @Option(
    help: ArgumentHelp("The area, by its name or index in 'cma-test areas'.", valueName: "area"))
  var area: String?

  @Option(
    help: ArgumentHelp("Sizes of a block, as 16p for pages, 64K, 1M; with commas.", valueName: "sizes"))
  var size = "1p,16p,256p"

  @Option(help: ArgumentHelp("Alignments of a block as orders, with commas.", valueName: "orders"))
  var align = "0"

  @Option(help: ArgumentHelp("Numbers of threads, with commas.", valueName: "counts"))
  var threads = "1"

  @Option(help: ArgumentHelp("Blocks that each thread keeps.", valueName: "blocks"))
  var hold: UInt64 = 0

  @Option(help: ArgumentHelp("Milliseconds from one intended start to the next.", valueName: "ms"))
  var every: Double = 0

  @Option(help: ArgumentHelp("Allocations of a round of a cell.", valueName: "n"))
  var count: UInt64?

  @Option(help: ArgumentHelp("Seconds of a round of a cell.", valueName: "s"))
  var duration: Double?

  @Option(help: "Rounds of each cell.")
  var rounds = 9

  @Option(name: .customLong("warm-up"), help: "Allocations before each round that do not count.")
  var warmUp: UInt64 = 8

  @Option(help: "Sets the order of the cells again as in an earlier measurement.")
  var seed: UInt32?

  @Option(help: "The form of the result on standard output: text or json.")
  var format = Format.text

  @Option(name: .shortAndLong, help: "Also write the result, as JSON, to this file.")
  var output: String?

  @OptionGroup var device: DeviceOptions

  func validate() throws {
    guard rounds >= 1, rounds <= 10_000 else { throw ValidationError("--rounds is 1 to 10000") }
    guard every >= 0, every <= 3_600_000 else {
      throw ValidationError("--every is 0 to 3600000 milliseconds")
    }
    if let duration, !(duration > 0 && duration <= 1e9) {
      throw ValidationError("--duration is a number of seconds above 0")
    }
    if count == 0 { throw ValidationError("--count is 1 or more") }
    _ = try numbers(align, "--align", 0...63)
    _ = try numbers(threads, "--threads", 1...1024)
    _ = try pages(size, pageSize: 4096)
  }

  func run(printing standardOutput: StandardOutput, in session: DeviceSession) throws {
    do {
      let result = try session.use { device in try measure(on: device, session) }
      if let output {
        try AtomicFile(output).replace(with: Array((result.json.text + "\n").utf8), mode: 0o644)
      }
      switch format {
      case .text: try standardOutput.write(BenchText.text(result.summary))
      case .json: try standardOutput.write(result.json.text + "\n")
      }
    } catch let failure as DeviceSessionFailure {
      throw try Self.report(failure, asJSON: false, to: standardOutput)
    }
  }

  private func measure(on device: OpenDevice, _ session: DeviceSession) throws -> BenchResult {
    let chosen = try device.area(area)
    let area = try device.areaUnderTest(chosen)
    guard let measurer = device.kernel.file as? any Measurer else {
      throw DeviceSessionFailure.refused("this device does not measure")
    }
    let plan = BenchPlan(
      cells: BenchPlan.cells(
        pages: try pages(size, pageSize: area.pageSize), orders: try numbers(align, "--align", 0...63),
        threads: try numbers(threads, "--threads", 1...1024), hold: hold,
        every: UInt64(every * 1e6), loads: ["none"]),
      rounds: rounds, requests: count ?? (duration == nil ? 100 : 0),
      duration: UInt64((duration ?? 0) * 1e9), warmUp: warmUp,
      seed: UInt64(seed ?? UInt32.random(in: 0...UInt32.max)))
    let facts = Machine().environment(pageSize: area.pageSize)
    var result = BenchResult(
      version: packageVersion, time: utcTimestamp(), seed: plan.seed, area: area.title,
      areaPages: area.pages ?? 0,
      environment: facts.map { .init($0.name, $0.value) }, cells: plan.cells)
    let progress = Progress.ofThisProcess()
    progress.begin(steps: plan.cells.count * plan.rounds)
    var number = 0
    do throws(BenchEnd) {
      try BenchRun(plan, area: chosen.index, on: measurer, reason: { session.ending.reason.map { "\($0)" } })
        .measure(
          began: { step, cell in
            number = step
            progress.beginStep(step, cell.words)
          },
          ended: { cell, measured in
            result.cells[cell].rounds.append(measured)
            progress.endStep(number, plan.cells[cell].words)
          })
    } catch {
      switch error {
      case .refused(let failure): throw DeviceSessionFailure.refused(failure.message)
      case .noThreads(let failure): throw DeviceSessionFailure.refused(failure.reason)
      }
    }
    result.endedBy = session.ending.reason.map { "\($0)" }
    return result
  }

  /// Reads numbers with commas between them.
  private func numbers(
    _ text: String, _ option: String, _ range: ClosedRange<UInt64>
  ) throws -> [UInt64] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
      guard let number = UInt64(word), range.contains(number) else {
        throw ValidationError(
          "\(option) takes numbers from \(range.lowerBound) to \(range.upperBound), not '\(word)'")
      }
      return number
    }
  }

  /// Reads sizes with commas between them, as pages: `16p`, or bytes with a suffix of the kernel.
  private func pages(_ text: String, pageSize: UInt64) throws -> [UInt64] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
      if word.hasSuffix("p"), let pages = UInt64(word.dropLast()), pages > 0 { return pages }
      do throws(CMAGrammarError) {
        let bytes = try CMAReservation(parsing: String(word)).size
        guard bytes > 0 else { throw CMAGrammarError.noNumber("SIZE") }
        return bytes / pageSize + (bytes % pageSize == 0 ? 0 : 1)
      } catch {
        throw ValidationError("--size takes sizes as 16p, 64K or 1M, not '\(word)'")
      }
    }
  }
}
