# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a long run costs, said before it begins. Source it after lib.sh.
: "${cache:?source scripts/lib.sh first}"

# announce TIME GIB PACKAGE...: how long it takes, what it leaves in the cache, and the packages that it
# installs on this machine where they are missing. Ends the script where the disk has no room for it.
announce() {
  local takes=$1 gib=$2 missing there free
  lines_of missing missing_packages "${@:3}"
  # Others may write there at this moment; what du misses does not matter.
  there=$(du -s --block-size=1M "$cache" 2>/dev/null | cut -f 1) || :
  free=$(df --output=avail --block-size=1M "$cache" | tail -n 1)
  say "time: $takes"
  say "disk: about $gib GiB in $cache; $((there / 1024)) GiB are there by now, and $((free / 1024)) GiB free"
  if [[ ${#missing[@]} -gt 0 ]]; then
    say "installs: ${missing[*]}"
  else
    say "installs: nothing, what it needs is here"
  fi
  if ((free < gib * 1024 - there)); then
    die "the disk of $cache has too little room: free $(((gib * 1024 - there - free) / 1024 + 1)) GiB more, or set XDG_CACHE_HOME to a folder on a larger one"
  fi
}
