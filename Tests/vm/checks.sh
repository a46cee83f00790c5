# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts that run inside a virtual machine share: checks, one line each, and ways to look
# at the machine. Source it; end with finish.
set -uo pipefail
# shellcheck source=../kernel-log.sh
. "$(dirname "${BASH_SOURCE[0]}")/../kernel-log.sh"

checks=0 failed=0
# What one part of a scenario leaves for the next, across a reboot.
kept=${CMA_TEST_STATE:-/root/cma-test-state}
mkdir -p "$kept"

ok() {
  checks=$((checks + 1))
  printf 'ok - %s\n' "$1"
}

# not_ok TEXT [WHY]: a failed check, with what was found instead.
not_ok() {
  checks=$((checks + 1)) failed=$((failed + 1))
  printf 'not ok - %s\n' "$1"
  [[ -z ${2:-} ]] || printf '%s\n' "$2" | sed 's/^/#   /'
}

# check TEXT COMMAND...: that it succeeds; what it prints is shown if it does not.
check() {
  local text=$1 output rc=0
  shift
  output=$("$@" 2>&1) || rc=$?
  if [[ $rc == 0 ]]; then
    ok "$text"
  else
    not_ok "$text" "'$*' failed with $rc${output:+: $output}"
  fi
}

# check_not TEXT COMMAND...: that it says no, which is status 1: any other is that of a command which
# could not even look, as grep's 2 without its file, or a shell's 127.
check_not() {
  local text=$1 output rc=0
  shift
  output=$("$@" 2>&1) || rc=$?
  if [[ $rc == 1 ]]; then
    ok "$text"
  else
    not_ok "$text" "'$*' ended with $rc, not with 1${output:+: $output}"
  fi
}

# same TEXT WANTED FOUND
same() {
  if [[ $2 == "$3" ]]; then
    ok "$1"
  else
    not_ok "$1" "wanted '$2', found '$3'"
  fi
}

# matches TEXT PATTERN FOUND: an extended regular expression for the whole of FOUND.
matches() {
  if [[ $3 =~ ^($2)$ ]]; then
    ok "$1"
  else
    not_ok "$1" "wanted $2, found '$3'"
  fi
}

# no_lines TEXT COMMAND...: that it succeeds and prints nothing. What takes more than a command is a
# function: a $(…) as argument would hide that what is in it failed, and scripts/lint forbids it.
no_lines() { no_match "$1" '' "${@:2}"; }

# no_match TEXT PATTERN COMMAND...: that it succeeds, and no line of what it prints matches PATTERN, an
# extended regular expression.
no_match() {
  local text=$1 pattern=$2 output complaints lines='' rc=0 searched=1
  shift 2
  complaints=$(mktemp)
  output=$("$@" 2>"$complaints") || rc=$?
  # Of nothing at all there is no line; <<< would make one.
  [[ -z $output ]] || { lines=$(grep -E -- "$pattern" <<<"$output" 2>&1) && searched=0 || searched=$?; }
  if [[ $rc != 0 ]]; then
    not_ok "$text" "'$*' failed with $rc: $output$(<"$complaints")"
  elif [[ $searched -gt 1 ]]; then
    not_ok "$text" "$lines"
  elif [[ -n $lines ]]; then
    not_ok "$text" "$lines"
  else
    ok "$text"
  fi
  rm -f "$complaints"
}

# lacks TEXT PATTERN FOUND: that something was found, and no line of it matches.
lacks() {
  if [[ -z $3 ]]; then
    not_ok "$1" 'nothing was found to look at'
  else
    no_match "$1" "$2" printf '%s\n' "$3"
  fi
}

# below FOLDER ARGUMENT...: what find finds there; nothing where there is no such folder.
below() { [[ ! -e $1 ]] || find "$@"; }

# typed COMMAND...: runs it as a user would, its output shown; a failure ends the script, for what
# follows would fail for the same reason.
typed() {
  local rc=0
  printf '# $ %s\n' "$*"
  "$@" 2>&1 | sed --unbuffered 's/^/# /' || rc=$?
  if [[ $rc != 0 ]]; then
    not_ok "$*" "failed with $rc, see above; the rest was not run"
    finish 2
  fi
  ok "$*"
}

# finish [STATUS]: ends a part, with 1 if a check failed; 2 means that no other part has a sense now.
finish() {
  printf '# done: %d checks, %d failed\n' "$checks" "$failed"
  exit "${1:-$((failed > 0))}"
}

# --- the kernel ---------------------------------------------------------------------------------

# ../kernel-log.sh has its log. A check of it: check TEXT kernel_is_quiet, after mark_log.

# taints: the taint flags but those of any out-of-tree (O) and unsigned (E) module.
taints() { echo $(($(</proc/sys/kernel/tainted) & ~(1 << 12 | 1 << 13))); }

# --- memory -------------------------------------------------------------------------------------

# meminfo KEY: KiB.
meminfo() { awk -v key="$1:" '$1 == key { print $2 }' /proc/meminfo; }

# cma_available: pages that no one has allocated from any area, by the allocator's own count, which
# is exact; kernels from 7.1 with CMA_SYSFS tell it.
cma_available() { cat /sys/kernel/mm/cma/*/available_pages 2>/dev/null | awk '{ n += $1 } END { print n }'; }

# --- packages -----------------------------------------------------------------------------------

# packages_like REGEX: those of which dpkg has anything, and what.
packages_like() {
  local all
  all=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n') || return
  awk -v name="$1" '$2 != "not-installed" && $1 ~ name' <<<"$all"
}

options=/run/modprobe.d/cma-test-symbols.conf

# What the parameters are of, in the order of the file.
symbols='area_base=dma_contiguous_default_area alloc_fn=cma_alloc free_fn=cma_release'
symbols+=' for_each_fn=cma_for_each_area name_fn=cma_get_name base_fn=cma_get_base size_fn=cma_get_size'

# addresses: those of the options file, one a line.
addresses() {
  grep '^options cmatest ' "$options" | grep -oE '[a-z_]+=0x[0-9a-f]+'
}

# addresses_of_this_boot: the same as /proc/kallsyms has them.
addresses_of_this_boot() {
  awk -v symbols="$symbols" '
    BEGIN { n = split(symbols, pairs, /[= ]/); for (i = 2; i <= n; i += 2) wanted[pairs[i]] }
    NF == 3 && $3 in wanted { address[$3] = $1 }
    END {
      for (i = 2; i <= n; i += 2)
        if (pairs[i] in address) print pairs[i - 1] "=0x" address[pairs[i]]
    }' /proc/kallsyms
}

# options_are_right: checks on the options file, for the boot that this is.
options_are_right() {
  same "$options belongs to root alone" '600 root root' "$(stat -c '%a %U %G' "$options" 2>&1)"
  check "$options names the kernel $(uname -r)" grep -F "$(uname -r)" <(grep '^#' "$options")
  check "$options names this boot" grep -F "$(</proc/sys/kernel/random/boot_id)" <(grep '^#' "$options")
  same "$options has the address of each symbol that this kernel has" \
    "$(addresses_of_this_boot)" "$(addresses)"
  # All stock kernels with CMA have all of them, but variables only with CONFIG_KALLSYMS_ALL.
  same "$options has all the module's addresses" \
    "$(grep -qx CONFIG_KALLSYMS_ALL=y "/boot/config-$(uname -r)" && printf 'area_base ')$(
      printf 'alloc_fn free_fn for_each_fn name_fn base_fn size_fn ')" \
    "$(addresses | cut -d = -f 1 | tr '\n' ' ')"
}
