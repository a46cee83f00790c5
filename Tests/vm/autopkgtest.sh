#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the tests of the source package with autopkgtest, inside a machine that
# scripts/vm/autopkgtest has booted; the packages lie in /srv/cma-test.
# shellcheck source=debian.sh
. "$(dirname "$0")/debian.sh"

packages=(/srv/cma-test/cma-test_*_"$(dpkg --print-architecture)".deb /srv/cma-test/cma-test-dkms_*.deb)
rc=0
# The machine is one of its own, and thrown away, whatever the null server can tell of it: with
# --fake-capability=isolation-machine that of 5.49 dies of an assertion.
autopkgtest --no-built-binaries --summary-file=/tmp/summary \
  --ignore-restrictions=breaks-testbed,isolation-machine \
  "${packages[@]}" /srv/cma-test/cma-test_*.dsc -- null >/tmp/autopkgtest.log 2>&1 || rc=$?
shows /tmp/autopkgtest.log
for test in load-module dkms-autopkgtest; do
  matches "$test passes" "$test +PASS.*" "$(grep "^$test " /tmp/summary)"
done
no_lines 'no test is skipped or fails' awk '!/^[^ ]+ +PASS/' /tmp/summary
# 2 would be: some were skipped.
same 'autopkgtest is content' 0 "$rc"
finish
