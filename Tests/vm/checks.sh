# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts that run inside a virtual machine share: checks, one line each, and ways to look
# at the machine. Source it; end with finish.
set -uo pipefail

checks=0 failed=0
kept=/root/cma-test-state # what one part of a scenario leaves for the next, across a reboot
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

# check_not TEXT COMMAND...: that it fails.
check_not() {
  local text=$1 output
  shift
  if output=$("$@" 2>&1); then
    not_ok "$text" "'$*' succeeded${output:+: $output}"
  else
    ok "$text"
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

# no_lines TEXT FOUND: that nothing was found.
no_lines() {
  if [[ -z $2 ]]; then
    ok "$1"
  else
    not_ok "$1" "$2"
  fi
}

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

# --- the kernel's log ---------------------------------------------------------------------------

# mark_log: what follows is about the messages from here on.
mark_log() {
  log_mark="cma-test: mark $RANDOM$RANDOM"
  printf '%s\n' "$log_mark" >/dev/kmsg
}

# log_since: the kernel's messages since the mark, without the time.
log_since() {
  dmesg --notime | sed "1,/$log_mark/d"
}

# unhappy: what in the kernel's log since the mark no working module causes.
unhappy() {
  log_since | grep -E 'BUG:|WARNING:|Oops|Call [Tt]race|general protection|UBSAN|Unable to handle|Internal error'
}

# taints: the taint flags but those of any out-of-tree (O) and unsigned (E) module.
taints() { echo $(($(</proc/sys/kernel/tainted) & ~(1 << 12 | 1 << 13))); }

# --- memory -------------------------------------------------------------------------------------

# meminfo KEY: KiB.
meminfo() { awk -v key="$1:" '$1 == key { print $2 }' /proc/meminfo; }

# cma_available: pages that no one has allocated from any area, by the allocator's own count, which
# is exact; kernels from 7.1 with CMA_SYSFS tell it.
cma_available() { cat /sys/kernel/mm/cma/*/available_pages 2>/dev/null | awk '{ n += $1 } END { print n }'; }

# --- our package --------------------------------------------------------------------------------

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
