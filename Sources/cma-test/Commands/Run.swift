// SPDX-License-Identifier: GPL-2.0-or-later

public import ArgumentParser
internal import CMATestCore
public import CMATestReport
internal import CMATestSuite
internal import CMATestSystem

struct Run: DeviceCommand {
  static let configuration = CommandConfiguration(
    abstract: "Test the allocator: every case on one area, or some of them.",
    discussion: """
      Allocates from the area in all the ways that drivers do and must not do, and proves that the \
      kernel does the right thing: cma-test(8) has the cases. A case that cannot run on this \
      kernel is skipped, with the reason. Ctrl-C releases everything and reports the results so \
      far. Needs root; loads the module if it is not loaded, and then removes it again. Do not run \
      the command while a device needs CMA: the cases take the whole area for short times.
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

  @Option(help: ArgumentHelp("End the run as failed after that time.", valueName: "s"))
  var timeout: UInt32?

  @Flag(help: "Exit with 77 instead of 4 if no case can run.")
  var autopkgtest = false

  @OptionGroup var device: DeviceOptions

  func validate() throws {
    guard !cases.isEmpty else {
      throw ValidationError("no case matches '\(filter ?? "")': 'cma-test run --list' has them all")
    }
    if list, format.list(of: []) == nil {
      let formats = ReportFormat.listing.map(\.rawValue).joined(separator: " or ")
      throw ValidationError("'--list' has no form '\(format.rawValue)': pass '--format' \(formats)")
    }
    guard timeout != 0 else { throw ValidationError("'--timeout' needs at least one second") }
  }

  var secondsAllowed: UInt32? { timeout }

  func finishesWithoutDevice(printing output: StandardOutput) throws -> Bool {
    guard list, let text = format.list(of: cases.map(\.title)) else { return false }
    try output.write(text)
    return true
  }

  func run(printing output: StandardOutput, in session: DeviceSession) throws {
    let progress = Progress.ofThisProcess()
    // Where lines come one by one anyway, a second line for each would only be in the way.
    let showsProgress = progress.rewritesLines || !format.isLive
    // A report that cannot be written ends the run by the session's ending.
    let report = format.reporter { try? output.write($0) }
    let (result, refusal) = try result(
      in: session, observers: (showsProgress ? [progress] : []) + [report])
    if let failure = output.failure { throw failure }
    let status = refusal ?? result.exitStatus(forAutopkgtest: autopkgtest)
    if status != .success { throw ExitCode(status) }
  }

  private var cases: [TestCase] { TestCase.all(matching: filter) }

  /// - Returns: the result, and the exit status where that is not the result's own.
  private func result(
    in session: DeviceSession, observers: [any RunObserver]
  ) throws -> (RunResult, CommandStatus?) {
    var facts = RunFacts(seed: seed ?? UInt32.random(in: 0...UInt32.max))
    func runner() -> Runner {
      Runner(facts: facts, ending: session.ending, observers: observers)
    }
    do {
      return try session.use { device in
        let chosen = try device.area(area)
        let area = try device.areaUnderTest(chosen)
        facts.area = area.title
        facts.pages = area.pages
        facts.pageSize = area.pageSize
        guard area.isActivated else {
          let (message, remedy) = device.whyNotActivated(chosen)
          return (runner().refuse(because: "\(message): \(remedy)"), nil)
        }
        facts.occupancy = try device.occupancy(of: area)
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
}

extension ReportFormat: ExpressibleByArgument {}
