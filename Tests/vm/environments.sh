#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Environments in which cmatest cannot be loaded, or not as usual, inside a machine that
# scripts/vm/environments has booted so; the packages lie in /srv/cma-test.
#
#   environments.sh no-systemd | running | lockdown LEVEL | sig-enforce | nothing-reserved | hidden
#                   | boot-apart | no-cma | purge
# shellcheck disable=SC2317  # the parts are called by name
# shellcheck source=debian.sh
. "$(dirname "$0")/debian.sh"

export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8

release=$(uname -r)
modules=/lib/modules/$release
unit=cma-test-configure.service
# Whether this kernel exports what the module links to, so that no address is needed: 7.1 and later.
exports=no
if [[ $(grep -cE ' __ksymtab_(cma_alloc|cma_release|dev_get_cma_area)$' /proc/kallsyms) == 3 ]]; then
  exports=yes
fi

# modprobe_fails TEXT PATTERN [LOG-PATTERN]: modprobe cmatest fails and says that; the kernel's log
# has that line.
modprobe_fails() {
  local said code=0
  mark_log
  said=$(modprobe cmatest 2>&1) || code=$?
  if [[ $code == 0 ]]; then
    rmmod cmatest
    said='nothing, and succeeded'
  fi
  has "$1: modprobe cmatest fails: '$said'" "$2" "$said"
  [[ -z ${3:-} ]] || check "$1: the kernel's log says why: $3" grep -E -- "$3" <(log_since)
  no_match "$1: nothing is left of it" '^cmatest ' cat /proc/modules
  quiet "$1: the kernel complains of nothing else"
}

# modprobe_works TEXT
modprobe_works() {
  mark_log
  check "$1: modprobe cmatest works" modprobe cmatest
  check "$1: and rmmod" rmmod cmatest
  quiet "$1: the kernel complains of nothing"
}

# modprobe_without_options TEXT: it works where the kernel exports what the module links to.
modprobe_without_options() {
  if [[ $exports == yes ]]; then
    modprobe_works "$1"
  else
    modprobe_fails "$1" 'Invalid argument' 'cmatest: .*missing'
  fi
}

# unless_exported CODE: that, or 0 where the kernel exports what the module links to.
unless_exported() { if [[ $exports == yes ]]; then echo 0; else echo "$1"; fi; }

# configure_is CODE TEXT PATTERN: `cma-test configure` ends with that, says that; without an address.
configure_is() {
  local said code=0
  said=$(cma-test configure 2>&1) || code=$?
  same "$2: the exit code of 'cma-test configure' is $1" "$1" "$code"
  has "$2: it says '${said%%$'\n'*}'" "$3" "$said"
  lacks "$2: it gives no address away" '[89a-f][0-9a-f]{15}' "$said"
}

# unit_is RESULT STATUS: how cma-test-configure.service ended at boot.
unit_is() {
  same "$unit: $1, $2" "$1 $2" \
    "$(systemctl show -P Result "$unit") $(systemctl show -P ExecMainStatus "$unit")"
}

# unit_said PATTERN [COUNT]: the last line of the unit in this boot's journal; COUNT lines in all.
unit_said() {
  local said
  journalctl --sync
  said=$(journalctl -b -o cat -t cma-test-configure)
  if [[ -n ${2:-} ]]; then same 'the unit says no more than is needed' "$2" "$(wc -l <<<"$said")"; fi
  has "the unit says: '${said##*$'\n'}'" "$1" "${said##*$'\n'}"
}

# no_delay: the unit did not hold up the boot. All units start at once then, and under emulation each
# takes its time; what is alone on the critical path is measured by scripts/vm/boot-speed.
no_delay() {
  local took whole
  took=$(($(monotonic ExecMainExitTimestamp "$unit") - $(monotonic ExecMainStartTimestamp "$unit")))
  whole=$(($(monotonic FinishTimestamp) - $(monotonic UserspaceTimestamp)))
  check "the unit took $((took / 1000)) ms of the $((whole / 1000)) ms of the boot" \
    test "$took" -gt 0 -a $((took * 2)) -lt "$whole"
}
monotonic() { systemctl show -P "$1Monotonic" "${@:2}"; }

# booted TEXT: with the unit's success, and nothing undone.
booted() {
  unit_is success "${2:-0}"
  no_delay
  healthy "$1"
}

sysctl_is() { echo "$1" >/proc/sys/kernel/kptr_restrict; }

# apart FUNCTION: runs it where what it mounts is its own; its checks count.
apart() {
  local counts did bad
  counts=$(mktemp)
  unshare --mount --propagation private bash "$0" apart "$1" "$counts"
  if read -r did bad <"$counts"; then
    checks=$((checks + did)) failed=$((failed + bad))
  else
    not_ok 'what runs apart came to its end' "$1"
  fi
  rm "$counts"
}

# layer FOLDER PLACE: mounts the folder as it is at that place, below what is written there.
layer() {
  mkdir -p /run/layer && mount -t tmpfs tmpfs /run/layer && mkdir /run/layer/{upper,work,root}
  mount -t overlay overlay -o "lowerdir=$1,upperdir=/run/layer/upper,workdir=/run/layer/work" "$2"
}

# --- the parts ----------------------------------------------------------------------------------

no-systemd() {
  local said=$kept/said
  same 'the first process is no systemd' sh "$(</proc/1/comm)"
  check_not 'and does not run' test -d /run/systemd/system
  mkdir -p /srv/cma-test
  typed mount -o ro "$(grep -lx share0 /sys/block/*/serial | sed 's|/sys/block/\(.*\)/serial|/dev/\1|')" /srv/cma-test
  repository cma-test
  typed apt-get install -y cma-test-dkms > >(tee "$said")
  wait "$!" # for tee
  check 'the installation says what systemd would do, and how to do it' \
    grep -E "^# cma-test: systemd does not run here: run 'cma-test configure'" "$said"
  built_for "$release" 'dkms has installed the module'
  healthy 'without systemd'
  check_not 'there are no options' test -e "$options"
  modprobe_without_options 'without options'
  status_is "$(unless_exported 25)" 'without systemd'
  if [[ $exports == yes ]]; then
    said 'the status says that none are needed' 'options .*not there, and not needed: this kernel exports'
  else
    said 'the status says that nothing makes them at boot' 'without systemd nothing writes the file at boot'
    said 'and what does' 'to mend it: cma-test configure'
  fi
  typed cma-test configure
  options_are_right
  status_is 0 'configured by hand'
  modprobe_works 'configured by hand'
}

running() {
  local before
  booted 'booted with systemd'
  options_are_right
  status_is 0 'as it should be'
  modprobe_works 'as it should be'

  # Someone hides the addresses later: the options of this boot are there already.
  sysctl_is 2
  status_is 0 'kptr_restrict=2 later'
  said 'it says that it needs no addresses any more' '^(--|!) .*kptr_restrict is 2\); the options of this boot have the addresses'
  modprobe_works 'kptr_restrict=2 later'
  before=$(<"$options")
  configure_is 0 'kptr_restrict=2 later' '^kept .*kernel.kptr_restrict is 2'
  # As an upgrade of the package does.
  check 'the unit can be started again' systemctl restart "$unit"
  unit_said '^kept .*kernel.kptr_restrict is 2'
  same 'the options are as they were' "$before" "$(<"$options")"
  modprobe_works 'kptr_restrict=2 later, and the unit started again'
  rm "$options"
  configure_is "$(unless_exported 14)" 'kptr_restrict=2, and the options removed' 'kernel.kptr_restrict is 2'
  check_not 'then there are no options' test -e "$options"
  status_is "$(unless_exported 14)" 'kptr_restrict=2, and no options'
  [[ $exports == yes ]] || said 'it names the file to look for' 'to mend it: .*/etc/sysctl.d'
  modprobe_without_options 'kptr_restrict=2, and no options'
  sysctl_is 0
  typed systemctl restart "$unit"
  status_is 0 'kptr_restrict=0 again'

  # An administrator's own files.
  echo 'options cmatest area_base=0xffffffff81000000' >/etc/modprobe.d/zz-own.conf
  configure_is 19 'area_base set elsewhere' '/etc/modprobe.d/zz-own.conf'
  status_is 19 'area_base set elsewhere'
  said 'it names the file' 'another area_base, because of /etc/modprobe.d/zz-own.conf'
  modprobe_fails 'area_base set elsewhere' 'Invalid argument' 'cmatest: (area_base|alloc_fn|free_fn)'
  check_not 'the unit fails, for it is to be mended' systemctl restart "$unit"
  unit_said '/etc/modprobe.d/zz-own.conf'
  rm /etc/modprobe.d/zz-own.conf
  typed systemctl restart "$unit"

  ln -s /dev/null /etc/modprobe.d/cma-test-symbols.conf
  configure_is "$(unless_exported 19)" 'options masked' '/etc/modprobe.d/cma-test-symbols.conf'
  status_is "$(unless_exported 19)" 'options masked'
  said 'it names the file' 'because of /etc/modprobe.d/cma-test-symbols.conf'
  said 'and how to unmask it' 'to mend it: rm /etc/modprobe.d/cma-test-symbols.conf && cma-test configure'
  modprobe_without_options 'options masked'
  typed rm /etc/modprobe.d/cma-test-symbols.conf
  typed cma-test configure

  echo 'blacklist cmatest' >/etc/modprobe.d/own.conf
  status_is 0 'blacklisted'
  said 'it says what that means' 'loading .*blacklisted .*modprobe cmatest. does'
  modprobe_works 'blacklisted'
  echo 'install cmatest /bin/false' >/etc/modprobe.d/own.conf
  status_is 28 'install /bin/false'
  said 'it names the command' "modprobe would run '/bin/false'"
  modprobe_fails 'install /bin/false' 'Error running install command'
  rm /etc/modprobe.d/own.conf

  apart run_read_only
  apart run_full
  apart no_kallsyms
  rmdir /run/proc
  typed cma-test configure
  apart other_modules
  apart chroot_and_container

  status_is 0 'after all that'
  healthy 'after all that'

  # The last, for it cannot be taken back before the next boot.
  echo integrity >/sys/kernel/security/lockdown
  lockdown_says integrity
}

run_read_only() {
  mount -t tmpfs -o ro tmpfs /run
  configure_is "$(unless_exported 18)" '/run read-only' '/run/modprobe.d.*: Read-only file system'
  status_is "$(unless_exported 25)" '/run read-only'
  modprobe_without_options '/run read-only'
}

run_full() {
  mount -t tmpfs -o size=4k,mode=755 tmpfs /run
  mkdir /run/modprobe.d
  head -c 4096 /dev/zero >/run/filler
  configure_is "$(unless_exported 18)" '/run full' '/run/modprobe.d.*: No space left on device'
  no_lines '/run full: it leaves no file' find /run/modprobe.d -type f
  status_is "$(unless_exported 25)" '/run full'
  modprobe_without_options '/run full'
}

# no_kallsyms: all of /proc but that, as links into the real one.
no_kallsyms() {
  local entry
  mkdir /run/proc
  mount -t tmpfs tmpfs /run/proc
  mkdir /run/proc/.real
  mount --bind /proc /run/proc/.real
  for entry in /proc/[a-z]*; do
    [[ $entry == /proc/kallsyms ]] || ln -s ".real/${entry#/proc/}" "/run/proc/${entry#/proc/}"
  done
  mount --move /run/proc /proc
  rm "$options"
  configure_is 16 'no /proc/kallsyms' '/proc/kallsyms: No such file'
  check_not 'no /proc/kallsyms: no options are written' test -e "$options"
  status_is 16 'no /proc/kallsyms'
  said 'it says what to look for' 'CONFIG_KALLSYMS'
}

other_modules() {
  local other suffix
  other=$(modinfo -n virtio_rng)
  suffix=ko${other#"${other%.ko*}.ko"}
  layer "$modules" "$modules"
  mkdir "$modules/extra"
  cp "$other" "$modules/extra/cmatest.$suffix"
  echo 'override cmatest * extra' >/run/depmod.conf
  depmod -C /run/depmod.conf
  status_is 27 'another module of that name'
  said 'it names the file, and how to get rid of it' 'module .*extra/cmatest.ko.* is another module of that name'
  said 'with one command' 'to mend it: rm .*/extra/cmatest.ko.* && depmod'

  rm "$modules"/extra/cmatest.*
  cp "$modules"/updates/dkms/cmatest.ko* "$modules/extra/"
  depmod -C /run/depmod.conf
  status_is 27 'a copy of ours in the way'
  said 'it says which comes first' 'modprobe loads .*extra/cmatest.ko.* instead of .*/updates/dkms/cmatest.ko'

  rm -r "$modules/extra" "$modules"/updates/dkms/cmatest.ko*
  echo kernel/drivers/misc/cmatest.ko >>"$modules/modules.builtin"
  depmod
  status_is 27 'built into the kernel'
  said 'it says so' 'a module cmatest is built into the kernel'

  sed -i '$d' "$modules/modules.builtin"
  depmod
  status_is 26 'the file of the module is gone'
  modprobe_fails 'the file of the module is gone' 'Module cmatest not found'
}

# stands_back WHERE SAYS STATUS [CODE]: where `inside` runs a command, the package can be installed, says so
# and does nothing; `cma-test status` has a line with STATUS, and ends with CODE.
stands_back() {
  local said code=0
  said=$(inside apt-get install -y --reinstall cma-test)
  same "$1 it can be installed" 0 $?
  has "$1 the installation says that it does nothing" "^cma-test: $2" "$said"
  # The shared /run is the machine it is in: another boot must find nothing of a chroot there.
  no_lines "$1 no options are written" find "$root/run/" -ignore_readdir_race -name 'cma-test*'
  status_text=$(inside cma-test status) || code=$?
  [[ -z ${4:-} ]] || same "$1 the exit code of the status is $4" "$4" "$code"
  said "$1 the status says so" "$3"
  no_lines "$1 dpkg finds nothing half-done" chroot "$root" dpkg --audit
}

chroot_and_container() {
  local root=/run/layer/root version made=''
  version=$(cma-test --version)
  layer / "$root"
  mount -t proc proc "$root/proc"
  mount --bind /sys "$root/sys"
  mount --bind /dev "$root/dev"
  mount --bind /srv/cma-test "$root/srv/cma-test"
  inside() { chroot "$root" "$@" 2>&1; }
  stands_back 'in a chroot' 'in a chroot' 'in a chroot'

  umount "$root/proc"
  stands_back 'in a chroot without /proc' 'in a container or a build root: nothing' '/proc is not mounted' 16
  said 'with the command that mends it' 'to mend it: mount -t proc proc /proc'
  # There CommandLine of Swift has no arguments.
  same 'in a chroot without /proc the command knows its arguments' "$version" "$(inside cma-test --version)"
  same 'and so does the helper' "$version" "$(inside /usr/libexec/cma-test/cma-test-configure --version)"

  inside() { unshare --pid --fork "--mount-proc=$root/proc" env container=lxc chroot "$root" "$@" 2>&1; }
  stands_back 'in a container' 'in a container' 'in a container' 32

  # With the /run of the machine bound into it, as schroot does.
  mkdir -p /run/modprobe.d
  [[ -e $options ]] || { echo '# as the helper leaves it' >"$options" && made=$options; }
  mount --bind /run "$root/run"
  inside dpkg --purge cma-test-dkms cma-test
  same 'in a container with the /run of the machine the packages are purged' 0 $?
  check 'and the options of the machine are left alone' test -s "$options"
  inside dpkg --install /srv/cma-test/cma-test_*_"$(dpkg --print-architecture)".deb
  mount -t proc proc "$root/proc"
  chroot "$root" dpkg --purge cma-test
  same 'in a chroot with the /run of the machine the package is purged' 0 $?
  check 'and the options of the machine are left alone, too' test -s "$options"
  [[ -z $made ]] || rm "$made"
}

# not_trusted TEXT CAUSE: what the status says where the module's signature is asked for and its key unknown.
not_trusted() {
  said "$1" "signature .*$2, and the module is signed by 'DKMS module signing key', whose key is not enrolled"
  said 'with the command that enrols it' 'to mend it: mokutil --import /var/lib/dkms/mok.pub'
  lacks 'it does not propose to switch Secure Boot off' '[Dd][Ii][Ss][Aa][Bb][Ll][Ee]' "$status_text"
}

# lockdown_says LEVEL: what is said on a machine that is locked down.
lockdown_says() {
  check "the kernel is locked down: $1" grep -F "[$1]" /sys/kernel/security/lockdown
  status_is 29 "lockdown=$1"
  not_trusted 'it says why' "locked down \($1\)"
  same 'in JSON: not trusted' "$1 true false" \
    "$(fact signature.lockdown) $(fact signature.signed) $(fact signature.trusted)"
  modprobe_fails "lockdown=$1" 'Operation not permitted'
}

lockdown() {
  booted "lockdown=$1"
  options_are_right
  lockdown_says "$1"
  configure_is 0 "lockdown=$1" '^wrote '
  # For the next boot.
  mkdir -p /etc/sysctl.d
  echo 'kernel.kptr_restrict = 2' >/etc/sysctl.d/50-hidden.conf
}

sig-enforce() {
  booted 'module.sig_enforce=1'
  same 'systemd-sysctl hides the addresses' 2 "$(</proc/sys/kernel/kptr_restrict)"
  check 'the unit was faster' test -s "$options"
  status_is 29 'module.sig_enforce=1'
  not_trusted 'the status says why' 'module.sig_enforce is on'
  said 'and what modprobe says' 'Key was rejected by service'
  said 'that the addresses are hidden is no matter' 'kptr_restrict is 2\); the options of this boot have the addresses already'
  modprobe_fails 'module.sig_enforce=1' 'Key was rejected by service'
  rm /etc/sysctl.d/50-hidden.conf
}

# hidden_from_boot: the unit fails, which is due: an administrator is to decide which of both it is. But
# where no address is needed there is nothing to decide.
hidden_from_boot() {
  if [[ $exports == yes ]]; then
    unit_is success 0
    unit_said '^no options are needed: .*kernel.kptr_restrict is 2' 1
  else
    due=$unit
    unit_is exit-code 14
    unit_said 'kernel.kptr_restrict is 2.*to mend it:.*/etc/sysctl.d' 1
  fi
  no_delay
  healthy 'kptr_restrict=2 at boot'
  check_not 'there are no options' test -e "$options"
}

nothing-reserved() {
  hidden_from_boot
  status_is 24 'nothing reserved'
  said 'the status says so, with what reserves' 'reservation .*nothing is reserved'
  said 'which takes a reboot' 'to mend it: cma-test reserve'
  said 'and that the addresses are hidden' 'kernel.kptr_restrict is 2'
  sysctl_is 1
  typed systemctl restart "$unit"
  due=''
  healthy 'with the addresses to be seen'
  options_are_right
  status_is 24 'nothing reserved, else all well'
  modprobe_fails 'nothing reserved' 'No such device' 'cmatest: area_base: this kernel reserved no default area: boot with cma=SIZE'
}

hidden() {
  hidden_from_boot
  status_is "$(unless_exported 14)" 'kptr_restrict=2 at boot'
  modprobe_without_options 'kptr_restrict=2 at boot'
  sysctl_is 1
  typed systemctl restart "$unit"
  status_is 0 'kptr_restrict=1'
  modprobe_works 'kptr_restrict=1'
}

# boot-apart: /boot on a file system of its own from the next boot on, mounted after the unit has run: as
# one that is encrypted, and waits for its passphrase.
boot-apart() {
  typed mv /boot /srv/boot
  mkdir /boot
  echo '/srv/boot /boot none bind,x-systemd.after=cma-test-configure.service 0 0' >>/etc/fstab
  typed mount /boot
}

no-cma() {
  check '/boot is mounted' findmnt /boot
  same 'the kernel has no CMA' '# CONFIG_CMA is not set' "$(grep -E 'CONFIG_CMA[= ]' "/boot/config-$release")"
  booted 'a kernel without CMA' 10
  unit_said "no contiguous memory allocator in kernel $(exactly "$release"): /proc/kallsyms lists no cma_alloc" 1
  check_not 'there are no options' test -e "$options"
  status_is 10 'a kernel without CMA'
  said 'the status says so' "kernel .*$(exactly "$release") has no contiguous memory allocator"
  said 'with the kernel that has' 'to mend it: apt install -t trixie-backports linux-image-amd64'
  said 'and that DKMS skips it' "$(exactly "$release"): skipped, since this kernel was built without CONFIG_CMA"
  same 'in JSON: skipped' skipped "$(dkms_state "$release")"
  modprobe_fails 'a kernel without CMA' 'Module cmatest not found'
}

purge() {
  typed apt-get purge -y cma-test-dkms cma-test
  no_lines 'no kernel has the module' find /lib/modules/ -name 'cmatest*'
  no_lines 'nothing is left in /run' find /run -ignore_readdir_race -xdev -name 'cma-test*' -not -path '/run/udev/*'
  no_match 'no unit of it has failed' '^cma-test' systemctl --failed --no-legend --plain
  healthy 'purged'
}

# In a mount name space of its own, for apart.
if [[ ${1:-} == apart ]]; then
  "$2"
  echo "$checks $failed" >"$3"
  exit
fi
choose 'no-systemd running lockdown sig-enforce nothing-reserved hidden boot-apart no-cma purge' "$@"
