#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# That ../kernel-log.sh finds what it must in the kernel's log, on the kernel this runs on: writes to
# /dev/kmsg what looks like faults. Run as root in a virtual machine; scripts/vm/checks-fail does.
#
# usage: kernel-log.sh [fault | fails | dies]
#   fault  writes a fault to the console, and is content
#   fails  ends with 3
#   dies   ends the machine
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

# judged TEXT WANTED [COMMAND]: what kernel_is_quiet, or COMMAND, ends with and prints: CODE:WORDS, or CODE
# where only that is wanted.
judged() {
  code=0
  said=$("${3:-kernel_is_quiet}" 2>&1) || code=$?
  case $2 in
    *:*) same "$1" "$2" "$code:$said" ;;
    *) same "$1" "$2" "$code" ;;
  esac
}

case ${1:-} in
  fault) log_line '<1>BUG: this is none' && exit ;;
  fails) exit 3 ;;
  dies) poweroff -f ;;
esac

# Of the priority for debugging, which is not shown on the console, where scripts/vm/mini looks.
mark_log
same 'a mark can be set' 0 $?
judged 'a log with nothing in it is quiet' 0:
log_line '<7>nothing to see: DEBUG: oops=panic, "bug", a warning'
judged 'so is one with harmless messages' 0:
for time in 'a message is there, without priority and time' 'and still is when it is looked at again'; do
  same "$time" 1 "$(log_since | grep -cx 'nothing to see: DEBUG: oops=panic, "bug", a warning')"
done

# As Linux 6.1 to 7.3 write them.
while IFS= read -r fault; do
  mark_log
  log_line "<7>$fault"
  log_line '<7>something after it'
  judged "found: $fault" "1:$fault"
  mark_log
  judged 'and not after the next mark' 0:
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
same "a pattern of one's own is found as well" 'refused: 5 pages' "$(
  kernel_fault="$kernel_fault|refused: [0-9]+ pages"
  kernel_is_quiet
)"

# What has been seen is forgotten on demand, and what comes then is not. The kernel may say something
# of its own at any moment, so only what is written here is counted.
mark_log
log_line '<7>the first'
same 'what has come is there' 'the first' "$(log_since | grep '^the ')"
log_forget
log_line '<7>the second'
same 'what has been seen can be forgotten' 'the second' "$(log_since | grep '^the ')"
log_line '<7>BUG: the third'
judged 'what comes then is not' '1:BUG: the third'

# flood COUNT: so many messages. 4000 are more than the ring buffer holds, as dmesg's last line shows.
flood() {
  number=0
  while [ "$number" -lt "$1" ]; do
    number=$((number + 1))
    log_line "<7>message $number, as long as many are: ------------------------------------------------"
  done
}
mark_log
log_line '<7>BUG: this goes with the flood'
flood 4000
judged 'a log that was overrun is no quiet one' "1:the kernel's log was overrun: messages since the mark are lost"
judged 'nor when it is looked at again' 1
judged 'its messages are not taken for all of them' 1 log_since
log_forget
judged 'and it cannot be forgotten that some are lost' 1
mark_log
same 'a mark can be set in a full log' 0 $?
judged 'from then on it is quiet' 0:
log_line '<7>BUG: in a full log'
judged 'and a fault is found in it' '1:BUG: in a full log'
mark_log
for _ in 1 2 3 4; do
  flood 700
  log_take
done
log_line '<7>BUG: after a flood'
judged 'a flood that is taken in parts is no loss' '1:BUG: after a flood'
finish
