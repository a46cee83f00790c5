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
      Allocates and releases blocks of each size, alignment and number of threads beside each load, \
      in rounds whose order the seed sets, and counts the times in the kernel. 'cma-test compare' \
      tells two results apart, 'cma-test report' draws them. Times have a unit, as 10ms; lists have \
      commas. Ctrl-C releases everything and reports what was measured. Needs root; loads the \
      module if it is not loaded, and then removes it again.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json, csv, hgrm
  }

  @Option(
    help: ArgumentHelp("The area, by its name or index in 'cma-test areas'.", valueName: "area"))
  var area: String?

  @Option(
    help: ArgumentHelp(
      "Sizes of a block, as 16p for pages, 64K or 1M (default: 1p,16p,256p).", valueName: "sizes"))
  var size: String?

  @Option(
    help: ArgumentHelp("Alignments of a block, as sizes (default: 1p).", valueName: "sizes"))
  var align: String?

  @Option(help: ArgumentHelp("Numbers of threads (default: 1).", valueName: "counts"))
  var threads: String?

  @Option(
    help: ArgumentHelp(
      "Blocks that each thread keeps before it releases the oldest (default: 0).",
      valueName: "blocks"))
  var hold: String?

  @Option(
    help: ArgumentHelp(
      "Time from one intended start to the next; times count from there, too.", valueName: "time"))
  var every: String?

  @Option(
    help: ArgumentHelp(
      "Allocations of a round of a cell (default: 100, unless there is a time).", valueName: "n"))
  var count: String?

  @Option(
    help: ArgumentHelp("Time of the whole measurement, as 10s or 72h.", valueName: "time"))
  var duration: String?

  @Option(help: ArgumentHelp("Rounds of each cell (default: 9).", valueName: "n"))
  var rounds: String?

  @Option(
    name: .customLong("warm-up"),
    help: ArgumentHelp(
      "Allocations before each round that do not count (default: 8).", valueName: "n"))
  var warmUp: String?

  @Option(
    help: ArgumentHelp(
      """
      What keeps memory busy meanwhile: none, anon, cache, dirty, pinned, churn or \
      'command:WORDS'; can be given again.
      """, valueName: "load"))
  var load: [String] = []

  @Option(
    name: .customLong("load-folder"),
    help: ArgumentHelp("Where loads keep their files: on a disk.", valueName: "folder"),
    completion: .directory)
  var loadFolder = "/var/tmp"

  @Option(
    help: ArgumentHelp(
      "Settings from a profile: quick, gcma, large-release, camera, or a file.",
      valueName: "name"))
  var profile: String?

  @Option(help: "Repeat the order of an earlier measurement.")
  var seed: UInt32?

  @Option(
    name: .customLong("stop-above"),
    help: ArgumentHelp("End at the first allocation that takes longer.", valueName: "time"))
  var stopAbove: String?

  @Option(
    help: ArgumentHelp(
      "Compare with this earlier result, and exit as 'compare' does.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var baseline: String?

  @Option(help: ArgumentHelp("The form of the result.", valueName: "format"))
  var format = Format.text

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Keep the result, as JSON, in this file, which is written as the measurement goes.",
      valueName: "file"),
    completion: .file(extensions: ["json"]))
  var output: String?

  @OptionGroup var device: DeviceOptions

  /// The options that a profile can set, too.
  private var given: [(name: String, value: String)] {
    let options = [
      ("size", size), ("align", align), ("threads", threads), ("hold", hold), ("every", every),
      ("count", count), ("duration", duration), ("rounds", rounds), ("warm-up", warmUp),
      ("stop-above", stopAbove),
    ]
    return options.compactMap { name, value in value.map { (name, $0) } }
  }

  func validate() throws {
    // A profile is read later: a file that is missing is no error of usage.
    var settings = BenchSettings()
    try apply(to: &settings)
  }

  private func apply(to settings: inout BenchSettings) throws {
    do throws(SettingFailure) {
      for (name, value) in given { try settings.set(name, to: value) }
      if !load.isEmpty {
        var loads: [LoadMix] = []
        for word in load {
          let load = try BenchSettings.load(word)
          if !loads.contains(load) { loads.append(load) }
        }
        settings.loads = loads
      }
    } catch {
      throw ValidationError(error.message)
    }
  }

  func run(printing output: StandardOutput, in session: DeviceSession) throws {
    do {
      try measure(printing: output, in: session)
    } catch let failure as DeviceSessionFailure {
      throw try Self.report(failure, asJSON: format == .json, to: output)
    } catch let failure as BenchCommandFailure {
      throw try Self.report(failure, asJSON: format == .json, to: output)
    } catch let failure as ResultFileFailure {
      throw try Self.report(failure, asJSON: format == .json, to: output)
    } catch let failure as SettingFailure {
      throw ValidationError(failure.message)
    }
  }

  private func measure(printing output: StandardOutput, in session: DeviceSession) throws {
    var settings = try profile.map { try BenchProfileFile(name: $0).read() } ?? BenchSettings()
    try apply(to: &settings)
    let before = try baseline.map { try readResult($0) }
    let file = try self.output.map { name in
      try mapError(BenchCommandFailure.cannotWrite) { () throws(SystemFailure) in
        try ResultFile(name)
      }
    }
    let (result, failure) = try session.use { device in
      let measurement = try prepare(settings, file, comparedWith: before, device, session)
      do throws(BenchCommandFailure) {
        try measurement.measure()
        return (measurement.result, BenchCommandFailure?.none)
      } catch {
        return (measurement.result, error)
      }
    }
    if let failure, !result.hasRounds { throw failure }
    try output.write(text(of: result, settings))
    if let failure {
      // Standard output has the part that was measured.
      StandardError.write(failure.text(program: "cma-test \(Self._commandName)"))
      throw ExitCode(failure.exitStatus)
    }
    try end(after: result, comparedWith: before, printing: output)
  }

  private func prepare(
    _ settings: BenchSettings, _ file: ResultFile?, comparedWith before: ResultSummary?,
    _ device: OpenDevice, _ session: DeviceSession
  ) throws -> BenchMeasurement {
    let chosen = try device.area(area)
    let area = try device.areaUnderTest(chosen)
    guard area.isActivated else {
      let (message, remedy) = device.whyNotActivated(chosen)
      throw DeviceSessionFailure.refused("\(message): \(remedy)")
    }
    let plan = BenchPlan(
      settings, pageSize: area.pageSize, seed: UInt64(seed ?? UInt32.random(in: 0...UInt32.max)))
    if let pages = area.pages, let large = plan.cells.first(where: { $0.pages > pages }) {
      session.warn(
        "\(large.pages) pages are more than the area has, \(pages): such a request fails")
    }
    let most = device.information.maxCount
    if let large = plan.cells.first(where: { $0.pages > most }) {
      throw ValidationError(
        "--size: \(large.pages) pages are more than this machine has: \(most) at most are asked for"
      )
    }
    if let large = plan.cells.first(where: { $0.order > device.information.maxOrder }) {
      throw ValidationError(
        "--align: order \(large.order) is more than the allocator takes: "
          + "\(device.information.maxOrder) at most")
    }
    if let before {
      let planned = plan.summary(area: (area.title, area.pages ?? 0), pageSize: area.pageSize)
      // Before the measurement, not after days.
      if let hindrance = Comparison.hindrance(before, toMeasuring: planned) {
        throw ResultFileFailure.notComparable(hindrance)
      }
      if let note = before.partialNote { session.warn(note) }
    }
    let facts = Machine().environment(pageSize: area.pageSize)
    return BenchMeasurement(
      plan, in: area, on: device, session: session,
      environment: facts.map { .init($0.name, $0.value) }, file: file, loadFolder: loadFolder,
      progress: Progress.ofThisProcess())
  }

  private func text(of result: BenchResult, _ settings: BenchSettings) -> String {
    switch format {
    case .text: BenchText.text(result, references: settings.references)
    case .json: result.json.text + "\n"
    case .csv: BenchCSV.text(result.summary)
    case .hgrm: BenchHGRM.text(result.summary)
    }
  }

  /// Exits with what the measurement, or its comparison, came to.
  private func end(
    after result: BenchResult, comparedWith before: ResultSummary?,
    printing output: StandardOutput
  ) throws {
    if let status = result.endedBy.flatMap({ CommandStatus(signal: $0) }) { throw ExitCode(status) }
    if result.slow != nil || result.refused > 0 { throw ExitCode(.failed) }
    guard let before else { return }
    let comparison = Comparison([before], with: [result.summary])
    if format == .text {
      try output.write("\n" + comparison.text)
    } else {
      StandardError.write(comparison.text)
    }
    if let status = comparison.outcome.status { throw ExitCode(status) }
  }
}
