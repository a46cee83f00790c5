#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the whole suite in a virtual machine, in each form of report, and what it must refuse: run as
# root, never on a machine that matters. Needs a shell, awk, grep, insmod and rmmod: busybox has them.
#
# usage: suite.sh --module FILE [--command FILE] [--out DIR] [--skips NAME,...] [--faults FILE]
#                 [--cases-only | --areas-only | --no-default] [--seeds N]
#   --module FILE   cmatest.ko
#   --command FILE  cma-test (the one on PATH)
#   --out DIR       where the reports are left (/tmp/suite)
#   --skips NAMES   cases that may be skipped on this kernel
#   --faults FILE   cmatest_fault.ko, which makes faults: each must fail the case that is for it
#   --cases-only    the cases alone, and nothing of what does not depend on the area
#   --areas-only    what is for several areas, and nothing else; there must be several
#   --no-default    on a machine that has areas, and no default one: what is said there
#   --seeds N       the cases N times, each time with another seed (2)
set -u
# shellcheck source=../kernel-log.sh
. "$(dirname "$0")/../kernel-log.sh"

command=cma-test out=/tmp/suite skips='' faults='' module='' cases_only='' areas='' seeds=2
while [ $# -gt 0 ]; do
  case $1 in
    --cases-only) cases_only=1 && shift && continue ;;
    --areas-only | --no-default) areas=$1 && shift && continue ;;
    --module) module=$2 ;;
    --command) command=$2 ;;
    --out) out=$2 ;;
    --skips) skips=$2 ;;
    --faults) faults=$2 ;;
    --seeds) seeds=$2 ;;
    *) echo "suite.sh: unknown argument $1" >&2 && exit 2 ;;
  esac
  shift 2
done
mkdir -p "$out"

failed=0
# is TEXT WANTED FOUND: one check, one line.
is() {
  if [ "$2" = "$3" ]; then
    echo "ok - $1"
  else
    echo "not ok - $1: wanted '$2', found '$3'"
    failed=$((failed + 1))
  fi
}

eval "$(awk '
  BEGIN {
    var["dma_contiguous_default_area"] = "area_base"; var["cma_alloc"] = "alloc_fn"
    var["cma_release"] = "free_fn"; var["cma_for_each_area"] = "for_each_fn"
    var["cma_get_name"] = "name_fn"; var["cma_get_base"] = "base_fn"; var["cma_get_size"] = "size_fn"
  }
  NF == 3 && $3 in var { all = all " " var[$3] "=0x" $1 }
  END { print "addresses=\"" all "\"" }' /proc/kallsyms)"

# load FILE PARAMETER...
load() {
  file=$1
  shift
  # shellcheck disable=SC2086,SC2154  # words; from eval
  insmod "$file" $addresses "$@" || {
    echo "not ok - insmod $file $*"
    dmesg | tail -n 3
    exit 1
  }
}

# load_with_fault NAME: the module, and the one that makes a fault. Remove them with unload_with_fault.
load_with_fault() {
  load "$module" alloc_count=0
  insmod "$faults" "fault=$1" || {
    echo "not ok - insmod $faults fault=$1"
    dmesg | tail -n 3
    exit 1
  }
}
unload_with_fault() { rmmod cmatest_fault && rmmod cmatest; }

# interrupt SIGNAL REPORT: sends it to the run that writes REPORT, once that has begun to report: under
# emulation, and KASAN, its start alone takes seconds.
interrupt() {
  waited=0
  until grep -q '^1\.\.' "$2" 2>/dev/null || [ "$waited" = 60 ]; do
    sleep 1
    waited=$((waited + 1))
  done
  kill -s "$1" "$(cat "$2.pid")"
}

# count_requests: has the kernel count the requests to the allocator, granted or not, by the name of the
# area. Every stock kernel can; only those with CONFIG_CMA_SYSFS count by themselves.
count_requests() {
  requests='' event=/sys/kernel/tracing/events/cma/cma_alloc_finish
  if [ -d /sys/kernel/tracing ]; then mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; fi
  if [ -e "$event/hist" ]; then
    requests=$event/hist
    if ! echo hist:keys=name >"$event/trigger"; then
      is 'requests are counted by area' counted 'refused'
    fi
  fi
}

# counted: what the kernel has counted of allocations, area by area; nothing where it does not count.
counted() {
  for area in /sys/kernel/mm/cma/*; do
    [ -e "$area/alloc_pages_success" ] && echo "${area##*/} $(cat "$area/alloc_pages_success")"
  done
  [ -z "$requests" ] ||
    sed -n 's/^{ name: \(.*[^ ]\) *} hitcount: *\([0-9]*\).*/\1 \2 requests/p' "$requests" | sort
}

# counts_stand TEXT BEFORE AFTER: one check, of what `counted` printed.
counts_stand() {
  if [ -d /sys/kernel/mm/cma ] || [ -n "$requests" ]; then
    is "$1" "$2" "$3"
  else
    echo "skip - $1: this kernel does not count"
  fi
}

# Without the module nothing can run, and the reason is said.
without_module() {
  "$command" run --no-load --format ktap >"$out/none.ktap" 2>/dev/null
  is 'without the module it is skipped' 4 $?
  "$command" run --no-load --autopkgtest >/dev/null 2>&1
  is 'without the module autopkgtest skips it' 77 $?
  is 'without the module the reason is said once' 1 \
    "$(grep -c '^ok 1 device # SKIP .*modprobe cmatest' "$out/none.ktap")"
  is 'and for nothing else' 1 "$(grep -cE '^(not )?ok ' "$out/none.ktap")"
  "$command" areas --no-load >/dev/null 2>&1
  is 'without the module there are no areas' 30 $?
}

# One command is enough: it loads the module where modprobe would find it, and removes it again.
loads_the_module() {
  if [ ! -e "/lib/modules/$(uname -r)/modules.dep" ]; then
    echo "skip - one command is enough: this machine has no modules for modprobe"
    return
  fi
  before=$(counted)
  "$command" areas
  is 'areas loads the module' 0 $?
  counts_stand 'areas allocates nothing' "$before" "$(counted)"
  is 'areas removes the module' 'no device' "$([ -e /dev/cmatest ] || echo no device)"
  "$command" run --filter single-page >"$out/one.txt"
  is 'run loads the module' 0 $?
  is 'run removes the module' 'no device' "$([ -e /dev/cmatest ] || echo no device)"
  interrupt TERM "$out/load.ktap" &
  sh -c 'echo $$ >"$1.pid"; exec "$2" run --format ktap >"$1"' sh "$out/load.ktap" "$command"
  is 'SIGTERM ends the run that loaded the module' 143 $?
  wait
  is 'and the module is removed' 'no device' "$([ -e /dev/cmatest ] || echo no device)"
}

# The second of two says who has the device, or waits.
two_at_once() {
  "$command" run --format ktap --filter '[!m]*' >"$out/first.ktap" &
  first=$!
  waited=0
  until grep -q '^ok ' "$out/first.ktap" || [ "$waited" = 60 ]; do
    sleep 1
    waited=$((waited + 1))
  done
  for second in 'areas' 'areas --json' 'run' 'run --format junit'; do
    # shellcheck disable=SC2086  # words
    "$command" $second >"$out/second" 2>&1
    is "$second beside a run has an exit code of its own" 33 $?
    is "$second says who has the device" 'said' "$(grep -q "process $first " "$out/second" && echo said)"
  done
  "$command" areas --wait >/dev/null 2>"$out/second"
  is 'areas waits for the run to end' 0 $?
  is 'and says so once' 1 "$(grep -c "waiting: process $first " "$out/second")"
  wait "$first"
  is 'the first run passes all the same' 0 $?
}

# area_fact INDEX KEY: what `areas --json` says of an area.
area_fact() {
  "$command" areas --json | awk -v wanted="$1" -v key="\"$2\":" '
    $1 == "\"index\":" { found = $2 + 0 == wanted }
    found && $1 == key { sub(/^[^:]*: */, ""); sub(/,$/, ""); gsub(/"/, ""); print }'
}

# indices TRUTH: of the areas that are the default one, or that are not.
indices() {
  "$command" areas --json | awk -v truth="$1" '
    $1 == "\"index\":" { i = $2 + 0 } $1 == "\"default\":" && $2 ~ truth { print i }'
}

# Each area is listed, searched and tested without a page of another, while modprobe's are held in the
# default one.
several_areas() {
  others=$(indices false)
  if [ -z "$others" ] && [ "$areas" = --areas-only ]; then
    is 'there are several areas' 'several' 'one'
    return
  elif [ -z "$others" ]; then
    echo "skip - each of several areas: this machine has one"
    return
  fi
  "$command" status >"$out/status"
  is 'status tells how much the default area has' 1 "$(grep -c '^ok *reservation .* of it in the default area' "$out/status")"
  grep 'reservation' "$out/status"
  rmmod cmatest
  load "$module" alloc_count=256
  before=$(counted)
  "$command" areas
  counts_stand 'listing several areas allocates nothing' "$before" "$(counted)"
  is 'what is held since the load is charged to the default area' 256 \
    "$(area_fact "$(indices true)" held_pages)"
  for area in $others; do one_of_several "$area" "$(area_fact "$area" name)"; done
  rmmod cmatest
  load "$module" alloc_count=0
}

# one_of_several INDEX NAME: of an area that is not the default one.
one_of_several() {
  index=$1 name=$2
  is "none of that is charged to area $index ($name)" 0 "$(area_fact "$index" held_pages)"
  before=$(counted | awk -v name="$name" '$1 != name')
  own=$(counted | awk -v name="$name" '$1 == name')
  for word in "$index" "$name"; do
    "$command" areas --area "$word" >"$out/area"
    is "the largest block of $word is searched" 0 $?
    cat "$out/area"
    is "and $word is one area" "$index " "$(awk 'NR > 1 { printf "%s ", $1 }' "$out/area")"
  done
  "$command" run --area "$name" --format ktap --filter '[!mp]*' >"$out/area.ktap"
  is "the suite passes in $name" 0 $?
  grep -E '^not ok|# SKIP' "$out/area.ktap"
  is "$name is nobody else's" 1 "$(grep -cE '^# (at least )?0 of its [0-9]+ pages are others' "$out/area.ktap")"
  is "and all of $name can be had" all "$(awk '
    /^# exhaust: pages / { pages = $4 } /^# exhaust: area_pages / { of = $4 }
    END { if (pages > 0 && pages == of) print "all"; else print pages + 0 " of " of + 0 }' "$out/area.ktap")"
  counts_stand "no other area than $name was touched" "$before" \
    "$(counted | awk -v name="$name" '$1 != name')"
  # So the counts are of use.
  if [ -n "$before$own" ]; then
    is "requests to $name are counted" counted \
      "$([ "$own" != "$(counted | awk -v name="$name" '$1 == name')" ] && echo counted)"
  fi
}

# Without a default area the module has nothing to hold; all say so alike, and take nothing of another.
no_default() {
  text='nothing is reserved in the default area' before=$(counted)
  is 'the machine has areas' some "$([ "$(awk '/^CmaTotal:/ { print $2 }' /proc/meminfo)" -gt 0 ] && echo some)"
  # shellcheck disable=SC2086  # words
  for words in '' "$addresses"; do
    insmod "$module" $words alloc_count=0 2>/dev/null
    is 'the module does not load' refused "$([ ! -e /dev/cmatest ] && echo refused)"
    is 'and says why in the log' 1 \
      "$(dmesg | tail -n 1 | grep -c 'cmatest: .*this kernel reserved no default area')"
  done
  "$command" status >"$out/status"
  is 'status has an exit code for that' 24 $?
  grep -A 1 'reservation' "$out/status"
  is 'status names the areas that there are' 1 "$(grep -c "^no  reservation  $text, for all .* are in others ($(ls /sys/kernel/mm/cma))" "$out/status")"
  is 'and what to do' 1 "$(grep -c 'to mend it: cma-test reserve' "$out/status")"
  for arguments in '' '--largest' "--area $(ls /sys/kernel/mm/cma)"; do
    # shellcheck disable=SC2086  # words
    "$command" areas $arguments >"$out/areas" 2>&1
    is "areas $arguments has an exit code for that" 30 $?
    is "areas $arguments says so" 1 "$(grep -c "$text" "$out/areas")"
  done
  "$command" run --format ktap >"$out/none.ktap" 2>/dev/null
  is 'nothing can be tested' 4 $?
  is 'run says so once' 1 "$(grep -c "# SKIP $text" "$out/none.ktap")"
  counts_stand 'no other area was touched' "$before" "$(counted)"
}

# Others have nearly all of the area: nothing fails, and nothing passes that was given nothing.
nearly_full() {
  largest=$("$command" areas --largest --json |
    awk '/"default":/ { ours = /true/ } ours && /"largest_block_pages":/ { print $2 + 0 }')
  rmmod cmatest
  for left in 0 40; do
    load "$module" alloc_count=$((largest - left))
    "$command" run --format ktap --filter '[!mp]*' >"$out/full.ktap"
    is "a run with $left pages left has no failure" 0 $?
    grep -E '^not ok|# SKIP' "$out/full.ktap"
    is 'the head says how much is others' 1 "$(grep -c "^# [0-9]* of its [0-9]* pages are others'\|^# at least" "$out/full.ktap")"
    is 'nothing passes with no page' 0 "$(grep -cE '^# .*: (pages|blocks|largest_pages) 0$' "$out/full.ktap")"
    rmmod cmatest
  done
  load "$module" alloc_count=0
}

# Where the kernel shows the allocator's own bitmap, the suite must have looked at it.
if [ -d /sys/kernel/debug ]; then mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null; fi

mark_log || exit 1
count_requests
case $areas in
  --no-default) no_default ;;
  --areas-only)
    load "$module" alloc_count=0
    several_areas
    rmmod cmatest
    is 'the module can go' 0 $?
    ;;
esac
if [ -n "$areas" ]; then
  complaints=$(kernel_is_quiet)
  is 'the kernel complains of nothing' '' "$complaints"
  exit "$((failed > 0))"
fi
if [ -z "$cases_only" ]; then
  without_module
  loads_the_module
fi
load "$module" alloc_count=0
before=$(counted)
"$command" areas
is 'areas' 0 $?
counts_stand 'listing allocates nothing' "$before" "$(counted)"
cases=$("$command" run --list | wc -l)
time=$(date +%s)
"$command" run --format ktap --seed 1 --timeout 900 >"$out/run.ktap"
is 'the suite passes, as KTAP' 0 $?
echo "# the suite took $(($(date +%s) - time)) s"
grep -E '^not ok|# SKIP|^# .* (cannot|not|wrong)' "$out/run.ktap"
is 'the plan is kept' "$cases" "$(grep -cE '^(not )?ok [0-9]+ ' "$out/run.ktap")"
# shellcheck disable=SC2013  # names have no blanks
for name in $(awk '/ # SKIP / { print $3 }' "$out/run.ktap"); do
  case ",$skips," in
    *",$name,"*) ;;
    *) is "$name is not skipped" '' 'skipped' ;;
  esac
done
"$command" run --format json --seed 2 >"$out/run.json" 2>"$out/progress"
is 'the suite passes with another seed, as JSON' 0 $?
if [ -d /sys/kernel/debug/cma ]; then
  is 'debugfs agrees at each step of the two cases that compare' 2 \
    "$(grep -oE '"bitmap_comparisons": *[1-9]' "$out/run.json" | wc -l)"
fi
is 'progress is a line for each case' "$cases" "$(grep -cE '^\[[0-9]+/[0-9]+\] ' "$out/progress")"
seed=2
while [ "$seed" -lt "$seeds" ]; do
  seed=$((seed + 1))
  "$command" run --format ktap --seed "$seed" >"$out/seed.ktap"
  is "the suite passes with seed $seed" 0 $?
  grep -E '^not ok|# SKIP|^# .* (cannot|not|wrong)' "$out/seed.ktap"
done
"$command" run --format junit --filter '*-page' >"$out/run.xml" 2>/dev/null
is 'some cases pass, as JUnit' 0 $?
"$command" run --format tap --filter '*-page' >"$out/run.tap"
is 'some cases pass, as TAP' 0 $?
"$command" run --filter '*-page' >"$out/run.txt"
is 'some cases pass, as text' 0 $?
"$command" run --filter '*-page' --list >"$out/list"
is 'a filter chooses cases' 'single-page foreign-page pinned-page ' "$(awk '{ printf "%s ", $1 }' "$out/list")"

# What ends a run early: a report that says so, and nothing left behind.
ends() {
  "$command" run --area nonsense >/dev/null 2>&1
  is 'an area that is not there is a usage error' 64 $?
  "$command" run --filter zero >/dev/full 2>/dev/null
  is 'a report that cannot be written is an error' 18 $?
  "$command" run --filter zero >&- 2>/dev/null
  is 'no report at all is one, too' 18 $?
  { "$command" run 2>"$out/head.err"; echo $? >"$out/head.code"; } | { read -r _; }
  is 'a reader that goes ends the run' 18 "$(cat "$out/head.code")"
  is 'one line says so' 'cma-test: error: write to standard output: Broken pipe' \
    "$(cat "$out/head.err")"
  for signal in INT TERM HUP; do
    # Not in the background: a shell has it ignore SIGINT there.
    interrupt "$signal" "$out/$signal.ktap" &
    sh -c 'echo $$ >"$1.pid"; exec "$2" run --format ktap >"$1"' sh "$out/$signal.ktap" "$command"
    code=$?
    wait
    case $signal in
      HUP) is 'SIGHUP ends the run' 129 $code ;;
      INT) is 'SIGINT ends the run' 130 $code ;;
      TERM) is 'SIGTERM ends the run' 143 $code ;;
    esac
    is "the report says so (SIG$signal)" 1 "$(grep -c "^# ended by SIG$signal: " "$out/$signal.ktap")"
    is "all cases are in it (SIG$signal)" "$cases" \
      "$(grep -cE '^(not )?ok [0-9]+ ' "$out/$signal.ktap")"
  done
  interrupt HUP "$out/nohup.ktap" &
  sh -c 'echo $$ >"$1.pid"; trap "" HUP; exec "$2" run --format ktap --filter "[!m]*" >"$1"' \
    sh "$out/nohup.ktap" "$command"
  is 'a hang-up that is ignored, as under nohup, does not end the run' 0 $?
  wait
  interrupt INT "$out/threads.ktap" &
  sh -c 'echo $$ >"$1.pid"; exec "$2" run --format ktap --filter "c*" >"$1"' \
    sh "$out/threads.ktap" "$command"
  is 'SIGINT ends all processors at once' 130 $?
  wait
  "$command" run --timeout 1 --format ktap >"$out/timeout.ktap"
  is 'a run that takes too long has failed' 1 $?
  is 'the report says so (timeout)' 1 "$(grep -c '^# ended by timeout: ' "$out/timeout.ktap")"
}

if [ -z "$cases_only" ]; then
  ends
  two_at_once
  several_areas
  nearly_full
fi
rmmod cmatest
is 'the module can go' 0 $?
complaints=$(kernel_is_quiet)
is 'the kernel complains of nothing' '' "$complaints"

# Each fault is found by the case that is for it, which passes where the probes change nothing.
if [ -n "$faults" ] && [ -z "$cases_only" ]; then
  # FAULT CASE WORDS: what the reason must say.
  while read -r fault case words; do
    load_with_fault "$fault"
    "$command" run --format ktap --filter "$case" >"$out/$fault.ktap" </dev/null
    is "$fault is found by $case" 1 $?
    is "$fault is called what it is: $words" 1 "$(grep -c "^# $case: .*$words" "$out/$fault.ktap")"
    unload_with_fault
  done <<'END'
leak accounting changed by
misalign alignment is no multiple of
overlap patterns words of the block
wrong-release foreign-page is not of the area
corrupt patterns words of the block
stale-accounting accounting held_pages of the module
refused-release single-page cma_release refused 1 pages
released-twice release-twice was released twice
shared contiguity are somebody else's too
other-zone contiguity as the first is
outside inside-area lie outside of the area
other-count single-page one page was asked for, and 2
other-frame contiguity when it is looked at
same-place patterns overlap
zero-pages zero a block of no pages was given
passed-zero zero passed a request for no pages on
refused-batch concurrency cma_release refused 1 blocks
END
  load_with_fault none
  for name in accounting alignment concurrency contiguity foreign-page inside-area patterns \
    release-twice single-page zero; do
    "$command" run --format ktap --filter "$name" >"$out/no-fault-$name.ktap"
    is "without a fault $name passes with that module too" 0 $?
  done
  unload_with_fault
fi

complaints=$(kernel_is_quiet)
is 'nor of the faults' '' "$complaints"

# For scripts/vm/suite, which reads them.
for file in run.ktap run.tap run.json run.xml run.txt; do
  echo "# --- $file"
  cat "$out/$file"
  echo "# --- end"
done
exit "$((failed > 0))"
