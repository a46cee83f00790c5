# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A machine that GRUB boots and autopkgtest-virt-qemu drives, made of a disk of scripts/vm/root without
# mounting anything. Source it after ../lib.sh.
# autopkgtest-build-qemu makes one only where the kernel has the device mapper: its vmdb2 asks kpartx for
# the partitions, and elsewhere ends with "device mapper prerequisites not met".
: "${cache:?source scripts/lib.sh first}"

# grub_disk DIR ROOT DISK RELEASE: makes in DIR `boot`, a disk with GRUB alone; `disk`, a copy of DISK
# with a menu for the kernel RELEASE, which update-grub may write anew, and with a root shell on each
# port that autopkgtest-virt-qemu tries; `qemu`, the emulator for it; and `server`, which is
# autopkgtest-virt-qemu with more patience. ROOT has grub-pc-bin, e2fsprogs, the emulator and
# autopkgtest. The console is quiet: where the processors are busy, autopkgtest reads it too slowly, and
# the boot waits for it.
grub_disk() {
  local dir=$1 root=$2 disk=$3 release=$4
  cat >"$dir/early.cfg" <<'END'
search.fs_label root root
set prefix=($root)/boot/grub
END
  cat >"$dir/grub.cfg" <<END
linux /boot/vmlinuz-$release root=LABEL=root ro console=ttyS0 panic=-1 quiet systemd.show_status=false
initrd /boot/initrd.img-$release
boot
END
  cat >"$dir/default" <<'END'
GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT="console=ttyS0"
GRUB_CMDLINE_LINUX="panic=-1 quiet systemd.show_status=false"
GRUB_TERMINAL=serial
END
  # What autopkgtest's own setup-testbed installs, but up before the login that it waits for.
  cat >"$dir/shell" <<'END'
[Unit]
Description=Root shell for autopkgtest on %I
Before=getty.target

[Service]
ExecStart=/bin/sh
StandardInput=tty-fail
StandardOutput=tty
StandardError=tty
TTYPath=/dev/%I
SendSIGHUP=yes
SuccessExitStatus=0 208 SIGHUP SIGINT SIGTERM SIGPIPE
END
  # Loaded at the boot: autopkgtest-virt-qemu mounts its shared folder when it finds the login.
  printf '%s\n' 9p 9pnet_virtio >"$dir/modules"
  cat >"$dir/changes" <<'END'
mkdir /boot/grub
cd /boot/grub
write /machine/grub.cfg grub.cfg
cd /etc/default
write /machine/default grub
cd /etc/modules-load.d
write /machine/modules autopkgtest.conf
cd /etc/systemd/system
write /machine/shell autopkgtest@.service
symlink grub-common.service /dev/null
cd /etc/systemd/system/multi-user.target.wants
symlink autopkgtest@hvc1.service ../autopkgtest@.service
symlink autopkgtest@ttyS1.service ../autopkgtest@.service
END
  # autopkgtest-virt-qemu wants KVM wherever there is a /dev/kvm, even one that boots no kernel.
  cat >"$dir/qemu" <<'END'
#!/bin/bash
for word; do [[ $word == -enable-kvm ]] || words+=("$word"); done
exec qemu-system-x86_64 "${words[@]}"
END
  # The limits of autopkgtest-virt-qemu, but for the boot's, are fixed, and for KVM: five seconds for a
  # program to start, ten for its shared folder.
  cat >"$dir/server" <<'END'
#!/usr/bin/python3
import sys

sys.path.insert(0, "/usr/share/autopkgtest/lib")
import VirtSubproc

start = VirtSubproc.timeout_start
VirtSubproc.timeout_start = lambda seconds: start(10 * seconds)
__file__ = "/usr/bin/autopkgtest-virt-qemu"
with open(__file__) as program:
    exec(compile(program.read(), __file__, "exec"))
END
  chmod 755 "$dir/qemu" "$dir/server"
  cp --sparse=always "$disk" "$dir/disk"
  quietly "$cache/log/grub-disk.log" in_root "$root" --bind "$dir:/machine" -- bash -euxc '
    cd /machine
    grub-mkimage -O i386-pc -o core.img -c early.cfg -p "(hd0)/boot/grub" \
      all_video biosdisk cat configfile echo ext2 gfxterm gzio halt linux loadenv ls minicmd normal \
      part_gpt part_msdos reboot search search_fs_file search_fs_uuid search_label serial sleep terminal test
    truncate -s 4M boot
    dd if=/usr/lib/grub/i386-pc/boot.img of=boot conv=notrunc status=none
    dd if=core.img of=boot bs=512 seek=1 conv=notrunc status=none
    debugfs -w -f changes disk
    # It says what went wrong, and ends with 0 all the same.
    for file in /boot/grub/grub.cfg /etc/default/grub /etc/modules-load.d/autopkgtest.conf /etc/systemd/system/autopkgtest@.service; do
      debugfs -R "cat $file" disk | grep .
    done
    debugfs -R "ls -l /etc/systemd/system/multi-user.target.wants" disk | grep -F autopkgtest@hvc1'
}
