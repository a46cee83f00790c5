#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# That each form of check in ../checks.sh fails when it must, above all when what it asks cannot answer;
# with bash, those of debian.sh too. Needs no machine, but busybox's shell is in one: scripts/vm/checks-fail
# runs it in both.
if [ -n "${BASH_VERSION:-}" ]; then
  # shellcheck source=debian.sh
  . "$(dirname "$0")/debian.sh"
else
  # shellcheck source=../checks.sh
  . "$(dirname "$0")/../checks.sh"
fi

# ends_so CODE LINE TEXT CHECK...: that this check counts so many failures, and begins its line so.
ends_so() {
  wanted=$1 begin=$2 about=$3 count=0
  shift 3
  line=$(
    failed=0
    "$@"
    exit "$failed"
  ) || count=$?
  case $count:$line in
    "$wanted:$begin - "*) ok "$about" ;;
    *) not_ok "$about" "'$*' said '$line'" ;;
  esac
}
fails() { ends_so 1 'not ok' "$@"; }
passes() { ends_so 0 ok "$@"; }

# Commands as they fail: silently, by a signal, after some output, not there at all.
# shellcheck disable=SC2317  # called by name
killed() { sh -c 'kill -9 $$'; }
# shellcheck disable=SC2317
half() {
  echo 'one line'
  return 3
}
for failing in false half killed no-such-command; do
  fails "check fails with $failing" check x "$failing"
  fails "no_lines fails with $failing" no_lines x "$failing"
  fails "no_match fails with $failing" no_match x 'no such line' "$failing"
done
for failing in half killed no-such-command; do
  fails "check_not fails with $failing, which is no answer" check_not x "$failing"
done
passes 'check passes with true' check x true
passes 'check_not passes with false' check_not x false
fails 'check_not fails with true' check_not x true
fails 'check_not fails where grep has no file' check_not x grep word /nowhere/at/all
passes 'no_lines passes with nothing' no_lines x true
passes 'no_lines passes with a warning of a command that succeeds' no_lines x sh -c 'echo warning >&2'
fails 'no_lines fails with a line' no_lines x echo line
fails 'no_lines fails with an empty line before another' no_lines x printf '\n\nline\n'
fails 'no_lines fails where find has no folder' no_lines x find /nowhere/at/all -name '*'
passes 'below has nothing where there is no folder' no_lines x below /nowhere/at/all -name '*'
fails 'below finds what is there' no_lines x below / -maxdepth 0
fails 'no_match fails with a line that matches' no_match x '^b' printf 'a\nb\n'
fails 'no_match fails with a pattern that is none' no_match x '(' echo line
passes 'no_match passes with one that does not' no_match x '^c' printf 'a\nb\n'
fails 'lacks fails with nothing to look at' lacks x word ''
fails 'lacks fails with a line that matches' lacks x word 'a word'
passes 'lacks passes with one that does not' lacks x word 'another'
fails 'same fails' same x 0 ''
fails 'has fails with nothing' has x '^' ''
fails 'has fails with no line that matches' has x '^word' 'a word'
passes 'has passes with one that does' has x 'word$' 'a word'
fails 'verdict fails with a reason' verdict x 'for it'
reports=$(mktemp -d) command=printf
fails 'ends fails with another code' ends 1 x report 'a line\n'
fails 'ends fails with a command that is not there' eval command=no-such-command ends 0 x report
passes 'ends passes with that code' ends 0 x report 'a line\n'
asks report 'a line\n'
fails 'says fails with one line that matches and two that should' says x line 2
fails 'says fails with a line that matches and none that should' says x line 0
passes 'says passes with as many as should' says x line
rm -r "$reports"
fails 'says fails when what was printed is gone' says x line 0
fails 'the log of the kernel without a mark is no quiet one' check x kernel_is_quiet
fails 'quiet fails without one, too' quiet x

# What a part of a scenario ends with.
for status in 0 1; do
  same "a part with $status failed checks ends with $status" "$status" \
    "$( (failed=0; check x test "$status" = 0 >/dev/null; finish) >/dev/null
      echo $?)"
done
[ -n "${BASH_VERSION:-}" ] || finish

# shellcheck disable=SC2317
lost_pipeline() { false | sed 's/a/b/'; }
fails 'check fails with lost_pipeline' check x lost_pipeline
fails 'no_lines fails with lost_pipeline' no_lines x lost_pipeline
fails 'no_match fails with lost_pipeline' no_match x 'no such line' lost_pipeline
fails 'matches fails with nothing' matches x '[0-9]+' ''
fails 'matches wants all of it' matches x '[0-9]+' '1 and more'
status_text='' status_json=''
fails 'said fails without a status' said x '.*'
same 'fact has nothing of a status that is none' '' "$(fact code)"
same 'typed ends with 2 when the command fails' 2 "$(
  (typed false) >/dev/null
  echo $?
)"
same 'typed ends with 2 when the command is not there' 2 "$(
  (typed no-such-command) >/dev/null
  echo $?
)"
finish
