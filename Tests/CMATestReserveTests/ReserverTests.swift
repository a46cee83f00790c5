// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestMachine
import CMATestReserve
import CMATestSystem
import Glibc
import TestSupport
import Testing

private let dropIn = "/etc/default/grub.d/cma-test.cfg"

@Suite struct ReserverTests {
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
    try tree.addGrub("GRUB_CMDLINE_LINUX=\"console=ttyS0\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n")
  }

  private var reserver: Reserver {
    Reserver(machine: tree.machine, runner: FakeUpdateGrub(tree: tree))
  }

  private func failure(_ text: String, runner: FakeUpdateGrub? = nil) throws -> ReserveFailure? {
    let reservation = try CMAReservation(parsing: text)
    do throws(ReserveFailure) {
      _ = try Reserver(machine: tree.machine, runner: runner ?? FakeUpdateGrub(tree: tree))
        .reserve(reservation)
      return nil
    } catch {
      return error
    }
  }

  private var menu: String { tree.read("/boot/grub/grub.cfg") ?? "" }

  @Test func everyEntryGetsItAndKeepsWhatTheUserHas() throws {
    let outcome = try reserver.reserve(CMAReservation(parsing: "256M"))
    #expect(outcome.wrote && outcome.ran && outcome.notes.isEmpty)
    #expect(menu.contains(" ro console=ttyS0 cma=256M quiet\n"))
    #expect(menu.contains(" ro single console=ttyS0 cma=256M\n"))
    #expect(tree.read("/etc/default/grub")?.contains("cma") == false)
  }

  @Test func aSecondReservationReplacesTheFirst() throws {
    _ = try reserver.reserve(CMAReservation(parsing: "256M"))
    _ = try reserver.reserve(CMAReservation(parsing: "128M@1G-3G"))
    #expect(menu.contains(" cma=128M@1G-3G "))
    #expect(!menu.contains("256M"))
  }

  @Test func removingTakesItBackAndLeavesTheRest() throws {
    _ = try reserver.reserve(CMAReservation(parsing: "256M"))
    let outcome = try reserver.remove()
    #expect(outcome.wrote && outcome.ran)
    #expect(tree.read(dropIn) == nil)
    #expect(menu.contains(" ro console=ttyS0 quiet\n"))
  }

  @Test func removingWhatIsNotThereDoesNothing() throws {
    let outcome = try reserver.remove()
    #expect(!outcome.wrote && outcome.updater == nil)
    #expect(menu == "# an empty menu\n")
  }

  @Test func removingSaysWhoElseReserves() throws {
    try tree.write("GRUB_CMDLINE_LINUX='cma=64M'\n", to: "/etc/default/grub")
    _ = try reserver.reserve(CMAReservation(parsing: "256M"))
    #expect(try reserver.remove().notes == ["/etc/default/grub still has cma=64M"])
  }

  @Test func dryRunWritesAndRunsNothing() throws {
    let outcome = try reserver.reserve(CMAReservation(parsing: "256M"), writes: false)
    #expect(!outcome.wrote && !outcome.ran)
    #expect(outcome.text?.contains("$GRUB_CMDLINE_LINUX cma=256M\"") == true)
    #expect(tree.read(dropIn) == nil && menu == "# an empty menu\n")
  }

  @Test func anEarlierOneOfTheUserIsNamedAndLosesOut() throws {
    try tree.write("GRUB_CMDLINE_LINUX=\"cma=64M ro\"\n", to: "/etc/default/grub")
    let outcome = try reserver.reserve(CMAReservation(parsing: "256M"))
    #expect(
      outcome.notes == [
        "/etc/default/grub has cma=64M too; the kernel takes the last of them, which is cma=256M"
      ])
    #expect(menu.contains("cma=64M ro cma=256M"))
  }

  @Test(arguments: [
    ("/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet cma=64M\"\n", "cma=64M"),
    ("/etc/default/grub", "export\tGRUB_CMDLINE_LINUX_DEFAULT='cma=64M'\n", "cma=64M"),
    (
      "/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"ro $(echo \"a (b\" ')') cma=64M\"\n",
      "cma=64M"
    ),
    (
      "/etc/default/grub", "X=`( echo \"a b\" ) || true`; GRUB_CMDLINE_LINUX_DEFAULT=cma=64M\n",
      "cma=64M"
    ),
    (
      "/etc/default/grub.d/cma.cfg", "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX cma=64M\"\n",
      "cma=64M"
    ),
    ("/etc/default/grub.d/zz.cfg", "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX cma=4M\"\n", "cma=4M"),
    ("/etc/default/grub.d/zz.cfg", "export GRUB_CMDLINE_LINUX=ro\n", "GRUB_CMDLINE_LINUX="),
    // The kernel keeps the address of an earlier one.
    ("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"cma=64M@1G\"\n", "cma=64M@1G"),
  ])
  func refusesWhereAnotherWouldCountAndNamesIt(
    _ file: String, _ text: String, _ other: String
  ) throws {
    try tree.write(text, to: file)
    #expect(
      try failure("256M") == .overruled(parameter: "cma=256M", by: other, source: file))
    #expect(tree.read(dropIn) == nil)
  }

  @Test func otherParametersOfCMAAreNoneOfItsBusiness() throws {
    try tree.write(
      "GRUB_CMDLINE_LINUX=\"cma_pernuma=16M\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"numa_cma=0:8M\"\n",
      to: "/etc/default/grub")
    #expect(try failure("256M") == nil)
    #expect(menu.contains("cma_pernuma=16M cma=256M numa_cma=0:8M"))
  }

  /// What the shell makes of the settings counts, not what they look like.
  @Test func putsEverythingBackWhenTheMenuComesOutOtherwise() throws {
    try tree.write("if true; then GRUB_CMDLINE_LINUX_DEFAULT=cma=1M; fi\n", to: "/etc/default/grub")
    let failure = try failure("256M")
    #expect(
      failure
        == .overruledInMenu(
          parameter: "cma=256M", by: "cma=1M", menu: tree.root + "/boot/grub/grub.cfg"))
    #expect(failure?.exitStatus == .overruled)
    #expect(tree.read(dropIn) == nil)
    #expect(menu.contains(" cma=1M\n") && !menu.contains("cma=256M"))
  }

  @Test func putsTheFormerReservationBackWhenUpdateGrubFails() throws {
    _ = try reserver.reserve(CMAReservation(parsing: "64M"))
    let before = tree.read(dropIn)
    let failure = try failure("256M", runner: FakeUpdateGrub(tree: tree, exitCode: 3))
    #expect(failure?.exitStatus == .updateGrubFailed)
    #expect(failure?.message.contains("exit code 3") == true)
    #expect(tree.read(dropIn) == before)
    let removal = Reserver(
      machine: tree.machine, runner: FakeUpdateGrub(tree: tree, exitCode: 3))
    #expect(throws: ReserveFailure.self) { try removal.remove() }
    #expect(tree.read(dropIn) == before)
  }

  @Test(arguments: PendingSignal.allCases)
  func putsTheFormerReservationBackWhenASignalAsksForTheEnd(_ signal: PendingSignal) throws {
    _ = try reserver.reserve(CMAReservation(parsing: "64M"))
    let before = tree.read(dropIn)
    let failure = try failure("256M", runner: FakeUpdateGrub(tree: tree, signal: signal))
    #expect(failure?.exitStatus.rawValue == 128 + signal.rawValue)
    #expect(failure?.message.contains("as it was before, and so is GRUB's menu") == true)
    #expect(tree.read(dropIn) == before)
    // update-grub had made the menu by then, so it was run once more.
    #expect(menu.contains("cma=64M") && !menu.contains("256M"))
    let removal = Reserver(
      machine: tree.machine, runner: FakeUpdateGrub(tree: tree, signal: signal))
    #expect(throws: ReserveFailure.self) { try removal.remove() }
    #expect(tree.read(dropIn) == before && menu.contains("cma=64M"))
  }

  @Test func goesBeforeTheWordsOfInit() throws {
    try tree.write("GRUB_CMDLINE_LINUX=\"ro -- splash cma=1M\"\n", to: "/etc/default/grub")
    let outcome = try reserver.reserve(CMAReservation(parsing: "256M"))
    #expect(menu.contains(" ro cma=256M ro -- splash cma=1M"))
    #expect(outcome.notes.count == 1 && outcome.notes.first?.contains("'--'") == true)
  }

  @Test func namesTheUsersOwnWhereItStandsBeforeTheWordsOfInit() throws {
    try tree.write("GRUB_CMDLINE_LINUX=\"cma=64M -- splash\"\n", to: "/etc/default/grub")
    #expect(
      try failure("256M")
        == .overruled(parameter: "cma=256M", by: "cma=64M", source: "/etc/default/grub"))
  }

  @Test func wordsOfInitInTheDefaultsComeAfterIt() throws {
    try tree.write("GRUB_CMDLINE_LINUX_DEFAULT=\"quiet -- splash\"\n", to: "/etc/default/grub")
    #expect(try reserver.reserve(CMAReservation(parsing: "256M")).notes.isEmpty)
    #expect(menu.contains(" cma=256M quiet -- splash"))
  }

  /// What a shell's `*.cfg` leaves out, and what it cannot source, GRUB never reads.
  @Test func hiddenFilesAndFoldersDoNotCount() throws {
    try tree.write("GRUB_CMDLINE_LINUX_DEFAULT=cma=32M\n", to: "/etc/default/grub.d/._50-mac.cfg")
    try tree.write("GRUB_CMDLINE_LINUX_DEFAULT=cma=32M\n", to: "/etc/default/grub.d/old.cfg.bak")
    try tree.write("", to: "/etc/default/grub.d/zz.cfg/x")
    #expect(try reserver.reserve(CMAReservation(parsing: "256M"), writes: false).notes.isEmpty)
  }

  /// grub-mkconfig's shell would wait for it.
  @Test func aPipeAmongTheSettingsIsSaidAndNothingIsRun() throws {
    let file = "/etc/default/grub.d/x.cfg"
    try tree.write("", to: file)
    try tree.remove(file)
    try #require(mkfifo(tree.root + file, 0o600) == 0)
    guard case .unreadable(_, let path, let reason)? = try failure("64M") else {
      Issue.record("nothing is said")
      return
    }
    #expect(path == tree.root + file && reason.contains("it is a named pipe"))
    #expect(tree.read(dropIn) == nil && !menu.contains("menuentry"))
    #expect(throws: ReserveFailure.self) {
      try tree.write("GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX cma=64M\"\n", to: dropIn)
      _ = try reserver.remove()
    }
    #expect(tree.read(dropIn) != nil)
  }

  @Test func saysThatEntriesWithXenGoWithoutIt() throws {
    try tree.write(
      "GRUB_CMDLINE_LINUX_XEN_REPLACE=\"console=hvc0\"\n", to: "/etc/default/grub.d/xen.cfg")
    #expect(try reserver.reserve(CMAReservation(parsing: "256M"), writes: false).notes.isEmpty)
    try tree.write("", to: "/boot/xen-4.20-amd64.gz")
    let notes = try reserver.reserve(CMAReservation(parsing: "256M"), writes: false).notes
    #expect(notes.count == 1)
    #expect(
      notes.first?.contains("GRUB_CMDLINE_LINUX_XEN_REPLACE in /etc/default/grub.d/xen.cfg") == true
    )
    try tree.write(
      "GRUB_CMDLINE_LINUX_XEN_REPLACE=\"console=hvc0 cma=256M\"\n",
      to: "/etc/default/grub.d/xen.cfg")
    #expect(try reserver.reserve(CMAReservation(parsing: "256M"), writes: false).notes.isEmpty)
  }

  @Test func namesTheEntriesOfOthersThatGoWithoutIt() throws {
    let image = "/boot/vmlinuz-7.3.4+deb13-amd64"
    let more = """
      ### BEGIN /etc/grub.d/20_linux_xen ###
      menuentry 'Debian, with Xen hypervisor' --class xen {
      \tmultiboot2\t/boot/xen.gz placeholder
      \tmodule2\t\(image) placeholder root=UUID=1 ro console=hvc0
      \tmodule2\t--nounzip   /boot/initrd.img-7.3.4+deb13-amd64
      }
      ### END /etc/grub.d/20_linux_xen ###
      ### BEGIN /etc/grub.d/40_custom ###
      menuentry "mine" {
        linux \(image) root=/dev/sda1 ro
      }
      menuentry 'memory' {
        linux /boot/memtest86+x64.bin
      }
      ### END /etc/grub.d/40_custom ###

      """
    let outcome = try Reserver(
      machine: tree.machine, runner: FakeUpdateGrub(tree: tree, moreOfTheMenu: more)
    ).reserve(CMAReservation(parsing: "256M"))
    let path = tree.root + "/boot/grub/grub.cfg"
    #expect(
      outcome.notes == [
        "entries of /etc/grub.d/20_linux_xen in \(path) have no cma=256M: "
          + "'Debian, with Xen hypervisor'",
        "entries of /etc/grub.d/40_custom in \(path) have no cma=256M: 'mine'",
      ])
  }

  @Test(arguments: [(SystemCall.write, ENOSPC), (.openat, EROFS), (.mkdir, EACCES)])
  func saysWhatCouldNotBeWritten(_ call: SystemCall, _ code: CInt) throws {
    let failure: ReserveFailure? = try SystemCallFault.during(call, code: code) {
      try self.failure("256M")
    }
    #expect(failure?.exitStatus == .cannotWrite)
    #expect(failure?.message.hasPrefix(call.rawValue) == true)
    #expect(tree.read(dropIn) == nil)
  }

  @Test func runsNothingInACopiedTree() throws {
    let outcome = try Reserver(machine: tree.machine, runner: nil)
      .reserve(CMAReservation(parsing: "256M"))
    #expect(outcome.wrote && !outcome.ran)
    #expect(menu == "# an empty menu\n")
  }

  @Test func namesTheKernelsThatWillPassOverIt() throws {
    try tree.addKernel("6.12.107+deb13-amd64")
    try tree.write(
      "CONFIG_X=y\n# CONFIG_CMA is not set\n", to: "/boot/config-6.12.107+deb13-amd64")
    let notes = try reserver.reserve(CMAReservation(parsing: "256M")).notes
    #expect(notes.count == 1)
    #expect(notes.first?.contains("6.12.107+deb13-amd64: CONFIG_CMA is not set in") == true)
  }

  @Test(arguments: [
    ("CONFIG_PAGE_SHIFT=16\n", "", ""),
    ("CONFIG_ARM64_64K_PAGES=y\n", "", ""),
    (
      "", "Node 0, zone   DMA\n        present  62000\nNode 0, zone Normal\n        present 1000\n",
      ""
    ),
    ("", "", "Page block order: 13\nPages per block:  8192\n"),
  ])
  func aCopiedTreeHasThePageSizeOfItsOwnKernel(
    _ option: String, _ zones: String, _ blocks: String
  ) throws {
    try tree.write(
      "CONFIG_CMA=y\nCONFIG_DMA_CMA=y\n\(option)", to: "/boot/config-7.3.4+deb13-amd64")
    try tree.write(zones, to: "/proc/zoneinfo")
    try tree.write(blocks, to: "/proc/pagetypeinfo")
    let notes = try reserver.reserve(CMAReservation(parsing: "64M"), writes: false).notes
    #expect(notes.first?.contains("64 MiB become 512 MiB") == true, "\(notes)")
  }

  @Test func refusesWhereNoKernelHasCMA() throws {
    try tree.write("CONFIG_CMA=y\n", to: "/boot/config-7.3.4+deb13-amd64")
    let failure = try failure("256M")
    #expect(failure?.exitStatus == .noCMA)
    #expect(failure?.message.contains("CONFIG_DMA_CMA") == true)
  }

  @Test func aRunningKernelCountsWhereNoneIsInBoot() throws {
    try tree.remove("/boot/vmlinuz-7.3.4+deb13-amd64")
    try tree.write("# CONFIG_CMA is not set\nCONFIG_X=y\n", to: "/boot/config-7.3.4+deb13-amd64")
    #expect(try failure("256M")?.exitStatus == .noCMA)
  }
}
