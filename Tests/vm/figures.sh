#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures one of the figures of scripts/vm/figures in a virtual machine: run as root, never on a machine
# that matters. Needs a shell, awk, grep and insmod: busybox has them.
#
# usage: figures.sh FIGURE [options]
#   FIGURE          release, gcma or failures
#   --module FILE   cmatest.ko
#   --disk DIR      /dev/vda, which has ext4, becomes /var/tmp, where results are left; DIR has its modules
#                   and their order
#   --profiles DIR  the packaged profiles
#   --begin TIME    waits until then, in seconds of date +%s, so that two machines begin together
#   --seconds N     of the measurement of release
#   --count N...    requests of each measurement of failures; may be repeated
# shellcheck disable=SC2046,SC2086,SC2317  # parameters are words; what is called by its name
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

command=/usr/sbin/cma-test begin=0 seconds=60 counts='' figure=$1
shift
while [ $# -gt 0 ]; do
  case $1 in
    --module) module=$2 ;;
    --disk) disk=$2 ;;
    --profiles) profiles=$2 ;;
    --begin) begin=$2 ;;
    --seconds) seconds=$2 ;;
    --count) counts="$counts $2" ;;
    *) echo "figures.sh: unknown argument $1" >&2 && exit 2 ;;
  esac
  shift 2
done

# measured TEXT ARGUMENT...: a measurement that ends well, and says what it came to; its result is on the disk.
measured() {
  text=$1
  shift
  echo "# begins at $(date -u +%T)"
  ends 0 "$text" said.txt bench "$@" --output /var/tmp/result.json
  echo "# ended at $(date -u +%T)"
  sed 's/^/# /' "$said"
}

# release: blocks of 64 MiB, as many as there is time for: no machine is done before the other.
release() {
  measured 'blocks of 64 MiB are measured' --profile "$profiles/large-release.profile" --rounds 15 \
    --count 1000000 --duration "${seconds}s"
  says 'in 15 rounds, and none failed' ' requests in 15 rounds, none failed$'
  says 'with their intervals' '95 % intervals over rounds: p50 .*, p99 '
}

gcma() {
  measured 'the sizes of the published table are measured' --profile "$profiles/gcma.profile" --seed 1
  says 'eight rows have their published times' '^[0-9]+ pages?, every 50 ms, load cache\+churn .* (ms|s|µs)$' 8
  says 'what of the area the loads had is told' 'the load had .* of .* pages when a round began' 8
}

# failures: the memory of many requests that fail at once, being larger than the area.
failures() {
  most_of_all='' least_of_all=''
  for count in $counts; do
    begun=$(cut -d ' ' -f 1 /proc/uptime)
    most_memory /tmp/failures.txt "$command" bench --size 70000p --rounds 1 --warm-up 0 --count "$count"
    ended=$(cut -d ' ' -f 1 /proc/uptime)
    has "$count requests fail, each counted" \
      "$count requests in 1 round, $count failed \(100.0 %: larger than the area\)" "$(cat /tmp/failures.txt)"
    check "$count requests take at most 16 MiB ($most KiB)" [ "$most" -gt 0 -a "$most" -le 16384 ]
    awk -v n="$count" -v a="$begun" -v b="$ended" -v most="$most" 'BEGIN {
      printf "# %d requests: %.1f s in all, at most %d KiB\n", n, b - a, most }'
    grep '^  failure' /tmp/failures.txt | sed 's/^/# /'
    [ -n "$least_of_all" ] && [ "$least_of_all" -le "$most" ] || least_of_all=$most
    [ -n "$most_of_all" ] && [ "$most_of_all" -ge "$most" ] || most_of_all=$most
  done
  check "the memory does not grow with them ($least_of_all to $most_of_all KiB)" \
    [ $((most_of_all - least_of_all)) -le 256 ]
}

mark_log || exit 2
mkdir -p /var/tmp /run
while read -r name; do insmod "$disk/$name.ko" || exit 2; done <"$disk/order"
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -b /dev/vda ] || sleep 0.5; done
mount -t ext4 /dev/vda /var/tmp || exit 2
insmod "$module" alloc_count=0 $(kernel_addresses) || exit 2
now=$(date +%s)
# A clock that is far off is none to wait for.
if [ "$begin" -gt "$now" ] && [ $((begin - now)) -le 300 ]; then sleep $((begin - now)); fi
case $figure in
  release | gcma | failures) "$figure" ;;
  *) echo "figures.sh: no figure $figure" >&2 && exit 2 ;;
esac
rmmod cmatest || not_ok 'the module can be removed'
umount /var/tmp || not_ok 'the results are on the disk'
quiet 'the kernel complains of nothing'
finish
