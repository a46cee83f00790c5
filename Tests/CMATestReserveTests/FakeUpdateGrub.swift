// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestSystem
import TestSupport

/// What update-grub does, on a copied tree: the settings are read by a real shell, as grub-mkconfig
/// has them read, and come out in a menu of the form that grub-mkconfig writes.
struct FakeUpdateGrub: ProgramRunner {
  let tree: CopiedTree
  /// What it ends with; a menu is made all the same only for 0.
  var exitCode: CInt = 0

  static let script = """
    cd "$1"
    . ./etc/default/grub
    for x in ./etc/default/grub.d/*.cfg; do
      if [ -e "$x" ]; then . "$x"; fi
    done
    cat >./boot/grub/grub.cfg <<EOF
    ### BEGIN /etc/grub.d/10_linux ###
    menuentry 'Debian GNU/Linux' {
    \tlinux\t/boot/vmlinuz-7.3.4+deb13-amd64 root=UUID=1 ro ${GRUB_CMDLINE_LINUX} ${GRUB_CMDLINE_LINUX_DEFAULT}
    \tinitrd\t/boot/initrd.img-7.3.4+deb13-amd64
    }
    menuentry 'Debian GNU/Linux (recovery mode)' {
    \tlinux\t/boot/vmlinuz-7.3.4+deb13-amd64 root=UUID=1 ro single ${GRUB_CMDLINE_LINUX}
    }
    ### END /etc/grub.d/10_linux ###
    ### BEGIN /etc/grub.d/30_os-prober ###
    menuentry 'another system' {
    \tlinux\t/boot/vmlinuz root=/dev/sdb1 cma=1M
    }
    ### END /etc/grub.d/30_os-prober ###
    EOF
    printf '%s' "$2" >>./boot/grub/grub.cfg
    """

  /// What comes while it runs.
  var signal: PendingSignal?
  /// What sections of others have in the menu.
  var moreOfTheMenu = ""

  func run(
    _ program: String, _ arguments: [String], untilSignal: Bool
  ) throws(SystemFailure) -> CInt {
    guard exitCode == 0 else { return exitCode }
    return try output(
      of: "/bin/sh", ["-ec", Self.script, "update-grub", tree.root, moreOfTheMenu]
    ).exitCode
  }
}
