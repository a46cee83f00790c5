#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the cases that place pages of a process in the area, on a machine as it is and with each limit
# on memory and disk that a stranger's machine may have: run as root in a virtual machine, never on a
# machine that matters. Needs a shell, awk, grep, insmod and rmmod: busybox has them.
#
# usage: places.sh --module FILE [--command FILE] [--seconds N] [--zone NAME] [--disk DIR] [PART...]
#   --module FILE   cmatest.ko
#   --command FILE  cma-test (the one on PATH)
#   --seconds N     how long each case may take (5)
#   --zone NAME     where the first area must be, as DMA32, or this machine shows something else
#   --disk DIR      /dev/vda, which has ext4, becomes /var/tmp; DIR has its modules and their order
#   PART            cases, killed, beside or limits; without any: these; or most, for a machine whose area is
#                   most of its memory
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

module='' seconds=5 zone='' disk='' parts=''
while [ $# -gt 0 ]; do
  case $1 in
    cases | killed | beside | limits | most) parts="$parts $1" && shift && continue ;;
    --module) module=$2 ;;
    --command) command=$2 ;;
    --seconds) seconds=$2 ;;
    --zone) zone=$2 ;;
    --disk) disk=$2 ;;
    *) echo "places.sh: unknown argument $1" >&2 && exit 2 ;;
  esac
  shift 2
done

# case_line NAME: runs the case; sets $line to its line of the report, without the time.
case_line() { line=$("$command" run --filter "$1" 2>&1 | grep " $1 " | sed 's/  */ /g; s/ [0-9.]* s / /'); }

# skipped TEXT NAME REASON: the case is skipped for that reason, a pattern, which is shown.
skipped() {
  case_line "$2"
  has "$1: ${line#"skip $2 "}" "^skip $2 .*$3" "$line"
}

# passed TEXT NAME
passed() {
  case_line "$2"
  has "$1" "^ok $2 " "$line"
}

# free_memory: KiB that are free, in the area or not, once what is on its way is there. What lies in the
# lists of the processors is free, too, but not of MemFree: several MiB of a large zone.
free_memory() {
  sync
  echo 3 >/proc/sys/vm/drop_caches
  sleep 1
  awk -v page="$page_size" '
    FILENAME == "/proc/meminfo" { if ($1 == "MemFree:") free = $2 }
    FILENAME == "/proc/zoneinfo" { if ($1 == "count:") free += $2 * page / 1024 }
    END { printf "%d\n", free }' /proc/meminfo /proc/zoneinfo
}

# area_zone: the zone that has the first page of the first area.
area_zone() {
  frame=$(($("$command" areas | awk '$1 == 0 { print $3 }') / page_size))
  awk -v frame="$frame" '
    $1 == "Node" { zone = $4 }
    $1 == "spanned" { spanned = $2 }
    $1 == "start_pfn:" && spanned && frame >= $2 && frame < $2 + spanned { print zone }' /proc/zoneinfo
}

# available_pages: of all areas that are not allocated; "unknown" where the kernel does not tell.
available_pages() {
  if [ -e /sys/kernel/mm/cma/reserved/available_pages ]; then
    cat /sys/kernel/mm/cma/*/available_pages
  else
    echo unknown
  fi
}

page_size=$(($(page_size) * 1024))
mark_log || exit 2
mkdir -p /var/tmp
if [ -n "$disk" ]; then
  while read -r name; do insmod "$disk/$name.ko" || exit 2; done <"$disk/order"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -b /dev/vda ] || sleep 0.5
  done
  mount -t ext4 /dev/vda /var/tmp || exit 2
  same '/var/tmp is a disk with ext4' '/dev/vda ext4' "$(awk '$2 == "/var/tmp" { print $1, $3 }' /proc/mounts)"
fi
# shellcheck disable=SC2046  # words
insmod "$module" alloc_count=0 $("$command" configure --dry-run | sed -n 's/^options cmatest //p') || exit 2
"$command" areas
[ -z "$zone" ] || same "the area is in $zone" "$zone" "$(area_zone)"

cases='movable-anonymous movable-page-cache pinned-page'
# So that what a first run leaves in the machine is not counted.
for name in $cases; do "$command" run --filter "$name" >/dev/null 2>&1; done
before=$(free_memory) available=$(available_pages)
# memory_is_back FORMAT KIB: that less than this is missing of what was free before; both are in the text.
memory_is_back() {
  after=$(free_memory)
  # shellcheck disable=SC2059  # a format
  check "$(printf "$1" "$before" "$after")" test $((before - after)) -lt "$2"
}
# cases_pass: each passes twice, in time, and leaves nothing behind. What else the host does can only
# make a case slower, so the fastest round counts, and there are up to four more if none was in time.
cases_pass() {
  for name in $cases; do
    in_time='' round=0
    while [ "$round" -lt 2 ] || { [ -z "$in_time" ] && [ "$round" -lt 6 ]; }; do
      round=$((round + 1))
      line=$("$command" run --filter "$name" 2>&1 | grep " $name ")
      same "$name passes ($round)" ok "${line%% *}"
      echo "# $line"
      printf '%s\n' "$line" | awk -v most="$seconds" '
        { for (i = 2; i <= NF; i++) if ($i == "s") { found = 1; slow = $(i - 1) >= most } }
        END { exit !found || slow }' && in_time=1
    done
    check "$name takes less than $seconds s" test -n "$in_time"
  done
  memory_is_back 'all memory is back: %d KiB were free before, %d KiB are after' 4096
  if [ "$available" = unknown ]; then
    skip 'the allocator has as many pages as before' 'this kernel does not tell'
  else
    same 'the allocator has as many pages as before' "$available" "$(available_pages)"
  fi
}

# running NAME: how many processes of the command there are with that word, which are not dead.
running() {
  for process in /proc/[0-9]*; do
    # It may have gone meanwhile.
    if { tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null | grep "^[^ ]*\(cma-test\|exe\) .*$1" >/dev/null; then
      echo "${process#/proc/}"
    fi
  done | wc -l
}

# killed CASE: the command is killed at ten moments of a case, and all it had is back.
killed() {
  for moment in 0.2 0.4 0.6 0.8 1.0 1.3 1.6 2.0 2.5 3.0; do
    "$command" run --filter "$1" >/dev/null 2>&1 &
    pid=$!
    sleep "$moment"
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  left=$(running own-blocks) waited=0
  while [ "$left" -gt 0 ] && [ "$waited" -lt 30 ]; do
    sleep 1
    waited=$((waited + 1)) left=$(running own-blocks)
  done
  same "$1: no process outlives one that was killed" 0 "$left"
  same "$1: nobody uses the module" 0 "$(awk '$1 == "cmatest" { print $3 }' /proc/modules)"
}

# limits: what a machine may have too little of.
limits() {
  mkdir -p /sys/fs/cgroup
  mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null
  echo +memory >/sys/fs/cgroup/cgroup.subtree_control
  mkdir -p /sys/fs/cgroup/above/own
  echo +memory >/sys/fs/cgroup/above/cgroup.subtree_control
  for limit in 512M 24M; do
    echo "$limit" >/sys/fs/cgroup/above/memory.max
    case $limit in
      512M) what="passes in a group of $limit" outcome='ok ' ;;
      24M)
        what="is skipped in a group of $limit, with the limit's name"
        outcome='skip .*/sys/fs/cgroup/above/memory.max leaves [0-9]* KiB'
        ;;
    esac
    for name in $cases; do
      result=$(sh -c 'echo $$ >/sys/fs/cgroup/above/own/cgroup.procs && exec "$0" run --filter "$1"' \
        "$command" "$name" 2>&1)
      line=$(printf '%s\n' "$result" | grep " $name ")
      has "$name $what" "^$outcome" "$line"
      printf '%s\n' "$result" | sed 's/^/# /'
    done
  done
  same 'nobody was killed for a group' 'oom_kill 0' "$(grep '^oom_kill ' /sys/fs/cgroup/above/memory.events)"

  # The program itself needs some of this, and the case must leave it room for more.
  echo 2 >/proc/sys/vm/overcommit_memory
  least=$(meminfo Committed_AS) passed='' found=''
  for more in 53248 40960 36864 32768 28672 24576 20480 16384; do
    echo "$((least + more))" >/proc/sys/vm/overcommit_kbytes
    case_line movable-anonymous
    echo "# CommitLimit $more KiB above what is committed: $line"
    case $line in
      'ok '*) passed=1 ;;
      'skip '*vm.overcommit_memory*) found=$passed && break ;;
      *) break ;;
    esac
  done
  check 'what strict accounting leaves is used, and a reason to skip when it is too little' test -n "$found"
  echo 0 >/proc/sys/vm/overcommit_memory

  mount -t tmpfs -o size=1m full /var/tmp
  passed 'a /var/tmp that is nearly full' movable-page-cache
  head -c 2000000 /dev/zero 2>/dev/null >/var/tmp/all
  skipped 'a full /var/tmp' movable-page-cache '/var/tmp: No space left on device'
  umount /var/tmp
  mount -t tmpfs -o ro none /var/tmp
  skipped 'a read-only /var/tmp' movable-page-cache '/var/tmp: Read-only file system'
  passed 'what needs no file passes with it' movable-anonymous
  umount /var/tmp
  mount -t tmpfs none /var/tmp
  passed 'a /var/tmp in memory' movable-page-cache
  umount /var/tmp
  has 'a limit on the size of files is a reason to skip' '^skip .*File too large' \
    "$(ulimit -f 100 && "$command" run --filter movable-page-cache 2>&1)"
}

# beside: somebody else uses memory all the time, and is not harmed.
beside() {
  (
    round=0
    while [ ! -e /tmp/enough ]; do
      dd if=/dev/zero of=/tmp/load bs=1M count=60 2>/dev/null || exit 1
      rm /tmp/load
      round=$((round + 1))
    done
    echo "# somebody else used 60 MiB of memory $round times"
    [ "$round" -gt 3 ]
  ) &
  other=$!
  for name in $cases; do passed "$name passes beside somebody who uses memory" "$name"; done
  : >/tmp/enough
  wait "$other"
  same 'which was not harmed and had its turns' 0 $?
}

# most: somebody has a third of the memory, and takes and gives back some more all the time; what the area
# would need for that is not taken, and nobody is killed.
most() {
  third=$(awk '$1 == "MemAvailable:" { print int($2 / 3072) }' /proc/meminfo)
  mkdir -p /tmp/other && mount -t tmpfs -o size=90% other /tmp/other || exit 2
  dd if=/dev/zero of=/tmp/other/held bs=1M count="$third" 2>/dev/null
  (
    round=0
    while [ ! -e /tmp/enough ]; do
      dd if=/dev/zero of=/tmp/other/load bs=1M count=60 2>/dev/null || exit 1
      rm /tmp/other/load
      round=$((round + 1))
    done
    echo "# somebody else used 60 MiB of memory $round times, beside $third MiB"
    [ "$round" -gt 3 ]
  ) &
  other=$!
  ends 0 'areas searches the largest block' areas areas --largest
  cat "$said"
  says 'as far as others can spare' '>=[1-9]'
  says 'and says why no further' "^A larger block of .* of the machine's memory would be left for everything else"
  ends 0 'no case fails for what others do' most.ktap run --format ktap --filter '[aeop]*'
  grep -E '^(not )?ok|^# (accounting|exhaust|owner-killed)' "$said"
  says 'the whole area is not shown' "^ok .* exhaust # SKIP .* of the machine's memory would be left for everything else"
  ends 31 'what would harm others is not measured' bench bench --size 700M --count 2 --rounds 1
  ends 0 'what does not, is' bench bench --size 16M --count 2 --rounds 1
  : >/tmp/enough
  wait "$other"
  same 'who used memory was not harmed and had its turns' 0 $?
  umount /tmp/other
}

for part in ${parts:-cases killed beside limits}; do
  since=$(date +%s)
  case $part in
    cases) cases_pass ;;
    killed) for name in movable-anonymous movable-page-cache owner-killed; do killed "$name"; done ;;
    beside) beside ;;
    limits) limits ;;
    most) most ;;
  esac
  echo "# $part: $(($(date +%s) - since)) s"
done
if [ -n "$disk" ]; then
  check 'the disk can go' umount /var/tmp
fi
memory_is_back 'all memory is back at the end: %d KiB, %d KiB' 8192
check 'the module can go' rmmod cmatest
same 'nobody ran out of memory' 'oom_kill 0' "$(grep '^oom_kill ' /proc/vmstat)"
quiet 'the kernel complains of nothing'
finish
