# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Which stock kernels the scenarios about several of them use: found by looking. Source it after
# ../lib.sh.
: "${suite:?source scripts/lib.sh first}" "${top:?}"

# newest_kernel ARCH: of all that have headers; it has CMA.
newest_kernel() { latest_kernel "$1" "$suite-backports"; }

# older_kernel ARCH: the last one of the series before that.
older_kernel() {
  local newest
  newest=$(newest_kernel "$1") || return
  kernels "$1" "$suite-backports" | awk -F. -v series="${newest%%.*}.$(cut -d . -f 2 <<<"$newest")" \
    '$1 "." $2 != series' | tail -n 1 | grep . ||
    die "$suite-backports has kernels with headers of one series only: there is nothing to upgrade from"
}

# released_kernel ARCH: the release's own; on amd64 it has no CMA.
released_kernel() { latest_kernel "$1" "$suite"; }

# machine_with_older_kernel ARCH: arguments of `vm start`, one a line, and but for --release those of
# scripts/vm/root: the older kernel and the release's own, and on amd64 GRUB. One image serves all
# these scenarios.
machine_with_older_kernel() {
  local older released
  older=$(older_kernel "$1") && released=$(released_kernel "$1") || return
  printf '%s\n' --release "$older" --also "$released"
  [[ $1 != amd64 ]] || printf '%s\n' --package grub2-common --package grub-pc-bin
}

# image_with_older_kernel ARCH: makes the disk of that machine, if it is not there yet, as scripts/vm/vm
# would at its start.
image_with_older_kernel() {
  local arguments
  lines_of arguments machine_with_older_kernel "$1"
  "$top/scripts/vm/root" "$1" "${arguments[@]:1}"
}
