#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what the clock, the histograms and the probes of a measurement cost: pairs of measurements,
# with and without them, by turns. Run as root in a virtual machine with a CMA area.
#
# usage: overhead.sh MODULES PAGES REQUESTS PAIRS
#   MODULES  has cmatest.ko and engine
#
# Its last lines have the median of the ratios of the elapsed times, the smallest and the largest, and
# the nanoseconds that a pair of calls takes longer.
set -u
insmod "$1/cmatest.ko" alloc_count=0 || exit 2
# What a boot leaves to be done later is done then. Where instructions are counted, this takes no time.
sleep 60
"$1/engine" overhead "$2" "$3" 2 >/run/warm-up || exit 1
"$1/engine" overhead "$2" "$3" "$4" >/run/overhead || exit 1
rmmod cmatest
cat /run/overhead
echo "# clock: $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
# Each ratio is of two measurements with the order of one, so two neighbours are taken together.
awk '/^[0-9]/ && NF == 6 && $1 % 2 == 0 { without = $4; with = $5 }
  /^[0-9]/ && NF == 6 && $1 % 2 == 1 {
    print (with + $5) / (without + $4), (with + $5 - without - $4) / (2 * $3) }' /run/overhead |
  sort -n | awk '{ ratio[NR] = $1; ns[NR] = $2 }
    END {
      if (!NR) exit 1
      printf "# ratio %.4f (%.4f to %.4f), %.0f ns a pair (%.0f to %.0f)\n", ratio[int((NR + 1) / 2)],
        ratio[1], ratio[NR], ns[int((NR + 1) / 2)], ns[1], ns[NR] }'
