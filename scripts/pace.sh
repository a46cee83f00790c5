# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How long the stages of scripts/test will take on this machine, by what those that have ended took here
# and what each takes on a machine of reference (scripts/stages). Source it after lib.sh.
: "${top:?source scripts/lib.sh first}" "${cache:?}"

costs=$top/scripts/stages

# cost_of STAGE: its seconds on the machine of reference.
cost_of() {
  awk -v stage="$1" '$1 == stage { print $2; found = 1 } END { exit !found }' "$costs" ||
    die "scripts/stages has no '$1': add what it takes, as scripts/test leaves it in $cache/log/test-costs"
}

# pace_of RESULTS: how many times as long as there stages take here, in percent: by all in that folder
# that passed in a virtual machine. 100 before the first.
pace_of() {
  # Another lane may write one meanwhile.
  find "$1" -type f -exec cat {} + | awk -F'\t' -v costs="$costs" '
    BEGIN {
      while ((getline line <costs) > 0) if (line !~ /^#/ && split(line, words, " ") >= 3) cost[words[1]] = words[2]
    }
    $3 == 0 && $2 > 0 && $1 in cost { here += $5; there += cost[$1] }
    END { printf "%d\n", there ? 100 * here / there : 100 }'
}

# time_for STAGE RESULTS: the seconds that it will take here.
time_for() {
  local cost pace
  cost=$(cost_of "$1") && pace=$(pace_of "$2") || return
  echo $((cost * pace / 100))
}
