#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is said of an area that the kernel reserved and could not activate, and that the place which is
# advised instead is one: run as root in a virtual machine. Needs busybox.
#
# usage: unactivated.sh COMMAND MODULE given | advised
#   given    the machine was booted with an area that spans two zones; ends with the advice, as
#            '# advice: SIZE@PLACE'
#   advised  it was booted with what was advised there
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"
command=$1 module=$2

# names TEXT PATTERN: that what the command said has it, however often.
names() { check "$1" grep -q "$2" "$said" "$said.err"; }
cause='could not activate it: .*DMA32 and Movable'
place='cma-test reserve [^ ]*@[^ ]*'

case $3 in
  given)
    ends 24 'status: nothing that could be used is reserved' said status
    names 'status names the cause' "$cause"
    names 'status names another place' "$place"
    insmod "$module" alloc_count=256 2>/dev/null
    check_not 'the module is not loaded to hold pages' test -e /dev/cmatest
    dmesg >/tmp/log
    check 'the module names the cause' grep -q 'cmatest: the default area has no pages' /tmp/log
    ends 0 'areas lists it' said areas
    names 'areas names the cause' "$cause"
    names 'areas names another place' "$place"
    ends 4 'run: no case can run' said run
    names 'run names the cause' "$cause"
    says 'run names it once' "$cause"
    cat "$said" "$said.err" | sed -n 's/.*cma-test reserve \([^ ]*@[^ ]*\).*/# advice: \1/p' | sort -u
    ;;
  advised)
    ends 0 'areas lists it' said areas
    says 'no area is said not to be activated' 'not activate' 0
    ends 0 'all of the area can be had' said run --filter 'exhaust'
    names 'the case was run' '^ok  *exhaust'
    ;;
esac
finish
