#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Puts what can be in the way of an allocation into the area, has `cma-test explain` and `map` say what it is,
# and compares: run as root in a virtual machine, never on a machine that matters. Needs busybox and what
# scripts/vm/holders brings: hold (hold.c), dmsetup, v4l2-ctl, jq.
#
# usage: holders.sh --module FILE --disk DIR --set SET [--command FILE] [--rounds N] [--fits] [ROW...]
#   --module FILE   cmatest.ko
#   --disk DIR      the modules of /dev/vda to vdc, which have ext4, of dm-delay and of vivid, and their order
#   --set SET       the blocks that do not fit here, and with the area that is advised then do
#   --command FILE  cma-test (/usr/sbin/cma-test)
#   --rounds N      how often each row is tried (2)
#   --fits          only that the set fits here
#   ROW             as the functions row_… below are named, or share or advice; without any: all of them
# shellcheck disable=SC2046,SC2086,SC2317  # words; what is called by its name
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

command=/usr/sbin/cma-test rounds=2 fits='' rows='' hold=/holders/hold
while [ $# -gt 0 ]; do
  case $1 in
    --fits) fits=1 && shift && continue ;;
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
  asks explain.json explain --no-load --json "$@"
  [ "$code" = "$wanted" ] || wrong "explain $* ended with $code, not with $wanted: $(tail -n 30 "$said" "$said.err")"
  if [ -n "$held" ] && [ "$wanted" = 1 ]; then
    "$hold" witness "${1%p@1p}" $held >"$out/witness" 2>&1
    grep -q 'as it must' "$out/witness" || wrong "the kernel had something else in the way: $(cat "$out/witness")"
  fi
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

# moves: the allocation of all that there is does well.
moves() {
  explained 0 "$(all)"
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

# What a transaction of the journal has changed is held until it is written where it belongs. What is read
# from a block device itself is never in an area: the kernel asks for such pages as for its own.
row_metadata() {
  text='metadata of ext4 in the journal is in the way, on that device'
  pid=0 held=''
  mount -t ext4 -o commit=600 /dev/vdb /slow || { wrong 'no ext4 on vdb' && return; }
  rm -rf /slow/folders && mkdir /slow/folders
  # Each processor has a list of free pages that goes first, and need not have any of the area.
  pages=0 number=0
  while [ "${pages:-0}" = 0 ] && [ "$number" -lt 2000 ]; do
    (cd /slow/folders && mkdir $(seq "$((number + 1))" "$((number + 100))")) || wrong 'no folders on vdb'
    number=$((number + 100))
    pages=$("$hold" where /dev/vdb)
  done
  [ "${pages:-0}" -gt 0 ] || wrong 'no metadata is in the area'
  in_the_way '.kind == "page-cache" and .path == null and .device == "vdb"'
  named '.words | test("metadata of ext4 on vdb")'
  umount /slow || wrong '/slow is busy'
}

row_storm() {
  text='while files are synchronized all the time, it fits, or metadata or a file is named'
  mount -t ext4 /dev/vdb /slow || { wrong 'no ext4 on vdb' && return; }
  if plays "$hold" storm /slow; then
    asks explain.json explain --no-load --json "$(all)"
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
    asks explain.json explain --no-load --json "$(all)"
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

row_vivid() {
  text='4 blocks of 1013 pages are by v4l2-ctl, taken by vb2_dc_alloc for vivid'
  held=''
  v4l2-ctl -d "$video" --set-fmt-video=width=1920,height=1080,pixelformat=YUYV --stream-mmap=4 >"$out/v4l2" 2>&1 &
  player=$! pid=$! waited=0
  until [ "$(meminfo CmaFree)" != "$idle" ] && grep -q '<' "$out/v4l2" || [ "$waited" = 300 ]; do
    sleep 0.1
    waited=$((waited + 1))
  done
  explained 1 "${area}p@1p"
  is '.failure.cause == "no-hole"'
  is ".failure.largest_hole_pages == $(room)"
  named '.kind == "block" and .block.pages == 1013 and .block.pid == $pid and .block.command == "v4l2-ctl"
    and .block.taken_by == "vb2_dc_alloc [videobuf2_dma_contig]" and .block.driver == "vivid"
    and .words == "4 blocks of 1013 pages by \($pid) (v4l2-ctl), taken by vb2_dc_alloc [videobuf2_dma_contig] for vivid"'
  named ".kind == \"block\" and (.block.time | startswith(\"$(date -u +%Y-%m-%dT)\"))"
  asks map.json map --format json
  [ "$code" = 0 ] || wrong "map ended with $code: $(tail -n 30 "$said.err")"
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
  asks explain.json explain --no-load --json "${area}p@1p"
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
    text="$text within $took ms, with what else the command does (1 s were the processor not emulated)"
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

# share: of all pages of a busy area nearly all have a class, and of those in use a holder.
share() {
  reasons='' pid=0 held=''
  disk
  wc -c </var/tmp/file >"$out/size"
  plays "$hold" many 8 4096
  asks map.json map --format json
  kill -KILL $(pidof hold) 2>/dev/null
  [ "$code" = 0 ] || wrong "map ended with $code: $(tail -n 30 "$said.err")"
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
  is '([.classes[].pages] | add) == .area.pages'
  is '([.runs[][1]] | add) == .area.pages'
  no_disk
  verdict 'share: each page of a busy area has a class, each in use a holder' "$reasons"
}

# advice: the set does not fit, and what is said to do is left for scripts/vm/holders.
advice() {
  reasons='' pid=0 held=''
  explained 1 $set
  is '.reserve | test("^cma-test reserve [0-9]+[KMG]$")'
  # What it had itself by then is not in anybody's way.
  is '[.failure.in_the_way[].block.command, .advice[]] | all(. == null or (test("cma-test") | not))'
  verdict 'advice: a set that does not fit is told the area that it needs' "$reasons"
  echo "# $(jq -c '{failure: .failure | {request, block, cause}, advice, reserve}' "$said")"
  jq -r '.reserve // empty' "$said" | sed -n 's/^cma-test reserve /# advised: /p'
}

# Nobody can be named before the module is there; and it must see vivid's blocks come.
mark_log || exit 2
if [ -n "$fits" ]; then
  insmod "$module" alloc_count=0 $(kernel_addresses) || exit 2
  ends 0 "the set fits an area of $(awk '/^CmaTotal/ { print $2 / 1024 }' /proc/meminfo) MiB, as was advised" \
    fits.json explain --no-load $set
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
mkdir -p /slow /sys/fs/cgroup
video=/dev/video0
mount -t ext4 /dev/vda /var/tmp && dd if=/dev/zero of=/var/tmp/file bs=1M count=120 2>/dev/null &&
  umount /var/tmp || exit 2
mount -t tmpfs none /tmp/box || exit 2
mount -t cgroup2 none /sys/fs/cgroup && mkdir /sys/fs/cgroup/box || exit 2
mkdir -p /dev/mapper
insmod "$module" alloc_count=0 $(kernel_addresses) || exit 2
area=$(($(meminfo CmaTotal) / $(page_size)))
idle=$(meminfo CmaFree)

known=$(sed -n 's/^row_\([a-z]*\)() .*/\1/p' "$0")
begun=$(cut -d . -f 1 /proc/uptime)
for row in ${rows:-$known share advice}; do
  case $row in
    share | advice) $row ;;
    *) tried "$row" ;;
  esac
  now=$(cut -d . -f 1 /proc/uptime)
  echo "# $row took $((now - begun)) s"
  begun=$now
done
check 'the module can be removed' rmmod cmatest
quiet 'the kernel complains of nothing'
finish
