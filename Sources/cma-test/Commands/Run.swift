// SPDX-License-Identifier: GPL-2.0-or-later

public import ArgumentParser
internal import CMATestCore
internal import CMATestDevice
public import CMATestSuite
internal import CMATestSystem

struct Run: PrintingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Test the allocator: every case on one area, or some of them.",
    discussion: """
      Allocates from the area in all the ways that drivers do and must not do, and proves that the \
      kernel does the right thing: cma-test(8) has the cases. What cannot run on this kernel is \
      skipped, with the reason. Ctrl-C gives everything back and reports what there is until then. \
      Needs root and the module: 'modprobe cmatest alloc_count=0'. Do not run it while a device \
      needs CMA: the area is taken whole, for moments.
      """)

  @Option(help: ArgumentHelp("The area, as 'cma-test areas' names it.", valueName: "name"))
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

  func validate() throws {
    guard !cases(matching: filter).isEmpty else {
      throw ValidationError("no case matches '\(filter ?? "")': 'cma-test run --list' has them all")
    }
    guard timeout != 0 else { throw ValidationError("'--timeout' needs at least one second") }
  }

  func run(printing output: StandardOutput) throws {
    let cases = cases(matching: filter)
    if list {
      try output.write(CaseList.text(cases, as: format))
      return
    }
    let signals = PendingSignal.hold()
    let began = monotonicNanoseconds()
    let rewritesLines = Terminal.of(.error).rewritesLines
    let progress = ProgressReporter(
      columns: rewritesLines ? { Terminal.columns(of: .error) } : nil, now: monotonicNanoseconds,
      write: StandardError.write)
    // Where lines come one by one anyway, a second line for each would only be in the way.
    let showsProgress = rewritesLines || !format.isLive
    // A report that cannot be written ends the run below.
    let report = format.reporter { try? output.write($0) }
    let observers = (showsProgress ? [progress] : []) + [report]
    let ending = Ending(
      deadline: timeout.map { began + UInt64($0) * 1_000_000_000 }, now: monotonicNanoseconds,
      signal: {
        output.failure == nil ? signals.pending?.name : "a failed write to standard output"
      })
    let result = try result(of: cases, ending: ending, observers: observers)
    if let failure = output.failure { throw failure }
    let code = result.exitCode(forAutopkgtest: autopkgtest)
    if code != .success { throw ArgumentParser.ExitCode(code.rawValue) }
  }

  private func result(
    of cases: [TestCase], ending: Ending, observers: [any RunObserver]
  ) throws -> RunResult {
    var facts = RunFacts(
      version: packageVersion, kernel: (try? Machine().kernelRelease()) ?? "unknown",
      seed: seed ?? UInt32.random(in: 0...UInt32.max), time: utcTimestamp())
    func runner() -> Runner { Runner(facts: facts, ending: ending, observers: observers) }
    let subject: Subject
    do throws(SubjectFailure) {
      subject = try Subject(ownerCommand: [OwnBlocks.name])
    } catch {
      return runner().skip(cases, because: "\(error.message): \(error.remedy)")
    }
    guard let information = subject.area(named: area) else {
      let names = subject.areas.map { $0.name ?? "area \($0.index)" }.joined(separator: ", ")
      throw ValidationError("there is no area '\(area ?? "")' here: the areas are \(names)")
    }
    let area = try AreaUnderTest(information, subject.information, on: subject.kernel)
    facts.area = area.title
    facts.pages = area.pages
    facts.pageSize = area.pageSize
    return runner().run(cases, in: area, on: subject.kernel)
  }
}

extension ReportFormat: ExpressibleByArgument {}
