#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Types what README.md has its reader type once the packages are installed and memory is reserved, as it
# stands there, inside a machine that scripts/vm/main-road has booted. README.md and the module's sources
# lie in /tmp/clone.
#
#   readme.sh typed_as_printed [measured]
#     measured  the measurements of "How fast, how surely", too, which take minutes
# shellcheck disable=SC2317  # the part is called by name
# shellcheck source=debian.sh
. "$(dirname "$0")/debian.sh"

clone=/tmp/clone
here=$(mktemp -d)

# block HEADING NUMBER: what the fenced block of that number below the heading of README.md has; nothing if
# there are fewer.
block() {
  awk -v heading="$1" -v number="$2" '
    !fenced && /^#/ { inside = match($0, /^#+ /) && substr($0, RLENGTH + 1) == heading }
    /^```/ { fenced = !fenced; if (fenced && inside) n++; next }
    fenced && inside && n == number' "$clone/README.md"
}

# is_typed TEXT: that it is commands, not what commands print.
is_typed() { [[ $1 =~ ^(cma-test [a-z]|modprobe |cd |make) ]]; }

# section HEADING COMMANDS [STATUSES PATTERN]: types each line of the blocks with commands below the heading,
# one after the other. A line that the pattern matches may end with these statuses, too, as it judges the
# machine, if it says something. COMMANDS is how many lines there must be.
section() {
  local heading="$1" wanted="$2" statuses="${3:-}" pattern="${4:-}" number text line rc found=0
  for ((number = 1; ; number++)); do
    text=$(block "$heading" "$number")
    [[ -n $text ]] || break
    is_typed "$text" || continue
    while IFS= read -r line; do
      found=$((found + 1)) rc=0
      printf '# $ %s\n' "$line"
      # Of a cd the next lines are to know.
      if [[ $line == 'cd '* ]]; then
        cd "${line#cd }" || rc=$?
      else
        bash -c "$line" >"$here/output" 2>&1 </dev/null || rc=$?
        tail -n 40 "$here/output" | sed 's/^/# /'
      fi
      if [[ -n $pattern && $line =~ ^($pattern) && " $statuses " == *" $rc "* && -s $here/output ]]; then rc=0; fi
      same "README, '$heading': $line" 0 "$rc"
    done <<<"$text"
  done
  same "README, '$heading': its lines" "$wanted" "$found"
}

typed_as_printed() {
  local free
  mark_log
  free=$(cma_available)
  cd "$here" || give_up
  section '5. See whether all is there, and load the module' 6
  section '6. Test the allocator' 3
  if [[ ${1:-} == measured ]]; then
    # The same machine twice, beside whatever else its host does: better, worse, or not to tell.
    section 'How fast, how surely' 4 '1 4' 'cma-test compare '
    check 'the page of the report is one' grep -q '</html>' "$here/page.html"
  fi
  # Whether it fits is the machine's to say.
  section 'Who is in the way' 1 1 'cma-test explain '
  cd "$clone" || give_up
  section 'By hand, as it used to be' 5
  check_not 'no module is left' grep '^cmatest ' /proc/modules
  if [[ -n $free ]]; then same 'the areas have all their pages again' "$free" "$(cma_available)"; fi
  quiet 'the kernel complains of nothing'
  rm -rf "$here"
}

choose 'typed_as_printed' "$@"
