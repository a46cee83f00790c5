# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts that run inside machines share, in bash and in busybox's shell: checks, one line
# each, and what they look at. Lies in the folder above theirs. Source it; end with finish.
set -u
# shellcheck source=/dev/null  # else shellcheck takes the kernel-log.sh beside the script that it reads
. "$(dirname "$0")/../kernel-log.sh"

checks=0 failed=0

ok() {
  checks=$((checks + 1))
  printf 'ok - %s\n' "$1"
}

# not_ok TEXT [WHY]: a failed check, with what was found instead.
not_ok() {
  checks=$((checks + 1)) failed=$((failed + 1))
  printf 'not ok - %s\n' "$1"
  [ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/#   /'
}

# skip TEXT WHY: a check that cannot be made here.
skip() { printf 'skip - %s: %s\n' "$1" "$2"; }

# verdict TEXT REASONS: no reasons means that it passed.
verdict() { if [ -z "$2" ]; then ok "$1"; else not_ok "$1" "$2"; fi; }

# check TEXT COMMAND...: that it succeeds; what it prints is shown if it does not.
check() {
  local text="$1" output rc=0
  shift
  output=$("$@" 2>&1) || rc=$?
  if [ "$rc" = 0 ]; then
    ok "$text"
  else
    not_ok "$text" "'$*' failed with $rc${output:+: $output}"
  fi
}

# check_not TEXT COMMAND...: that it says no, which is status 1: any other is that of a command which
# could not even look, as grep's 2 without its file, or a shell's 127.
check_not() {
  local text="$1" output rc=0
  shift
  output=$("$@" 2>&1) || rc=$?
  if [ "$rc" = 1 ]; then
    ok "$text"
  else
    not_ok "$text" "'$*' ended with $rc, not with 1${output:+: $output}"
  fi
}

# same TEXT WANTED FOUND
same() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted '$2', found '$3'"; fi; }

# has TEXT PATTERN FOUND: that a line of what was found matches, an extended regular expression.
has() {
  if [ -n "$3" ] && printf '%s\n' "$3" | grep -E -- "$2" >/dev/null; then ok "$1"; else not_ok "$1" "no line like '$2' in: $3"; fi
}

# no_lines TEXT COMMAND...: that it succeeds and prints nothing. What takes more than a command is a
# function: a $(…) as argument would hide that what is in it failed, and scripts/lint forbids it.
no_lines() {
  local text="$1"
  shift
  no_match "$text" '' "$@"
}

# no_match TEXT PATTERN COMMAND...: that it succeeds, and no line of what it prints matches PATTERN, an
# extended regular expression.
no_match() {
  local text="$1" pattern="$2" output complaints lines='' rc=0 searched=1
  shift 2
  complaints=$(mktemp)
  output=$("$@" 2>"$complaints") || rc=$?
  # Of nothing at all there is no line; printf would make one.
  if [ -n "$output" ]; then
    searched=0
    lines=$(printf '%s\n' "$output" | grep -E -- "$pattern" 2>&1) || searched=$?
  fi
  if [ "$rc" != 0 ]; then
    not_ok "$text" "'$*' failed with $rc: $output$(cat "$complaints")"
  elif [ "$searched" -gt 1 ]; then
    not_ok "$text" "$lines"
  elif [ "$searched" = 0 ]; then
    not_ok "$text" "a line matches '$pattern': $lines"
  else
    ok "$text"
  fi
  rm -f "$complaints"
}

# lacks TEXT PATTERN FOUND: that something was found, and no line of it matches.
lacks() {
  if [ -z "$3" ]; then
    not_ok "$1" 'nothing was found to look at'
  else
    no_match "$1" "$2" printf '%s\n' "$3"
  fi
}

# below FOLDER ARGUMENT...: what find finds there; nothing where there is no such folder.
below() { [ ! -e "$1" ] || find "$@"; }

# --- the command ----------------------------------------------------------------------------------

command=cma-test reports=/tmp said='' code=0

# asks REPORT ARGUMENT...: runs the command with these. What it prints is left in $reports/REPORT, its errors
# beside that in REPORT.err, its exit status in $code.
asks() {
  said=$reports/$1 code=0
  shift
  "$command" "$@" >"$said" 2>"$said.err" || code=$?
}

# ends CODE TEXT REPORT ARGUMENT...: the command with these ends with CODE; else what it printed is shown.
ends() {
  local wanted="$1" text="$2"
  shift 2
  asks "$@"
  same "$text" "$wanted" "$code"
  [ "$code" = "$wanted" ] || tail -n 20 "$said" "$said.err" | sed 's/^/#   /'
}

# says TEXT PATTERN [COUNT]: so many lines, or 1, of what the command last printed match PATTERN, an
# extended regular expression.
says() {
  local found
  if found=$(cat "$said" "$said.err" 2>&1); then
    same "$1" "${3:-1}" "$(printf '%s\n' "$found" | grep -cE -- "$2")"
  else
    not_ok "$1" "$found"
  fi
}

# most_memory FILE COMMAND...: runs it, with what it prints in FILE; leaves in $most the most memory that it
# had, in KiB. Needs busybox, whose time tells it.
most_memory() {
  local file="$1"
  shift
  busybox time -f %M -o /tmp/most "$@" >"$file" 2>/dev/null
  # shellcheck disable=SC2034  # the caller's
  most=$(tail -n 1 /tmp/most)
}

# --- the machine ----------------------------------------------------------------------------------

# quiet TEXT: that the kernel has reported no fault since mark_log.
quiet() { check "$1" kernel_is_quiet; }

# meminfo KEY: KiB.
meminfo() { awk -v key="$1:" '$1 == key { print $2 }' /proc/meminfo; }

# What the module's parameters are of, in the order of the file that cma-test writes.
symbols='area_base=dma_contiguous_default_area alloc_fn=cma_alloc free_fn=cma_release'
symbols="$symbols for_each_fn=cma_for_each_area name_fn=cma_get_name base_fn=cma_get_base size_fn=cma_get_size"

# kernel_addresses: the parameters with the addresses that /proc/kallsyms has, one a line.
kernel_addresses() {
  awk -v symbols="$symbols" '
    BEGIN { n = split(symbols, pairs, /[= ]/); for (i = 2; i <= n; i += 2) wanted[pairs[i]] }
    NF == 3 && $3 in wanted { address[$3] = $1 }
    END {
      for (i = 2; i <= n; i += 2)
        if (pairs[i] in address) print pairs[i - 1] "=0x" address[pairs[i]]
    }' /proc/kallsyms
}

# page_size: of the kernel, in KiB.
page_size() { awk '$1 == "KernelPageSize:" { print $2; exit }' /proc/self/smaps; }

# finish: ends a part, with 1 if a check failed.
finish() {
  printf '# done: %d checks, %d failed\n' "$checks" "$failed"
  exit "$((failed > 0))"
}

# give_up: ends a part where no other has a sense after it, which is status 2.
give_up() {
  (finish)
  exit 2
}
