#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Puts what can be in the way of an allocation into the area, has `cma-test explain` and `map` say what it is,
# and compares: run as root in a virtual machine, never on a machine that matters. Needs busybox and what
# scripts/vm/holders brings: hold (hold.c), dmsetup, v4l2-ctl, jq.
#
# usage: holders.sh --module FILE --disk DIR --set SET [--command FILE] [--rounds N] [--other] [--fits]
#                   [--full] [ROW...]
#   --module FILE   cmatest.ko
#   --disk DIR      the modules of /dev/vda to vdc, which have ext4, of dm-delay and of vivid, and their order
#   --set SET       the blocks that do not fit here, and with the area that is advised then do
#   --command FILE  cma-test (/usr/sbin/cma-test)
#   --rounds N      how often each row is tried (2)
#   --other         in the largest area instead of the default one
#   --fits          only that the set fits here
#   --full          the rows that take long, too
#   ROW             as the functions row_… and once_… below are named; without any: all of them
# shellcheck disable=SC2046,SC2086,SC2317  # words; what is called by its name
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

command=/usr/sbin/cma-test rounds=2 fits='' full='' other='' where='' rows='' hold=/holders/hold
while [ $# -gt 0 ]; do
  case $1 in
    --fits) fits=1 && shift && continue ;;
    --full) full=1 && shift && continue ;;
    --other) other=1 && shift && continue ;;
    --module) module=$2 ;;
    --disk) disk=$2 ;;
    --set) set=$2 ;;
    --command) command=$2 ;;
    --rounds) rounds=$2 ;;
    -*) echo "holders.sh: unknown argument $1" >&2 && exit 2 ;;
    *) rows="$rows $1" && shift && continue ;;
  esac
  shift 2
done
out=/tmp/holders reports=/tmp/holders slow=/dev/dm-0
PATH=$PATH:/usr/bin:/usr/sbin
mkdir -p "$out" /var/tmp /run /tmp/box

# --- what is in the way -----------------------------------------------------------------------------

# wrong TEXT: the present round is not right, because of this.
wrong() { reasons="$reasons${reasons:+
}$1"; }

# plays COMMAND...: starts it, which holds something and then says so; sets $pid to what it says, and $held to
# the frames. It runs until over.
plays() {
  rm -f "$out/ready" "$out/ready.err"
  "$@" >"$out/ready" 2>"$out/ready.err" &
  played $! "$*"
}

# played PID TEXT: waits for that.
played() {
  player=$1 waited=0
  until [ -s "$out/ready" ] || [ -s "$out/ready.err" ] || [ "$waited" = 600 ]; do
    sleep 0.05
    waited=$((waited + 1))
  done
  if ! read -r pid _ held <"$out/ready"; then
    wrong "$2: $(cat "$out/ready.err")"
    kill -KILL "$player"
    return 1
  fi
}

# over: ends what plays, and waits until it is gone. A player may have left a child in its place.
over() {
  kill -KILL "$player" "$pid" 2>/dev/null
  wait "$player" 2>/dev/null
  waited=0
  while [ -e "/proc/$pid" ] && [ "$waited" -lt 100 ]; do
    sleep 0.05
    waited=$((waited + 1))
  done
}

# slow READ WRITE: the slow disk takes so many milliseconds for each; what waits for it is done at once.
slow() {
  table="0 $(cat /sys/block/vdc/size) delay /dev/vdc 0 $1 /dev/vdc 0 $2"
  if [ -e "$slow" ]; then
    dmsetup suspend --nolockfs slow && dmsetup load slow --table "$table" && dmsetup resume --noudevsync slow
  else
    dmsetup create --noudevsync slow --table "$table"
  fi >"$out/dmsetup" 2>&1 || wrong "$(cat "$out/dmsetup")"
}

# disk: mounts it, with nothing of it in memory. It has no journal, which would be in the way, too.
disk() { mount -t ext4 /dev/vda /var/tmp || { wrong 'no ext4 on vda' && return 1; }; }
no_disk() { umount /var/tmp || wrong '/var/tmp is busy'; }

# --- what is said of it -----------------------------------------------------------------------------

# explained CODE REQUEST...: asks explain, which has to end with CODE, and leaves its answer in $said. Where it
# has to fail, the module itself must meet one of the frames that are held.
explained() {
  wanted=$1
  shift
  asks explain.json explain --no-load --json $where "$@"
  [ "$code" = "$wanted" ] || wrong "explain $* ended with $code, not with $wanted: $(tail -n 30 "$said" "$said.err")"
  if [ -n "$held" ] && [ "$wanted" = 1 ]; then
    "$hold" witness "${1%p@1p}" $held >"$out/witness" 2>&1
    grep -q 'as it must' "$out/witness" || wrong "the kernel had something else in the way: $(cat "$out/witness")"
  fi
}

# mapped: a map of the area, of which each page is in one run and one class.
mapped() {
  asks map.json map --no-load --format json $where
  [ "$code" = 0 ] || wrong "map ended with $code: $(tail -n 30 "$said.err")"
  is '([.classes[].pages] | add) == .area.pages and ([.runs[][1]] | add) == .area.pages'
}

# is FILTER: that jq finds it true of the answer. $pid is in it as $pid.
is() {
  jq -e --argjson pid "${pid:-0}" "$1" "$said" >/dev/null 2>"$out/jq" ||
    wrong "not so: $1: $(cat "$out/jq") $(jq -c '.failure // .' "$said" 2>/dev/null || cat "$said")"
}

# named FILTER: that this is true of something that is in the way, and that there is advice.
named() {
  is ".failure.in_the_way // [] | any($1)"
  is '(.advice | length > 0) or .reserve != null'
}

# room: all pages of the area but for what drivers have from boot on.
room() { "$hold" room; }

# all: the block of these, which meets whatever is there. One of a driver's alignment might not fit anyway.
all() { echo "$(room)p@1p"; }

# in_the_way FILTER: the allocation of all that there is fails, and what is named is as FILTER says.
in_the_way() {
  explained 1 "$(all)"
  is '.failure.cause == "in-use"'
  named "$1"
}

# moves: the allocation of all that there is does well. A page on its way may be in the way once, where explain has
# to say that it is there no more.
moves() {
  asks explain.json explain --no-load --json $where "$(all)"
  if [ "$code" != 0 ]; then
    is '.failure.cause == "in-use" and (.advice | any(test("^Ask again: what was in the way is there no more")))'
    explained 0 "$(all)"
  fi
  is '.fits and .failure == null'
}

by_hold='.processes | any(.pid == $pid and .command == "hold")'

# --- the rows ---------------------------------------------------------------------------------------

row_pipe() {
  text='memory that a pipe refers to is pinned, of the process'
  plays "$hold" memory 16 pipe || return
  in_the_way ".kind == \"anonymous\" and .pinned and .movable == false and ($by_hold)"
  over
}

row_read() {
  text='memory into which a slow device is read is pinned, of the process'
  slow 60000 0
  plays "$hold" read "$slow" 16 || return
  in_the_way ".kind == \"anonymous\" and .pinned and ($by_hold)"
  slow 0 0
  over
}

row_exit() {
  text='memory of a process that has ended but for a read is pinned, and nobody is blamed'
  slow 60000 0
  plays "$hold" read "$slow" 16 exit || return
  in_the_way '.kind == "anonymous" and .pinned and (.processes == [])'
  slow 0 0
  over
}

row_orphan() {
  text='memory in a pipe whose process is gone is pinned, and nobody is blamed'
  plays "$hold" memory 1 orphan || return
  in_the_way '.kind == "anonymous" and .pinned and (.processes == [])'
  over
}

row_fixed() {
  text='buffers of io_uring leave the area as they are registered, and are not in the way'
  plays "$hold" memory 16 fixed || return
  held=''
  moves
  over
}

row_file() {
  text='page cache of a file in a pipe is pinned, of that path, and mapped by the process'
  disk || return
  if plays "$hold" file /var/tmp/file 16 pipe; then
    in_the_way '.kind == "page-cache" and .pinned and .path == "/var/tmp/file" and .filesystem == "ext4"'
    named ".path == \"/var/tmp/file\" and .device == \"vda\" and ($by_hold)"
    over
  fi
  no_disk
}

row_shared() {
  text='a file of tmpfs in a pipe is shared memory that is pinned, of that path'
  plays "$hold" file /tmp/box/shared 16 pipe || return
  in_the_way ".kind == \"shared-memory\" and .pinned and .path == \"/tmp/box/shared\" and ($by_hold)"
  over
  rm -f /tmp/box/shared
}

row_direct() {
  text='page cache of a file into which a slow device is read is pinned, of that path, and mapped by the process'
  disk || return
  slow 60000 0
  if plays "$hold" file /var/tmp/file 16 read "$slow"; then
    in_the_way '.kind == "page-cache" and .pinned and .path == "/var/tmp/file" and .filesystem == "ext4"'
    named ".path == \"/var/tmp/file\" and .device == \"vda\" and .movable == false and ($by_hold)"
    slow 0 0
    over
  fi
  slow 0 0
  no_disk
}

row_input() {
  text='a file of tmpfs into which a slow device is read is shared memory that is pinned, of that path'
  slow 60000 0
  if plays "$hold" file /tmp/box/shared 16 read "$slow"; then
    in_the_way ".kind == \"shared-memory\" and .pinned and .path == \"/tmp/box/shared\" and ($by_hold)"
    slow 0 0
    over
  fi
  slow 0 0
  rm -f /tmp/box/shared
}

# The kernel pins no page of a file for long that a file system has to write back: it could never tell when the
# page is clean.
row_registered() {
  text='a file of tmpfs that io_uring registers leaves the area, one of ext4 is refused, and both are not in the way'
  plays "$hold" file /tmp/box/shared 16 fixed || return
  held=''
  if grep -q refused "$out/ready"; then wrong "a file of tmpfs: $(cat "$out/ready")"; fi
  moves
  over
  rm -f /tmp/box/shared
  disk || return
  if plays "$hold" file /var/tmp/file 16 fixed; then
    held=''
    grep -q 'refused: errno' "$out/ready" || wrong 'a file of ext4 was not refused'
    moves
    over
  fi
  no_disk
}

row_deleted() {
  text='page cache of a deleted file is said to be that, on its disk, and mapped by the process'
  disk || return
  if plays "$hold" file /var/tmp/gone 16 deleted; then
    in_the_way ".kind == \"page-cache\" and .pinned and .path == null and .device == \"vda\" and ($by_hold)"
    named '.words == "pinned page cache of a deleted file on ext4 (vda), mapped by \($pid) (hold)"'
    over
  fi
  no_disk
}

row_elsewhere() {
  text='a file of another mount namespace is not taken for one of this'
  echo here >/elsewhere
  rm -f "$out/ready" "$out/ready.err"
  unshare --mount sh -c "mount -t tmpfs none /slow && exec $hold file /slow/elsewhere 16 pipe" \
    >"$out/ready" 2>"$out/ready.err" &
  played $! 'a file of another mount namespace' || return
  in_the_way ".kind == \"shared-memory\" and .pinned and .mounted == false and ($by_hold)"
  named '.words == "pinned shared memory /elsewhere of a file system that is not mounted here (tmpfs), mapped by \($pid) (hold)"'
  over
}

row_leader() {
  text='memory of a process whose first thread has ended is its'
  plays "$hold" memory 16 leader || return
  in_the_way ".kind == \"anonymous\" and .pinned and ($by_hold)"
  over
}

row_together() {
  text='memory that five processes map is of five, of which three are named'
  plays "$hold" memory 16 together || return
  in_the_way '.kind == "anonymous" and .pinned and .process_count == 5 and (.processes | length == 3)'
  named '(.processes | all(.command == "hold")) and (.words | test(" and 2 more$"))'
  over
}

row_merged() {
  text='a page that KSM has merged is of the process'
  echo 1 >/sys/kernel/mm/ksm/run && echo 10000 >/sys/kernel/mm/ksm/pages_to_scan
  plays "$hold" memory 16 merged && {
    in_the_way ".kind == \"anonymous\" and .pinned and ($by_hold)"
    over
  }
  echo 2 >/sys/kernel/mm/ksm/run
}

# What a terminal obeys: ESC, BEL, CSI in UTF-8; newlines; and what is no UTF-8 at all.
row_odd() {
  text='names with escapes, newlines and bytes that are no UTF-8 reach neither the terminal nor JSON'
  HOLD_NAME=$(printf 'a\033[31mb\nc\377\302\233d')
  export HOLD_NAME
  odd=$(printf '/tmp/box/\033]0;x\007\nP "\\\377\302\233')
  plays "$hold" file "$odd" 16 pipe
  unset HOLD_NAME
  [ -n "$held" ] || return
  in_the_way '.kind == "shared-memory" and .pinned and (.processes | any(.pid == $pid))'
  named '(.path | startswith("/tmp/box/\u001b]0;x\u0007\nP \"\\")) and (.processes[0].command | startswith("a\u001b[31mb"))'
  printable "$said"
  mapped
  printable "$said"
  for form in 'explain '$(all) map 'map --format svg'; do
    asks odd $form --no-load $where
    printable "$said"
  done
  over
  rm -f "$odd"
}

# printable FILE: nothing in it but lines of text that a terminal only shows. (sed would take bytes that are no
# UTF-8 for the end of its work.)
printable() {
  strange=$(tr -d '\n' <"$1" | tr -cd '\000-\037\177\377' | wc -c)
  [ "$strange" = 0 ] || wrong "$strange bytes of $1 are for no terminal: $(cat -v "$1" | grep '[\^]')"
  if grep -q "$(printf '\302\233')" "$1"; then wrong "$1 has a control character of two bytes"; fi
}

row_older() {
  text='where the kernel does not tell which part of a mapping has memory, the process is named all the same'
  usual=$command command=/tmp/older
  plays "$hold" memory 16 pipe && {
    in_the_way ".kind == \"anonymous\" and .pinned and ($by_hold)"
    over
  }
  plays "$hold" memory 16 leader && {
    in_the_way ".kind == \"anonymous\" and .pinned and ($by_hold)"
    over
  }
  command=$usual
}

row_churn() {
  text='while processes come and go, maps and explanations are whole'
  plays "$hold" churn || return
  for _ in 1 2 3; do
    mapped
    asks explain.json explain --no-load --json $where 16p
    [ "$code" = 0 ] || wrong "explain ended with $code: $(cat "$said" "$said.err")"
    is '.fits'
  done
  over
}

row_full() {
  text='in an area that is nearly full the blocks are whose they are, and the last range is used'
  plays "$hold" blocks 4096 65536 || return
  left=$(room)
  [ "$left" -lt 4096 ] || wrong "$left pages are left in one range"
  explained 1 4096p@1p
  is '.failure.cause == "no-hole"'
  is ".failure.largest_hole_pages == $left"
  named '.kind == "block" and .block.pid == $pid'
  mapped
  is '.holders[0] | .kind == "block" and .block.pid == $pid'
  [ "$left" = 0 ] || explained 0 "${left}p@1p"
  over
}

# What a transaction of the journal has changed is held until it is written where it belongs. What is read
# from a block device itself is never in an area: the kernel asks for such pages as for its own.
row_metadata() {
  text='metadata of ext4 in the journal is in the way, on that device'
  pid=0 held=''
  folders || return
  in_the_way '.kind == "page-cache" and .path == null and .device == "vdb"'
  named '.words | test("metadata of ext4 on vdb")'
  umount /slow || wrong '/slow is busy'
}

# folders: mounts a disk, and makes metadata of it that is in the way. What of it the journal does not hold moves like
# any other page, and all of it may do so at times: then there is more to be made.
folders() {
  for again in 1 2 3 4 5; do
    make_folders || return
    if [ "${pages:-0}" -gt 0 ]; then
      asks explain.json explain --no-load --json $where "$(all)"
      [ "$code" = 0 ] || return 0
    fi
    umount /slow || { wrong '/slow is busy' && return 1; }
    echo 3 >/proc/sys/vm/drop_caches
  done
  wrong "no metadata stays in the area, $again times"
  return 1
}

# make_folders: makes metadata, until some is in the area; then $pages of it are.
make_folders() {
  mount -t ext4 -o commit=600 /dev/vdb /slow || { wrong 'no ext4 on vdb' && return 1; }
  rm -rf /slow/folders && mkdir /slow/folders
  # Each processor has a list of free pages that goes first, which may be long, and need not have any of the area.
  pages=0 number=0
  while [ "${pages:-0}" = 0 ] && [ "$number" -lt 8000 ]; do
    (cd /slow/folders && mkdir $(seq "$((number + 1))" "$((number + 100))")) || wrong 'no folders on vdb'
    number=$((number + 100))
    pages=$("$hold" where /dev/vdb)
  done
}

row_storm() {
  text='while files are synchronized all the time, it fits, or metadata or a file is named'
  mount -t ext4 /dev/vdb /slow || { wrong 'no ext4 on vdb' && return; }
  if plays "$hold" storm /slow; then
    asks explain.json explain --no-load --json $where "$(all)"
    case $code in
      0) is '.fits' ;;
      1) named '.kind == "page-cache" and (.device == "vdb" or (.path // "" | startswith("/slow/")))' ;;
      *) wrong "explain ended with $code: $(tail -n 30 "$said" "$said.err")" ;;
    esac
    over
  fi
  rm -rf /slow/folder
  umount /slow || wrong '/slow is busy'
}

row_tmpfs() {
  text='a file of tmpfs moves'
  plays "$hold" file /tmp/box/file 512 || return
  moves
  over
  rm -f /tmp/box/file
}

row_dirty() {
  text='pages of a file of ext4 that are not written yet move'
  disk || return
  if plays "$hold" file /var/tmp/file 1024 dirty; then
    [ "$(meminfo Dirty)" -gt 1024 ] || wrong 'nothing is dirty'
    moves
    over
  fi
  no_disk
}

# What is being written takes its time, and then moves.
row_writeback() {
  text='pages that are being written move when that is done, or what is written is named'
  slow 0 0
  mount -t ext4 -o noatime,lazytime "$slow" /slow || { wrong 'no ext4 on the slow disk' && return; }
  if [ ! -e /slow/file ]; then
    dd if=/dev/zero of=/slow/file bs=1M count=8 2>/dev/null
    sync
  fi
  if plays "$hold" file /slow/file 512 dirty; then
    slow 0 1500
    sync &
    writer=$! waited=0
    until [ "$(meminfo Writeback)" -gt 0 ] || [ "$waited" = 200 ]; do
      sleep 0.05
      waited=$((waited + 1))
    done
    [ "$waited" -lt 200 ] || wrong 'nothing is being written'
    asks explain.json explain --no-load --json $where "$(all)"
    case $code in
      0) is '.fits' ;;
      1) named '(.path == "/slow/file") or (.device == "dm-0")' ;;
      *) wrong "explain ended with $code: $(tail -n 30 "$said" "$said.err")" ;;
    esac
    slow 0 0
    over
    wait "$writer"
  fi
  umount /slow || wrong '/slow is busy'
}

row_locked() {
  text='memory that is locked moves'
  plays "$hold" memory 512 locked || return
  moves
  over
}

row_huge() {
  text='huge pages move, or are split'
  plays "$hold" memory 1024 huge || return
  moves
  over
}

# streams: has v4l2-ctl hold buffers of vivid.
streams() {
  held=''
  v4l2-ctl -d "$video" --set-fmt-video=width=1920,height=1080,pixelformat=YUYV --stream-mmap=4 >"$out/v4l2" 2>&1 &
  player=$! pid=$! waited=0
  until [ "$(meminfo CmaFree)" != "$idle" ] && grep -q '<' "$out/v4l2" || [ "$waited" = 300 ]; do
    sleep 0.1
    waited=$((waited + 1))
  done
}

row_vivid() {
  text='4 blocks of 1013 pages are by v4l2-ctl, taken by vb2_dc_alloc for vivid'
  streams
  explained 1 "${area}p@1p"
  is '.failure.cause == "no-hole"'
  is ".failure.largest_hole_pages == $(room)"
  named '.kind == "block" and .block.pages == 1013 and .block.pid == $pid and .block.command == "v4l2-ctl"
    and .block.taken_by == "vb2_dc_alloc [videobuf2_dma_contig]" and .block.driver == "vivid"
    and .words == "4 blocks of 1013 pages by \($pid) (v4l2-ctl), taken by vb2_dc_alloc [videobuf2_dma_contig] for vivid"'
  named ".kind == \"block\" and (.block.time | startswith(\"$(date -u +%Y-%m-%dT)\"))"
  mapped
  is '[.holders[] | select(.kind == "block" and .block.pid == $pid)] |
    (map(.pieces) | add) == 4 and (map(.pages) | add) == 4052'
  kill "$player"
  wait "$player" 2>/dev/null
}

row_own() {
  text='blocks of another process through /dev/cmatest are its'
  plays "$hold" blocks 3000 3 || return
  explained 1 "${area}p@1p"
  is '.failure.cause == "no-hole"'
  named '.kind == "block" and .block.pages == 3000 and .block.pid == $pid and .block.taken_by == null
    and (.words == "3 blocks of 3000 pages by \($pid) (hold)")'
  over
}

row_busy() {
  text='while another process has a block again and again, it fits, or no hole is large enough'
  plays "$hold" busy 4096 || return
  asks explain.json explain --no-load --json $where "${area}p@1p"
  case $code in
    0) is '.fits' ;;
    1)
      is '.failure.cause == "no-hole" or .failure.cause == "refused"'
      # Some drivers have blocks from the boot on.
      is '.failure.in_the_way | all(.block == null or .block.pid == $pid)'
      ;;
    *) wrong "explain ended with $code: $(tail -n 30 "$said" "$said.err")" ;;
  esac
  over
}

row_bench() {
  text='a measurement names who is in its way, and so does one that ends at an allocation that is too slow'
  plays "$hold" memory 16 pipe || return
  asks bench.txt bench --no-load $where --size "$(room)p" --rounds 1 --warm-up 0 --count 2
  [ "$code" = 0 ] || wrong "bench ended with $code: $(tail -n 30 "$said" "$said.err")"
  grep -q '^  2 requests in 1 round, 2 failed (100.0 %: 2 found pages in use)$' "$said" || wrong "$(cat "$said")"
  grep -q "^  in the way after 1 of 1 rounds: .*hold" "$said" || wrong "nobody is named: $(cat "$said")"
  asks slow.txt bench --no-load $where --size "$(room)p" --rounds 1 --warm-up 0 --count 9 --stop-above 1ns
  [ "$code" = 1 ] || wrong "bench ended with $code, not with 1: $(tail -n 30 "$said" "$said.err")"
  grep -q '^  1 request in 1 round, 1 failed' "$said" || wrong "it did not end at once: $(cat "$said")"
  grep -q '^an allocation took .*; the last page in its way is pinned anonymous memory of .*hold' "$said" ||
    wrong "it does not tell which page: $(cat "$said")"
  over
}

row_second() {
  text='where each second block is held, no hole is large enough: the largest, and whose blocks'
  plays "$hold" blocks 4096 64 second || return
  explained 1 "$(($(room) + 1))p@1p"
  is '.failure.cause == "no-hole"'
  is ".failure.largest_hole_pages == $(room)"
  named '.kind == "block" and .block.pages == 4096 and .block.pid == $pid and .block.command == "hold"'
  over
}

row_larger() {
  text='a block that is larger than the area is that'
  pid=0 held=''
  explained 1 "$((area + 1))p"
  is '.failure.cause == "larger-than-area" and (.failure.in_the_way == [])'
  is '(.advice | length > 0) or .reserve != null'
}

row_namespace() {
  text='memory of a process in a namespace is its, with its number out here and its cgroup'
  rm -f "$out/ready" "$out/ready.err"
  (
    echo 0 >/sys/fs/cgroup/box/cgroup.procs
    exec unshare --pid --fork --mount-proc "$hold" memory 16 pipe
  ) >"$out/ready" 2>"$out/ready.err" &
  played $! 'a process in a namespace' || return
  inside=$pid
  pid=$(awk -v parent="$player" '$4 == parent { print $1 }' /proc/[0-9]*/stat 2>/dev/null)
  if [ "$inside" != 1 ] || [ "${pid:-1}" = 1 ]; then wrong "its number is $inside inside, $pid outside"; fi
  in_the_way ".kind == \"anonymous\" and .pinned and ($by_hold)"
  named '.processes | any(.pid == $pid and .cgroup == "/box")'
  over
}

row_many() {
  text='beside 200 other processes it is named'
  plays "$hold" many 200 64 || return
  others=$pid
  if plays "$hold" memory 16 pipe; then
    held=''
    before=$(uptime_ms)
    in_the_way ".kind == \"anonymous\" and .pinned and ($by_hold)"
    took=$(($(uptime_ms) - before - $(jq '.ns / 1000000 | floor' "$said")))
    # A second is the aim; an emulated processor beside others has more.
    [ "$took" -lt 5000 ] || wrong "it took $took ms"
    text="$text within $took ms"
    over
  fi
  kill -KILL "$others" $(pidof hold) 2>/dev/null
  wait
}

# uptime_ms: since the boot.
uptime_ms() { awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime; }

# --- all together -----------------------------------------------------------------------------------

# tried ROW: so often, right each time.
tried() {
  all='' right=0
  for round in $(seq 1 "$rounds"); do
    reasons='' pid=0 held=''
    row_$1
    # Nothing of it is left.
    after=$("$hold" witness "$(room)") || wrong "what was in the way is still there: $after"
    if [ -z "$reasons" ]; then
      right=$((right + 1))
    else
      all="$all${all:+
}round $round: $reasons"
    fi
  done
  verdict "$1: $text ($right of $rounds)" "$all"
}

# printed CODE PATTERN REQUEST: explain ends with CODE, and what it prints to do has a line like PATTERN, whose
# command is left in $advised.
printed() {
  asks advised explain --no-load $where $3
  [ "$code" = "$1" ] || wrong "explain $3 ended with $code, not with $1: $(cat "$said" "$said.err")"
  sed -n 's/^  - //p' "$said" >"$out/steps"
  advised=$(grep -E -m 1 -- "$2" "$out/steps")
  [ -n "$advised" ] || wrong "no advice is like '$2': $(cat "$said")"
  advised=${advised##*: }
}

# carried_out [PATTERN REQUEST]: does as was printed, after which the block fits.
carried_out() {
  printed 1 "$1" "$2"
  sh -c "$advised" >"$out/advised" 2>&1 || wrong "'$advised' failed: $(cat "$out/advised")"
  sleep 0.2
  explained 0 "$2"
}

# once_steps: each advice that is a command is carried out as it is printed, and what it promises is true.
once_steps() {
  # Of a block of somebody else nothing may be left in this.
  everything=$(all)
  step 'a process whose memory is in a pipe is ended'
  plays "$hold" memory 16 pipe && held='' && carried_out "end that process.*: kill $pid\$" "$everything" && over
  stepped

  step 'a process whose memory a device is writing to is ended, and its pages are free when that has answered'
  slow 60000 0
  if plays "$hold" read "$slow" 16; then
    held=''
    printed 1 "when its devices have answered: kill $pid\$" "$everything"
    sh -c "$advised" || wrong "'$advised' failed"
    slow 0 0
    sleep 0.2
    explained 0 "$everything"
    over
  fi
  slow 0 0
  stepped

  step 'a process with blocks is ended'
  plays "$hold" blocks 3000 3 && carried_out "which has the blocks: kill $pid\$" "$everything" && over
  stepped

  step 'a program that streams from a driver is ended'
  streams
  carried_out "which has the blocks: kill $pid\$" "$everything"
  kill "$player" 2>/dev/null
  wait "$player" 2>/dev/null
  stepped

  step 'metadata is written back and dropped'
  folders
  carried_out 'the metadata: sync; echo 3' "$everything"
  umount /slow || wrong '/slow is busy'
  stepped

  step 'blocks fit in the other order'
  plays "$hold" blocks 4096 5 second && held='' && {
    printed 1 'in another order' "1000p@1p 4096p@1px2 $(($(room) - 1000))p@1p"
    sh -c "$advised" >"$out/advised" 2>&1 || wrong "'$advised' failed: $(cat "$out/advised")"
    over
  }
  stepped

  step 'blocks of the module itself are given back'
  rmmod cmatest
  insmod "$module" $(kernel_addresses) || wrong 'no module'
  printed 1 'which has the block by its parameter alloc_count' "${area}p@1p"
  sh -c "$advised" || wrong "'$advised' failed"
  insmod "$module" alloc_count=0 $(kernel_addresses) || wrong 'no module'
  explained 0 "$everything"
  stepped

  step 'the owner of older blocks is known after the module was loaded first'
  rmmod cmatest
  streams
  insmod "$module" alloc_count=0 $(kernel_addresses) || wrong 'no module'
  explained 1 "${area}p@1p"
  is '.advice | any(startswith("Load cmatest before the drivers to learn whose the older blocks are"))'
  kill "$player"
  wait "$player" 2>/dev/null
  streams
  explained 1 "${area}p@1p"
  named '.kind == "block" and .block.pid == $pid'
  kill "$player"
  wait "$player" 2>/dev/null
  stepped
}
# once_memory: where a block would leave hardly any memory for all others, it is not asked for, and the advice is
# true.
once_memory() {
  step 'a block for which memory is short is not asked for, and fits when some was freed'
  everything=$(all)
  plays "$hold" many 20 "$((($(meminfo MemAvailable) - 98304) / $(page_size) / 20))" && {
    printed 1 'Free memory, or add swap' "$everything"
    grep -q 'was not asked for, since less than .* of the machine' "$said" || wrong "another cause: $(cat "$said")"
    kill -KILL $(pidof hold)
    wait
    held=''
    explained 0 "$everything"
  }
  stepped
}

step() { reasons='' pid=0 held='' text=$1; }
stepped() { verdict "steps: $text" "$reasons"; }

# once_prints: what users and other programs see of it: pipes that close, signals, terminals, other users.
once_prints() {
  reasons=''
  { "$command" map --no-load --watch 1 2>"$out/closed.err" && echo 0 || echo $? >"$out/closed"; } | {
    read -r _
    read -r _
  }
  same 'prints: a reader that goes away ends it, with the status of output that cannot be written' 18 "$(cat "$out/closed")"
  same 'prints: and in one line' 1 "$(wc -l <"$out/closed.err")"
  for signal in TERM INT HUP; do
    code=0
    timeout -s "$signal" 3 "$command" map --no-load --watch 1 >"$out/watch" 2>"$out/watch.err" || code=$?
    same "prints: SIG$signal is the end that --watch waits for, and no failure" "0 " "$code $(cat "$out/watch.err")"
    check "prints: SIG$signal ends it after some maps" test "$(grep -c 'A cell is' "$out/watch")" -ge 2
  done

  ends 0 'prints: a narrow picture' narrow map --no-load --width 20
  same 'prints: of that width' 20 "$(sed -n '4,/^$/p' "$said" | awk '{ if (length($0) > most) most = length($0) } END { print most }')"
  COLUMNS=20 asks narrow map --no-load
  same 'prints: COLUMNS is the width where there is no terminal' 19 "$(sed -n '4,/^$/p' "$said" | awk '{ if (length($0) > most) most = length($0) } END { print most }')"

  escape=$(printf '\033') dot=$(printf '\302\267')
  shows() { LC_ALL=$1 TERM=$2 NO_COLOR=$3 "$hold" terminal 30 "$command" map --no-load >"$out/terminal" || echo "ended with $?"; }
  no_lines 'prints: on a terminal' shows C.UTF-8 xterm ''
  check 'prints: there are colours' grep -q "$escape\[" "$out/terminal"
  check 'prints: and dots' grep -q "$dot" "$out/terminal"
  no_lines 'prints: where NO_COLOR is set' shows C.UTF-8 xterm 1
  check_not 'prints: there are no colours' grep -q "$escape" "$out/terminal"
  no_lines 'prints: where the locale has no UTF-8' shows C xterm ''
  check_not 'prints: there is ASCII alone' grep -q "$dot" "$out/terminal"
  no_lines 'prints: on a dumb terminal' shows C.UTF-8 dumb ''
  check_not 'prints: there is neither' grep -q "$escape\|$dot" "$out/terminal"

  usual=$command command=/tmp/other
  ends 30 'prints: another user may not' other map --no-load
  says 'prints: and is told who may' 'run the command as root'
  ends 30 'prints: the same as JSON' other.json map --no-load --json
  check 'prints: is an object' jq -e '.ok == false and (.error.message | length > 0)' "$said"
  command=$usual

  "$command" run --no-load --wait >"$out/run" 2>&1 &
  runner=$! code=0 waited=0
  sleep 1
  until [ "$code" = 33 ] || [ "$waited" = 50 ]; do
    asks busy explain --no-load 16p
    waited=$((waited + 1))
  done
  same 'prints: while a run has the device, explain is told so' 33 "$code"
  says 'prints: by the process' "process $runner .* has the device"
  "$command" explain --no-load --wait 16p >"$out/waits" 2>&1 &
  waiter=$!
  sleep 1
  check 'prints: with --wait it waits' kill -0 "$waiter"
  kill "$runner"
  wait "$runner"
  same 'prints: the run ends as it should' 143 "$?"
  wait "$waiter"
  has 'prints: and then it is answered' 'fits into the area' "$(cat "$out/waits")"
  for name in one two; do
    "$command" explain --no-load --wait 64M >"$out/$name" 2>&1 &
  done
  wait
  for name in one two; do
    has "prints: of two at once, $name is answered" 'fits into the area' "$(cat "$out/$name")"
  done

  rmmod cmatest
  ends 30 'prints: without the module, map --no-load says so' absent map --no-load
  has 'prints: and why' 'the module cmatest is not loaded' "$(cat "$said" "$said.err")"
  insmod "$module" alloc_count=0 $(kernel_addresses)
}

# once_share: of all pages of a busy area nearly all have a class, and of those in use a holder.
once_share() {
  reasons='' pid=0 held=''
  disk
  wc -c </var/tmp/file >"$out/size"
  plays "$hold" many 8 4096
  mapped
  kill -KILL $(pidof hold) 2>/dev/null
  shares=$(jq -r '
    (.area.pages) as $all |
    ([.classes[] | select(.class == "free") | .pages] | add // 0) as $free |
    ([.classes[] | select(.class == "not-known") | .pages] | add // 0) as $unknown |
    ([.holders[] | select(.kind != "free" and .kind != "not-known") |
      select((.processes | length > 0) or .path != null or .device != null or .block != null
        or .kind == "kernel") | .pages] | add // 0) as $held |
    "\($all) \($free) \($unknown) \($held)"' "$said")
  echo "# pages of the area, free, of no class, with a holder: $shares"
  read -r pages free unknown holders <<END
$shares
END
  [ $((unknown * 100)) -le "$pages" ] || wrong 'fewer than 99 % of the pages have a class'
  [ $((holders * 100)) -ge $(((pages - free) * 95)) ] || wrong 'fewer than 95 % of the pages in use have a holder'
  [ $(((pages - free) * 4)) -ge "$pages" ] || wrong 'the area is not busy'
  no_disk
  verdict 'share: each page of a busy area has a class, each in use a holder' "$reasons"
}

# once_advice: the set does not fit, and what is said to do is left for scripts/vm/holders.
once_advice() {
  reasons='' pid=0 held=''
  explained 1 $set
  if [ -n "$other" ]; then
    is '.reserve == null'
    sizes='.advice[] | capture("^Make the area (?<size>[0-9]+[KMG]) large, where it is declared[.]$").size'
  else
    sizes='.reserve | capture("^cma-test reserve (?<size>[0-9]+[KMG])$").size'
  fi
  is "[$sizes] | length == 1"
  # What it had itself by then is not in anybody's way.
  is '[.failure.in_the_way[].block.command, .advice[]] | all(. == null or (test("cma-test") | not))'
  verdict 'advice: a set that does not fit is told the area that it needs' "$reasons"
  echo "# $(jq -c '{failure: .failure | {request, block, cause}, advice, reserve}' "$said")"
  jq -r "\"# advised: \" + ($sizes)" "$said"
}

# choose: sets $where where not the default area is meant.
choose() {
  [ -n "$other" ] || return 0
  HOLD_AREA='' most=0 index=0
  while size=$(HOLD_AREA=$index "$hold" size 2>/dev/null); do
    [ "$size" -le "$most" ] || { most=$size HOLD_AREA=$index; }
    index=$((index + 1))
  done
  export HOLD_AREA
  where="--area $HOLD_AREA"
  check 'there are two areas' test "$index" -ge 2
}

# Nobody can be named before the module is there; and it must see vivid's blocks come.
mark_log || exit 2
if [ -n "$fits" ]; then
  insmod "$module" alloc_count=0 $(kernel_addresses) || exit 2
  choose
  ends 0 "the set fits an area of $(($("$hold" size) * $(page_size) / 1024)) MiB, as was advised" \
    fits.json explain --no-load $where $set
  sed 's/^/# /' "$said"
  quiet 'the kernel complains of nothing'
  finish
fi
while read -r name; do
  case $name in
    vivid) insmod "$disk/$name.ko" n_devs=1 node_types=0x1 allocators=1 || exit 2 ;;
    *) insmod "$disk/$name.ko" || exit 2 ;;
  esac
done <"$disk/order"
for _ in 1 2 3 4 5 6 7 8 9 10; do
  if [ ! -b /dev/vdc ] || [ ! -c /dev/video0 ]; then sleep 0.5; fi
done
mkdir -p /slow /sys/fs/cgroup /dev/pts
mount -t devpts none /dev/pts || exit 2
wrapper() {
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$2" "$command" >"$1" && chmod 755 "$1"
}
wrapper /tmp/older "$hold older" && wrapper /tmp/other "$hold as 65534" || exit 2
video=/dev/video0
mount -t ext4 /dev/vda /var/tmp && dd if=/dev/zero of=/var/tmp/file bs=1M count=120 2>/dev/null &&
  umount /var/tmp || exit 2
mount -t tmpfs none /tmp/box || exit 2
mount -t cgroup2 none /sys/fs/cgroup && mkdir /sys/fs/cgroup/box || exit 2
mkdir -p /dev/mapper
insmod "$module" alloc_count=0 $(kernel_addresses) || exit 2
choose
area=$("$hold" size)
idle=$(meminfo CmaFree)

# These take long, and say little more than those beside them.
long='input registered elsewhere deleted together merged older churn full memory prints'
known='' all=$(sed -n 's/^row_\([a-z]*\)() .*/\1/p; s/^\(once_[a-z]*\)() .*/\1/p' "$0")
for row in $all; do
  case " $long " in
    *" ${row#once_} "*) [ -z "$full" ] || known="$known $row" ;;
    *) known="$known $row" ;;
  esac
done
begun=$(cut -d . -f 1 /proc/uptime)
for row in ${rows:-$known}; do
  case $(type "once_${row#once_}" 2>/dev/null) in
    *function*) "once_${row#once_}" ;;
    *)
      case $(type "row_$row" 2>/dev/null) in
        *function*) tried "$row" ;;
        *) not_ok "there is a row $row" ;;
      esac
      ;;
  esac
  now=$(cut -d . -f 1 /proc/uptime)
  echo "# $row took $((now - begun)) s"
  begun=$now
done
check 'the module can be removed' rmmod cmatest
quiet 'the kernel complains of nothing'
finish
