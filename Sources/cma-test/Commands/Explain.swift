// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
internal import CMATestDevice
internal import CMATestHolders
internal import CMATestMachine
internal import CMATestReport
internal import CMATestReserve
internal import CMATestSuite
internal import CMATestSystem

struct Explain: DeviceCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say whether a set of blocks fits into an area, and who is in the way if not.",
    discussion: """
      Asks for all blocks in the order given, and releases them at once. A block is a size, as 16M or \
      1013p for pages, with its alignment behind an '@' and the number of such blocks behind an 'x', as \
      16M@1Mx3; without '@' it is aligned as a driver's. Where one is refused, says which, why, whose \
      pages were in the way, and what to do. Exits with 0 where all fit, and with 1 where they do \
      not. Needs root; loads the module if it is not loaded, and then removes it again.
      """)

  @Argument(help: ArgumentHelp("The blocks.", valueName: "size[@align][xN]"))
  var blocks: [String]

  @Option(
    help: ArgumentHelp("The area, by its name or index in 'cma-test areas'.", valueName: "area"))
  var area: String?

  @Flag(help: "Print the explanation, or the error, as JSON on standard output.")
  var json = false

  @OptionGroup var device: DeviceOptions

  func validate() throws { _ = try wanted() }

  private func wanted() throws -> [WantedBlocks] {
    try blocks.map { text in
      guard let blocks = WantedBlocks(parsing: text) else {
        throw ValidationError(
          "'\(text)' is no size, as 16M, 16p, 16M@1M or 16M@1Mx3 (an alignment is a power of two)")
      }
      return blocks
    }
  }

  func run(printing output: StandardOutput, in session: DeviceSession) throws {
    let wanted = try wanted()
    let time = utcTimestamp()
    do {
      let (explanation, kernel) = try session.use { device in
        (try explained(wanted, device, session), device.kernel.release)
      }
      let (reserve, note) = larger(explanation, session)
      var told = explanation
      if let note { told.notes.append(note) }
      let facts = HolderFacts(
        kernel: kernel, host: session.host.machine.hostName, time: time)
      try output.write(
        json ? told.json(facts, reserve: reserve).text + "\n" : told.text(reserve: reserve))
      if !explanation.fits { throw ExitCode(CommandStatus.failed) }
    } catch let error as DeviceSessionFailure {
      throw try Self.report(error, asJSON: json, to: output)
    }
  }

  private func explained(
    _ wanted: [WantedBlocks], _ device: OpenDevice, _ session: DeviceSession
  ) throws -> AreaExplanation {
    let chosen = try device.area(area)
    let area = try device.areaUnderTest(chosen)
    let explanation = AreaExplanation(
      title: area.title, index: area.index, isDefault: chosen.isDefault, pageSize: area.pageSize,
      pages: area.pages, available: area.available(on: device.kernel))
    let most = min(51, device.information.maxOrder)
    for blocks in wanted where blocks.request(in: area.index, pageSize: area.pageSize).order > most {
      throw ValidationError(
        "'\(blocks.text)': the largest alignment that is asked for on this machine is "
          + kernelSize(area.pageSize << UInt64(most)))
    }
    var explainer = Explainer(
      file: device.kernel.file, insight: device.kernel.insight, machine: device.machine,
      explanation: explanation, frames: area.frames,
      blockPages: device.information.blockPages ?? area.pageSize / 8)
    do throws(Explainer.Failure) {
      return try explainer.explain(wanted, isEnding: { session.ending.reason != nil })
    } catch {
      switch error {
      case .device(let failure): throw device.refusal(failure)
      case .ended: throw DeviceSessionFailure(session.ending.reason ?? .timeUp)
      }
    }
  }

  /// Finds the command that reserves an area in which all blocks fit.
  ///
  /// - Returns: nil where none is known to do; and why, in a line.
  private func larger(
    _ explanation: AreaExplanation, _ session: DeviceSession
  ) -> (command: String?, note: String?) {
    guard !explanation.fits, explanation.isDefault else { return (nil, nil) }
    guard let size = explanation.sizeNeeded else { return (nil, nil) }
    guard let reservation = try? CMAReservation(parsing: size) else { return (nil, nil) }
    if let pages = explanation.pages, reservation.size <= pages.clampedProduct(explanation.pageSize)
    {
      return (nil, "the area is large enough; a larger one is not known to help")
    }
    do throws(ReserveFailure) {
      _ = try Reserver(machine: session.host.machine, runner: nil).reserve(
        reservation, writes: false)
    } catch {
      // Who boots the machine is a matter of 'cma-test reserve' itself.
      if case .notPossible = error {
        return (nil, "an area of \(size) would do, but \(error.message)")
      }
    }
    return ("cma-test reserve \(size)", nil)
  }
}
