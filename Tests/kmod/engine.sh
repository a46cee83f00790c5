#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Loads cmatest.ko in each way that matters to /dev/cmatest and runs the program engine (engine.c) on
# it: run as root in a virtual machine with a CMA area, never on a machine that matters. Needs a
# shell, awk, dmesg, insmod and rmmod: busybox has them.
#
# usage: engine.sh --modules DIR [--areas N] [--inactive] [--holders] [--cycles N] [--fuzz REQUESTS [--seed N]
#                  [--only NUMBERS] [--fault NAME] [--shrink FILE]] [PROGRAM...]
#   --modules DIR    has cmatest.ko and cmatest_fault.ko, as scripts/kmod-check -o leaves them
#   --fuzz REQUESTS  random requests instead of the tests
#   --seed N         of these (1)
#   --only NUMBERS   of these, as 0-99,120
#   --fault NAME     with this fault (of fault/fault.h), to see it found
#   --shrink FILE    shrink.sh: looks for the fewest of them that still fail
#   --areas N        the tests of areas alone, and there must be that many
#   --inactive       the default area was reserved and could not be activated: what is said, and that
#                    nothing is to be had there
#   --holders        the tests of holders.c alone
#   --cycles N       N times load and unload, with a block, instead of the tests
#   PROGRAM          engine, and others like it (such as for 32-bit callers); DIR/engine
set -u
# shellcheck source=../kernel-log.sh
. "$(dirname "$0")/../kernel-log.sh"
kernel_fault="$kernel_fault|cma_release refused"

modules='' fuzz='' seed=1 areas='' inactive='' holders='' cycles='' only='' fault='' shrink=''
while [ $# -gt 0 ]; do
  case $1 in
    --modules) modules=$2 && shift 2 ;;
    --fuzz) fuzz=$2 && shift 2 ;;
    --seed) seed=$2 && shift 2 ;;
    --only) only=$2 && shift 2 ;;
    --fault) fault=$2 && shift 2 ;;
    --shrink) shrink=$2 && shift 2 ;;
    --areas) areas=$2 && shift 2 ;;
    --inactive) inactive=1 && shift ;;
    --holders) holders=1 && shift ;;
    --cycles) cycles=$2 && shift 2 ;;
    -*) echo "engine.sh: unknown argument $1" >&2 && exit 2 ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || set -- "$modules/engine"

failed=0
# make_fault, end_fault: load and remove the module that makes $fault, if there is one to make.
make_fault() { [ -z "$fault" ] || insmod "$modules/cmatest_fault.ko" "fault=$fault"; }
end_fault() { [ -z "$fault" ] || rmmod cmatest_fault; }

# run MODULE MODE... -- PARAMETER...: loads, runs engine in that mode, unloads; with $fault made meanwhile.
run() {
  module=$modules/$1
  shift
  mode=''
  while [ "$1" != -- ]; do
    mode="$mode $1"
    shift
  done
  shift
  if ! insmod "$module" "$@"; then
    echo "not ok - engine$mode: insmod $*"
    dmesg | tail -n 3
    failed=$((failed + 1))
    return
  fi
  # shellcheck disable=SC2086  # words
  if make_fault; then
    "$program" $mode || failed=$((failed + 1))
    end_fault || failed=$((failed + 1))
  else
    echo "not ok - engine$mode: the fault $fault cannot be made"
    dmesg | tail -n 3
    failed=$((failed + 1))
  fi
  rmmod cmatest || failed=$((failed + 1))
  if [ -e /dev/cmatest ]; then
    echo "not ok - engine$mode: /dev/cmatest outlives the module"
    failed=$((failed + 1))
  fi
}

eval "$(awk '
  BEGIN {
    var["dma_contiguous_default_area"] = "area_base"; var["cma_alloc"] = "alloc_fn"
    var["cma_release"] = "free_fn"; var["cma_for_each_area"] = "for_each_fn"
    var["cma_get_name"] = "name_fn"; var["cma_get_base"] = "base_fn"; var["cma_get_size"] = "size_fn"
    var["linux_banner"] = "variable"; var["__ksymtab_cma_alloc"] = "exports"
  }
  NF == 3 && $3 in var { print var[$3] "=" $1 }' /proc/kallsyms)"
calls="alloc_fn=0x${alloc_fn=} free_fn=0x${free_fn=}"
names="for_each_fn=0x${for_each_fn=} name_fn=0x${name_fn=}"
places="base_fn=0x${base_fn=} size_fn=0x${size_fn=}"
# Without CONFIG_KALLSYMS_ALL no variable is listed, and the default area is found by its name.
if [ -z "${area_base=}" ] && [ -n "${variable=}" ]; then
  echo 'engine.sh: /proc/kallsyms lists variables, but not dma_contiguous_default_area' >&2
  exit 2
fi
: "${exports=}"
area=${area_base:+area_base=0x$area_base}
area=${area:-$names}

# A group of processes whose memory can be limited, and which can be frozen.
group=''
if mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  case $(cat /sys/fs/cgroup/cgroup.controllers) in
    *memory*) echo +memory >/sys/fs/cgroup/cgroup.subtree_control && group=/sys/fs/cgroup/engine ;;
  esac
fi

# free: CmaFree in kB. Pages in the lists of the CPUs are drained into it by an allocation.
free() {
  # shellcheck disable=SC2086  # words
  insmod "$modules/cmatest.ko" $area $calls alloc_count=1 && rmmod cmatest
  awk '/^CmaFree:/ { print $2 }' /proc/meminfo
}

# quiet_while COMMAND...: runs it; fails as well when there was a complaint meanwhile, however many
# messages there were. The mark is a new one then.
quiet_while() {
  watched=0 complaints=$(mktemp) watch=$(mktemp)
  {
    goes_on=1
    while [ -n "$goes_on" ]; do
      sleep 2
      [ -e "$watch" ] || goes_on=''
      kernel_is_quiet >>"$complaints"
      log_forget
    done
  } &
  watcher=$!
  "$@" || watched=$?
  rm "$watch"
  wait "$watcher"
  mark_log || watched=1
  if [ -s "$complaints" ]; then
    echo '# the kernel or the module complained:'
    head -n 40 "$complaints"
    watched=1
  fi
  rm "$complaints"
  return "$watched"
}

# fuzz_once NUMBERS: whether all is as it must be after these random requests, or all of them.
fuzz_once() {
  rc=0 had=$(free)
  # shellcheck disable=SC2086  # words
  insmod "$modules/cmatest.ko" $area $calls $names $places alloc_count=0 || return
  if make_fault; then
    quiet_while "$program" fuzz "$seed" "$fuzz" ${1:+"$1"} || rc=1
    end_fault || rc=1
  else
    rc=1
  fi
  rmmod cmatest || rc=1
  now=$(free)
  # See below. After the tests of all of it, or for one candidate of many, that is all the same.
  if [ $((had - now)) -gt 512 ]; then
    echo "# CmaFree was $had kB and is $now kB"
    rc=1
  fi
  return "$rc"
}

# fails NUMBERS: for shrink.sh. Threads do not meet each time in the same way.
fails() {
  for _ in 1 2; do
    # A warning that comes once a boot comes again.
    echo 1 >/sys/kernel/debug/clear_warn_once 2>/dev/null
    mark_log || exit 2
    fuzz_once "$1" >/dev/null 2>&1 || return 0
    kernel_is_quiet >/dev/null || return 0
  done
  return 1
}

if [ -n "$shrink" ]; then
  program=$1
  # shellcheck source=shrink.sh
  . "$shrink"
  mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
  if ! fails "${only:-0-$((fuzz - 1))}"; then
    echo '# they do not fail again'
    exit 1
  fi
  # A number that no request has.
  if fails "$fuzz"; then
    echo '# what is broken stays so: no other request fails either'
    exit 1
  fi
  shrink "$fuzz"
  echo "# reproducer: --fuzz $fuzz --seed $seed${fault:+ --fault $fault} --only $shrunk"
  exit 0
fi

# cycle_all: the cycles.
cycle_all() {
  cycle=0 began=$(date +%s)
  while [ "$cycle" -lt "$cycles" ]; do
    cycle=$((cycle + 1))
    # shellcheck disable=SC2086  # words
    if ! insmod "$modules/cmatest.ko" $area $calls $names $places || ! rmmod cmatest; then
      echo "not ok - cycle $cycle"
      return 1
    fi
    if [ $((cycle % 1000)) = 0 ] || [ "$cycle" = "$cycles" ]; then
      echo "# $cycle times loaded and unloaded, in $(($(date +%s) - began)) s"
    fi
  done
}

# test_inactive PARAMETER...: a load that wants pages names the area, another one warns of it.
test_inactive() {
  said='cmatest: the default area has no pages: the kernel reserved it but could not activate it'
  mark_log || exit 2
  error=$(insmod "$modules/cmatest.ko" "$@" 2>&1)
  if ! printf '%s\n' "$error" | grep 'No such device' >/dev/null ||
    ! log_since | grep "^$said.*spans two memory zones.*cma=SIZE@PLACE" >/dev/null; then
    echo "not ok - the load says '$error' of an area that is not active, and in the log:"
    log_since
    failed=$((failed + 1))
  fi
  mark_log || exit 2
  run cmatest.ko inactive -- "$@" alloc_count=0
  if ! log_since | grep "^$said" >/dev/null; then
    echo 'not ok - a load without a block does not warn of an area that is not active'
    failed=$((failed + 1))
  fi
}
if [ -n "$inactive" ]; then
  program=$1
  echo "# $(dmesg | grep 'could not be activated')"
  # shellcheck disable=SC2086  # words
  test_inactive $area $calls $names $places
  # shellcheck disable=SC2086  # words
  if [ -n "$exports" ]; then test_inactive; elif [ -n "$area_base" ]; then test_inactive $area $calls; fi
  kernel_is_quiet || failed=$((failed + 1))
  echo "engine.sh: $failed failed"
  [ "$failed" = 0 ]
  exit
fi

# test_small_machine PARAMETER...: where there is no memory for a ledger, the module loads without one, and
# nobody is killed for it.
test_small_machine() {
  text='a ledger for which there is no memory is not kept, and nobody is killed for it'
  left=$((160 * 1024)) killed=$(grep '^oom_kill ' /proc/vmstat)
  mkdir -p /tmp/ram && mount -t ramfs ramfs /tmp/ram || exit 2
  dd if=/dev/zero of=/tmp/ram/all bs=1024k \
    count="$(awk -v left="$left" '$1 == "MemAvailable:" { print int(($2 - left) / 1024) }' /proc/meminfo)" \
    2>/dev/null
  # More than 200 MiB.
  said=$(insmod "$modules/cmatest.ko" "$@" ledger=1048576 2>&1) || said="insmod: $said"
  rm /tmp/ram/all && umount /tmp/ram
  [ ! -e /dev/cmatest ] || rmmod cmatest || said="$said rmmod"
  if [ -z "$said" ] && log_since | grep '^cmatest: ledger: no memory for 1048576 blocks' >/dev/null &&
    [ "$killed" = "$(grep '^oom_kill ' /proc/vmstat)" ]; then
    echo "ok - $text"
  else
    echo "not ok - $text: $said $(grep '^oom_kill ' /proc/vmstat)"
    failed=$((failed + 1))
  fi
}

# test_holders PROGRAM: what is told of frames, of blocks, and of what was in the way.
test_holders() {
  program=$1
  # shellcheck disable=SC2086  # words
  for mode in full no-ledger 'held 100' small; do
    case $mode in
      full) set -- alloc_count=0 ;;
      no-ledger) set -- alloc_count=0 ledger=0 ;;
      held*) set -- alloc_count=100 ;;
      small) set -- alloc_count=0 ledger=8 ;;
    esac
    run cmatest.ko $mode -- $area $calls $names $places "$@"
  done
  # Another module is a driver as good as any. Then it goes, and comes, while this one does.
  # shellcheck disable=SC2086  # words
  if insmod "$modules/cmatest.ko" $area $calls $names $places alloc_count=0 &&
    insmod "$modules/cmahogg.ko" $area $calls alloc_count=50; then
    "$program" other 50 || failed=$((failed + 1))
    rmmod cmahogg && rmmod cmatest || failed=$((failed + 1))
  else
    echo 'not ok - holders other: insmod'
    failed=$((failed + 1))
  fi
  others=$(mktemp)
  # shellcheck disable=SC2086  # words
  while [ -e "$others" ]; do
    insmod "$modules/cmahogg.ko" $area $calls alloc_count=30 && rmmod cmahogg
  done &
  other=$! turn=0
  # shellcheck disable=SC2086  # words
  while [ "$turn" -lt 10 ] && insmod "$modules/cmatest.ko" $area $calls alloc_count=10 && rmmod cmatest; do
    turn=$((turn + 1))
  done
  rm "$others"
  if wait "$other" && [ "$turn" = 10 ]; then
    echo 'ok - the ledger goes while others allocate, 10 times'
  else
    echo "not ok - the ledger goes while others allocate: $turn of 10 times"
    failed=$((failed + 1))
  fi
}

mark_log || exit 2
before=$(free)
if [ -n "$cycles" ]; then
  quiet_while cycle_all || failed=$((failed + 1))
  set --
fi
for program; do
  echo "# $program"
  if [ -n "$fuzz" ]; then
    fuzz_once "$only" || failed=$((failed + 1))
    continue
  fi
  if [ -n "$areas" ]; then
    # shellcheck disable=SC2086  # words
    run cmatest.ko areas "$areas" -- $area $calls $names $places alloc_count=0
    continue
  fi
  if [ -n "$holders" ]; then
    test_holders "$program"
    continue
  fi
  "$program" none || failed=$((failed + 1))
  # shellcheck disable=SC2086  # words
  run cmatest.ko full -- $area $calls $names $places alloc_count=0
  # The default area by its name, as where the kernel lists no variables.
  # shellcheck disable=SC2086  # words
  run cmatest.ko areas -- $calls $names $places alloc_count=0
  if [ -n "$area_base" ]; then
    # shellcheck disable=SC2086  # words
    run cmatest.ko bare -- $area $calls alloc_count=0
  else
    echo 'skip - engine bare: without area_base, which this kernel does not list, areas are needed'
  fi
  # From 7.1 on the kernel exports what is needed; before, that is refused: see refusals.sh.
  if [ -n "$exports" ]; then run cmatest.ko linked -- alloc_count=0; fi
  if [ -n "$group" ]; then
    for mode in no-memory freeze; do
      mkdir "$group"
      # shellcheck disable=SC2086  # words
      run cmatest.ko $mode -- $area $calls alloc_count=0
      rmdir "$group" || failed=$((failed + 1))
    done
  else
    echo 'skip - engine no-memory, freeze: this kernel has no cgroup2 with a memory controller'
  fi
  # shellcheck disable=SC2086  # words
  run cmatest.ko limits 100 30 -- $area $calls alloc_count=0 max_pages=100 max_handles=30
  # shellcheck disable=SC2086  # words
  run cmatest.ko loaded 300 -- $area $calls alloc_count=300
  # shellcheck disable=SC2086  # words
  for fault in leak misalign overlap wrong-release corrupt stale-accounting delay stall no-page-cache; do
    run cmatest.ko fault $fault -- $area $calls alloc_count=0
  done
  fault=''
  # shellcheck disable=SC2086  # words
  insmod "$modules/cmatest.ko" $area $calls alloc_count=0 || failed=$((failed + 1))
  said=$(insmod "$modules/cmatest_fault.ko" fault=none-such 2>&1)
  case $?:$said in
    [1-9]*'nvalid '*) echo 'ok - an unknown fault is refused' ;;
    *)
      echo "not ok - an unknown fault is refused: '$said'"
      failed=$((failed + 1))
      ;;
  esac
  rmmod cmatest || failed=$((failed + 1))
  test_holders "${program%engine*}holders${program##*engine}"
done
# shellcheck disable=SC2086  # words
[ -n "$cycles$fuzz$areas$holders" ] || test_small_machine $area $calls alloc_count=0
after=$(free)

# What few processes here have in the area comes and goes.
if [ $((before - after)) -gt 512 ]; then
  echo "not ok - CmaFree was $before kB and is $after kB"
  failed=$((failed + 1))
else
  echo "ok - CmaFree was $before kB and is $after kB"
fi
if kernel_is_quiet; then
  echo 'ok - neither the kernel nor the module complained'
else
  echo 'not ok - the kernel or the module complained, see above'
  failed=$((failed + 1))
fi
echo "engine.sh: $failed failed"
[ "$failed" = 0 ]
