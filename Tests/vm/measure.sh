#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures in a virtual machine as a user would, compares and draws the results, and ends measurements in
# every way: run as root, never on a machine that matters. Needs a shell, awk, grep, insmod and rmmod:
# busybox has them.
#
# usage: measure.sh --module FILE --disk DIR --profiles DIR --examples DIR [--command FILE] [--out DIR]
#   --module FILE   cmatest.ko, which modprobe finds, too
#   --disk DIR      /dev/vda, which has ext4, becomes /var/tmp; DIR has its modules and their order
#   --profiles DIR  the packaged profiles
#   --examples DIR  the packaged examples
#   --command FILE  cma-test (/usr/sbin/cma-test)
#   --out DIR       where the results are left (/tmp/measure); those as JSON are on the disk, too, in results
#   --power         does nothing but lose the power, after more than a minute of a measurement
# shellcheck disable=SC2046,SC2086,SC2317  # parameters are words; what is called by its name
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

command=/usr/sbin/cma-test out=/tmp/measure power=false
while [ $# -gt 0 ]; do
  case $1 in
    --power) power=true && shift && continue ;;
    --module) module=$2 ;;
    --disk) disk=$2 ;;
    --profiles) profiles=$2 ;;
    --examples) examples=$2 ;;
    --command) command=$2 ;;
    --out) out=$2 ;;
    *) echo "measure.sh: unknown argument $1" >&2 && exit 2 ;;
  esac
  shift 2
done
mkdir -p "$out"
reports=$out

# pages_held: of all open files, as the area's own count shows them; nothing where the kernel has none.
pages_held() { cat /sys/kernel/mm/cma/reserved/available_pages 2>/dev/null; }

# complete FILE: whether a result says that it is whole.
complete() { grep -q '"complete": true' "$1"; }

# rounds FILE: how many rounds a result has.
rounds() { grep -c '"elapsed_ns"' "$1"; }

# ended SIGNAL CODE: a measurement of an hour ends with CODE within 10 s of the signal, and its result is valid.
ended() {
  # A subshell of its own: a shell has what it starts in the background ignore SIGINT.
  { sleep 5 && kill -s "$1" "$(cat "$out/pid")"; } &
  begun=$(date +%s)
  sh -c 'echo $$ >"$0/pid"; exec "$@" >"$0/ended.txt" 2>&1' "$out" "$command" bench --size 16p \
    --duration 1h --output "$out/$1.json"
  same "$1 ends a measurement" "$2" $?
  wait
  check "within 10 seconds of $1" [ $(($(date +%s) - begun)) -lt 15 ]
  has "the result after $1 says why it ended" "\"ended_by\": \"SIG$1\"" "$(cat "$out/$1.json")"
  check "the result after $1 has what was measured" [ "$(rounds "$out/$1.json")" -ge 1 ]
  check "and can be drawn" "$command" report "$out/$1.json" -o "$out/$1.html"
}

# loads: the processes of loads. They run the program under the name that it has for itself.
loads() { ps -o args | awk '/ [l]oad --folder=/'; }

# killed: what a measurement has written by the time that it is killed is a valid result.
killed() {
  "$command" bench --size 16p --duration 1h --output "$out/killed.json" --load anon >/dev/null 2>&1 &
  measurement=$! waited=0
  until [ "$(rounds "$out/killed.json" 2>/dev/null || echo 0)" -ge 1 ] 2>/dev/null || [ $waited = 90 ]; do
    sleep 1
    waited=$((waited + 1))
  done
  has 'a load runs beside a measurement' ' load --folder=' "$(loads)"
  kill -KILL "$measurement"
  wait "$measurement"
  check 'a measurement that is killed has left its result' [ "$(rounds "$out/killed.json")" -ge 1 ]
  check_not 'which says that it is a part' complete "$out/killed.json"
  check 'and can be drawn' "$command" report "$out/killed.json" -o "$out/killed.html"
  sleep 2
  no_lines 'no load is left' loads
}

# power: measures as for days, and loses the power a good while later, without a word to any file system: what the
# disk has by then is looked at from outside, beside the time that the measurement had.
power() {
  begun=$(cut -d . -f 1 /proc/uptime)
  "$command" bench --size 1p,16p --rounds 1 --duration 2h --output /var/tmp/power.json >/dev/null 2>&1 &
  sleep 130
  check 'the measurement goes on' kill -0 $!
  echo "# the power is lost after $(($(cut -d . -f 1 /proc/uptime) - begun)) s"
  echo b >/proc/sysrq-trigger
  sleep 60
  not_ok 'the power is lost'
}

# flat: memory does not grow with the number of requests. Those that are too large fail at once.
flat() {
  for count in 10000 100000 10000000; do
    most_memory "$out/flat.txt" "$command" bench --size 70000p --rounds 1 --warm-up 0 --count $count
    has "$count requests fail, each counted" \
      "$count requests in 1 round, $count failed \(100.0 %: larger than the area\)" "$(cat "$out/flat.txt")"
    check "$count requests take less than 16 MiB ($most KiB)" [ "$most" -gt 0 -a "$most" -lt 16384 ]
  done
}

# column NAME FILE: a field of the first row of comma-separated values.
column() {
  awk -F , -v name="$1" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) place = i }
    NR == 2 && place { print $place }' "$2"
}

# traced: the kernel's own histogram of the same allocations, which it makes from its events (CONFIG_HIST_TRIGGERS),
# has the same median. The number of them is odd, so that the median is one of them.
traced() {
  tracing=/sys/kernel/tracing requests=201
  mount -t tracefs tracefs $tracing 2>/dev/null
  # The last one fails without those before it.
  echo 'cma_time u64 lat' >$tracing/synthetic_events
  echo 'hist:keys=common_pid:start=common_timestamp' >$tracing/events/cma/cma_alloc_start/trigger
  echo 'hist:keys=common_pid:lat=common_timestamp-$start:onmatch(cma.cma_alloc_start).trace(cma_time,$lat)' \
    >$tracing/events/cma/cma_alloc_finish/trigger
  check 'the kernel makes a histogram of its events' \
    sh -c "echo 'hist:keys=lat:size=2048' >$tracing/events/synthetic/cma_time/trigger"
  ends 0 'allocations are measured while the kernel does the same' traced.csv bench --size 1024p --rounds 1 \
    --warm-up 0 --count $requests --format csv
  cp $tracing/events/synthetic/cma_time/hist "$out/hist.txt"
  has "the kernel has seen the same $requests allocations" "^ *Hits: $requests\$" "$(cat "$out/hist.txt")"
  kernels=$(sed -nE 's/^\{ lat: *([0-9]+) *\} hitcount: *([0-9]+).*/\1 \2/p' "$out/hist.txt" | sort -n |
    awk -v middle=$(((requests + 1) / 2)) '{ seen += $2 } seen >= middle && !done++ { print $1 }')
  ours=$(column alloc_p50_ns "$said")
  check "both medians are within 5 % ($ours ns here, $kernels ns there)" \
    awk -v a="$ours" -v b="$kernels" 'BEGIN { exit !(a > 0 && b > 0 && a / b < 1.05 && b / a < 1.05) }'
  for event in synthetic/cma_time cma/cma_alloc_finish cma/cma_alloc_start; do
    echo "!$(sed -n 's/ \[active\]$//p' $tracing/events/$event/trigger)" >$tracing/events/$event/trigger
  done
  check 'the kernel counts no longer' sh -c ": >$tracing/synthetic_events"
}

mark_log || exit 2
mkdir -p /var/tmp /run
while read -r name; do insmod "$disk/$name.ko" || exit 2; done <"$disk/order"
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -b /dev/vda ] || sleep 0.5; done
mount -t ext4 /dev/vda /var/tmp || exit 2

if $power; then
  insmod "$module" alloc_count=0 $(kernel_addresses) || exit 2
  power
  finish
fi

# One command is enough: the module is loaded, and removed again.
ends 0 'bench loads the module' one.txt bench --profile "$profiles/quick.profile" --rounds 2 --count 5
says 'each size has its table' '^(1 page|16 pages|256 pages)$' 3
check_not 'bench removes the module' test -e /dev/cmatest

insmod "$module" alloc_count=0 $(kernel_addresses) || exit 2
before=$(pages_held)
ends 0 'two sizes are measured in six rounds' first.txt bench --size 1p,16p --rounds 6 --count 20 \
  --output "$out/first.json"
says 'each has its intervals' '95 % intervals over rounds: p50 .*, p99 ' 2
says 'nothing failed' '120 requests in 6 rounds, none failed' 2
check 'the result is whole' complete "$out/first.json"
ends 0 'and again' second.txt bench --size 1p,16p --rounds 6 --count 20 --output "$out/second.json"
"$command" compare "$out/first.json" -- "$out/second.json" >"$out/compare.txt" 2>&1
case $? in
  # On a machine that does other work, too, it can come to any of these.
  0 | 1 | 4) ok 'two results are compared' ;;
  *) not_ok 'two results are compared' "$(cat "$out/compare.txt")" ;;
esac
ends 0 'a page is made of them' report.txt report "$out/first.json" "$out/second.json" -o "$out/page.html"
has 'the page has the kernel' "$(uname -r | tr + .)" "$(cat "$out/page.html")"

ends 0 'several threads keep blocks' team.txt bench --size 4p --threads 3 --hold 5 --count 60 --rounds 2
says 'all requests are counted' '120 requests in 2 rounds, none failed'
ends 0 'the intended start counts' every.txt bench --size 16p --every 50ms --count 20 --rounds 2
says 'with its own times' '^  since intended '
ends 1 'an allocation above the limit ends the measurement' slow.txt bench --size 16p --stop-above 1ns
says 'and is shown' '^an allocation took '

ends 0 'a camera beside page cache' camera.txt bench --profile "$profiles/camera.profile" --rounds 2 --count 15 \
  --output "$out/camera.json"
says 'how much of the area the cache had is told' 'the load had .* of .* pages when a round began'
ends 0 'sizes beside memory of programs' anon.txt bench --size 1p,1024p --load anon --rounds 2 --count 20 \
  --every 50ms
says 'how much of the area that had is told' 'the load had .* of .* pages when a round began' 2
if [ -d /sys/kernel/tracing ]; then
  has 'and how many pages had to move' '^  for each request: .* busy retries, .*[1-9].* pages migrated' \
    "$(cat "$out/anon.txt")"
fi
ends 34 'a load that does not load is an error' false.txt bench --load command:false

check 'the example for upgrades measures before' env PATH="${command%/*}:$PATH" sh "$examples/guard-upgrade" \
  before "$out/guard.json" --size 1p --rounds 6 --count 10
code=0
PATH="${command%/*}:$PATH" sh "$examples/guard-upgrade" after "$out/guard.json" --size 1p --rounds 6 --count 10 \
  >"$out/guard.txt" 2>&1 || code=$?
# As above: it can come to any of these.
has 'and after' '^[014] ' "$code $(cat "$out/guard.txt")"
has 'and says what it came to' '^guard-upgrade: (nothing became worse|worse than before|3 of 3 measurements)' \
  "$(cat "$out/guard.txt")"

ended INT 130
ended TERM 143
killed
flat
traced

ends 64 'a size that no machine has is refused' huge.txt bench --size 1p,99999999999p
ends 18 'a result that cannot be written is told at once' full.txt bench --output /proc/none/file
ends 18 'a folder is told at once, too' folder.txt bench --output "$out"
mkdir -p /small && mount -t tmpfs -o size=8k tmpfs /small
ends 18 'a disk that is full at the end is told' small.txt bench --size 1p,16p --rounds 3 --count 20 --output /small/r.json
says 'with what was measured' '60 requests in 3 rounds, none failed' 2
umount /small

# As a first user of the manual would: words of a shell, and terminals that are too narrow for them.
quoted='command:sh -c "while :; do sleep 1; done" "it'"'"'s"'
ends 0 'a command with quotes is a load' quoted.txt bench --size 16p --rounds 2 --count 10 --load "$quoted" \
  --output "$out/quoted.json"
says 'which is named as it was given' '^16 pages, load command:sh -c "while :; do sleep 1; done" "it.s"$'

# What is not comparable is told before the measurement.
ends 36 'a baseline of other sizes is refused' baseline.txt bench --size 2p --baseline "$out/first.json"
check_not 'and nothing is measured' grep -q requests "$out/baseline.txt"
"$command" bench --size 1p --duration 30s >/dev/null 2>&1 &
sleep 3
ends 33 'one measurement at a time' busy.txt bench
kill -TERM $!
wait $!
same 'the area has as many pages free as before' "$before" "$(pages_held)"
mkdir -p /var/tmp/results
cp "$out"/*.json /var/tmp/results/
check 'the results are on the disk' umount /var/tmp
check 'the module can be removed' rmmod cmatest
quiet 'the kernel complains of nothing'
finish
