// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestBench
internal import CMATestCore
internal import CMATestDevice
internal import CMATestHolders
internal import CMATestMachine
internal import CMATestReport
internal import CMATestSuite
internal import CMATestSystem

struct Map: DeviceCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show who has the pages of an area.",
    discussion: """
      Draws the area in cells of equal size, and lists the holders below, the largest first: \
      processes with their memory, files with their page cache, and drivers or processes with their \
      blocks, where these were allocated since the module was loaded. Allocates nothing. The letters \
      are: '.' free, 'B' blocks of the allocator, 'a' anonymous memory, 'c' page cache, 's' shared \
      memory, 'h' huge pages, 'k' other use by the kernel, 'P' pinned, '?' not known. Needs root; \
      loads the module if it is not loaded, and then removes it again.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json, svg
  }

  @Option(
    help: ArgumentHelp("The area, by its name or index in 'cma-test areas'.", valueName: "area"))
  var area: String?

  @Option(help: "The form of the map: text, json or svg.")
  var format = Format.text

  @Flag(help: "Print the map, or the error, as JSON on standard output; the same as --format json.")
  var json = false

  @Option(
    help: ArgumentHelp(
      "Cells in a row (default: the width of the terminal, and 64 for svg).", valueName: "n"))
  var width: Int?

  @Option(
    help: ArgumentHelp(
      "Make the map again each time that so much time has passed, as 2s, until Ctrl-C.",
      valueName: "time"))
  var watch: String?

  @OptionGroup var device: DeviceOptions

  func validate() throws {
    if let width, !(8...1024).contains(width) {
      throw ValidationError("--width is from 8 to 1024")
    }
    if watch != nil {
      guard try interval() ?? 0 > 0 else {
        throw ValidationError("--watch takes \(TimeSpan.forms)")
      }
      guard form == .text else { throw ValidationError("--watch goes with --format text alone") }
    }
  }

  private var form: Format { json ? .json : format }

  private func interval() throws -> UInt64? {
    guard let watch else { return nil }
    // A number alone is seconds, as for watch(1).
    if let seconds = UInt64(watch) { return seconds.clampedProduct(1_000_000_000) }
    return TimeSpan(parsing: watch)?.nanoseconds ?? 0
  }

  func run(printing output: StandardOutput, in session: DeviceSession) throws {
    let interval = try interval()
    do {
      try session.use { device in
        let chosen = try device.observed(device.area(area))
        var isFirst = true
        repeat {
          let terminal = Terminal.of(.output)
          if interval != nil, terminal.rewritesLines {
            try output.write("\u{1B}[H\u{1B}[2J")
          } else if !isFirst {
            try output.write("\n")
          }
          try output.write(try text(of: chosen, device, on: terminal))
          isFirst = false
        } while waits(interval, session)
      }
    } catch let error as DeviceSessionFailure {
      throw try Self.report(error, asJSON: form == .json, to: output)
    }
  }

  private func text(
    of observer: AreaObserver, _ device: OpenDevice, on terminal: Terminal
  ) throws(DeviceSessionFailure) -> String {
    let map = try device.asking { () throws(DeviceFailure) in try observer.map() }
    return switch form {
    case .text: map.text(on: terminal, width: width ?? max(8, min(128, terminal.columns - 1)))
    case .json:
      map.json(
        HolderFacts(
          kernel: device.kernel.release, host: device.machine.hostName, time: map.time)
      ).text + "\n"
    case .svg: map.svg(columns: width ?? 64)
    }
  }

  /// Waits until the next map is due; false where there is to be none.
  private func waits(_ interval: UInt64?, _ session: DeviceSession) -> Bool {
    guard let interval else { return false }
    let step: UInt64 = 100_000_000
    var waited: UInt64 = 0
    while waited < interval {
      if session.ending.reason != nil { return false }
      session.host.pause(nanoseconds: min(step, interval - waited))
      waited += step
    }
    return session.ending.reason == nil
  }
}
