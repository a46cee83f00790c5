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
# shellcheck disable=SC2086  # parameters and arguments are words
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

out=/tmp/suite skips='' faults='' module='' cases_only='' areas='' seeds=2
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
reports=$out

addresses=$(kernel_addresses)

# load FILE PARAMETER...
load() {
  file=$1
  shift
  insmod "$file" $addresses "$@" && return
  not_ok "insmod $file $*" "$(dmesg | tail -n 3)"
  finish
}

# load_with_fault NAME: the module, and the one that makes a fault. Remove them with unload_with_fault.
load_with_fault() {
  load "$module" alloc_count=0
  insmod "$faults" "fault=$1" && return
  not_ok "insmod $faults fault=$1" "$(dmesg | tail -n 3)"
  finish
}
unload_with_fault() { rmmod cmatest_fault && rmmod cmatest; }

# no_device TEXT: that the module is not loaded.
no_device() { check_not "$1" test -e /dev/cmatest; }

# begun REPORT: waits until the run that writes it has begun to report: under emulation, and KASAN, its
# start alone takes seconds.
begun() {
  waited=0
  # Two cases take less than a second on a machine at rest.
  until grep -q "$2" "$out/$1" 2>/dev/null || [ "$waited" = 600 ]; do
    sleep 0.1
    waited=$((waited + 1))
  done
}

# interrupted SIGNAL CODE TEXT REPORT ARGUMENT...: a run with these, of which REPORT is left, ends with CODE
# when it gets the signal once it has begun to report.
interrupted() {
  signal=$1 wanted=$2 text=$3 name=$4
  shift 4
  { begun "$name" '^1\.\.' && kill -s "$signal" "$(cat "$out/$name.pid")"; } &
  # Not in the background: a shell has it ignore SIGINT there.
  sh -c 'echo $$ >"$0.pid"; exec "$@" >"$0"' "$out/$name" "$command" run --format ktap "$@"
  same "$text" "$wanted" $?
  wait
}

# count_requests: has the kernel count the requests to the allocator, granted or not, by the name of the
# area. Every stock kernel can; only those with CONFIG_CMA_SYSFS count by themselves.
count_requests() {
  requests='' event=/sys/kernel/tracing/events/cma/cma_alloc_finish
  if [ -d /sys/kernel/tracing ]; then mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; fi
  if [ -e "$event/hist" ]; then
    requests=$event/hist
    echo hist:keys=name >"$event/trigger" || not_ok 'requests are counted by area' 'refused'
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
    same "$1" "$2" "$3"
  else
    skip "$1" 'this kernel does not count'
  fi
}

# exceptions [WORDS]: shows the lines of the last report that tell of a failure or a skip, or of WORDS.
exceptions() { grep -E "^not ok|# SKIP${1:+|^# .* ($1)}" "$said"; }

# Without the module nothing can run, and the reason is said.
without_module() {
  ends 77 'without the module autopkgtest skips it' none run --no-load --autopkgtest
  ends 4 'without the module it is skipped' none.ktap run --no-load --format ktap
  says 'without the module the reason is said once' '^ok 1 device # SKIP .*modprobe cmatest'
  says 'and for nothing else' '^(not )?ok '
  ends 30 'without the module there are no areas' none areas --no-load
}

# One command is enough: it loads the module where modprobe would find it, and removes it again.
loads_the_module() {
  if [ ! -e "/lib/modules/$(uname -r)/modules.dep" ]; then
    skip 'one command is enough' 'this machine has no modules for modprobe'
    return
  fi
  before=$(counted)
  ends 0 'areas loads the module' areas areas
  counts_stand 'areas allocates nothing' "$before" "$(counted)"
  no_device 'areas removes the module'
  ends 0 'run loads the module' one.txt run --filter single-page
  no_device 'run removes the module'
  interrupted TERM 143 'SIGTERM ends the run that loaded the module' load.ktap
  no_device 'and the module is removed'
}

# The second of two says who has the device, or waits.
two_at_once() {
  "$command" run --format ktap --filter '[!m]*' >"$out/first.ktap" &
  first=$!
  begun first.ktap '^ok '
  for second in 'areas' 'areas --json' 'run' 'run --format junit'; do
    ends 33 "$second beside a run has an exit code of its own" second $second
    check "$second says who has the device" grep -q "process $first " "$said" "$said.err"
  done
  ends 0 'areas waits for the run to end' second areas --wait
  says 'and says so once' "waiting: process $first "
  wait "$first"
  same 'the first run passes all the same' 0 $?
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
  if [ -z "$others" ]; then
    [ "$areas" != --areas-only ] || not_ok 'there are several areas' 'one'
    skip 'each of several areas' 'this machine has one'
    return
  fi
  asks status status
  says 'status tells how much the default area has' '^ok *reservation .* of it in the default area'
  grep 'reservation' "$said"
  rmmod cmatest
  load "$module" alloc_count=256
  before=$(counted)
  asks areas areas
  counts_stand 'listing several areas allocates nothing' "$before" "$(counted)"
  same 'what is held since the load is charged to the default area' 256 \
    "$(area_fact "$(indices true)" held_pages)"
  for area in $others; do one_of_several "$area" "$(area_fact "$area" name)"; done
  rmmod cmatest
  load "$module" alloc_count=0
}

# one_of_several INDEX NAME: of an area that is not the default one.
one_of_several() {
  index=$1 name=$2
  same "none of that is charged to area $index ($name)" 0 "$(area_fact "$index" held_pages)"
  before=$(counted | awk -v name="$name" '$1 != name')
  own=$(counted | awk -v name="$name" '$1 == name')
  for word in "$index" "$name"; do
    ends 0 "the largest block of $word is searched" area areas --area "$word"
    cat "$said"
    same "and $word is one area" "$index " "$(awk 'NR > 1 { printf "%s ", $1 }' "$said")"
  done
  ends 0 "the suite passes in $name" area.ktap run --area "$name" --format ktap --filter '[!mp]*'
  exceptions
  says "$name is nobody else's" '^# (at least )?0 of its [0-9]+ pages are others'
  same "and all of $name can be had" all "$(awk '
    /^# exhaust: pages / { pages = $4 } /^# exhaust: area_pages / { of = $4 }
    END { if (pages > 0 && pages == of) print "all"; else print pages + 0 " of " of + 0 }' "$said")"
  counts_stand "no other area than $name was touched" "$before" \
    "$(counted | awk -v name="$name" '$1 != name')"
  # So the counts are of use.
  if [ -n "$before$own" ]; then
    check "requests to $name are counted" \
      test "$own" != "$(counted | awk -v name="$name" '$1 == name')"
  fi
}

# Without a default area the module has nothing to hold; all say so alike, and take nothing of another.
no_default() {
  text='nothing is reserved in the default area' before=$(counted) names=$(ls /sys/kernel/mm/cma)
  check 'the machine has areas' test "$(meminfo CmaTotal)" -gt 0
  for words in '' "$addresses"; do
    insmod "$module" $words alloc_count=0 2>/dev/null
    no_device 'the module does not load'
    same 'and says why in the log' 1 \
      "$(dmesg | tail -n 1 | grep -c 'cmatest: .*this kernel reserved no default area')"
  done
  ends 24 'status has an exit code for that' status status
  grep -A 1 'reservation' "$said"
  says 'status names the areas that there are' "^no  reservation  $text, for all .* are in others \\($names\\)"
  says 'and what to do' 'to mend it: cma-test reserve'
  for arguments in '' '--largest' "--area $names"; do
    ends 30 "areas $arguments has an exit code for that" areas areas $arguments
    says "areas $arguments says so" "$text"
  done
  ends 4 'nothing can be tested' none.ktap run --format ktap
  says 'run says so once' "# SKIP $text"
  counts_stand 'no other area was touched' "$before" "$(counted)"
}

# Others have nearly all of the area: nothing fails, and nothing passes that was given nothing.
nearly_full() {
  largest=$("$command" areas --largest --json |
    awk '/"default":/ { ours = /true/ } ours && /"largest_block_pages":/ { print $2 + 0 }')
  rmmod cmatest
  for left in 0 40; do
    load "$module" alloc_count=$((largest - left))
    ends 0 "a run with $left pages left has no failure" full.ktap run --format ktap --filter '[!mp]*'
    exceptions
    says 'the head says how much is others' "^# [0-9]* of its [0-9]* pages are others'|^# at least"
    says 'nothing passes with no page' '^# .*: (pages|blocks|largest_pages) 0$' 0
    rmmod cmatest
  done
  load "$module" alloc_count=0
}

# What ends a run early: a report that says so, and nothing left behind.
ends_early() {
  ends 64 'an area that is not there is a usage error' none run --area nonsense
  "$command" run --filter zero >/dev/full 2>/dev/null
  same 'a report that cannot be written is an error' 18 $?
  "$command" run --filter zero >&- 2>/dev/null
  same 'no report at all is one, too' 18 $?
  { "$command" run 2>"$out/head.err"; echo $? >"$out/head.code"; } | { read -r _; }
  same 'a reader that goes ends the run' 18 "$(cat "$out/head.code")"
  same 'one line says so' 'cma-test: error: write to standard output: Broken pipe' \
    "$(cat "$out/head.err")"
  while read -r signal number; do
    interrupted "$signal" "$number" "SIG$signal ends the run" "$signal.ktap" </dev/null
    same "the report says so (SIG$signal)" 1 "$(grep -c "^# ended by SIG$signal: " "$out/$signal.ktap")"
    same "all cases are in it (SIG$signal)" "$cases" \
      "$(grep -cE '^(not )?ok [0-9]+ ' "$out/$signal.ktap")"
  done <<'END'
INT 130
TERM 143
HUP 129
END
  interrupted INT 130 'SIGINT ends all processors at once' threads.ktap --filter 'c*'
  trap '' HUP
  interrupted HUP 0 'a hang-up that is ignored, as under nohup, does not end the run' nohup.ktap --filter '[!m]*'
  trap - HUP
  ends 1 'a run that takes too long has failed' timeout.ktap run --timeout 1 --format ktap
  says 'the report says so (timeout)' '^# ended by timeout: '
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
    check 'the module can go' rmmod cmatest
    ;;
esac
if [ -n "$areas" ]; then
  quiet 'the kernel complains of nothing'
  finish
fi
if [ -z "$cases_only" ]; then
  without_module
  loads_the_module
fi
load "$module" alloc_count=0
before=$(counted)
ends 0 'areas' areas areas
cat "$said"
counts_stand 'listing allocates nothing' "$before" "$(counted)"
cases=$("$command" run --list | wc -l)
time=$(date +%s)
ends 0 'the suite passes, as KTAP' run.ktap run --format ktap --seed 1 --timeout 900
echo "# the suite took $(($(date +%s) - time)) s"
exceptions 'cannot|not|wrong'
says 'the plan is kept' '^(not )?ok [0-9]+ ' "$cases"
# shellcheck disable=SC2013  # names have no blanks
for name in $(awk '/ # SKIP / { print $3 }' "$out/run.ktap"); do
  case ",$skips," in
    *",$name,"*) ;;
    *) not_ok "$name is not skipped" 'skipped' ;;
  esac
done
ends 0 'the suite passes with another seed, as JSON' run.json run --format json --seed 2
says 'progress is a line for each case' '^\[[0-9]+/[0-9]+\] ' "$cases"
if [ -d /sys/kernel/debug/cma ]; then
  same 'debugfs agrees at each step of the two cases that compare' 2 \
    "$(grep -oE '"bitmap_comparisons": *[1-9]' "$out/run.json" | wc -l)"
fi
seed=2
while [ "$seed" -lt "$seeds" ]; do
  seed=$((seed + 1))
  ends 0 "the suite passes with seed $seed" seed.ktap run --format ktap --seed "$seed"
  exceptions 'cannot|not|wrong'
done
ends 0 'some cases pass, as JUnit' run.xml run --format junit --filter '*-page'
ends 0 'some cases pass, as TAP' run.tap run --format tap --filter '*-page'
ends 0 'some cases pass, as text' run.txt run --filter '*-page'
asks list run --filter '*-page' --list
same 'a filter chooses cases' 'single-page foreign-page pinned-page ' "$(awk '{ printf "%s ", $1 }' "$said")"

if [ -z "$cases_only" ]; then
  ends_early
  two_at_once
  several_areas
  nearly_full
fi
check 'the module can go' rmmod cmatest
quiet 'the kernel complains of nothing'

# Each fault is found by the case that is for it, which passes where the probes change nothing.
if [ -n "$faults" ] && [ -z "$cases_only" ]; then
  # FAULT CASE WORDS: what the reason must say.
  while read -r fault case words; do
    load_with_fault "$fault"
    ends 1 "$fault is found by $case" "$fault.ktap" run --format ktap --filter "$case" </dev/null
    says "$fault is called what it is: $words" "^# $case: .*$words"
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
passed-zero zero passed on a request for no pages
refused-batch concurrency cma_release refused 1 blocks
END
  load_with_fault none
  for name in accounting alignment concurrency contiguity foreign-page inside-area patterns \
    release-twice single-page zero; do
    ends 0 "without a fault $name passes with that module too" "$name.ktap" run --format ktap --filter "$name"
  done
  unload_with_fault
fi

quiet 'nor of the faults'

# For scripts/vm/suite, which reads them.
for file in run.ktap run.tap run.json run.xml run.txt; do
  echo "# --- $file"
  cat "$out/$file"
  echo "# --- end"
done
finish
