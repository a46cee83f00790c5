#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Loads a machine in each way that `cma-test bench --load` knows, and looks what of the area is filled, and
# that all is given back: run as root in a virtual machine, never on a machine that matters. Needs a
# shell, awk, grep and insmod: busybox has them.
#
# usage: loads.sh --command FILE --disk DIR [LOAD...]
#   --command FILE  cma-test
#   --disk DIR      /dev/vda, which has ext4, becomes /var/tmp; DIR has its modules and their order
#   LOAD            anon, cache, dirty, pinned, churn or command; without any: all of them
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

disk='' loads=''
while [ $# -gt 0 ]; do
  case $1 in
    --command) command=$2 && shift 2 ;;
    --disk) disk=$2 && shift 2 ;;
    anon | cache | dirty | pinned | churn | command) loads="$loads $1" && shift ;;
    *) echo "loads.sh: unknown argument $1" >&2 && exit 2 ;;
  esac
done

# area_frames: the page frame numbers of the default area, FIRST-END, of what the kernel says at boot.
area_frames() {
  dmesg | awk -v page="$(($(page_size) * 1024))" '
    match($0, /[Rr]eserved [0-9]+ MiB at 0x[0-9a-f]+/) {
      n = split(substr($0, RSTART, RLENGTH), words, " ")
      printf "%d %s %d\n", words[2], words[n], page
    }' | tail -n 1 | {
    read -r mib base page
    echo "$((base / page))-$((base / page + mib * 1048576 / page))"
  }
}

# filled LOAD: pages of the area that have what such a load makes.
filled() { "$command" load --filled --frames="$frames" "$1"; }

# running: the processes of the command, and those that it has started here.
# shellcheck disable=SC2317  # gone calls it
running() {
  for process in /proc/[0-9]*; do
    # It may have gone meanwhile.
    words=$({ tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null)
    case $words in
      *' --filled '*) ;;
      *'cma-test load '* | 'sleep 100'*) echo "${process#/proc/} $words" ;;
    esac
  done
}

# gone: waits until there are none; prints those that stay.
# shellcheck disable=SC2317  # no_lines calls it
gone() {
  left=$(running) waited=0
  while [ -n "$left" ] && [ "$waited" -lt 100 ]; do
    sleep 0.1
    left=$(running) waited=$((waited + 1))
  done
  printf '%s' "$left"
}

# loaded: waits until the load says how it goes, and prints that.
loaded() {
  waited=0
  while [ ! -s /tmp/said ] && [ "$waited" -lt 900 ]; do
    sleep 0.1
    waited=$((waited + 1))
  done
  cat /tmp/said
}

# memory_is_back LOAD TEXT: that as much is free as before, but for a little, and that the area has as few
# pages of that kind.
memory_is_back() {
  waited=0
  while :; do
    now=$(free_memory) pages=$(filled "$1")
    if [ $((memory - now)) -lt 8192 ] && [ $((pages - before)) -lt 1024 ]; then
      ok "$2: $memory KiB, $now KiB; in the area $before pages, $pages pages"
      return
    fi
    [ "$waited" -lt 10 ] || break
    sleep 0.5
    waited=$((waited + 1))
  done
  not_ok "$2" "$memory KiB, $now KiB; in the area $before pages, $pages pages"
}

# free_memory: KiB that are free, in the area or not, in the lists of the processors too.
free_memory() {
  sync
  echo 3 >/proc/sys/vm/drop_caches
  awk -v page="$(page_size)" '
    FILENAME == "/proc/meminfo" { if ($1 == "MemFree:") free = $2 }
    FILENAME == "/proc/zoneinfo" { if ($1 == "count:") free += $2 * page }
    END { printf "%d\n", free }' /proc/meminfo /proc/zoneinfo
}

# files: what is in the folder of the loads.
# shellcheck disable=SC2317  # no_lines calls it
files() { find /var/tmp ! -name lost+found ! -path /var/tmp; }

# begins LOAD WORD: starts it, and checks that it loads.
begins() {
  rm -f /tmp/said
  "$command" load --frames="$frames" "$2" >/tmp/said 2>/tmp/said.err &
  load=$!
  has "$1 loads" '^loaded' "$(loaded)"
  cat /tmp/said.err
}

# fills TEXT LOAD PERCENT: that so much of the area has what the load makes, at some moment soon: what comes
# and goes is not there all the time.
fills() {
  wanted=$((all * $3 / 100)) pages=$(filled "$2") waited=0
  while [ "$pages" -lt "$wanted" ] && [ "$waited" -lt 30 ]; do
    sleep 0.2
    pages=$(filled "$2") waited=$((waited + 1))
  done
  echo "# $2: $pages of $all pages of the area, $(meminfo CmaFree) KiB of it free, $(meminfo MemFree) KiB in all"
  check "$1 $3 % of the area" [ "$pages" -ge "$wanted" ]
}

# tries LOAD PERCENT: it loads, fills the area, goes on, and gives all back when it is told to end.
tries() {
  before=$(filled "$1")
  begins "$1" "$1"
  fills "$1 fills" "$1" "$2"
  sleep 5
  check "$1 goes on" kill -0 "$load"
  fills "$1 still fills" "$1" "$2"
  kill -TERM "$load"
  wait "$load"
  same "$1 ends when it is told to" 0 $?
  memory_is_back "$1" "$1 gives all memory back"
  # What dies with who started it: the shell between has no chance to do anything.
  rm -f /tmp/said
  sh -c '"$0" load --frames="$1" "$2" >/tmp/said & wait' "$command" "$frames" "$1" &
  between=$!
  has "$1 loads again" '^loaded' "$(loaded)"
  kill -KILL "$between"
  no_lines "$1 ends with who started it" gone
  memory_is_back "$1" "$1 gives all memory back even so"
  no_lines "$1 leaves no file" files
}

# The children of the shell outlive it, and one is in another session.
commands() {
  begins 'a command' 'command:sleep 1001 & setsid sleep 1002 & (setsid sh -c "sleep 1003 & sleep 1004" &) ; wait'
  same 'the command runs' 4 "$(running | grep -c '^[0-9]* sleep 100')"
  kill -TERM "$load"
  wait "$load"
  same 'a command ends when it is told to' 0 $?
  no_lines 'nothing that it has started is left' gone
  sh -c '"$0" load "$1" >/dev/null & wait' "$command" 'command:sleep 1001 & setsid sleep 1002; wait' &
  between=$!
  sleep 2
  same 'the command runs again' 2 "$(running | grep -c '^[0-9]* sleep 100')"
  kill -KILL "$between"
  no_lines 'nothing is left when who started it is killed' gone
}

mark_log || exit 2
mkdir -p /var/tmp
while read -r name; do insmod "$disk/$name.ko" || exit 2; done <"$disk/order"
for _ in 1 2 3 4 5 6 7 8 9 10; do
  [ -b /dev/vda ] || sleep 0.5
done
mount -t ext4 /dev/vda /var/tmp || exit 2
frames=$(area_frames)
all=$((${frames#*-} - ${frames%-*}))
echo "# the area: $frames, $all pages; min_free_kbytes $(cat /proc/sys/vm/min_free_kbytes)"
memory=$(free_memory)
for name in ${loads:-anon cache dirty pinned churn command}; do
  case $name in
    anon | cache | pinned) tries "$name" 50 ;;
    dirty) tries "$name" 20 ;;
    # Its processes come and go, and have half of what they could have.
    churn) tries "$name" 10 ;;
    command) commands ;;
  esac
done
same 'nobody ran out of memory' 'oom_kill 0' "$(grep '^oom_kill ' /proc/vmstat)"
quiet 'the kernel complains of nothing'
finish
