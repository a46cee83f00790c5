// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestMachine
import CMATestReserve
import CMATestSystem
import Glibc
import TestSupport
import Testing

private let menu = "/boot/extlinux/extlinux.conf"
private let uBoot = "/etc/default/u-boot"
private let kernelCommandLine = "/etc/kernel/cmdline"
private let firmware = "/boot/firmware/cmdline.txt"

@Suite struct BootLoaderTests {
  private let tree: CopiedTree

  init() throws { tree = try CopiedTree() }

  private func failure(_ size: String? = "256M") throws -> ReserveFailure? {
    let reservation = try size.map(CMAReservation.init(parsing:))
    let reserver = Reserver(machine: tree.machine, runner: nil)
    do throws(ReserveFailure) {
      if let reservation {
        _ = try reserver.reserve(reservation)
      } else {
        _ = try reserver.remove()
      }
      return nil
    } catch {
      return error
    }
  }

  private func advice(_ size: String? = "256M") throws -> BootLoaderAdvice? {
    guard case .otherLoader(let advice) = try failure(size) else { return nil }
    return advice
  }

  private func bootsWithSystemdBoot() throws {
    try tree.write("", to: "/boot/efi/loader/entries/debian.conf")
  }

  private func addUBootMenu() throws {
    try tree.write("default l0\n", to: menu)
    try tree.addProgram("/usr/sbin/u-boot-update", "#!/bin/sh\n")
  }

  // MARK: systemd-boot

  @Test(arguments: [
    ("root=/dev/vda2 ro cma=64M quiet\n", "root=/dev/vda2 ro quiet"),
    (
      "root=\"PARTLABEL=Debian  root\" ro acpi_osi=\"Windows 2015\"",
      "root=\"PARTLABEL=Debian  root\" ro acpi_osi=\"Windows 2015\""
    ),
    ("root=/dev/vda2 ro\r\nquiet\r\n", "root=/dev/vda2 ro quiet"),
    ("# comment\n  # old: root=/dev/sda2\nroot=/dev/vda2 ro\n\nquiet\n", "root=/dev/vda2 ro quiet"),
    ("cma=1M\ncma=2M@1G root=/dev/vda2\n", "root=/dev/vda2"),
  ])
  func systemdBootWithACommandLineOfItsOwn(_ text: String, _ without: String) throws {
    try bootsWithSystemdBoot()
    try tree.write(text, to: kernelCommandLine)
    let advice = try advice()
    #expect(advice?.loader == "systemd-boot")
    #expect(advice?.edits == [.init(.line, in: kernelCommandLine, without + " cma=256M")])
    #expect(advice?.notes.count == (text.contains("#") ? 1 : 0))
    // A line that has none stays as it is, comments and all.
    #expect(try self.advice(nil)?.line == (text.contains("cma=") ? without : nil))
  }

  @Test func wordsOfInitStayBehindTheTwoHyphens() throws {
    try bootsWithSystemdBoot()
    try tree.write("root=/dev/vda2 -- single\n", to: kernelCommandLine)
    #expect(try advice()?.line == "root=/dev/vda2 cma=256M -- single")
  }

  @Test func systemdBootWithTheVendorsCommandLine() throws {
    try bootsWithSystemdBoot()
    try tree.write("root=LABEL=os ro vendor.flag=1\n", to: "/usr/lib/kernel/cmdline")
    try tree.write("root=/dev/vda1 single\n", to: "/proc/cmdline")
    let advice = try advice()
    #expect(
      advice?.edits
        == [.init(.newFile, in: kernelCommandLine, "root=LABEL=os ro vendor.flag=1 cma=256M")])
    #expect(advice?.notes.first?.contains("/usr/lib/kernel/cmdline") == true)
    // kernel-install passes over a folder of that name.
    try tree.write("", to: kernelCommandLine + "/x")
    #expect(try self.advice()?.line == "root=LABEL=os ro vendor.flag=1 cma=256M")
  }

  @Test func systemdBootWithoutOneGetsWhatTheKernelWasBootedWith() throws {
    try tree.write("", to: "/efi/loader/entries/debian.conf")
    try tree.write("initrd=\\x\\initrd BOOT_IMAGE=/x root=/dev/vda1  ro\n", to: "/proc/cmdline")
    let advice = try advice()
    #expect(advice?.line == "root=/dev/vda1  ro cma=256M")
    #expect(advice?.notes.count == 1 && advice?.notes.first?.contains("/proc/cmdline") == true)
  }

  @Test func aRescueBootDoesNotBecomeTheUsualOne() throws {
    try bootsWithSystemdBoot()
    try tree.write("root=/dev/vda1 ro single systemd.unit=rescue.target\n", to: "/proc/cmdline")
    let advice = try advice()
    #expect(advice?.line == "root=/dev/vda1 ro cma=256M")
    #expect(
      advice?.notes.last == "left out, since they start a rescue: single systemd.unit=rescue.target"
    )
  }

  /// kernel-install's add-all finds images beside their modules only, and Debian's are in /boot.
  @Test func systemdBootGetsTheKernelsThatAreThere() throws {
    try bootsWithSystemdBoot()
    let debian = "7.3.4+deb13-amd64"
    #expect(
      try advice()?.commands == ["kernel-install add \(debian) /boot/vmlinuz-\(debian)"])
    try tree.addKernel("7.2.1-amd64")
    try tree.write("", to: "/lib/modules/7.2.1-amd64/vmlinuz")
    #expect(
      try advice()?.command
        == "kernel-install add-all && kernel-install add \(debian) /boot/vmlinuz-\(debian)")
    try tree.write("", to: "/lib/modules/\(debian)/vmlinuz")
    #expect(try advice()?.commands == ["kernel-install add-all"])
  }

  @Test func whatTheLoaderSaysOfItselfGoesBeforeAMenuOnTheDisk() throws {
    try tree.addGrub()
    let variable = "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
    func says(_ name: String) throws {
      try tree.write([6, 0, 0, 0] + name.utf8.flatMap { [$0, 0] } + [0, 0], to: variable)
    }
    try says("systemd-boot 257.13")
    #expect(try advice()?.loader == "systemd-boot")
    try says("GRUB 2.12")
    #expect(try advice() == nil)
  }

  // MARK: Raspberry Pi

  @Test(arguments: [
    ("console=tty1 root=PARTUUID=1-02 rootwait\n", false),
    ("console=tty1 root=PARTUUID=1-02 rootwait", false),
    ("console=tty1 root=PARTUUID=1-02 rootwait \r\n", false),
    ("console=tty1 root=PARTUUID=1-02 rootwait\n#console=tty1 root=/dev/sda2\n", true),
  ])
  func raspberryPi(_ text: String, _ hasMore: Bool) throws {
    try tree.write(text, to: firmware)
    let advice = try advice()
    #expect(
      advice?.edits == [
        .init(
          hasMore ? .firstLine : .line, in: firmware,
          "console=tty1 root=PARTUUID=1-02 rootwait cma=256M")
      ])
    #expect(advice?.command == nil && advice?.notes.isEmpty == !hasMore)
  }

  @Test func raspberryPiOSOfOldHasTheFileInBoot() throws {
    try tree.write("root=/dev/mmcblk0p2\n", to: "/boot/cmdline.txt")
    #expect(try advice()?.file == "/boot/cmdline.txt")
  }

  @Test(arguments: [
    ("[pi4]\ncmdline=pi4.txt\n[all]\nos_prefix=new/\n", "/boot/firmware/new/cmdline.txt"),
    ("cmdline=other.txt\n", "/boot/firmware/other.txt"),
    ("os_prefix=gone/\n", firmware),
  ])
  func theFirmwareIsToldWhichFileToRead(_ settings: String, _ file: String) throws {
    for file in [firmware, "/boot/firmware/new/cmdline.txt", "/boot/firmware/other.txt"] {
      try tree.write("root=/dev/mmcblk0p2\n", to: file)
    }
    try tree.write(settings, to: "/boot/firmware/config.txt")
    #expect(try advice()?.file == file)
  }

  @Test func uBootThatTheFirmwareStartsReadsItsOwnMenu() throws {
    try tree.write("root=/dev/mmcblk0p2\n", to: firmware)
    try tree.write("kernel=u-boot-rpi-arm64.bin\n", to: "/boot/firmware/config.txt")
    try tree.write("label a\nappend ro\n", to: menu)
    #expect(try advice()?.file == menu)
  }

  @Test func debiansRaspiFirmwareHasASettingForIt() throws {
    try tree.write("root=/dev/mmcblk0p2 cma=64M rootwait \n", to: firmware)
    try tree.write(
      "#!/bin/sh\ncat >/boot/firmware/cmdline.txt\n",
      to: "/etc/kernel/postinst.d/z50-raspi-firmware")
    let settings = "/etc/default/raspi-firmware"
    #expect(try advice()?.edits == [.init(.newFile, in: settings, "CMA=256M")])
    #expect(try advice()?.commands == ["update-initramfs -u -k all"])
    try tree.write("#CMA=64M\n", to: settings)
    #expect(try advice()?.edits == [.init(.newLine, in: settings, "CMA=256M")])
    try tree.write("CMA=64M\n", to: settings)
    #expect(try advice()?.edits == [.init(.lineOf("CMA="), in: settings, "CMA=256M")])
    #expect(try advice(nil)?.edits == [.init(.lineOf("CMA="), in: settings, "CMA=0")])
    // On a Pi 4 the hook takes this value for its default, and leaves it out.
    #expect(try advice("64M")?.line == "CMA=65536K")
    // The hook puts this text behind its own cma=.
    try tree.write("quiet cma=8M splash\n", to: "/etc/default/raspi-extra-cmdline")
    #expect(
      try advice()?.edits.last
        == .init(.line, in: "/etc/default/raspi-extra-cmdline", "quiet splash"))
  }

  @Test func raspberryPiOSHasAHookOfThatNameThatWritesNoCommandLine() throws {
    try tree.write("root=/dev/mmcblk0p2\n", to: firmware)
    try tree.write("#!/bin/sh\n", to: "/etc/kernel/postinst.d/z50-raspi-firmware")
    #expect(try advice()?.file == firmware)
  }

  // MARK: U-Boot

  @Test(arguments: [
    (
      "default l0\nlabel l0\n\tlinux /vmlinuz\n\tappend root=/dev/mmcblk0p2 ro\n",
      "l0", "root=/dev/mmcblk0p2 ro"
    ),
    (
      "DEFAULT new\nLABEL old\n  APPEND root=/dev/sda1 single\nLABEL new\n  append root=\"a  b\" ro\r\n",
      "new", "root=\"a  b\" ro"
    ),
    ("label a\nappend ro\nlabel b\nmenu default\nappend rw", "b", "rw"),
    // As in boot/pxe_utils.c of U-Boot: the last of these, wherever, goes before `menu default`.
    ("label a\nappend ro\nlabel b\nappend rw\ndefault b\n", "b", "rw"),
    ("DEFAULT\ta\nlabel a\nappend ro\nlabel b\nmenu default\nappend rw\n", "a", "ro"),
    ("label a\nmenu default\nappend ro\nlabel b\nappend rw\nONTIMEOUT b\n", "b", "rw"),
    ("default gone\nlabel a\nappend ro\nlabel b\nappend rw\n", "a", "ro"),
  ])
  func extlinuxByHandGetsTheEntryThatBootsByItself(
    _ text: String, _ label: String, _ line: String
  ) throws {
    try tree.write(text, to: menu)
    let advice = try advice()
    #expect(
      advice?.edits
        == [.init(.lineBelow("append", label: label), in: menu, "append \(line) cma=256M")])
    // The others are named.
    let entries =
      text.lowercased().split(separator: "label ", omittingEmptySubsequences: false).count - 1
    #expect(advice?.notes.count == (entries > 1 ? 1 : 0))
  }

  @Test(arguments: [
    (menu, "label a\nappend ro\nappend rw\n", "append rw cma=256M"),
    ("/boot/armbianEnv.txt", "extraargs=a\nextraargs=b\n", "extraargs=b cma=256M"),
    (
      "/etc/default/flash-kernel", "LINUX_KERNEL_CMDLINE=a\nLINUX_KERNEL_CMDLINE=b\n",
      "LINUX_KERNEL_CMDLINE=\"b cma=256M\""
    ),
  ])
  func ofSeveralLinesTheOneThatCountsIsNamed(
    _ file: String, _ text: String, _ line: String
  ) throws {
    try tree.write(text, to: file)
    let advice = try advice()
    #expect(advice?.line == line)
    #expect(advice?.notes.count == 1 && advice?.notes.first?.contains("last") == true)
  }

  @Test func aSettingOfSeveralLinesIsReplacedAsAWhole() throws {
    try tree.write("#\n\nLINUX_KERNEL_CMDLINE=\"a \\\n b\"\n", to: "/etc/default/flash-kernel")
    let advice = try advice()
    #expect(advice?.line == "LINUX_KERNEL_CMDLINE=\"a  b cma=256M\"")
    #expect(advice?.notes.first?.contains("from line 3 to line 4") == true)
  }

  @Test(arguments: [
    (firmware, "root=/dev/sda1\n"), (menu, "label a\nappend ro\n"),
    ("/boot/armbianEnv.txt", "extraargs=a\n"), ("/etc/default/flash-kernel", "X=1\n"),
    (uBoot, "U_BOOT_UPDATE=true\n"), (kernelCommandLine, "root=/dev/vda1\n"),
  ])
  func whereNothingIsReservedThereIsNothingToTakeBack(_ file: String, _ text: String) throws {
    if file == uBoot { try addUBootMenu() }
    if file == kernelCommandLine { try bootsWithSystemdBoot() }
    try tree.write(text, to: file)
    let outcome = try Reserver(machine: tree.machine, runner: nil).remove()
    #expect(outcome.notes.first?.hasSuffix("nothing to take back") == true && !outcome.wrote)
  }

  @Test func extlinuxEntryWithoutALine() throws {
    try tree.write("label a\nlinux /vmlinuz\n", to: menu)
    #expect(try advice()?.edits == [.init(.newLineBelow("a"), in: menu, "append cma=256M")])
  }

  @Test func extlinuxWithoutAnEntrySaysWhereToLook() throws {
    try tree.write("include /other.conf\n", to: menu)
    #expect(try advice()?.line == "cma=256M")
    #expect(try advice()?.notes.first?.contains(menu) == true)
  }

  @Test(arguments: [
    ("U_BOOT_PARAMETERS=\"ro cma=1M splash\"\n", "\"ro splash cma=256M\""),
    ("U_BOOT_PARAMETERS='ro x=\"a b\"'\n", "\"ro x=\\\"a b\\\" cma=256M\""),
    ("U_BOOT_PARAMETERS=\"ro x=\\\"a b\\\" \\$y\"", "\"ro x=\\\"a b\\\" \\$y cma=256M\""),
    ("U_BOOT_PARAMETERS=\"ro a\\b\"\r\n", "\"ro a\\\\b cma=256M\""),
    ("X=quiet\nU_BOOT_PARAMETERS=\"ro $X\"\n", "\"ro quiet cma=256M\""),
    ("U_BOOT_PARAMETERS=\"ro \\\n quiet\"\n", "\"ro  quiet cma=256M\""),
  ])
  func uBootMenuKeepsWhatTheSettingHas(_ settings: String, _ value: String) throws {
    try addUBootMenu()
    try tree.write(settings, to: uBoot)
    let advice = try advice()
    #expect(
      advice?.edits
        == [.init(.lineOf("U_BOOT_PARAMETERS="), in: uBoot, "U_BOOT_PARAMETERS=\(value)")])
    #expect(advice?.commands == ["u-boot-update"])
  }

  @Test func uBootMenuWithItsOwnDefault() throws {
    try addUBootMenu()
    let line = "U_BOOT_PARAMETERS=\"ro quiet cma=256M\""
    #expect(try advice()?.edits == [.init(.newFile, in: uBoot, line)])
    try tree.write("#U_BOOT_PARAMETERS=\"ro splash\"\n", to: uBoot)
    #expect(try advice()?.edits == [.init(.newLine, in: uBoot, line)])
  }

  /// With a setting beside it, read-config would no longer take root= from that file.
  @Test func uBootMenuWithTheKernelsCommandLine() throws {
    try addUBootMenu()
    try tree.write("root=/dev/sda1 rw\n", to: kernelCommandLine)
    #expect(
      try advice()?.edits == [.init(.line, in: kernelCommandLine, "root=/dev/sda1 rw cma=256M")])
    #expect(try advice()?.commands == ["u-boot-update"])
  }

  @Test func whatTheVendorSetsForUBootMenuIsKeptInAFileOfOurOwn() throws {
    try addUBootMenu()
    try tree.write("U_BOOT_PARAMETERS=\"ro quiet\"\n", to: uBoot)
    try tree.write("U_BOOT_PARAMETERS=\"rw a=1\"\n", to: "/usr/share/u-boot-menu/conf.d/b.conf")
    try tree.write("U_BOOT_PARAMETERS=x\n", to: "/usr/share/u-boot-menu/conf.d/.c.conf")
    let own = "/etc/u-boot-menu/conf.d/cma-test.conf"
    let line = "U_BOOT_PARAMETERS=\"rw a=1 cma=256M\""
    #expect(try advice()?.edits == [.init(.newFile, in: own, line)])
    // Once that is done, it is what to change, and to remove.
    try tree.write(line + "\n", to: own)
    #expect(try advice("64M")?.line == "U_BOOT_PARAMETERS=\"rw a=1 cma=64M\"")
    #expect(try advice(nil)?.edits == [.init(.noFile, in: own, nil)])
    // One of the administrator's is changed where it is.
    let other = "/etc/u-boot-menu/conf.d/z.conf"
    try tree.write("U_BOOT_PARAMETERS=\"$U_BOOT_PARAMETERS z\"\n", to: other)
    #expect(try advice()?.file == other)
    #expect(try advice()?.line == "U_BOOT_PARAMETERS=\"rw a=1 z cma=256M\"")
  }

  @Test(arguments: [
    "U_BOOT_PARAMETERS=\"ro $(cat /etc/more)\"", "X=`id`\nU_BOOT_PARAMETERS=\"ro $X\"",
    "U_BOOT_PARAMETERS=\"ro $ROOT_OPTIONS\"", "[ -e /x ] && U_BOOT_PARAMETERS=ro",
    "if [ -e /x ]; then\n  U_BOOT_PARAMETERS=\"x\"\nelse\n  U_BOOT_PARAMETERS=\"y\"\nfi",
    ": \"${U_BOOT_PARAMETERS:=ro splash}\"", ". /etc/site.sh",
    "U_BOOT_PARAMETERS=a\nU_BOOT_PARAMETERS=\"$U_BOOT_PARAMETERS $(b)\"",
    "U_BOOT_PARAMETERS=$(a)\nU_BOOT_PARAMETERS+=\" b\"",
  ])
  func whatOnlyAShellCanEvaluateIsAddedTo(_ text: String) throws {
    try addUBootMenu()
    try tree.write("\(text)\n", to: uBoot)
    let start = "U_BOOT_PARAMETERS=\"${U_BOOT_PARAMETERS:-ro quiet}"
    #expect(try advice()?.edits == [.init(.newLine, in: uBoot, "\(start) cma=256M\"")])
    #expect(try failure(nil)?.kind == "cannot-edit")
    // Of that line, once it is there, all is known.
    try tree.write("\(text)\n\(start) cma=256M\"\n", to: uBoot)
    #expect(try advice("64M")?.edits == [.init(.lineOf(start), in: uBoot, "\(start) cma=64M\"")])
    #expect(try advice(nil)?.line == "\(start)\"")
    try tree.write("\(text)\n\(start)\"\n", to: uBoot)
    #expect(try failure(nil) == nil)
  }

  @Test func whatTheVendorHasUnderAConditionIsAddedToInAFileOfOurOwn() throws {
    try addUBootMenu()
    let vendor = "/usr/share/u-boot-menu/conf.d/b.conf"
    try tree.write("if true; then\nU_BOOT_PARAMETERS=a\nfi\n", to: vendor)
    let line = "U_BOOT_PARAMETERS=\"${U_BOOT_PARAMETERS:-ro quiet} cma=256M\""
    let own = "/etc/u-boot-menu/conf.d/cma-test.conf"
    #expect(try advice()?.edits == [.init(.newFile, in: own, line)])
    try tree.write("\(line)\n", to: own)
    #expect(try advice(nil)?.edits == [.init(.noFile, in: own, nil)])
    // What comes later, without a condition, counts alone.
    try tree.remove(own)
    try tree.write("U_BOOT_PARAMETERS=c\n", to: "/etc/u-boot-menu/conf.d/c.conf")
    #expect(try advice()?.line == "U_BOOT_PARAMETERS=\"c cma=256M\"")
  }

  @Test func aLineThatAppendsIsTheOneToChange() throws {
    try addUBootMenu()
    try tree.write("U_BOOT_PARAMETERS=ro\nU_BOOT_PARAMETERS+=\" quiet\"\n", to: uBoot)
    #expect(
      try advice()?.edits
        == [
          .init(
            .lineOf("U_BOOT_PARAMETERS+="), in: uBoot, "U_BOOT_PARAMETERS=\"ro quiet cma=256M\"")
        ])
  }

  /// The shell that makes the menu sources all of them, and would wait for a pipe.
  @Test(arguments: ["/etc/u-boot-menu/conf.d/x.conf", "/usr/share/u-boot-menu/conf.d/x.conf"])
  func aPipeAmongTheSettingsIsSaid(_ file: String) throws {
    try addUBootMenu()
    try tree.write("", to: file)
    try tree.remove(file)
    try #require(mkfifo(tree.root + file, 0o600) == 0)
    guard case .unreadable(_, let path, let reason)? = try failure() else {
      Issue.record("nothing is said")
      return
    }
    #expect(path == tree.root + file && reason.contains("a named pipe"))
  }

  @Test func aMenuOnAPartitionOfItsOwn() throws {
    for folder in ["", "/boot/firmware", "/boot/efi"] {
      let file = "\(folder)/extlinux/extlinux.conf"
      try tree.write("default b\nlabel a\n append x\nlabel b\n append y\n", to: file)
      #expect(
        try advice()?.edits
          == [.init(.lineBelow("append", label: "b"), in: file, "append y cma=256M")])
      try tree.remove(file)
    }
  }

  @Test func aBlankBeforeAVariableOfABootScriptIsPassedOver() throws {
    let file = "/boot/armbianEnv.txt"
    try tree.write(" # extraargs=x\n\textraargs=net.ifnames=0\n", to: file)
    #expect(
      try advice()?.edits
        == [.init(.lineOf("extraargs="), in: file, "extraargs=net.ifnames=0 cma=256M")])
  }

  /// Boards differ in what their scripts take.
  @Test(arguments: [
    ("optargs=quiet cma=8M\n", "optargs=quiet cma=256M", false),
    ("cmdline=a\noptargs=b\n", "cmdline=a cma=256M", false),
    ("bootargs=root=/dev/sda1\n", "bootargs=root=/dev/sda1 cma=256M", false),
    ("dtb=x\n", "cmdline=cma=256M", true),
  ])
  func theVariableThatIsThereInUEnv(_ text: String, _ line: String, _ isDoubtful: Bool) throws {
    try tree.write(text, to: "/boot/uEnv.txt")
    let advice = try advice()
    #expect(advice?.edits.map(\.line) == [line])
    #expect(advice?.notes.contains { $0.contains("the board's boot script") } == isDoubtful)
  }

  @Test func aConfigurationThatAPiIncludesOrFilters() throws {
    try tree.write("root=a\n", to: firmware)
    try tree.write("root=b\n", to: "/boot/firmware/b.txt")
    try tree.write("include more.txt\n[pi5]\ncmdline=c.txt\n", to: "/boot/firmware/config.txt")
    try tree.write("cmdline=b.txt\ninclude more.txt\n", to: "/boot/firmware/more.txt")
    let advice = try advice()
    #expect(advice?.edits == [.init(.line, in: "/boot/firmware/b.txt", "root=b cma=256M")])
    #expect(advice?.notes.contains { $0.contains("below [pi5]") } == true)
  }

  @Test(arguments: [
    ("a=b\nextraargs=cma=128M net.ifnames=0\n", "net.ifnames=0 cma=256M", true),
    ("extraargs=x=\"a b\"\r\n", "x=\"a b\" cma=256M", true),
    ("extraargs=old\nextraargs=new", "new cma=256M", true),
    ("#extraargs=x\na=b\n", "cma=256M", false),
  ])
  func armbian(_ text: String, _ value: String, _ isThere: Bool) throws {
    let file = "/boot/armbianEnv.txt"
    try tree.write(text, to: file)
    let advice = try advice()
    #expect(
      advice?.edits
        == [.init(isThere ? .lineOf("extraargs=") : .newLine, in: file, "extraargs=\(value)")])
    #expect(advice?.commands == [])
  }

  @Test func anotherVariableOfTheScriptLosesItsOwn() throws {
    let file = "/boot/armbianEnv.txt"
    try tree.write("extraargs=ro\nextraboardargs=a=1 cma=8M\n", to: file)
    #expect(
      try advice()?.edits == [
        .init(.lineOf("extraargs="), in: file, "extraargs=ro cma=256M"),
        .init(.lineOf("extraboardargs="), in: file, "extraboardargs=a=1"),
      ])
  }

  @Test func beagleBoard() throws {
    try tree.write("uname_r=6.12\ncmdline=coherent_pool=1M\n", to: "/boot/uEnv.txt")
    #expect(try advice()?.line == "cmdline=coherent_pool=1M cma=256M")
  }

  @Test func uBootMenuThatIsSwitchedOffLeavesTheMenuToItsAuthor() throws {
    try addUBootMenu()
    try tree.write("label a\nappend ro\n", to: menu)
    try tree.write("U_BOOT_UPDATE=\"false\"\n", to: "/etc/u-boot-menu/conf.d/off.conf")
    #expect(
      try advice()?.edits == [
        .init(.lineBelow("append", label: "a"), in: menu, "append ro cma=256M")
      ])
  }

  @Test(arguments: ["/boot/efi/loader/loader.conf", "/efi/EFI/Linux/debian.efi"])
  func systemdBootLeavesItsTraces(_ file: String) throws {
    try tree.write("", to: file)
    #expect(try advice()?.loader == "systemd-boot")
  }

  @Test func flashKernel() throws {
    let file = "/etc/default/flash-kernel"
    try tree.write("LINUX_KERNEL_CMDLINE=\"quiet\"\n", to: file)
    #expect(
      try advice()?.edits
        == [
          .init(
            .lineOf("LINUX_KERNEL_CMDLINE="), in: file, "LINUX_KERNEL_CMDLINE=\"quiet cma=256M\"")
        ])
    #expect(try advice()?.command == "flash-kernel")
    // It comes first on the line, and of two the address of the first stays.
    try tree.write(
      "LINUX_KERNEL_CMDLINE=\"\"\nLINUX_KERNEL_CMDLINE_DEFAULTS=\"cma=1M@1G ro\"\n", to: file)
    #expect(
      try advice()?.edits.map(\.line)
        == ["LINUX_KERNEL_CMDLINE=\"cma=256M\"", "LINUX_KERNEL_CMDLINE_DEFAULTS=\"ro\""])
  }

  // MARK: all of them

  @Test func grubWithoutAMenuOrWithoutWhatMakesItIsNotTheOne() throws {
    try tree.addGrub()
    try tree.remove("/boot/grub/grub.cfg")
    #expect(try advice()?.file == nil)
    #expect(try advice()?.line == "cma=256M")
    try tree.addGrub()
    try tree.remove("/usr/sbin/update-grub")
    #expect(try advice()?.steps.count == 3)
  }

  @Test func removingTakesAwayTheDropInOfAGrubThatWent() throws {
    try tree.write("x\n", to: "/etc/default/grub.d/cma-test.cfg")
    #expect(try advice(nil)?.line == nil)
    #expect(tree.read("/etc/default/grub.d/cma-test.cfg") == nil)
  }

  @Test(arguments: [firmware, menu, "/boot/armbianEnv.txt", "/etc/default/flash-kernel"])
  func eachLoaderCarriesTheNotes(_ file: String) throws {
    try tree.write("label a\n", to: file)
    #expect(try advice("3M")?.notes.contains { $0.contains("3 MiB become 4 MiB") } == true)
    #expect(try advice("4M")?.notes == [])
  }

  @Test(arguments: [firmware, menu, "/boot/armbianEnv.txt", kernelCommandLine])
  func aLineThatCannotBeReadIsSaidAndNotPassedOver(_ file: String) throws {
    try bootsWithSystemdBoot()
    try tree.write("root=/dev/vda1\n", to: file)
    let failure: ReserveFailure? = try SystemCallFault.during(.read, code: EIO) {
      try self.failure(nil)
    }
    #expect(failure?.exitStatus == .unreadable && failure?.message.contains(file) == true)
    #expect(failure?.remedy.contains("/proc") == false)
  }

  @Test func aLineThatWouldNotComeOutTheSameIsNotPrinted() throws {
    try tree.write(Array("root=LABEL=B".utf8) + [0xFC] + Array("ro\n".utf8), to: firmware)
    let failure = try failure()
    #expect(failure?.kind == "cannot-edit" && failure?.message.contains(firmware) == true)
  }
}
