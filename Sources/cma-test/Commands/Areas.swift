// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSystem

struct Areas: DeviceCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the areas that this kernel has reserved for CMA.",
    discussion: """
      For each area: where it is, its size, what is free, the largest block, and how much was \
      allocated, and was refused, since boot. An asterisk marks the default area, and '?' stands \
      for what this kernel does not tell. Listing allocates nothing: '~' marks the largest block \
      by what the kernel shows of each page. With '--area' or '--largest' the command searches for \
      that block by allocating, and releases it at once. Needs root; loads the module if it is not \
      loaded, and then removes it again.
      """)

  @Option(
    help: ArgumentHelp(
      "Only this area, by its name or index, with its largest block.", valueName: "area"))
  var area: String?

  @Flag(help: "Search for the largest block of every area; moves memory of others for a moment.")
  var largest = false

  @Flag(help: "Print the result, or the error, as JSON on standard output.")
  var json = false

  @OptionGroup var device: DeviceOptions

  func run(printing output: StandardOutput, in session: DeviceSession) throws {
    do {
      let text = try session.use { device in
        let surveys = try survey(device, session)
        let others = area == nil ? device.otherAreas : nil
        if let others { session.warn("\(others.message): \(others.remedy)") }
        guard json else { return AreaReport.text(surveys) }
        let report = AreaReport.json(
          surveys, kernel: device.kernel.release, areAll: others == nil)
        return report.text + "\n"
      }
      try output.write(text)
    } catch let error as DeviceSessionFailure {
      throw try Self.report(error, asJSON: json, to: output)
    }
  }

  private func survey(_ device: OpenDevice, _ session: DeviceSession) throws -> [AreaSurvey] {
    let areas = area == nil ? device.areas : [try device.area(area)]
    return try areas.map { area in
      let survey = try device.survey(
        area, searches: largest || self.area != nil, ending: session.ending)
      if !survey.isActivated {
        let (message, remedy) = device.whyNotActivated(area)
        session.warn("\(message): \(remedy)")
      }
      return survey
    }
  }
}
