#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `cma-test reserve` on the boot loaders that Debian packages: does what it tells the user to do, and
# reads back what the loader's own tool makes of that. Runs in a throw-away Debian root, one case a
# call, that scripts/loaders-check makes.
#
#   loaders.sh CASE
# shellcheck disable=SC2317  # the cases are called by name
# shellcheck source=../vm/debian.sh
. /srv/Tests/vm/debian.sh
# shellcheck source=advice.sh
. /srv/Tests/loaders/advice.sh

export PATH=/usr/local/sbin:/usr/local/bin:$PATH
release=7.3.4+deb13-amd64
advice=/root/advice

# A kernel, as its package leaves it.
mkdir -p "/usr/lib/modules/$release"
: >"/usr/lib/modules/$release/modules.dep"
printf 'CONFIG_CMA=y\nCONFIG_DMA_CMA=y\nCONFIG_XEN_DOM0=y\nCONFIG_RD_GZIP=y\n' >"/boot/config-$release"
echo kernel >"/boot/vmlinuz-$release"
echo initrd >"/boot/initrd.img-$release"

# put FILE TEXT: with the escapes of printf.
put() {
  mkdir -p "$(dirname "$1")"
  # shellcheck disable=SC2059  # escapes are wanted
  printf "$2" >"$1"
}

# told ARGUMENT...: asks cma-test reserve, and does as it says.
told() {
  local rc=0 log=/root/followed
  cma-test reserve "$@" >"$advice" 2>&1 || rc=$?
  shows "$advice"
  same "reserve $*: tells what to do by hand" 21 "$rc"
  rc=0
  follow "$advice" >"$log" 2>&1 || rc=$?
  shows "$log"
  same 'all of it can be done as it is printed' 0 "$rc"
}

# told_again: the next line is the same for one who asks twice.
told_again() {
  local before
  before=$(grep '^  ' "$advice")
  check 'there is a line' test -n "$before"
  cma-test reserve 96M >"$advice" 2>&1
  same 'asked again, it has the same line' "$before" "$(grep '^  ' "$advice")"
}

# gives TEXT LINE: told to reserve 96M, the loader's own tool has LINE, as $reader prints it.
gives() {
  told 96M
  same "$1" "$2" "$("$reader")"
}

# takes_back TEXT LINE: told to remove that, it has LINE.
takes_back() {
  told --remove
  same "$1" "$2" "$("$reader")"
}

# efi FILE TEXT: systemd-boot, with this file. The EFI partition is a mount of its own, and its kind is not
# looked at.
export SYSTEMD_RELAX_ESP_CHECKS=1 SYSTEMD_RELAX_XBOOTLDR_CHECKS=1
efi() {
  reader=entry_options
  put "$@"
  mkdir -p /boot/efi
  mount -t tmpfs efi /boot/efi
  mkdir -p /boot/efi/EFI /boot/efi/loader/entries /etc/kernel
  echo 0123456789abcdef0123456789abcdef >/etc/machine-id
  echo debian >/etc/kernel/entry-token
  printf 'layout=bls\n' >/etc/kernel/install.conf
  # Of the packages of other loaders that are in this root.
  rm -f /boot/extlinux/extlinux.conf /usr/sbin/u-boot-update
}
# What kernel-install has written into the entry of the kernel.
entry_options() { sed -n 's/^options *//p' /boot/efi/loader/entries/debian-"$release".conf; }

systemd-boot-quotes() {
  efi /etc/kernel/cmdline 'root="PARTLABEL=Debian root" ro cma=8M quiet acpi_osi="Windows 2015"\n'
  gives 'kernel-install writes the line with its quotes' \
    'root="PARTLABEL=Debian root" ro quiet acpi_osi="Windows 2015" cma=96M'
  told_again
  takes_back 'and without it when it is taken back' \
    'root="PARTLABEL=Debian root" ro quiet acpi_osi="Windows 2015"'
}
systemd-boot-comments() {
  efi /etc/kernel/cmdline '# run kernel-install afterwards\n # old: root=/dev/sda2 single\nroot=UUID=1 ro\r\n\nquiet splash'
  gives 'kernel-install writes all but the comments' 'root=UUID=1 ro quiet splash cma=96M'
}
systemd-boot-vendor() {
  efi /usr/lib/kernel/cmdline 'root=LABEL=os ro vendor.flag=1\n'
  gives "kernel-install writes the vendor's line" 'root=LABEL=os ro vendor.flag=1 cma=96M'
}
systemd-boot-running() {
  efi /root/cmdline 'initrd=\\\\m\\\\initrd root=UUID=1 ro quiet single -- a=1\n'
  mount --bind /root/cmdline /proc/cmdline
  gives "kernel-install writes the running kernel's line, without the rescue" \
    'root=UUID=1 ro quiet cma=96M -- a=1'
  check 'it is said to look at that line' grep -E '^note: .*/proc/cmdline' "$advice"
}
systemd-boot-beside-its-modules() {
  efi /etc/kernel/cmdline 'root=UUID=1 ro\n'
  mv "/boot/vmlinuz-$release" "/usr/lib/modules/$release/vmlinuz"
  gives 'kernel-install writes the line' 'root=UUID=1 ro cma=96M'
  check 'all kernels at once' grep -Fx '  kernel-install add-all' "$advice"
}

# uboot [FILE TEXT]: u-boot-menu, with this file.
uboot() {
  reader=parameters
  put /boot/extlinux/extlinux.conf 'default l0\n'
  put /etc/fstab 'UUID=1 / ext4 defaults 0 1\n'
  [[ $# == 0 ]] || put "$@"
}
# What u-boot-update puts behind the root file system for the entry that boots by itself.
appended() {
  awk '$1 == "default" { d = $2 } $1 == "label" { l = $2 } $1 == "append" && l == d { $1 = ""; print substr($0, 2) }' \
    /boot/extlinux/extlinux.conf
}
parameters() { sh -c '. /usr/share/u-boot-menu/read-config; printf "%s\n" "$U_BOOT_PARAMETERS"'; }

u-boot-menu-default() {
  uboot
  gives 'read-config has it' 'ro quiet cma=96M'
  same 'u-boot-update writes it' 'root=UUID=1 ro quiet cma=96M' "$(appended)"
  told_again
}
u-boot-menu-quotes() {
  uboot /etc/default/u-boot "U_BOOT_TIMEOUT=10\nU_BOOT_PARAMETERS='ro x=\"a b\" \$y c\\\\d cma=1M'\n"
  gives 'read-config has it' 'ro x="a b" $y c\d cma=96M'
  same 'u-boot-update writes it' 'root=UUID=1 ro x="a b" $y c\d cma=96M' "$(appended)"
  takes_back 'and without it when it is taken back' 'ro x="a b" $y c\d'
}
u-boot-menu-vendor() {
  uboot /usr/share/u-boot-menu/conf.d/board.conf \
    'U_BOOT_UPDATE="true"\nU_BOOT_PARAMETERS="rw earlycon console=ttyS2,1500000n8"\n'
  put /etc/default/u-boot 'U_BOOT_PARAMETERS="ro"\n'
  gives "read-config has it behind the vendor's" 'rw earlycon console=ttyS2,1500000n8 cma=96M'
  takes_back "and the vendor's again when it is taken back" 'rw earlycon console=ttyS2,1500000n8'
  check_not 'no file is left' test -e /etc/u-boot-menu/conf.d/cma-test.conf
}
u-boot-menu-shell() {
  uboot /root/more 'more=1\n'
  put /etc/default/u-boot 'U_BOOT_PARAMETERS="ro $(cat /root/more)"'
  gives 'read-config has it behind what a program printed' 'ro more=1 cma=96M'
  told 128M
  same 'another size takes its place' 'ro more=1 cma=128M' "$(parameters)"
  takes_back 'and without it when it is taken back' 'ro more=1'
}
u-boot-menu-condition() {
  uboot /usr/share/u-boot-menu/conf.d/board.conf \
    'if [ -e /etc/fstab ]; then\n  U_BOOT_PARAMETERS="x=\\"a b\\" rw"\nfi\n'
  gives 'read-config has it behind what the condition sets' 'x="a b" rw cma=96M'
  takes_back "and the vendor's again when it is taken back" 'x="a b" rw'
}
u-boot-menu-doubtful-default() {
  uboot /etc/default/u-boot '[ ! -e /etc/none ] || U_BOOT_PARAMETERS=rw\n'
  gives 'read-config keeps its own default' 'ro quiet cma=96M'
}
u-boot-menu-appended() {
  uboot /etc/default/u-boot 'U_BOOT_PARAMETERS="ro"\nU_BOOT_PARAMETERS="$U_BOOT_PARAMETERS splash"\n'
  gives 'read-config has it behind all lines' 'ro splash cma=96M'
}
u-boot-menu-kernel-cmdline() {
  uboot /etc/kernel/cmdline 'root=LABEL=os ro quiet\n'
  gives 'read-config has it' 'ro quiet cma=96M'
  same "u-boot-update writes it with that file's root" 'root=LABEL=os ro quiet cma=96M' "$(appended)"
}

# raspi-firmware does nothing on another architecture, so that this root says that it is arm64.
raspi() {
  rm -f /boot/extlinux/extlinux.conf
  put /usr/local/bin/dpkg '#!/bin/sh\n[ "$*" != --print-architecture ] || { echo arm64; exit; }\nexec /usr/bin/dpkg "$@"\n'
  chmod 755 /usr/local/bin/dpkg
  sed -i 's/^#\{0,1\}ROOTPART=.*/ROOTPART=LABEL=RASPIROOT/' /etc/default/raspi-firmware
  # The initramfs is another matter; update-initramfs calls the hook of raspi-firmware after it.
  put /usr/sbin/mkinitramfs '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho initrd >"$2"\n'
  chmod 755 /usr/sbin/mkinitramfs
  rm -f /etc/initramfs/post-update.d/systemd-boot
  DEB_MAINT_PARAMS=configure typed /etc/kernel/postinst.d/z50-raspi-firmware "$release"
  check "raspi-firmware's own default" grep -F ' cma=64M ' /boot/firmware/cmdline.txt
}

raspi-firmware() {
  raspi
  told 96M
  check_not 'cmdline.txt, which is written anew, is not to be edited' grep -F 'cmdline.txt' "$advice"
  check 'the hook has written it' grep -E '^console=.* root=LABEL=RASPIROOT rw .* cma=96M rootwait' /boot/firmware/cmdline.txt
  told_again
  told --remove
  check_not 'and without it when it is taken back' grep -F 'cma=' /boot/firmware/cmdline.txt
}

raspi-firmware-extra() {
  raspi
  put /etc/default/raspi-extra-cmdline 'quiet cma=8M splash\n'
  told 96M
  same 'one cma= is left on the line' 'cma=96M' "$(grep -oE 'cma=[^ ]*' /boot/firmware/cmdline.txt)"
  check 'and the other words' grep -F 'rootwait quiet splash' /boot/firmware/cmdline.txt
}

# The line as flash-kernel puts it into the script.
flash-kernel() {
  rm -f /boot/extlinux/extlinux.conf
  put /etc/default/flash-kernel 'LINUX_KERNEL_CMDLINE="quiet x=\\"a b\\" cma=1M"\nLINUX_KERNEL_CMDLINE_DEFAULTS="cma=2M@1G ro"\n'
  cma-test reserve 96M >"$advice" 2>&1
  shows "$advice"
  check 'flash-kernel is to be run' grep -Fx '  flash-kernel' "$advice"
  # It writes for boards that it knows, and this is none: its functions are asked.
  sed -i '/^then run:$/d; /^  flash-kernel$/d' "$advice"
  check 'all else can be done as it is printed' follow "$advice"
  same 'flash-kernel has it' 'ro / quiet x="a b" cma=96M' \
    "$(FK_DIR=/srv/flash-kernel sh -c '. /srv/flash-kernel/functions; echo "$(get_kernel_cmdline_defaults) / $(get_kernel_cmdline)"')"
}

# GRUB asks for the device of the root file system, and here there is none.
grub() {
  rm -f /boot/extlinux/extlinux.conf
  put /usr/sbin/grub-probe '#!/bin/sh\ncase $* in *target=device*) echo /dev/vda1 ;; *target=fs) echo ext2 ;; *uuid*) echo 1234-5678 ;; esac\n'
  mkdir -p /boot/grub
  cp /usr/share/grub/default/grub /etc/default/grub
  mkdir -p /etc/default/grub.d
}
# lines_of SECTION: the command lines of its entries, in the menu.
lines_of() {
  sed -n "/^### BEGIN .*$1 ###/,/^### END/p" /boot/grub/grub.cfg |
    sed -nE 's/^\s*(linux|module2?)\s+\S*vmlinuz\S* (placeholder )?//p'
}
# menu_has SECTION WORDS...: each entry's line has them.
menu_has() {
  local lines word section=$1
  shift
  lines=$(lines_of "$section")
  check "GRUB's menu has entries of $section" test -n "$lines"
  for word; do no_lines "each has $word" lines_without "$word" "$lines"; done
}
lines_without() { WORD=$1 awk 'index($0, ENVIRON["WORD"]) == 0' <<<"$2"; }

grub-reserve() {
  grub
  put /etc/default/grub.d/._mac.cfg 'GRUB_CMDLINE_LINUX_DEFAULT="quiet cma=32M"\n'
  mkdir /etc/default/grub.d/old.cfg
  put /etc/default/grub.d/a.cfg 'GRUB_CMDLINE_LINUX="acpi_osi=\\"Windows 2015\\""\n'
  typed update-grub
  cp /boot/grub/grub.cfg /root/before
  typed cma-test reserve 96M
  menu_has 10_linux ' acpi_osi="Windows 2015" cma=96M'
  typed cma-test reserve --remove
  no_lines 'the menu is as it was before' diff /root/before /boot/grub/grub.cfg
}

grub-init-words() {
  grub
  put /etc/default/grub.d/a.cfg 'GRUB_CMDLINE_LINUX="ro -- splash"\n'
  typed update-grub
  typed cma-test reserve 96M
  menu_has 10_linux ' cma=96M ro -- splash'
}

grub-xen() {
  grub
  echo xen >/boot/xen-4.20-amd64.gz
  put /etc/default/grub.d/xen.cfg 'GRUB_CMDLINE_LINUX_XEN_REPLACE="console=hvc0"\n'
  typed update-grub
  cma-test reserve 96M >"$advice" 2>&1
  same 'reserve 96M' 0 $?
  shows "$advice"
  menu_has 10_linux ' cma=96M'
  no_match 'the entries with Xen go without' 'cma=' lines_of 20_linux_xen
  check 'which is said, with the cause' grep -E '^note: .*GRUB_CMDLINE_LINUX_XEN_REPLACE in /etc/default/grub.d/xen.cfg' "$advice"
  check 'and the entries' grep -E '^note: entries of /etc/grub.d/20_linux_xen .*Xen hypervisor' "$advice"
  put /etc/default/grub.d/xen.cfg 'GRUB_CMDLINE_LINUX_XEN_REPLACE="console=hvc0 cma=96M"\n'
  cma-test reserve 96M >"$advice" 2>&1
  no_match 'put there too, all have it' '^note: ' cat "$advice"
  menu_has 20_linux_xen ' cma=96M'
}

# interrupted SIGNAL STATUS: while update-grub makes the menu.
interrupted() {
  local pid
  rm -f /root/slow /root/done
  set -m # a group of its own
  # A signal that is ignored where the tests were started, as under nohup, would stay so.
  env --default-signal cma-test reserve 64M >"$advice" 2>&1 &
  pid=$!
  set +m
  for _ in $(seq 300); do
    [[ ! -e /root/slow ]] || break
    sleep 0.1
  done
  check "update-grub was running when SIG$1 came" test -e /root/slow
  # The whole group, as a terminal does it.
  kill "-$1" -- "-$pid"
  # Again, by one who cannot wait: all is put back for all that.
  sleep 1
  kill "-$1" -- "-$pid" 2>/dev/null || true
  wait "$pid"
  same "SIG$1 ends it" "$2" $?
  shows "$advice"
  check_not 'update-grub did not go on' test -e /root/done
  same 'the drop-in is as it was before' "$(cat /root/drop-in)" "$(cat /etc/default/grub.d/cma-test.cfg)"
  no_lines 'and the menu' diff /root/before /boot/grub/grub.cfg
  check_not 'no half menu is left' test -e /boot/grub/grub.cfg.new
}

grub-interrupted() {
  grub
  typed update-grub
  typed cma-test reserve 96M
  # Slow once, and before the menu is whole.
  put /etc/grub.d/42_slow '#!/bin/sh\n[ -e /root/slow ] || { : >/root/slow; sleep 60; : >/root/done; }\n'
  chmod 755 /etc/grub.d/42_slow
  : >/root/slow
  typed update-grub
  cp /boot/grub/grub.cfg /root/before
  cp /etc/default/grub.d/cma-test.cfg /root/drop-in
  interrupted INT 130
  interrupted TERM 143
  interrupted HUP 129
}

choose "$(compgen -A function | tr '\n' ' ')" "$@"
