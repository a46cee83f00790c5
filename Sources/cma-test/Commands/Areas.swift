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
      let (kernel, surveys) = try session.use { device in
        (device.kernel.release, try survey(device, session))
      }
      try output.write(
        json ? AreaReport.json(surveys, kernel: kernel).text + "\n" : AreaReport.text(surveys))
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
