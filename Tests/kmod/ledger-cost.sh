#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what the ledger costs an allocation and its release: the same requests with ledger=0 and with the
# ledger as it is, by turns. Run as root in a virtual machine with a CMA area.
#
# usage: ledger-cost.sh MODULES PAGES ROUNDS [BOUND]
#   MODULES  has cmatest.ko and holders
#   BOUND    the ratio that is allowed
#
# Its last lines have the ratio of the medians of each round, and the nanoseconds that a pair of calls takes longer.
. "$(dirname "$0")/../checks.sh"

modules=$1 pages=$2 rounds=$3 bound=${4:-}
out=/tmp/ledger-cost
mkdir -p "$out"
mark_log || exit 2
# What a boot leaves to be done later is done then. Where instructions are counted, this takes no time.
sleep 60

# turn NAME PARAMETER...: the nanoseconds of a pair, of one more round, in the file of that name.
turn() {
  name=$1
  shift
  # shellcheck disable=SC2046  # parameters have no blanks
  insmod "$modules/cmatest.ko" alloc_count=0 $(kernel_addresses) "$@" || exit 2
  "$modules/holders" time "$pages" >"$out/said" || not_ok 'the requests are made' "$(cat "$out/said")"
  rmmod cmatest
  sed -n 's/^# p10 and p50 of .*: allocation [0-9]* \([0-9]*\) ns, release [0-9]* \([0-9]*\) ns/\1 \2/p' "$out/said" |
    awk '{ print $1 + $2 }' >>"$out/$name"
}
for _ in $(seq 0 "$rounds"); do
  turn without ledger=0
  turn with
done
# The first round is a warm-up.
said=$(paste "$out/without" "$out/with" | tail -n +2 | awk '{ print $2 / $1, $2 - $1, $1 }' | sort -n |
  awk '{ ratio[NR] = $1; ns[NR] = $2; pair[NR] = $3 }
    END {
      if (!NR) exit 1
      middle = int((NR + 1) / 2)
      printf "%.4f (%.4f to %.4f), %d ns of %d a pair", ratio[middle], ratio[1], ratio[NR], ns[middle], pair[middle]
    }')
echo "# $pages pages: ratio $said"
if [ -n "$bound" ]; then
  check "with the ledger a pair takes at most $bound times as long" \
    awk -v ratio="${said%% *}" -v bound="$bound" 'BEGIN { exit !(ratio > 0 && ratio <= bound) }'
fi
quiet 'the kernel complains of nothing'
finish
