#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What becomes of blocks, of requests under way and of the machine when processors and memory come
# and go, when it sleeps, and when another kernel is started: run as root in a virtual machine that
# scripts/vm/mini made, with the module for its kernel and with engine in DIR.
#
# usage: machine.sh --modules DIR PART...
#   cpus     processor 1 leaves and returns
#   freezer  suspend, as far as all processes are frozen
#   suspend  the same, as far as all devices sleep, and the machine itself
#   memory   blocks of memory leave and return, those of a whole node too where it has a second one
#   balloon  the machine gets less memory than its area has, and gets it back: with the kernel's own
#            modules for that in /balloon, and QEMU's monitor behind the port cma-test.monitor
#   kexec    another kernel is started: the last part, as it starts the script anew
# shellcheck disable=SC2317  # functions are called by name
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

[ "$1" = --modules ] || exit 2
modules=$2
shift 2

port_of_code='' addresses=$(kernel_addresses)
load() {
  # shellcheck disable=SC2086  # words
  insmod "$modules/cmatest.ko" $addresses "$@"
}

# under_load WHAT COMMAND...: while blocks are held and others come and go.
under_load() {
  what=$1 end=/tmp/hammer-end log=/tmp/hammer.log
  shift
  rm -f "$end" "$log"
  load alloc_count=300 || { not_ok "$what: load" 'the module' && return; }
  "$modules/engine" hammer "$end" >"$log" &
  hammer=$!
  until grep -q '^# begun' "$log" || ! kill -0 "$hammer" 2>/dev/null; do sleep 0.1; done
  why=$("$@")
  touch "$end"
  wait "$hammer" || why="$why engine ended with $?;"
  cat "$log"
  verdict "$what, with blocks held and requests under way" "$why"
  rmmod cmatest || not_ok "$what: rmmod" 'failed'
}

toggle_cpu() {
  for _ in 1 2 3 4 5 6 7 8; do
    echo 0 >/sys/devices/system/cpu/cpu1/online || echo ' it does not leave;'
    sleep 0.3
    echo 1 >/sys/devices/system/cpu/cpu1/online || echo ' it does not return;'
    sleep 0.3
  done
}

# sleeps HOW: into /sys/power/state, woken by the clock after some seconds
sleeps() {
  before=$(cat /sys/power/suspend_stats/success)
  echo 0 >/sys/class/rtc/rtc0/wakealarm
  echo +4 >/sys/class/rtc/rtc0/wakealarm || echo ' the clock cannot be set to wake it;'
  echo "$1" >/sys/power/state || echo " $1: it could not;"
  [ "$(cat /sys/power/suspend_stats/success)" = $((before + 1)) ] ||
    echo " it did not sleep: $(cat /sys/power/suspend_stats/last_failed_step);"
}

# tests_sleep STEP: goes as far as that step and returns after five seconds
tests_sleep() {
  echo "$1" >/sys/power/pm_test
  echo mem >/sys/power/state || echo " $1: it could not;"
  echo none >/sys/power/pm_test
}

# What goes through a console of virtio stands still for good once its device has slept, in any
# kernel here and without the module too: while the machine sleeps there is none, and what is printed
# is kept.
ports_leave() {
  exec >/tmp/said 2>&1
  ports=$(cd /sys/bus/virtio/drivers/virtio_console && echo virtio*)
  echo "$ports" >/sys/bus/virtio/drivers/virtio_console/unbind
}
ports_return() {
  echo "$ports" >/sys/bus/virtio/drivers/virtio_console/bind
  sleep 1
  for port in /sys/class/virtio-ports/*; do
    case $(cat "$port/name") in
      cma-test.output) exec >"/dev/${port##*/}" 2>&1 ;;
      cma-test.code) port_of_code=/dev/${port##*/} ;;
    esac
  done
  cat /tmp/said
}

# monitor COMMAND: by QEMU's monitor, behind file descriptor 7; fails unless QEMU carries it out
monitor() {
  printf '%s\n' "$1" >&7
  said=$(timeout 30 grep -m 1 -E '"(return|error)"' <&7)
  case $said in
    *'"return"'*) ;;
    *) echo " QEMU says '$said' to $1;" && return 1 ;;
  esac
}

# balloon_to KIB: leaves so much of $memory to the machine, and waits until MemTotal is less than $total by
# the rest
balloon_to() {
  goal=$((total - memory + $1))
  monitor "{\"execute\": \"balloon\", \"arguments\": {\"value\": $(($1 * 1024))}}" || return
  for _ in $(seq 300); do
    if [ "$(meminfo MemTotal)" = "$goal" ]; then return; fi
    sleep 0.2
  done
  echo " MemTotal is $(meminfo MemTotal) kB a minute after the balloon should have made it $goal kB;"
}

# shrinks: all that the part balloon does; prints what is wrong after each check
shrinks() {
  name=$(grep -l -x cma-test.monitor /sys/class/virtio-ports/*/name)
  name=${name%/name}
  exec 7<>"/dev/${name##*/}"
  why=$(monitor '{"execute": "qmp_capabilities"}')
  while read -r name; do insmod "/balloon/$name.ko" || why="$why insmod $name;"; done </balloon/order
  total=$(meminfo MemTotal) area=$(meminfo CmaTotal)
  page=$(awk '/^KernelPageSize/ { print $2; exit }' /proc/self/smaps)
  # What the kernel does not count in MemTotal is the machine's all the same.
  memory=$((1024 * 1024))
  load alloc_count=0 || why="$why the module does not load;"
  # With a block held, no request for the whole area comes as far as moving the balloon out of there,
  # which would leave the kernel no memory for itself.
  # shellcheck disable=SC2086  # words
  insmod "$modules/cmahogg.ko" $addresses alloc_count=1 || why="$why no block is held;"
  why=$why$(balloon_to $((memory - total + area * 7 / 8)))
  echo "# MemTotal was $total kB and is $(meminfo MemTotal), CmaTotal is $area, CmaFree $(meminfo CmaFree)"
  verdict 'a balloon leaves less memory than the area has' "$why"
  "$modules/engine" balloon || not_ok 'requests beside a balloon' "engine ended with $?"
  rmmod cmatest || not_ok 'rmmod beside a balloon'

  # At load the same is said of a block to hold.
  why='' said=$(load alloc_count=$((area / page)) 2>&1) && rmmod cmatest
  case $said in
    '' | *'annot allocate memory'*) ;;
    *) why=" $said;" ;;
  esac
  said=$(load alloc_count=$((area / page + 2)) 2>&1) && rmmod cmatest
  case $said in
    *'nvalid '*) ;;
    *) why="$why of two pages more it says '$said';" ;;
  esac
  verdict 'modprobe beside a balloon: the whole area is passed on, more than that is not' "$why"

  why=$(balloon_to "$memory")
  rmmod cmahogg || why="$why rmmod cmahogg;"
  load alloc_count=$((area * 9 / 10 / page)) || why="$why most of the area cannot be had;"
  rmmod cmatest || why="$why rmmod;"
  verdict 'the balloon gives back the memory, and the area is whole again' "$why"
}

# toggle_memory BLOCK...: those that can; sets nothing, prints what is wrong
toggle_memory() {
  moved=0
  for block; do
    if ! echo offline >"$block/state" 2>/dev/null; then continue; fi
    moved=$((moved + 1))
    sleep 0.2
    echo online >"$block/state" || echo " ${block##*/} does not return;"
  done
  [ "$moved" -gt 0 ] || echo ' no block of memory could leave;'
  echo "# $moved blocks of memory left and returned" >&2
}

# toggle_node BLOCK...: all of a node's memory
toggle_node() {
  for block; do echo offline >"$block/state" || echo " ${block##*/} does not leave;"; done
  case $(cat /sys/devices/system/node/has_memory) in
    *1*) echo ' the node still has memory;' ;;
  esac
  sleep 1
  for block; do echo online_movable >"$block/state" || echo " ${block##*/} does not return;"; done
}

if grep -q cma-test.again /proc/cmdline; then
  # The kernel that was started by the other one.
  total=$(meminfo CmaTotal) free=$(meminfo CmaFree) page=$(page_size)
  echo "# CmaTotal $total kB, CmaFree $free kB"
  why=''
  [ "$free" -gt $((total * 9 / 10)) ] || why=" CmaFree is $free of $total kB;"
  load alloc_count=$((total * 9 / 10 / page)) || why="$why most of the area cannot be had;"
  rmmod cmatest || why="$why rmmod;"
  verdict 'kexec with blocks held: the next kernel has all of its area' "$why"
  set --
fi

for part; do
  case $part in
    cpus) under_load 'a processor leaves and returns, 8 times' toggle_cpu ;;
    freezer) under_load 'suspend as far as processes are frozen' tests_sleep freezer ;;
    suspend)
      under_load 'suspend as far as processes are frozen' tests_sleep freezer
      ports_leave
      under_load 'suspend as far as devices sleep' tests_sleep devices
      under_load "suspend, $(cat /sys/power/mem_sleep)" sleeps mem
      ports_return
      ;;
    memory)
      under_load 'blocks of memory leave and return' toggle_memory \
        /sys/devices/system/node/node0/memory[0-9]*
      if ls -d /sys/devices/system/node/node1/memory[0-9]* >/dev/null 2>&1; then
        under_load 'the memory of a whole node leaves and returns' toggle_node \
          /sys/devices/system/node/node1/memory[0-9]*
      else
        skip 'the memory of a whole node' 'there is one node with memory'
      fi
      ;;
    balloon)
      mark_log
      shrinks
      quiet 'the kernel has no complaint of the balloon'
      ;;
    kexec)
      (cd / && find . -xdev ! -path './tmp/*' | cpio -o -H newc >/tmp/initrd 2>/dev/null)
      load alloc_count=300
      "$modules/engine" kexec /kernel /tmp/initrd "$(cat /proc/cmdline) cma-test.again"
      not_ok kexec 'it returned'
      ;;
    *)
      echo "machine.sh: no part $part" >&2
      exit 2
      ;;
  esac
done
if [ -n "$port_of_code" ]; then
  # QEMU's machine does not go off once it has slept, but it starts anew, which ends it too.
  echo $((failed != 0)) >"$port_of_code"
  exec reboot -f
fi
finish
