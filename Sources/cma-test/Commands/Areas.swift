// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
internal import CMATestDevice
internal import CMATestSuite
internal import CMATestSystem

struct Areas: PrintingCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the areas that this kernel has reserved for CMA.",
    discussion: """
      For each area: where it is, its size, what is free, the largest block that can be had now \
      (found by search, and given back at once), and how much was allocated, and was refused, \
      since boot. An asterisk marks the default area. What this kernel does not tell is '?'. Needs \
      root and the module: 'modprobe cmatest alloc_count=0'.
      """)

  @Flag(help: "Print the result, or the error, as JSON on standard output.")
  var json = false

  func run(printing output: StandardOutput) throws {
    let subject: Subject
    do throws(SubjectFailure) {
      subject = try Subject(ownerCommand: [])
    } catch {
      throw try report(error.message, error.remedy, .noDevice, output)
    }
    var surveys: [AreaSurvey] = []
    do throws(CaseEnd) {
      // A signal ends the program as ever, and the kernel then releases what it had.
      let ending = Ending(deadline: nil, now: monotonicNanoseconds, signal: { nil })
      for area in subject.areas {
        surveys.append(
          try AreaSurvey.survey(area, subject.information, on: subject.kernel, ending: ending))
      }
    } catch {
      let message =
        switch error {
        case .failed(let reason), .skipped(let reason): reason
        case .interrupted, .timeUp: "ended"
        }
      throw try report(message, "look for 'cmatest' in the output of dmesg", .deviceRefused, output)
    }
    try output.write(
      json
        ? AreaReport.json(surveys, kernel: subject.kernel.release).text + "\n"
        : AreaReport.text(surveys))
  }

  private func report(
    _ message: String, _ remedy: String, _ code: CMATestCore.ExitCode, _ output: StandardOutput
  ) throws -> ArgumentParser.ExitCode {
    if json {
      let whole = JSON.failure(
        code, kind: code == .noDevice ? "no-device" : "device-refused", message: message,
        remedy: remedy)
      try output.write(whole.text + "\n")
    } else {
      StandardError.write(
        "cma-test areas: error: \(message)\ncma-test areas: to mend it: \(remedy)\n")
    }
    return ArgumentParser.ExitCode(code.rawValue)
  }
}
