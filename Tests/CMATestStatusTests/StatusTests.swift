// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestConfigure
import CMATestCore
import CMATestMachine
import CMATestStatus
import CMATestSystem
import Glibc
import TestSupport
import Testing

private let release = "7.3.4+deb13-amd64"
private let cmdline = "/proc/cmdline"

/// A machine on which all is well, and one thing after another that is not.
@Suite struct StatusTests {
  private let tree: CopiedTree

  init() throws {
    tree = try CopiedTree()
    try tree.addWorkingModule(version: packageVersion)
    _ = try Configurator(machine: tree.machine).configure()
  }

  private var status: Status { Status(of: tree.machine) }

  private func findings(_ name: String) -> [Finding] {
    status.entries.first { $0.name == name }?.findings ?? []
  }

  /// The one thing that is wrong, which is the cause of the exit code.
  private func cause(_ code: CommandStatus) -> (topic: String, finding: Finding)? {
    let status = status
    #expect(status.exitStatus == code)
    for entry in status.entries {
      for finding in entry.findings where finding.code == code { return (entry.name, finding) }
    }
    return nil
  }

  @Test func everythingIsGood() {
    let status = status
    #expect(status.exitStatus == .success)
    for entry in status.entries {
      #expect(entry.findings.map(\.mark) == [.good], "\(entry.name): \(entry.findings)")
    }
  }

  // MARK: - the machine and its kernel

  @Test func inAContainerTheKernelIsTheHosts() throws {
    try tree.write("lxc\n", to: "/run/systemd/container")
    let cause = cause(.inContainer)
    #expect(cause?.topic == "machine" && cause?.finding.text.contains("lxc") == true)
    // A machine whose files were once a container's.
    try tree.link("/proc/self/ns/pid", to: "pid:[4026531836]")
    #expect(status.exitStatus == .success)
  }

  @Test func withoutProcNothingIsKnownOfTheKernel() throws {
    try tree.remove("/proc")
    let cause = cause(.unreadable)
    #expect(cause?.topic == "machine")
    #expect(cause?.finding.remedy == "mount -t proc proc /proc")
  }

  @Test func memoryInformationThatCannotBeReadIsNotCalledNothingReserved() throws {
    try tree.remove("/proc/meminfo")
    let cause = cause(.unreadable)
    #expect(cause?.topic == "reservation")
    #expect(cause?.finding.text == "/proc/meminfo cannot be read")
  }

  @Test(arguments: [
    ("/run/.containerenv", "", "podman"), ("/.dockerenv", "", "docker"),
    ("/proc/1/environ", "HOME=/\0container=lxc-libvirt\0", "lxc-libvirt"),
    ("/proc/self/uid_map", "         0     100000      65536\n", "user namespace"),
  ])
  func knowsContainersByWhatTheyLeave(_ file: String, _ text: String, _ kind: String) throws {
    try tree.write(text, to: file)
    #expect(cause(.inContainer)?.finding.text.contains(kind) == true)
  }

  @Test func kernelWithoutCMA() throws {
    try tree.write("# CONFIG_CMA is not set\nCONFIG_X=y\n", to: "/boot/config-\(release)")
    let cause = cause(.noCMA)
    #expect(cause?.topic == "kernel")
    #expect(cause?.finding.text.contains("CONFIG_CMA is not set") == true)
    #expect(cause?.finding.remedy?.contains("linux-image-amd64") == true)
  }

  @Test func kernelWithoutAConfigurationIsNoCauseByItself() throws {
    try tree.remove("/boot/config-\(release)")
    #expect(findings("kernel").map(\.mark) == [.notice])
    #expect(status.exitStatus == .success)
  }

  /// As where /boot is not mounted.
  @Test func kernelWithoutCMAWhoseConfigurationIsNotThere() throws {
    try tree.remove("/boot/config-\(release)")
    try tree.remove(OptionsFile.path)
    try tree.write("MemTotal: 4028416 kB\n", to: "/proc/meminfo")
    try tree.write(
      CopiedTree.kallsyms.split(separator: "\n").filter { !$0.contains("cma") }
        .map { "\($0)\n" }.joined(), to: "/proc/kallsyms")
    let cause = cause(.noCMA)
    #expect(cause?.topic == "kernel")
    #expect(cause?.finding.text.hasSuffix("/proc/kallsyms lists no cma_alloc") == true)
    #expect(cause?.finding.remedy?.contains("linux-image-amd64") == true)
  }

  // MARK: - the reservation

  /// CmaTotal counts every area.
  @Test(arguments: [
    ("ro hugetlb_cma=1G", "hugetlb0", "the kernel command line has no cma="),
    ("ro cma=0", "vpu-pool", "cma=0 turns the default area off"),
    ("ro cma=64G hugetlb_cma=1G", "hugetlb0", "the kernel could not satisfy cma=64G"),
    ("ro cma_pernuma=256M", "pernuma0", "no cma="), ("ro numa_cma=0:256M", "numa0", "no cma="),
    ("ro crashkernel=256M,cma", "crashkernel", "no cma="),
  ])
  func otherAreasThanTheDefaultOne(_ line: String, _ name: String, _ reason: String) throws {
    try tree.write("\(line)\n", to: cmdline)
    try tree.remove("/sys/kernel/mm/cma/reserved")
    try tree.write("65536\n", to: "/sys/kernel/mm/cma/\(name)/total_pages")
    let finding = cause(.nothingReserved)?.finding
    #expect(finding?.text.contains("all 256 MiB are in others (\(name))") == true)
    #expect(finding?.text.contains(reason) == true)
    // A kernel that lists no areas; of a device's own pool only the device tree tells then.
    try tree.remove("/sys/kernel/mm")
    if name != "vpu-pool" || line.contains("cma=0") {
      #expect(status.exitStatus == .nothingReserved, "\(line)")
    }
  }

  @Test func otherAreasBesideTheDefaultOne() throws {
    try tree.write("ro cma=256M hugetlb_cma=1G\n", to: cmdline)
    try tree.write("MemTotal: 4028416 kB\nCmaTotal: 1310720 kB\n", to: "/proc/meminfo")
    try tree.write("262144\n", to: "/sys/kernel/mm/cma/hugetlb0/total_pages")
    #expect(findings("reservation").first?.text.contains("256 MiB of it in the default") == true)
    #expect(status.exitStatus == .success)
    // Without a list the log has to tell.
    try tree.remove("/sys/kernel/mm")
    #expect(status.exitStatus == .nothingReserved)
    #expect(findings("reservation").first?.text.contains("is not known") == true)
    try tree.write(
      "6,1,0,-;cma: Reserved 1024 MiB at 0x0000000080000000 on node -1\n"
        + "6,2,0,-;cma: Reserved 256 MiB at 0x0000000070000000 on node -1\n", to: "/dev/kmsg")
    #expect(status.exitStatus == .success)
  }

  @Test func theDefaultAreaOfADeviceTree() throws {
    try tree.write("ro\n", to: cmdline)
    try tree.remove("/sys/kernel/mm/cma/reserved")
    try tree.write("65536\n", to: "/sys/kernel/mm/cma/linux,cma/total_pages")
    #expect(status.exitStatus == .nothingReserved)
    try tree.write("", to: "/proc/device-tree/reserved-memory/linux,cma/linux,cma-default")
    #expect(status.exitStatus == .success)
  }

  /// As arm64's 6.12, which lists no areas, has it from QEMU's tree with two pools.
  @Test func theDefaultAreaOfADeviceTreeBesideADevicesOwnPool() throws {
    let folder = "/proc/device-tree/reserved-memory"
    try tree.write("ro\n", to: cmdline)
    try tree.write("CmaTotal: 98304 kB\nCmaFree: 97920 kB\n", to: "/proc/meminfo")
    try tree.remove("/sys/kernel/mm")
    try tree.write("", to: "\(folder)/camera-pool/reusable")
    try tree.write("", to: "\(folder)/linux,cma/reusable")
    try tree.write("", to: "\(folder)/linux,cma/linux,cma-default")
    // Of what neither the log nor the tree says the size.
    #expect(status.exitStatus == .nothingReserved)
    #expect(findings("reservation").first?.text.contains("others (camera-pool)") == true)
    try tree.write(
      """
      6,1,0,-;Reserved memory: created CMA memory pool at 0x000000005e000000, size 32 MiB
      6,2,0,-;OF: reserved mem: initialized node camera-pool, compatible id shared-dma-pool
      6,3,0,-;Reserved memory: created CMA memory pool at 0x000000005a000000, size 64 MiB
      6,4,0,-;OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool

      """, to: "/dev/kmsg")
    #expect(status.exitStatus == .success)
    #expect(findings("reservation").first?.text.contains("64 MiB of it in the default") == true)
    // The default one failed, and the log says so of no other.
    try tree.write(
      """
      6,1,0,-;Reserved memory: created CMA memory pool at 0x000000005e000000, size 32 MiB
      6,2,0,-;OF: reserved mem: initialized node camera-pool, compatible id shared-dma-pool

      """, to: "/dev/kmsg")
    try tree.write("CmaTotal: 32768 kB\nCmaFree: 32640 kB\n", to: "/proc/meminfo")
    #expect(status.exitStatus == .nothingReserved)
    // A log that has lost the boot: the tree says how much all of them must have.
    try tree.write("6,9,0,-;of something else\n", to: "/dev/kmsg")
    try tree.write([0, 0, 0, 0, 2, 0, 0, 0], to: "\(folder)/camera-pool/size")
    try tree.write([0, 0, 0, 2], to: "\(folder)/#size-cells")
    try tree.write([0, 0, 0, 2], to: "\(folder)/#address-cells")
    try tree.write(
      [0, 0, 0, 0, 0x5A, 0, 0, 0] + [0, 0, 0, 0, 4, 0, 0, 0], to: "\(folder)/linux,cma/reg")
    #expect(status.exitStatus == .nothingReserved)
    try tree.write("CmaTotal: 98304 kB\nCmaFree: 97920 kB\n", to: "/proc/meminfo")
    #expect(status.exitStatus == .success)
    #expect(findings("reservation").first?.text.contains("64 MiB of it in the default") == true)
  }

  @Test func anAreaThatWasNotActivated() throws {
    try tree.write("ro cma=600M@0-3G movablecore=25%\n", to: cmdline)
    try tree.write("MemTotal: 2012616 kB\nCmaTotal: 0 kB\nCmaFree: 0 kB\n", to: "/proc/meminfo")
    try tree.remove("/sys/kernel/mm/cma/reserved")
    try tree.write(
      """
      Node 0, zone    DMA32
              spanned  389120
        start_pfn:           4096
      Node 0, zone  Movable
              spanned  131040
        start_pfn:           393216

      """, to: "/proc/zoneinfo")
    try tree.write(
      "6,1,0,-;cma: Reserved 600 MiB at 0x0000000053c00000\n"
        + "3,2,0,-;cma: CMA area reserved could not be activated\n", to: "/dev/kmsg")
    let finding = cause(.nothingReserved)?.finding
    #expect(finding?.text.contains("the area lies in the zones DMA32 and Movable") == true)
    #expect(finding?.remedy == "cma-test reserve 600M@16M-1536M")
  }

  @Test func nothingReservedForWantOfAParameter() throws {
    try tree.write("MemTotal: 1 kB\nCmaTotal:  0 kB\nCmaFree: 0 kB\n", to: "/proc/meminfo")
    try tree.write("ro quiet\n", to: cmdline)
    #expect(cause(.nothingReserved)?.finding.remedy == "cma-test reserve 256M")
    try tree.write("ro cma=0\n", to: cmdline)
    #expect(
      cause(.nothingReserved)?.finding.text.contains("cma=0 turns the default area off") == true)
    try tree.write("ro cma=64G\n", to: cmdline)
    #expect(cause(.nothingReserved)?.finding.remedy == "dmesg | grep -i cma")
  }

  @Test func lessReservedThanAskedFor() throws {
    try tree.write("ro cma=1G\n", to: cmdline)
    #expect(findings("reservation").map(\.mark) == [.notice])
    #expect(findings("reservation").first?.text.contains("cma=1G asks for 1 GiB") == true)
    #expect(status.exitStatus == .success)
  }

  @Test func reservedByDefault() throws {
    try tree.write("ro\n", to: cmdline)
    #expect(findings("reservation").first?.text.hasSuffix("(reserved), by default") == true)
  }

  // MARK: - symbols and options

  @Test func optionsMissing() throws {
    try tree.remove(OptionsFile.path)
    let cause = cause(.optionsMissing)
    #expect(cause?.finding.remedy == "cma-test configure")
    #expect(cause?.finding.text.contains("systemd") == false)
    try tree.remove("/run/systemd/system")
    #expect(self.cause(.optionsMissing)?.finding.text.contains("without systemd") == true)
  }

  @Test func optionsOfAnotherBoot() throws {
    try tree.write("00000000-566d-40fe-b3aa-28f7727416a3\n", to: "/proc/sys/kernel/random/boot_id")
    #expect(cause(.optionsMissing)?.finding.text.contains("of another boot") == true)
  }

  @Test func optionsOfOtherAddresses() throws {
    try tree.write(
      CopiedTree.kallsyms.replacing("ffffffff8142a1e0", with: "ffffffff8142a1f0"),
      to: "/proc/kallsyms")
    #expect(cause(.optionsMissing)?.finding.text.contains("other addresses") == true)
  }

  @Test func optionsThatSomebodyEdited() throws {
    let text = try #require(tree.read(OptionsFile.path))
    try tree.write(text + "# mine\n", to: OptionsFile.path)
    #expect(cause(.optionsMissing)?.finding.text.contains("not as") == true)
  }

  @Test func optionsThatAnotherFileHides() throws {
    try tree.write("# mine\n", to: "/etc/modprobe.d/cma-test-symbols.conf")
    let finding = cause(.overridden)?.finding
    #expect(finding?.remedy?.contains("/etc/modprobe.d/cma-test-symbols.conf") == true)
    // As 'cma-test configure' leaves it then, which is no cause but a consequence.
    try tree.remove(OptionsFile.path)
    #expect(cause(.overridden)?.finding == finding)
    let facts = status.entries.first { $0.name == "options" }?.facts ?? []
    #expect(facts.contains(JSON.Member("present", false)))
    #expect(facts.contains(JSON.Member("honoured", nil)))
  }

  @Test func optionsThatAnotherFileKeepsFromBeingWritten() throws {
    try tree.remove(OptionsFile.path)
    try tree.write("options cmatest area_base=0x1\n", to: "/etc/modprobe.d/zz-mine.conf")
    #expect(cause(.overridden)?.finding.text.contains("/etc/modprobe.d/zz-mine.conf") == true)
    try tree.remove("/etc/modprobe.d/zz-mine.conf")
    #expect(cause(.optionsMissing)?.topic == "options")
  }

  @Test func optionsThatOthersCanRead() throws {
    #expect(chmod(tree.optionsPath, 0o644) == 0)
    #expect(findings("options").map(\.mark) == [.good, .notice])
    #expect(status.exitStatus == .success)
  }

  @Test func countOfPagesBeyondWhatIsReserved() throws {
    try tree.write("options cmatest alloc_count=0x100000\n", to: "/etc/modprobe.d/mine.conf")
    #expect(cause(.nothingReserved)?.topic == "options")
    try tree.write("options cmatest alloc_count=65001\n", to: "/etc/modprobe.d/mine.conf")
    #expect(cause(.nothingReserved)?.finding.remedy == "modprobe cmatest alloc_count=65000")
    try tree.write("options cmatest alloc_count=65000\n", to: "/etc/modprobe.d/mine.conf")
    #expect(status.exitStatus == .success)
  }

  @Test func addressesThatWereHiddenLater() throws {
    let hidden = CopiedTree.kallsyms.split(separator: "\n")
      .map { "0000000000000000\($0.dropFirst(16))\n" }.joined()
    try tree.write(hidden, to: "/proc/kallsyms")
    try tree.write("2\n", to: "/proc/sys/kernel/kptr_restrict")
    #expect(findings("symbols").map(\.mark) == [.notice])
    #expect(status.exitStatus == .success)
    // Hidden from the boot on, there are no options either.
    try tree.remove(OptionsFile.path)
    #expect(cause(.hiddenFromAll)?.topic == "symbols")
  }

  // MARK: - DKMS and the module

  @Test func packageOfTheModuleNotInstalled() throws {
    try tree.remove("/var/lib/dkms/cma-test")
    try tree.remove("/lib/modules/\(release)/updates")
    try tree.remove("/lib/modules/\(release)/modules.dep.bin")
    let cause = cause(.moduleMissing)
    #expect(cause?.topic == "dkms" && cause?.finding.remedy == "apt install cma-test-dkms")
  }

  private func removeBuild() throws {
    try tree.remove("/var/lib/dkms/cma-test/kernel-\(release)-x86_64")
    try tree.remove("/var/lib/dkms/cma-test/\(packageVersion)/\(release)")
    try tree.remove("/lib/modules/\(release)/updates")
    try tree.remove("/lib/modules/\(release)/modules.dep.bin")
  }

  @Test func headersMissing() throws {
    try removeBuild()
    try tree.remove("/usr/src/linux-headers-\(release)")
    #expect(cause(.moduleMissing)?.finding.remedy == "apt install linux-headers-\(release)")
  }

  @Test func notBuiltThoughItCouldBe() throws {
    try removeBuild()
    #expect(
      cause(.moduleMissing)?.finding.remedy
        == "dkms install cma-test/\(packageVersion) -k \(release)")
  }

  @Test func buildFailed() throws {
    try removeBuild()
    let log = "/var/lib/dkms/cma-test/\(packageVersion)/build/make.log"
    try tree.write(
      "DKMS (dkms-3.2.2) make.log for cma-test/1.0 for kernel \(release) (x86_64)\nmake: ***\n",
      to: log)
    let finding = cause(.moduleMissing)?.finding
    #expect(finding?.text.contains("failed") == true && finding?.remedy == "less \(log)")
  }

  @Test func installedByDKMSAndItsFileGone() throws {
    try tree.remove("/lib/modules/\(release)/updates")
    try tree.remove("/lib/modules/\(release)/modules.dep.bin")
    let finding = cause(.moduleMissing)?.finding
    #expect(finding?.text.contains("its file is gone") == true)
    #expect(
      finding?.remedy == "dkms install --force cma-test/\(packageVersion) -k \(release)")
    // Compressed it is there, and only depmod has not run.
    try tree.write("", to: "/lib/modules/\(release)/updates/dkms/cmatest.ko.xz")
    #expect(cause(.moduleMissing)?.finding.remedy == "depmod")
  }

  @Test func aTreeOfDKMSThatIsElsewhere() throws {
    try tree.write("dkms_tree=\"/srv/dkms\" # on the large disk\n", to: "/etc/dkms/framework.conf")
    #expect(findings("dkms").first?.text.contains("DKMS has no source") == true)
    try tree.link("/srv/dkms", to: "\(tree.root)/var/lib/dkms")
    #expect(findings("dkms").first?.mark == .good)
  }

  @Test func aTreeOfDKMSThatOnlyAShellCanTell() throws {
    try tree.write("dkms_tree=$(findmnt -no TARGET /big)/dkms\n", to: "/etc/dkms/framework.conf")
    #expect(findings("dkms").map(\.mark) == [.notice])
    #expect(findings("dkms").first?.text.contains("sets dkms_tree to") == true)
    #expect(status.exitStatus == .success)
  }

  @Test func builtButNotInstalled() throws {
    try tree.remove("/var/lib/dkms/cma-test/kernel-\(release)-x86_64")
    try tree.remove("/lib/modules/\(release)/updates")
    try tree.remove("/lib/modules/\(release)/modules.dep.bin")
    #expect(cause(.moduleMissing)?.finding.text.contains("built, but not installed") == true)
  }

  @Test func everyInstalledKernelHasALineButOnlyTheRunningOneIsACause() throws {
    try tree.addKernel("6.12.107+deb13-amd64")
    try tree.write(
      "# CONFIG_CMA is not set\nCONFIG_X=y\n", to: "/boot/config-6.12.107+deb13-amd64")
    try tree.addKernel("7.4.1+deb13-amd64")
    // Modules that an image left behind are no kernel.
    try tree.write("", to: "/lib/modules/5.0.0/modules.dep")
    let found = findings("dkms")
    #expect(found.map(\.mark) == [.notice, .good, .notice])
    #expect(
      found.first?.text.contains("skipped, since this kernel was built without CONFIG_CMA") == true)
    #expect(found.last?.remedy == "apt install linux-headers-7.4.1+deb13-amd64")
    #expect(status.exitStatus == .success)
  }

  @Test func installedButNotFound() throws {
    try tree.remove("/lib/modules/\(release)/modules.dep.bin")
    let cause = cause(.moduleMissing)
    #expect(cause?.topic == "module" && cause?.finding.remedy == "depmod")
  }

  @Test func builtForAnotherKernel() throws {
    try tree.addModule(.cmatest(version: packageVersion, release: "7.2.0"))
    #expect(cause(.moduleMissing)?.finding.text.contains("built for kernel 7.2.0") == true)
  }

  @Test func anotherModuleOfThatNameComesFirst() throws {
    try tree.addModule(
      .cmatest(version: packageVersion, release: release), in: "updates")
    let path = "\(tree.root)/lib/modules/\(release)/updates/cmatest.ko"
    let finding = cause(.otherModule)?.finding
    #expect(finding?.text.hasPrefix("modprobe loads \(path) instead of ") == true)
    #expect(finding?.remedy == "rm \(path) && depmod")
  }

  @Test func theUsersOwnBuildIsTaken() throws {
    try tree.remove("/lib/modules/\(release)/updates")
    try tree.addModule(.cmatest(version: packageVersion, release: release), in: "extra")
    #expect(findings("module").first?.text.contains("not from DKMS") == true)
    #expect(status.exitStatus == .success)
  }

  @Test func aStrangersModuleIsNot() throws {
    try tree.addModule(ModuleFile(information: [("vermagic", "\(release) SMP ")]))
    #expect(cause(.otherModule)?.finding.text.contains("another module of that name") == true)
  }

  @Test func builtIntoTheKernel() throws {
    try tree.remove("/lib/modules/\(release)/modules.dep.bin")
    try tree.remove("/lib/modules/\(release)/updates")
    try tree.write(
      moduleIndex("cmatest", path: ""), to: "/lib/modules/\(release)/modules.builtin.bin")
    #expect(cause(.otherModule)?.finding.text.contains("built into the kernel") == true)
  }

  @Test func moduleOfAnotherVersionThanTheCommand() throws {
    try tree.addModule(.cmatest(version: "0.9", release: release))
    #expect(findings("module").first?.text.contains("version 0.9, while this command is") == true)
    #expect(status.exitStatus == .success)
  }

  // MARK: - what forbids loading

  @Test func whatAnAdministratorSetsAgainstIt() throws {
    try tree.write("1\n", to: "/proc/sys/kernel/modules_disabled")
    #expect(cause(.loadingBlocked)?.finding.text.contains("modules_disabled") == true)
    try tree.write("0\n", to: "/proc/sys/kernel/modules_disabled")
    try tree.write("ro cma=256M module_blacklist=floppy,cmatest\n", to: cmdline)
    #expect(cause(.loadingBlocked)?.finding.text.contains("module_blacklist=") == true)
    try tree.write("ro cma=256M module_blacklist=cmatests\n", to: cmdline)
    try tree.write("install cmatest /bin/false\n", to: "/etc/modprobe.d/no.conf")
    #expect(cause(.loadingBlocked)?.finding.text.contains("'/bin/false'") == true)
    try tree.write("blacklist cmatest\n", to: "/etc/modprobe.d/no.conf")
    #expect(findings("loading").map(\.mark) == [.notice])
    #expect(status.exitStatus == .success)
  }

  // MARK: - in the kernel now

  private func load(version: String, source: String = "5F1C5D4B0A7E2C3D4E5F607") throws {
    try tree.write("live\n", to: "/sys/module/cmatest/initstate")
    try tree.write("\(version)\n", to: "/sys/module/cmatest/version")
    try tree.write("\(source)\n", to: "/sys/module/cmatest/srcversion")
  }

  @Test func loadedSinceWhen() throws {
    try load(version: packageVersion)
    #expect(findings("loaded").first?.text.contains("the log no longer has") == true)
    try tree.write("cpu 1 2 3\nbtime 1795347231\n", to: "/proc/stat")
    try tree.write(
      """
      6,1,1000000,-;cmatest: init CMA test mod.
      6,2,2000000,-;cmatest: exit CMA test mod.
      6,3,60000000,-;cmatest: init CMA test mod.
       SUBSYSTEM=x
      4,4,61000000,-;another: line

      """, to: "/dev/kmsg")
    #expect(
      findings("loaded").map(\.text)
        == ["version \(packageVersion), since 2026-11-22T11:34:51Z"])
  }

  @Test func loadedOneIsOlderThanTheInstalledOne() throws {
    try load(version: "0.9", source: "0123")
    let finding = findings("loaded").first
    #expect(finding?.mark == .notice && finding?.remedy == "rmmod cmatest && modprobe cmatest")
    #expect(finding?.text.contains("the installed module is \(packageVersion)") == true)
    try load(version: packageVersion, source: "0123")
    #expect(findings("loaded").first?.text.contains("other source") == true)
    #expect(status.exitStatus == .success)
  }
}
