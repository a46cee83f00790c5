// SPDX-License-Identifier: GPL-2.0-or-later

public import ArgumentParser
internal import CMATestCore
internal import CMATestDevice
internal import CMATestMachine
public import CMATestSuite
internal import CMATestSystem

struct Run: PrintingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Test the allocator: every case on one area, or some of them.",
    discussion: """
      Allocates from the area in all the ways that drivers do and must not do, and proves that the \
      kernel does the right thing: cma-test(8) has the cases. What cannot run on this kernel is \
      skipped, with the reason. Ctrl-C gives everything back and reports what there is until then. \
      Needs root; loads the module where that is not loaded, and removes it again. Do not run it \
      while a device needs CMA: the area is taken whole, for moments.
      """)

  @Option(
    help: ArgumentHelp("The area, by its name or index in 'cma-test areas'.", valueName: "area"))
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

  func run(printing output: StandardOutput) throws {
    try run(printing: output, on: RunningHost(ownerCommand: [OwnBlocks.name]))
  }

  func run(printing output: StandardOutput, on host: some DeviceHost) throws {
    let cases = cases(matching: filter)
    if list {
      try output.write(CaseList.text(cases, as: format))
      return
    }
    let signals = PendingSignal.hold()
    let began = monotonicNanoseconds()
    let terminal = Terminal.of(.error)
    let progress = ProgressReporter(
      columns: terminal.rewritesLines ? { terminal.columns } : nil, now: monotonicNanoseconds,
      write: StandardError.write)
    // Where lines come one by one anyway, a second line for each would only be in the way.
    let showsProgress = terminal.rewritesLines || !format.isLive
    // A report that cannot be written ends the run below.
    let report = format.reporter { try? output.write($0) }
    let observers = (showsProgress ? [progress] : []) + [report]
    let ending = Ending(
      deadline: timeout.map { began + UInt64($0) * 1_000_000_000 }, now: monotonicNanoseconds,
      signal: {
        output.failure == nil ? signals.pending?.name : "a failed write to standard output"
      })
    let (result, refusal) = try result(
      of: cases, with: device.session(for: "run", on: host, ending: ending), observers)
    if let failure = output.failure { throw failure }
    let code = refusal ?? result.exitStatus(forAutopkgtest: autopkgtest)
    if code != .success { throw ExitCode(code) }
  }

  /// - Returns: the result, and the exit code where that is not the result's own.
  private func result(
    of cases: [TestCase], with session: DeviceSession, _ observers: [any RunObserver]
  ) throws -> (RunResult, CommandStatus?) {
    var facts = RunFacts(
      version: packageVersion, kernel: (try? Machine().kernelRelease()) ?? "unknown",
      seed: seed ?? UInt32.random(in: 0...UInt32.max), time: utcTimestamp())
    func runner() -> Runner {
      Runner(facts: facts, ending: session.ending, observers: observers)
    }
    do {
      return try session.use { device in
        let (chosen, area) = try areaUnderTest(of: device)
        facts.area = area.title
        facts.pages = area.pages
        facts.pageSize = area.pageSize
        guard area.isActivated else {
          let (message, remedy) = device.whyNotActivated(chosen)
          return (runner().refuse(because: "\(message): \(remedy)"), nil)
        }
        do throws(CaseEnd) {
          facts.occupancy = try Occupancy.read(of: area, on: device.kernel)
        } catch {
          throw DeviceSessionFailure(error)
        }
        return (runner().run(cases, in: area, on: device.kernel), nil)
      }
    } catch let failure as DeviceSessionFailure {
      // Without a module nothing can be tested here, and that is no failure.
      let isSkip = failure.exitStatus == .noDevice
      let text = "\(failure.message): \(failure.remedy)"
      let result = runner().refuse(because: text, isError: !isSkip)
      if !isSkip { session.warn("error: \(text)") }
      return (result, isSkip ? nil : failure.exitStatus)
    }
  }

  private func areaUnderTest(
    of device: OpenDevice
  ) throws -> (AreaInformation, AreaUnderTest) {
    let chosen: AreaInformation
    do throws(AreaChoice.Failure) {
      chosen = try device.area(area)
    } catch {
      throw ValidationError(error.message)
    }
    do throws(SystemFailure) {
      return (
        chosen,
        try AreaUnderTest(chosen, among: device.areas, device.information, on: device.kernel)
      )
    } catch {
      throw DeviceSessionFailure(CaseEnd.failed("cannot look at the area: \(error.reason)"))
    }
  }
}

extension ReportFormat: ExpressibleByArgument {}
