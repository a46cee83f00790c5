#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is said of an area that the kernel reserved and could not activate, and that the place which is
# advised instead is one: run as root in a virtual machine. Needs busybox.
#
# usage: unactivated.sh COMMAND MODULE given | advised
#   given    the machine was booted with an area that spans two zones; ends with the advice, as
#            '# advice: SIZE@PLACE'
#   advised  it was booted with what was advised there
set -u
# shellcheck source=../kernel-log.sh
. "$(dirname "$0")/../kernel-log.sh"
command=$1 module=$2

failed=0
# is TEXT WANTED FOUND: one check, one line.
is() {
  if [ "$2" = "$3" ]; then
    echo "ok - $1"
  else
    echo "not ok - $1: wanted '$2', found '$3'"
    failed=$((failed + 1))
  fi
}
# says TEXT PATTERN: one check, of what the last command printed.
says() {
  found=yes
  grep -q "$2" /tmp/said || found=$(cat /tmp/said)
  is "$1" yes "$found"
}
cause='could not activate it: .*DMA32 and Movable'
place='cma-test reserve [^ ]*@[^ ]*'

case $3 in
  given)
    "$command" status >/tmp/said 2>&1
    is "status: nothing that could be used is reserved" 24 $?
    says "status names the cause" "$cause"
    says "status names another place" "$place"
    insmod "$module" alloc_count=256 2>/dev/null
    is "the module is not loaded to hold pages" no "$([ -e /dev/cmatest ] && echo yes || echo no)"
    dmesg >/tmp/said
    says "the module names the cause" 'cmatest: the default area has no pages'
    "$command" areas >/tmp/said 2>&1
    is "areas lists it" 0 $?
    says "areas names the cause" "$cause"
    says "areas names another place" "$place"
    "$command" run >/tmp/said 2>&1
    is "run: no case can run" 4 $?
    says "run names the cause" "$cause"
    is "run names it once" 1 "$(grep -c "$cause" /tmp/said)"
    sed -n "s/.*cma-test reserve \([^ ]*@[^ ]*\).*/# advice: \1/p" /tmp/said | sort -u
    ;;
  advised)
    "$command" areas >/tmp/said 2>&1
    is "areas lists it" 0 $?
    is "no area is said not to be activated" 0 "$(grep -c 'not activate' /tmp/said)"
    "$command" run --filter 'exhaust' >/tmp/said 2>&1
    is "all of the area can be had" 0 $?
    says "the case was run" '^ok  *exhaust'
    ;;
esac
[ "$failed" = 0 ]
