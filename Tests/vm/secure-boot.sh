#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Secure Boot in a virtual machine that has been booted with it: what is refused, the commands of
# README.Debian as they are printed there, and what works once the key is enrolled. Needs busybox,
# dash, kmod and mokutil, and what scripts/vm/secure-boot lays there.
#
# usage: secure-boot.sh refused | enrolled | confidential | taken-back
set -u
# busybox's own shell would take its modprobe for that of kmod.
[ -n "${in_dash-}" ] || in_dash=1 exec /usr/sbin/dash "$0" "$@"
# shellcheck source=../kernel-log.sh
. "$(dirname "$0")/../kernel-log.sh"
certificate=/var/lib/dkms/mok.pub
module=/lib/modules/$(uname -r)/updates/dkms/cmatest.ko
PATH=/usr/sbin:$PATH

failed=0
# is TEXT WANTED FOUND: one check, one line.
is() {
  if [ "$2" = "$3" ]; then
    echo "ok - $1"
  else
    echo "not ok - $1: wanted '$2', found '$3'"
    failed=$((failed + 1))
  fi
}
# said TEXT PATTERN: one check, of what the last command printed.
said() {
  found=yes
  grep -Eq -- "$2" /tmp/said || found=$(cat /tmp/said)
  is "$1" yes "$found"
}
# ends TEXT CODE COMMAND...: one check, of how it ends; what it prints is for said.
ends() {
  text=$1 wanted=$2 code=0
  shift 2
  "$@" >/tmp/said 2>&1 </dev/null || code=$?
  is "$text" "$wanted" "$code"
  [ "$code" = "$wanted" ] || sed 's/^/# /' /tmp/said
}
# printed COMMAND PATTERN: the command is in README.Debian, and says that.
printed() {
  is "README.Debian has '$1'" yes "$(grep -Fq -- "      $1" /README.Debian && echo yes)"
  eval "$1" >/tmp/said 2>&1 </dev/null
  said "$1: $2" "$2"
}
# requested COMMAND: the command is in README.Debian, and asks shim for what it says, with a password.
requested() {
  is "README.Debian has '$1'" yes "$(grep -Fq -- "$1" /README.Debian && echo yes)"
  printf '%s\n' cma-test cma-test | eval "$1" >/tmp/said 2>&1
  is "$1" 0 $?
}
# quiet: the kernel reports no fault.
quiet() {
  found=0
  kernel_is_quiet >/tmp/said 2>&1 || found=$(cat /tmp/said)
  is "$1: the kernel reports no fault" 0 "$found"
}
loaded() { [ -e /sys/module/cmatest ] && echo loaded || echo 'not loaded'; }
held() { echo $(($(cat /sys/kernel/mm/cma/*/total_pages) - $(cat /sys/kernel/mm/cma/*/available_pages))); }

# locked_down LEVEL
locked_down() {
  printed 'mokutil --sb-state' '^SecureBoot enabled$'
  is "the kernel is locked down: $1" "[$1]" "$(grep -o '\[.*\]' /sys/kernel/security/lockdown)"
  is 'and takes no module without a signature' Y "$(cat /sys/module/module/parameters/sig_enforce)"
}

# is_refused
is_refused() {
  printed "mokutil --test-key $certificate" 'is not enrolled$'
  ends 'modprobe cmatest fails' 1 modprobe cmatest
  said 'as README.Debian says it' 'Key was rejected by service'
  is 'nothing is left of it' 'not loaded' "$(loaded)"
  ends 'cma-test status: the signature is rejected' 29 cma-test status
  said 'status says why' "signature .*module.sig_enforce is on, and the module is signed by 'DKMS module signing key', whose key is not enrolled: .*enrol the key and reboot$"
  said 'and what to do' "to mend it: mokutil --import $certificate$"
  ends 'cma-test run: no case can run' 4 cma-test run
  said 'and it says the same once' "^skip .*whose key is not enrolled.*: mokutil --import $certificate$"
  ends 'cma-test areas: there is no device' 30 cma-test areas
  said 'and it says the same' "to mend it: mokutil --import $certificate$"
  ends 'cma-test status --json' 29 cma-test status --json
  said 'has Secure Boot' '"secure_boot": true'
  said 'has the key' '"trusted": false'
}

# loads_without_addresses TEXT: modprobe and insmod, with no options, hold memory of the area.
loads_without_addresses() {
  is "$1: there are no options" no "$([ -e /run/modprobe.d/cma-test-symbols.conf ] && echo yes || echo no)"
  before=$(held)
  for way in 'modprobe cmatest' "insmod $module"; do
    ends "$1: $way" 0 eval "$way"
    is "$1: 256 pages are held" $((before + 256)) "$(held)"
    ends "$1: rmmod" 0 rmmod cmatest
    is "$1: and given back" "$before" "$(held)"
  done
  log_since | tail -n 20 >/tmp/said
  said "$1: all that it uses is linked" 'cmatest: linked: cma_alloc cma_release cma_get_name dev_get_cma_area; passed as addresses:( nothing)?$'
}

# suite_passes TEXT: cma-test run and areas load it themselves; no case fails.
suite_passes() {
  ends "$1: cma-test run passes" 0 cma-test run
  sed 's/^/# /' /tmp/said
  ends "$1: cma-test areas" 0 cma-test areas
  is "$1: both have removed it again" 'not loaded' "$(loaded)"
}

mount -t securityfs none /sys/kernel/security
insmod /efivarfs.ko && mount -t efivarfs none /sys/firmware/efi/efivars || exit 2
mkdir -p /var/lib /run
mark_log
case $1 in
  refused)
    locked_down integrity
    ends 'a module without a signature' 1 insmod /unsigned/cmatest.ko
    said 'is refused' 'Key was rejected by service'
    is_refused
    requested "mokutil --import $certificate"
    mokutil --list-new >/tmp/said 2>&1
    said 'shim is asked for it' 'CN *= *DKMS module signing key'
    ;;
  enrolled)
    locked_down integrity
    printed "mokutil --test-key $certificate" 'is already enrolled'
    ends 'cma-test status: all is right' 0 cma-test status
    said 'the key is trusted' "signature .*signed by 'DKMS module signing key', which the kernel trusts"
    loads_without_addresses 'without configuration'
    ends 'cma-test configure' 0 cma-test configure
    said 'reads the addresses, which lockdown=integrity does not hide' '^wrote '
    ends 'modprobe cmatest takes them' 0 modprobe cmatest
    is 'and it is loaded' loaded "$(loaded)"
    printed 'modinfo -F signer cmatest' '^DKMS module signing key$'
    rmmod cmatest
    suite_passes 'lockdown=integrity'
    is 'the kernel has verified each signature' 0 $(($(cat /proc/sys/kernel/tainted) & 1 << 13))
    ends 'a module without a signature is refused as ever' 1 insmod /unsigned/cmatest.ko
    rm /run/modprobe.d/cma-test-symbols.conf
    echo 2 >/proc/sys/kernel/kptr_restrict
    loads_without_addresses 'kptr_restrict=2'
    ends 'cma-test configure, kptr_restrict=2' 0 cma-test configure
    said 'says that it has none' 'kernel.kptr_restrict is 2'
    ;;
  confidential)
    locked_down confidentiality
    is 'the addresses are hidden' 2 "$(cat /proc/sys/kernel/kptr_restrict)"
    loads_without_addresses 'lockdown=confidentiality'
    ends 'cma-test status: all is right' 0 cma-test status
    suite_passes 'lockdown=confidentiality'
    requested "mokutil --delete $certificate"
    ;;
  taken-back)
    locked_down integrity
    is_refused
    ;;
esac
quiet "$1"
[ "$failed" = 0 ]
