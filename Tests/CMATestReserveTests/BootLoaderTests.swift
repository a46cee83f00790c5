// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestReserve
import CMATestSystem
import TestSupport
import Testing

@Suite struct BootLoaderTests {
  private let tree: CopiedTree

  init() throws { tree = try CopiedTree() }

  private func advice(remove: Bool = false) throws -> BootLoaderAdvice? {
    let reservation = try CMAReservation(parsing: "256M")
    let reserver = Reserver(machine: tree.machine, runner: nil)
    do throws(ReserveFailure) {
      _ = remove ? try reserver.remove() : try reserver.reserve(reservation)
      return nil
    } catch {
      guard case .otherLoader(let advice) = error else { return nil }
      #expect(error.exitCode == .otherBootLoader)
      return advice
    }
  }

  @Test func systemdBootWithACommandLineOfItsOwn() throws {
    try tree.write("", to: "/boot/efi/loader/entries/debian.conf")
    try tree.write("root=/dev/vda2 ro cma=64M quiet\n", to: "/etc/kernel/cmdline")
    let advice = try advice()
    #expect(advice?.loader == "systemd-boot")
    #expect(advice?.file == "/etc/kernel/cmdline")
    #expect(advice?.line == "root=/dev/vda2 ro quiet cma=256M")
    #expect(advice?.command == "kernel-install add-all")
    #expect(try self.advice(remove: true)?.line == "root=/dev/vda2 ro quiet")
  }

  @Test func systemdBootWithoutOneGetsWhatTheKernelWasBootedWith() throws {
    try tree.write("", to: "/efi/loader/entries/debian.conf")
    try tree.write("initrd=\\x\\initrd root=/dev/vda1 ro\n", to: "/proc/cmdline")
    #expect(try advice()?.line == "root=/dev/vda1 ro cma=256M")
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

  @Test func raspberryPi() throws {
    try tree.write(
      "console=tty1 root=PARTUUID=1-02 rootwait\n", to: "/boot/firmware/cmdline.txt")
    let advice = try advice()
    #expect(advice?.file == "/boot/firmware/cmdline.txt")
    #expect(advice?.line == "console=tty1 root=PARTUUID=1-02 rootwait cma=256M")
    #expect(advice?.command == nil)
  }

  @Test func extlinuxByHand() throws {
    try tree.write(
      "default l0\nlabel l0\n\tlinux /vmlinuz\n\tappend root=/dev/mmcblk0p2 ro\n",
      to: "/boot/extlinux/extlinux.conf")
    let advice = try advice()
    #expect(advice?.file == "/boot/extlinux/extlinux.conf")
    #expect(advice?.line == "append root=/dev/mmcblk0p2 ro cma=256M")
  }

  @Test(arguments: [
    ("U_BOOT_PARAMETERS=\"ro cma=1M splash\"\n", nil, "ro splash cma=256M"),
    ("#U_BOOT_PARAMETERS=\"ro splash\"\n", nil, "ro quiet cma=256M"),
    ("", "root=/dev/sda1 rw\n", "rw cma=256M"),
  ])
  func extlinuxThatUBootMenuMakes(_ settings: String, _ line: String?, _ wanted: String) throws {
    try tree.write("default l0\n", to: "/boot/extlinux/extlinux.conf")
    try tree.addProgram("/usr/sbin/u-boot-update", "#!/bin/sh\n")
    try tree.write(settings, to: "/etc/default/u-boot")
    if let line { try tree.write(line, to: "/etc/kernel/cmdline") }
    let advice = try advice()
    #expect(advice?.file == "/etc/default/u-boot")
    #expect(advice?.line == "U_BOOT_PARAMETERS=\"\(wanted)\"")
    #expect(advice?.command == "u-boot-update")
  }

  @Test func flashKernel() throws {
    try tree.write("LINUX_KERNEL_CMDLINE=\"quiet\"\n", to: "/etc/default/flash-kernel")
    let advice = try advice()
    #expect(advice?.line == "LINUX_KERNEL_CMDLINE=\"quiet cma=256M\"")
    #expect(advice?.command == "flash-kernel")
  }

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
    #expect(try advice(remove: true)?.line == nil)
    #expect(tree.read("/etc/default/grub.d/cma-test.cfg") == nil)
  }
}
