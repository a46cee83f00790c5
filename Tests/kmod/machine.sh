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
