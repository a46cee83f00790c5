#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures `cma-test map` of an area, text and JSON, beside many processes and a nearly empty mapping of 10 TiB,
# against the C program of Tests/vm/pagemaps.c, which only reads what there is to read. All are whole processes,
# by turns. Run as root in a virtual machine.
#
# usage: map-speed.sh MODULE PROCESSES PAGES ROUNDS BOUND
#   MODULE     cmatest.ko
#   PROCESSES  so many, with PAGES of memory each
#   BOUND      as many times the C program's time are allowed
# shellcheck source-path=SCRIPTDIR/..
. "$(dirname "$0")/../checks.sh"

module=$1 processes=$2 pages=$3 rounds=$4 bound=$5
PATH=$PATH:/usr/bin:/usr/sbin
pagemaps=/speed/pagemaps out=/tmp/speed
mkdir -p "$out"
mark_log || exit 2
# shellcheck disable=SC2046  # parameters have no blanks
insmod "$module" alloc_count=0 $(kernel_addresses) || exit 2
"$pagemaps" crowd "$processes" "$pages" 10 >"$out/ready" &
until grep -q ready "$out/ready"; do sleep 1; done
# What a boot leaves to be done later is done then. Where instructions are counted, this takes no time.
sleep 60

area=$(dmesg | sed -n '/cma: Reserved [0-9]* MiB at 0x/ { s/.*Reserved \([0-9]*\) MiB at \(0x[0-9a-f]*\).*/\1 \2/p; q; }')
frames=$((${area% *} * 1024 / $(page_size)))
first=$((${area#* } / 1024 / $(page_size)))

# turn NAME COMMAND...: its time, of one more round, in the file of that name.
turn() {
  name=$1
  shift
  "$pagemaps" time "$out/$name.out" "$@" >>"$out/$name" || not_ok "$* succeeds"
}
for _ in $(seq 0 "$rounds"); do
  turn reads "$pagemaps" "$first" "$frames"
  turn text /usr/sbin/cma-test map --no-load
  turn json /usr/sbin/cma-test map --no-load --json
  turn start /usr/sbin/cma-test --version
done

# middle NAME: of its times; the first round is a warm-up.
middle() { tail -n "+2" "$out/$1" | sort -n | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'; }
reads=$(middle reads)
start=$(middle start)
echo "# $frames frames; the C program: $reads ms, $(cat "$out/reads.out") used and mapped; a start: $start ms"
check 'pages of the area are in what the processes have' [ "$(cut -d ' ' -f 2 "$out/reads.out")" -gt 20000 ]
has "the picture names the processes" pagemaps "$(cat "$out/text.out")"
for kind in text json; do
  took=$(middle "$kind")
  ratio=$(awk -v took="$took" -v reads="$reads" 'BEGIN { printf "%.2f", took / reads }')
  echo "# map as $kind: $took ms, $ratio times as long"
  check "map as $kind takes at most $bound times as long as the reading" \
    awk -v ratio="$ratio" -v bound="$bound" 'BEGIN { exit !(ratio > 0 && ratio <= bound) }'
done
check 'the module can be removed' rmmod cmatest
quiet 'the kernel complains of nothing'
finish
