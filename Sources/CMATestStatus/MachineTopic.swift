// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// Whether the kernel is this system's own to load modules into.
struct MachineTopic: Topic {
  static let name = "machine"

  let container: String?
  let isChroot: Bool?
  /// False in a bare chroot, where nothing of the kernel can be seen.
  let hasProc: Bool

  init(_ inputs: StatusInputs) {
    let machine = inputs.machine
    // With ProcSubset=pid of systemd.exec(5) there is the first alone.
    hasProc = machine.exists("/proc/self") || machine.exists("/proc/sys")
    container = machine.container()
    isChroot = machine.isChroot()
  }

  var findings: [Finding] {
    if let container {
      return [
        .wrong(
          "in a container (\(container)): the kernel is the host's, so the module must be installed "
            + "there",
          remedy: "apt install cma-test-dkms    # on the host", .inContainer)
      ]
    }
    guard hasProc else {
      return [
        .wrong(
          "/proc is not mounted: nothing is known about the kernel",
          remedy: "mount -t proc proc /proc", .unreadable)
      ]
    }
    if isChroot == true {
      return [.notice("in a chroot: the kernel is that of the system around it")]
    }
    return [.good("not in a container")]
  }

  var facts: [JSON.Member] {
    [
      JSON.Member("container", JSON(container)),
      JSON.Member("chroot", isChroot.map(JSON.bool) ?? .null),
    ]
  }
}
