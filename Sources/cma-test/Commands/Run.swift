// SPDX-License-Identifier: GPL-2.0-or-later

public import ArgumentParser
internal import CMATestCore
internal import CMATestDevice
public import CMATestSuite
internal import CMATestSystem

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Test the allocator: every case on one area, or some of them.",
    discussion: """
      Allocates from the area in all the ways that drivers do and must not do, and proves that the \
      kernel does the right thing: cma-test(8) has the cases. What cannot run on this kernel is \
      skipped, with the reason. Ctrl-C gives everything back and reports what there is until then. \
      Needs root; loads the module where that is not loaded, and removes it again. Do not run it \
      while a device needs CMA: the area is taken whole, for moments.
      """)

  @Option(help: ArgumentHelp("The area, by its name or index in 'cma-test areas'.", valueName: "area"))
  var area: String?

  @Option(help: ArgumentHelp("Only the cases whose names match.", valueName: "glob"))
  var filter: String?

  @Flag(help: "List the cases, and run none.")
  var list = false

  @Option(help: "Repeat the random choices of an earlier run.")
  var seed: UInt32?

  @Option(help: ArgumentHelp("The form of the report.", valueName: "format"))
  var format = ReportFormat.text

  @Option(help: ArgumentHelp("End the run after that time; it has failed then.", valueName: "s"))
  var timeout: UInt32?

  @Flag(help: "Exit with 77, not 4, where no case can run.")
  var autopkgtest = false

  @OptionGroup var device: DeviceOptions

  func validate() throws {
    guard !cases(matching: filter).isEmpty else {
      throw ValidationError("no case matches '\(filter ?? "")': 'cma-test run --list' has them all")
    }
    guard timeout != 0 else { throw ValidationError("'--timeout' needs at least one second") }
  }

  func run() throws {
    let cases = cases(matching: filter)
    if list {
      try StandardStream.output.write(CaseList.text(cases, as: format))
      return
    }
    PendingSignal.hold()
    let began = monotonicNanoseconds()
    let report = ReportOutput()
    let progress = ProgressReporter(
      isTerminal: StandardStream.error.isTerminal, now: monotonicNanoseconds
    ) { try? StandardStream.error.write($0) }
    // Where lines come one by one anyway, a second line for each would only be in the way.
    let showsProgress = StandardStream.error.isTerminal || !format.isLive
    let observers = (showsProgress ? [progress] : []) + [format.reporter(write: report.write)]
    let ending = Ending(
      deadline: timeout.map { began + UInt64($0) * 1_000_000_000 }, now: monotonicNanoseconds,
      signal: { PendingSignal.current?.name })
    let (result, refusal) = try result(of: cases, ending: ending, observers: observers)
    var code = refusal ?? result.exitCode(forAutopkgtest: autopkgtest)
    if let failure = report.failure {
      code = .cannotWrite
      try? StandardStream.error.write(
        "cma-test run: error: cannot write the report: \(failure.reason)\n")
    }
    if code != .success { throw ArgumentParser.ExitCode(code.rawValue) }
  }

  /// - Returns: the result, and the exit code where that is not the result's own.
  private func result(
    of cases: [TestCase], ending: Ending, observers: [any RunObserver]
  ) throws -> (RunResult, CMATestCore.ExitCode?) {
    var facts = RunFacts(
      version: packageVersion, kernel: (try? Machine().kernelRelease()) ?? "unknown",
      seed: seed ?? UInt32.random(in: 0...UInt32.max), time: utcTimestamp())
    func runner() -> Runner { Runner(facts: facts, ending: ending, observers: observers) }
    do {
      let session = device.session(for: "run", ownerCommand: [OwnBlocks.name], ending: ending)
      return try session.use { device in
        let chosen: AreaInformation
        do throws(AreaChoice.Failure) {
          chosen = try device.area(area)
        } catch {
          throw ValidationError(error.message)
        }
        let area = try AreaUnderTest(
          chosen, among: device.areas, device.information, on: device.kernel)
        facts.area = area.title
        facts.pages = area.pages
        facts.pageSize = area.pageSize
        guard area.isActivated else {
          let (message, remedy) = device.whyNotActivated(chosen)
          return (runner().refuse(because: "\(message): \(remedy)"), nil)
        }
        facts.occupancy = try Occupancy.read(of: area, on: device.kernel)
        return (runner().run(cases, in: area, on: device.kernel), nil)
      }
    } catch let failure as DeviceSessionFailure {
      // Without a module nothing can be tested here, and that is no failure.
      let isSkip = failure.code == .noDevice
      let result = runner().refuse(
        because: "\(failure.message): \(failure.remedy)", isError: !isSkip)
      if !isSkip { device.warn("run", "error: \(failure.message): \(failure.remedy)") }
      return (result, isSkip ? nil : failure.code)
    }
  }
}

extension ReportFormat: ExpressibleByArgument {}

/// Standard output, and the first failure to write to it.
private final class ReportOutput {
  private(set) var failure: SystemFailure?

  func write(_ text: String) {
    guard failure == nil else { return }
    do throws(SystemFailure) {
      try StandardStream.output.write(text)
    } catch {
      failure = error
    }
  }
}
