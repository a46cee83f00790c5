// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import Foundation
import TestSupport
import Testing

private let command = Program("cma-test")
private let dropIn = "/etc/default/grub.d/cma-test.cfg"

@Suite struct ReserveTests {
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
    try tree.addGrub()
  }

  private func reserve(_ words: String...) throws -> Program.Outcome {
    try command.run(["reserve"] + words + ["--root", tree.root])
  }

  private func json(_ outcome: Program.Outcome) throws -> [String: Any]? {
    try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
  }

  @Test func writesTheDropInAndSaysWhatIsStillToDo() throws {
    let outcome = try reserve("256M")
    #expect(outcome.exitCode == 0 && outcome.errors.isEmpty)
    #expect(
      outcome.output == """
        wrote cma=256M to \(tree.root)\(dropIn); run /usr/sbin/update-grub there
        reboot for this to take effect; then see 'cma-test status'

        """)
    #expect(
      tree.read(dropIn) == """
        # Written by 'cma-test reserve'; 'cma-test reserve --remove' takes it away.
        GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX cma=256M"

        """)
    let removal = try reserve("--remove")
    #expect(removal.exitCode == 0 && removal.output.hasPrefix("removed \(tree.root)\(dropIn);"))
    #expect(tree.read(dropIn) == nil)
  }

  @Test func dryRunWritesNothing() throws {
    let outcome = try reserve("3M", "--dry-run")
    #expect(outcome.exitCode == 0)
    #expect(
      outcome.output == """
        would write cma=3M to \(tree.root)\(dropIn) and run /usr/sbin/update-grub
        note: the kernel reserves whole blocks of 2 MiB: 3 MiB become 4 MiB

        """)
    #expect(tree.read(dropIn) == nil)
  }

  @Test func jsonHasStableKeys() throws {
    let done = try json(reserve("64M@0-4G", "--json", "--dry-run"))
    #expect(
      done?.keys.sorted() == [
        "command", "end", "notes", "ok", "parameter", "path", "ran", "reboot_needed", "schema",
        "size", "start", "wrote",
      ])
    #expect(done?["size"] as? Int == 64 << 20 && done?["end"] as? Int == 4 << 30)
    let refused = try json(reserve("64G", "--json"))
    let error = refused?["error"] as? [String: Any]
    #expect(error?["kind"] as? String == "cannot-reserve" && error?["code"] as? Int == 20)
  }

  @Test func refusalIsTwoLinesAndAnExitCode() throws {
    let outcome = try reserve("64G")
    #expect(outcome.exitCode == CommandStatus.cannotReserve.rawValue)
    #expect(outcome.output.isEmpty)
    let lines = outcome.errors.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.hasPrefix("cma-test reserve: error: cannot reserve cma=64G: ") == true)
    #expect(lines.last?.hasPrefix("cma-test reserve: to mend it: reserve at most ") == true)
  }

  @Test func otherLoadersGetTheLineToCopyAndAnExitCodeOfItsOwn() throws {
    try tree.remove("/boot/grub/grub.cfg")
    try tree.write("root=/dev/mmcblk0p2 rootwait\n", to: "/boot/firmware/cmdline.txt")
    let outcome = try reserve("64M")
    #expect(outcome.exitCode == CommandStatus.otherBootLoader.rawValue)
    #expect(
      outcome.output == """
        this machine boots with the Raspberry Pi's firmware, which cma-test does not configure
        make this the line in /boot/firmware/cmdline.txt:
          root=/dev/mmcblk0p2 rootwait cma=64M
        and reboot

        """)
    let loader = try json(reserve("64M", "--json"))?["loader"] as? [String: Any]
    #expect(loader?["line"] as? String == "root=/dev/mmcblk0p2 rootwait cma=64M")
    #expect(loader?["file"] as? String == "/boot/firmware/cmdline.txt")
  }

  @Test func theNotesComeBeforeWhatIsToBeCopied() throws {
    try tree.remove("/boot/grub/grub.cfg")
    try tree.write("extraargs=x=\"a b\"\n", to: "/boot/armbianEnv.txt")
    let outcome = try reserve("3M")
    #expect(
      outcome.output == """
        this machine boots with U-Boot (armbianEnv.txt), which cma-test does not configure
        note: the kernel reserves whole blocks of 2 MiB: 3 MiB become 4 MiB
        make this the line with extraargs= in /boot/armbianEnv.txt:
          extraargs=x="a b" cma=3M
        and reboot

        """)
    let object = try json(reserve("3M", "--json"))
    #expect((object?["notes"] as? [String])?.count == 1)
    let edits = (object?["loader"] as? [String: Any])?["edits"] as? [[String: String]]
    #expect(edits?.first?["kind"] == "line-with")
    #expect(edits?.first?["line"] == "extraargs=x=\"a b\" cma=3M")
  }
}
