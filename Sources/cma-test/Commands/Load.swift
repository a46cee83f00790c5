// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestBench
internal import CMATestMachine
internal import CMATestSystem

/// Is the process that `cma-test bench --load` starts; not for users.
struct Load: PrintingCommand {
  static let name = "load"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "Load the machine until told to end.", shouldDisplay: false)

  @Option var folder = "/var/tmp"
  @Option var spare: UInt64 = 0
  @Option var most: UInt64 = .max
  @Option(help: "Page frame numbers of the area, FIRST-END.") var frames: String?
  @Flag(help: "Only count the pages of the area that have what such a load makes.")
  var filled = false
  @Argument var load: String

  func run(printing output: StandardOutput) throws {
    guard let kind = LoadKind(parsing: load) else {
      throw ValidationError("there is no load '\(load)': \(LoadKind.words.joined(separator: ", "))")
    }
    var area: Range<UInt64>?
    if let frames {
      area = LoadSettings.frames(parsing: frames)
      guard area != nil else { throw ValidationError("--frames is FIRST-END, not '\(frames)'") }
    }
    if filled, let area {
      let count = try filledPages(by: kind, in: area, on: Machine())
      try output.write((count.map { "\($0)" } ?? "-") + "\n")
      return
    }
    let settings = LoadSettings(folder: folder, area: area, spare: spare, most: most)
    let work = LoadWork(settings) { text in
      try? output.write(text)
      return output.failure == nil
    }
    if !work.run(kind) { throw ExitCode.failure }
  }
}
