#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `cma-test reserve` through GRUB, inside a machine that scripts/vm/reserve has booted; the packages
# lie in /srv/cma-test.
#
#   reserve.sh install | reserved | removed | back | purge
# shellcheck disable=SC2317  # the parts are called by name
# shellcheck source=debian.sh
. "$(dirname "$0")/debian.sh"

drop_in=/etc/default/grub.d/cma-test.cfg
# What the user has on the line.
own='panic=-1 console=ttyS0'

# menu_has WORD...: each entry of GRUB's menu, but those for recovery, has these words.
menu_has() {
  local lines
  lines=$(grep -E '^\s*linux\s' /boot/grub/grub.cfg | grep -v ' single')
  check "GRUB's menu has entries" test -n "$lines"
  no_lines "each has $*" lines_without "$lines" "$@"
}

# lines_without LINES WORD...: those that lack one of the words.
lines_without() {
  local lines=$1 word
  shift
  for word; do
    WORD=" $word " awk '!index($0 " ", ENVIRON["WORD"])' <<<"$lines" || return
  done
}

# menu_changed: what differs from the menu as it was at first.
menu_changed() { grep -vE '^\s*#' /boot/grub/grub.cfg | diff "$kept/grub.cfg" -; }

# reserves ARGUMENT WORD: cma-test reserve ARGUMENT puts WORD into the menu, beside the user's own.
reserves() {
  local said
  said=$(cma-test reserve "$1" 2>&1)
  same "cma-test reserve $1" 0 $?
  printf '%s\n' "$said" | sed 's/^/# /'
  check 'it says that a reboot is needed' grep -F 'reboot for this to take effect' <<<"$said"
  # shellcheck disable=SC2086  # words
  menu_has "$2" $own
}

install() {
  repository cma-test
  typed apt-get install -y --no-install-recommends cma-test
  same 'cma-test reserve where GRUB does not boot the machine' 21 \
    "$(cma-test reserve 96M >"$kept/advice" 2>&1; echo $?)"
  check 'it prints the parameter' grep -F 'cma=96M' "$kept/advice"
  check_not 'and writes nothing' test -e "$drop_in"

  cat >/etc/default/grub <<CONF
GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT="console=ttyS0"
GRUB_CMDLINE_LINUX="panic=-1"
GRUB_TERMINAL=serial
CONF
  mkdir -p /boot/grub
  typed grub-install --target=i386-pc "$(readlink -f /dev/disk/by-id/virtio-disk0)"
  typed update-grub
  # shellcheck disable=SC2086
  menu_has $own
  sha256sum /etc/default/grub >"$kept/grub"
  grep -vE '^\s*#' /boot/grub/grub.cfg >"$kept/grub.cfg"

  same 'more than the machine has is refused' 20 "$(cma-test reserve 64G >"$kept/refused" 2>&1; echo $?)"
  shows "$kept/refused"
  check_not 'and nothing is written' test -e "$drop_in"
  reserves 96M cma=96M
  check 'the file of the user is as it was' sha256sum --quiet -c "$kept/grub"
}

reserved() {
  check 'GRUB has booted the kernel' grep -F 'BOOT_IMAGE=/boot/vmlinuz-' /proc/cmdline
  check 'with what the user has, and cma=96M' grep -E "panic=-1 cma=96M console=ttyS0" /proc/cmdline
  same '96 MiB are reserved' $((96 * 1024)) "$(meminfo CmaTotal)"
  status_text=$(cma-test status 2>&1)
  said 'the status says so' '^(ok|✓) +reservation .*96 MiB reserved.*as cma=96M says'
  # The second takes the place of the first.
  reserves 64M@512M-1G cma=64M@512M-1G
  no_match 'the former is gone' cma=96M cat /boot/grub/grub.cfg
}

removed() {
  local first
  check 'the kernel has the range' grep -F ' cma=64M@512M-1G ' /proc/cmdline
  same '64 MiB are reserved' $((64 * 1024)) "$(meminfo CmaTotal)"
  first=$(dmesg | sed -nE 's/.*cma: Reserved 64 MiB at (0x[0-9a-f]+).*/\1/p' | sed -n 1p)
  check "they lie between 512 MiB and 1 GiB: at $first" \
    test $((first)) -ge $((512 << 20)) -a $((first + (64 << 20))) -le $((1 << 30))
  typed cma-test reserve --remove
  check_not 'the drop-in is gone' test -e "$drop_in"
  # shellcheck disable=SC2086
  menu_has $own
  no_lines 'the menu is as it was before' menu_changed
  check 'the file of the user is as it was' sha256sum --quiet -c "$kept/grub"
}

back() {
  check_not 'the kernel has no cma=' grep -F 'cma=' /proc/cmdline
  same 'nothing is reserved' 0 "$(meminfo CmaTotal)"
  status_is 24
  said 'the status says how to' 'to mend it: cma-test reserve 256M'
  # Purged with a reservation: update-grub takes it off.
  typed cma-test reserve 32M
  menu_has cma=32M
}

purge() {
  typed apt-get purge -y cma-test
  check_not 'the drop-in is gone' test -e "$drop_in"
  no_match 'the menu has no cma=' cma= cat /boot/grub/grub.cfg
  check 'the file of the user is as it was' sha256sum --quiet -c "$kept/grub"
  healthy 'purged'
}

choose 'install reserved removed back purge' "$@"
