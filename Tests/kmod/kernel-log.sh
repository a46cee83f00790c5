#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# That ../kernel-log.sh finds what it must in the kernel's log, on the kernel this runs on: writes to
# /dev/kmsg what looks like faults. Run as root in a virtual machine; scripts/vm/checks-fail does.
#
# usage: kernel-log.sh [fault | fails | dies]
#   fault  writes a fault to the console, and is content
#   fails  ends with 3
#   dies   ends the machine
set -u
# shellcheck source=../kernel-log.sh
. "$(dirname "$0")/../kernel-log.sh"

failed=0
# is TEXT WANTED FOUND
is() {
  if [ "$2" = "$3" ]; then
    echo "ok - $1"
  else
    echo "not ok - $1: wanted '$2', found '$3'"
    failed=$((failed + 1))
  fi
}
# ended COMMAND...: sets $code and $said.
ended() {
  code=0
  said=$("$@" 2>&1) || code=$?
}

case ${1:-} in
  fault) log_line '<1>BUG: this is none' && exit ;;
  fails) exit 3 ;;
  dies) poweroff -f ;;
esac

# Of the priority for debugging, which is not shown on the console, where scripts/vm/mini looks.
mark_log
is 'a mark can be set' 0 $?
ended kernel_is_quiet
is 'a log with nothing in it is quiet' 0: "$code:$said"
log_line '<7>nothing to see: DEBUG: oops=panic, "bug", a warning'
ended kernel_is_quiet
is 'so is one with harmless messages' 0: "$code:$said"
for time in 'a message is there, without priority and time' 'and still is when it is looked at again'; do
  is "$time" 1 "$(log_since | grep -cx 'nothing to see: DEBUG: oops=panic, "bug", a warning')"
done

# As Linux 6.1 to 7.3 write them.
while IFS= read -r fault; do
  mark_log
  log_line "<7>$fault"
  log_line '<7>something after it'
  ended kernel_is_quiet
  is "found: $fault" "1:$fault" "$code:$said"
  mark_log
  ended kernel_is_quiet
  is 'and not after the next mark' 0: "$code:$said"
done <<'EOT'
BUG: kernel NULL pointer dereference, address: 0000000000000000
BUG: KASAN: slab-use-after-free in cma_release+0x12/0x60
BUG: sleeping function called from invalid context at mm/cma.c:400
BUG kmalloc-64 (Tainted: G           O      ): Poison overwritten
kernel BUG at mm/page_alloc.c:1234!
watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [insmod:123]
WARNING: CPU: 0 PID: 1 at mm/cma.c:432 cma_release+0x1f/0x80
WARNING: possible circular locking dependency detected
Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1]
Call Trace:
Call trace:
UBSAN: shift-out-of-bounds in mm/cma.c:120:4
INFO: task insmod:123 blocked for more than 120 seconds.
INFO: trying to register non-static key.
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
Unable to handle kernel paging request at virtual address ffff800081234000
Internal error: Oops - Undefined instruction: 0000000002000000 [#1] SMP
Kernel panic - not syncing: Fatal exception
unreferenced object 0xffff888003f4a000 (size 4096):
irq 11: nobody cared (try booting with the "irqpoll" option)
NMI watchdog: Watchdog detected hard LOCKUP on cpu 0
EOT

mark_log
log_line '<7>refused: 5 pages'
is "a pattern of one's own is found as well" 'refused: 5 pages' "$(
  kernel_fault="$kernel_fault|refused: [0-9]+ pages"
  kernel_is_quiet
)"

# What has been seen is forgotten on demand, and what comes then is not. The kernel may say something
# of its own at any moment, so only what is written here is counted.
mark_log
log_line '<7>the first'
is 'what has come is there' 'the first' "$(log_since | grep '^the ')"
log_forget
log_line '<7>the second'
is 'what has been seen can be forgotten' 'the second' "$(log_since | grep '^the ')"
log_line '<7>BUG: the third'
ended kernel_is_quiet
is 'what comes then is not' '1:BUG: the third' "$code:$said"

# flood: more than the ring buffer holds, as dmesg's last line shows.
flood() {
  number=0
  while [ "$number" -lt 1000 ]; do
    number=$((number + 1))
    log_line "<7>message $number, as long as many are: ------------------------------------------------"
    log_line "<7>message $number, as long as many are: ------------------------------------------------"
    log_line "<7>message $number, as long as many are: ------------------------------------------------"
    log_line "<7>message $number, as long as many are: ------------------------------------------------"
  done
}
mark_log
log_line '<7>BUG: this goes with the flood'
flood
ended kernel_is_quiet
is 'a log that was overrun is no quiet one' "1:the kernel's log was overrun: messages since the mark are lost" \
  "$code:$said"
ended kernel_is_quiet
is 'nor when it is looked at again' 1 "$code"
ended log_since
is 'its messages are not taken for all of them' 1 "$code"
log_forget
ended kernel_is_quiet
is 'and it cannot be forgotten that some are lost' 1 "$code"
mark_log
is 'a mark can be set in a full log' 0 $?
ended kernel_is_quiet
is 'from then on it is quiet' 0: "$code:$said"
log_line '<7>BUG: in a full log'
ended kernel_is_quiet
is 'and a fault is found in it' '1:BUG: in a full log' "$code:$said"
mark_log
for _ in 1 2 3 4; do
  number=0
  while [ "$number" -lt 700 ]; do
    number=$((number + 1))
    log_line "<7>message $number, as long as many are: ------------------------------------------------"
  done
  log_take
done
log_line '<7>BUG: after a flood'
ended kernel_is_quiet
is 'a flood that is taken in parts is no loss' '1:BUG: after a flood' "$code:$said"

echo "# done: $failed failed"
[ "$failed" = 0 ]
