// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import CMATestCore
internal import CMATestMachine
internal import CMATestReserve
internal import CMATestSystem

struct Reserve: PrintingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reserve memory for CMA from the next boot on.",
    discussion: """
      Adds 'cma=SIZE[@START[-END]]' to the kernel command line in a file of its own below \
      /etc/default/grub.d, keeps all other parameters, and runs update-grub. If another boot \
      loader boots the machine, prints the line, the file and the command instead, and exits with \
      21. Refuses what the kernel would refuse. Needs root.
      """)

  @Argument(
    help: ArgumentHelp(
      "The size in bytes, or with K, M, G, T, P or E; then the first address, or a range.",
      valueName: "size[@start[-end]]"))
  var size: String?

  @Flag(help: "Take the reservation back.")
  var remove = false

  @Flag(name: [.customShort("n"), .long], help: "Print what would be written, and write nothing.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "Work on a copied tree instead of the running machine; update-grub is not run.",
      valueName: "dir"),
    completion: .directory)
  var root = "/"

  @Flag(help: "Print the result, or the error, as JSON on standard output.")
  var json = false

  func validate() throws {
    try checkRoot(root)
    guard (size == nil) == remove else {
      throw ValidationError("give either a size to reserve, as 256M, or '--remove'")
    }
    _ = try reservation()
  }

  private func reservation() throws -> CMAReservation? {
    guard let size else { return nil }
    do throws(CMAGrammarError) {
      return try CMAReservation(parsing: size)
    } catch {
      throw ValidationError("cannot use '\(size)': \(error.message)")
    }
  }

  func run(printing output: StandardOutput) throws {
    let machine = Machine(root: root)
    // What a signal breaks off is put back before the end. Nothing takes long in a copied tree.
    let runner = machine.isRunning && !dryRun ? ChildRunner(holding: PendingSignal.hold()) : nil
    let reserver = Reserver(machine: machine, runner: runner)
    let reservation = try reservation()
    let outcome: ReserveOutcome
    do throws(ReserveFailure) {
      outcome =
        if let reservation {
          try reserver.reserve(reservation, writes: !dryRun)
        } else {
          try reserver.remove(writes: !dryRun)
        }
    } catch {
      if !json, case .otherLoader(let advice) = error {
        // What to do by hand is the result, to be copied.
        try output.write(ReserveReport.text(advice))
        throw ExitCode(error.exitStatus)
      }
      throw try Self.report(error, asJSON: json, to: output)
    }
    try output.write(json ? ReserveReport.json(outcome).text + "\n" : ReserveReport.text(outcome))
  }
}
