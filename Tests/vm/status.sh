# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts inside a machine have to say about `cma-test status`: source it after checks.sh.

# status_is CODE [TEXT]: takes the status as text and as JSON, for said and fact, and checks that
# both end with that exit code; TEXT is the case that it is about.
status_is() {
  local code=0 json_code=0 about=${2:+$2: }
  status_text=$(cma-test status 2>&1) || code=$?
  status_json=$(cma-test status --json 2>&1) || json_code=$?
  same "${about}the exit code of 'cma-test status' is $1" "$1" "$code"
  [[ $code == "$1" ]] || printf '%s\n' "$status_text" | sed 's/^/#   /'
  same "${about}with --json it is the same, and in it" "$1 $1" "$json_code $(fact code)"
}

# exactly TEXT: the extended regular expression that only TEXT, a version or a path, matches.
exactly() {
  local text=${1//./[.]}
  printf '%s\n' "${text//+/[+]}"
}

# said TEXT PATTERN: that a line of the status matches PATTERN, an extended regular expression; the
# line is shown, for what a user would read is what this is about.
said() {
  local line
  line=$(grep -E -m 1 -- "$2" <<<"$status_text")
  if [[ -n $line ]]; then
    ok "$1: '$(sed -E 's/^ +//' <<<"$line")'"
  else
    not_ok "$1" "no line like '$2' in:"$'\n'"$status_text"
  fi
}

# fact PATH: a value of the JSON, as loaded.version; items of a list have their number, as
# dkms.kernels.0.state. The form is that of cma-test's own printer: two spaces a level.
fact() {
  awk -v wanted="$1" '
    {
      match($0, /^ */)
      depth = RLENGTH / 2
      line = substr($0, RLENGTH + 1)
      sub(/,$/, "", line)
      if (line ~ /^[]}]/) next
      if (match(line, /^"[^"]*": /)) {
        name = substr(line, 2, RLENGTH - 4)
        line = substr(line, RLENGTH + 1)
      } else {
        name = count[depth]++
      }
      path[depth] = name
      count[depth + 1] = 0
      all = path[1]
      for (i = 2; i <= depth; i++) all = all "." path[i]
      if (depth > 0 && all == wanted) {
        gsub(/^"|"$/, "", line)
        print line
        exit
      }
    }' <<<"$status_json"
}

# dkms_state RELEASE: what the JSON says of that kernel: installed, built, failed, skipped, none; and
# "unknown" of one that is not listed.
dkms_state() {
  local i=0 release
  while release=$(fact "dkms.kernels.$i.release") && [[ -n $release ]]; do
    if [[ $release == "$1" ]]; then
      fact "dkms.kernels.$i.state"
      return
    fi
    i=$((i + 1))
  done
  echo unknown
}

# healthy TEXT: that installing and booting left nothing undone: no package half-configured, no unit
# failed but those of $due.
healthy() {
  no_lines "$1: dpkg finds nothing half-done" dpkg --audit
  [[ -d /run/systemd/system ]] || return 0
  no_lines "$1: no unit has failed${due:+ but $due}" failed_units
}
due=''

# failed_units: those of systemd, but for $due.
failed_units() {
  local units
  units=$(systemctl --failed --no-legend --plain) || return
  [[ -z $units ]] || awk -v due="$due" '$1 != due' <<<"$units"
}
