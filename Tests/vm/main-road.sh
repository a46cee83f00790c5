#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The main road, as a user walks it, inside a machine that scripts/vm/main-road has booted; the
# packages lie in /srv/cma-test.
#
#   main-road.sh install | rebooted | purge
# shellcheck disable=SC2317  # the parts are called by name
# shellcheck source=debian.sh
. "$(dirname "$0")/debian.sh"

# tree: every file that a package could leave, and what is in those of /etc, but for the traces that
# any use of apt, dpkg and dkms leaves.
tree() {
  # /run as well as the disk; not what else is mounted there.
  find /boot /etc /opt /root /srv /usr /var /run/modprobe.d -xdev \
    \( -path "$kept" -o -path /srv/cma-test -o -path /var/log -o -path /tmp -o -path /var/tmp \
    -o -path /var/cache/apt -o -path /var/cache/debconf -o -path /var/lib/apt/lists \) -prune -o -printf '%y %m %u %p %l\n' 2>/dev/null |
    grep -Ev "$traces" | LC_ALL=C sort
  # Time stamps and our own source line aside.
  find /etc -xdev -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
}
# dpkg's copies of its last state; apt's memory of what came as a dependency; the key that dkms makes
# for the first module it ever signs, and keeps for all to come.
traces='/var/lib/dpkg/[a-z]+-old |/var/lib/apt/extended_states |/var/lib/dkms/mok\.(key|pub) '

# drained_cma_free: CmaFree in KiB when cmatest is not loaded. Pages in the processors' own lists are
# free, but do not count in CmaFree: they may be more than what is to be seen here. Each allocation
# from CMA puts them back first, so one page is allocated, and added to what is read then.
drained_cma_free() {
  local free
  modprobe cmatest alloc_count=1 || return
  free=$(meminfo CmaFree)
  rmmod cmatest || return
  echo $((free + page))
}
page=$(($(getconf PAGESIZE) / 1024))

# cycles COUNT: loads and unloads it as often.
cycles() {
  local cycle
  for ((cycle = 1; cycle <= $1; cycle++)); do
    modprobe cmatest && rmmod cmatest || return
  done
}

# largest_block: pages of the largest block that the default area has now. A page that is not given back
# cuts it, whatever this kernel counts.
largest_block() {
  modprobe cmatest alloc_count=0 || return
  cma-test areas --largest --json | awk '
    /"default":/ { wanted = /true/ }
    wanted && /"largest_block_pages":/ { print $2 + 0 }'
  rmmod cmatest
}

# holds TRUTH WHY: an arithmetic truth for check; WHY is shown with a failure.
holds() { [[ $1 == 1 ]] || { echo "$2"; return 1; }; }

# loads_and_unloads: `modprobe cmatest` holds memory and says so; rmmod gives it back.
loads_and_unloads() {
  local before now after count held available largest try tried
  check 'the kernel has reserved memory for CMA' test "$(meminfo CmaTotal)" -gt 0
  mark_log
  available=$(cma_available)
  typed modprobe cmatest
  says_what_it_holds
  check '/sys/module/cmatest is there' test -d /sys/module/cmatest
  count=$(cat /sys/module/cmatest/parameters/alloc_count)
  same 'it holds 256 pages' 256 "$count"
  if [[ -n $available ]]; then
    same "the areas have $count pages less" $((available - count)) "$(cma_available)"
  else
    skip "the areas have $count pages less" 'this kernel keeps no count of them'
  fi
  typed rmmod cmatest
  check_not '/sys/module/cmatest is gone' test -e /sys/module/cmatest
  same 'it says once that it was unloaded' 'cmatest: exit CMA test mod.' \
    "$(log_since | grep -F 'cmatest: exit')"
  if [[ -n $available ]]; then
    same 'the areas have all their pages again' "$available" "$(cma_available)"
  fi

  # The same in /proc/meminfo, which is not exact. What rmmod frees lies in the processor's own list
  # first, and the next programs take it from there as their own memory, which CMA allows; so CmaFree
  # was lower by 164 pages after each of eight loads once. What is held is judged by half of it; what
  # the module would keep is summed over many loads, less than one load's pages being of no concern.
  # What the kernel reads and writes for others between two readings can be more, but not each time.
  held=$((count * page))
  for try in {1..8}; do
    before=$(drained_cma_free)
    check "it loads again ($try)" modprobe cmatest
    now=$(meminfo CmaFree)
    check "it unloads again ($try)" rmmod cmatest
    check "and 15 times more ($try)" cycles 15
    after=$(drained_cma_free)
    log_take # before the ring buffer is full
    ((now >= before - held / 2 || after <= before - held)) || break
  done
  tried="with $held kB held, in each of $try tries"
  check "CmaFree is lower by what it holds ($before kB, $now kB now)" \
    holds "$((now < before - held / 2))" "$tried"
  check "CmaFree is back after 16 loads ($before kB, $after kB now)" holds "$((after > before - held))" "$tried"

  # Exact is the largest block, for which the memory of others makes way; not what they have pinned, and
  # so it is looked for anew in each try.
  for try in {1..8}; do
    largest=$(largest_block)
    check "it loads and unloads eight times more ($try)" cycles 8
    after=$(largest_block)
    log_take
    ((after < largest)) || break
  done
  check "the largest block is back after 8 loads ($largest pages, $after now)" \
    holds "$((largest > count && after >= largest))" "in each of $try tries"

  quiet 'the kernel complains of nothing'
  same 'the kernel is tainted by no more than an out-of-tree module' 0 "$(taints)"
}

install() {
  repository cma-test
  tree >"$kept/before"
  check_not "there is no $options before the installation" test -e "$options"

  typed apt-get install -y cma-test-dkms

  built_for "$(uname -r)" 'dkms has installed the module for this kernel'
  same 'the module has the package'\''s version' "$(version_of cma-test-dkms)" "$(modinfo -F version cmatest)"
  same 'the command has the package'\''s version' "$(version_of cma-test)" "$(cma-test --version)"
  options_are_right
  loads_and_unloads
  addresses >"$kept/addresses"
  cat /proc/sys/kernel/random/boot_id >"$kept/boot_id"
}

rebooted() {
  local took name old found
  check_not 'this is another boot' grep -Fx "$(</proc/sys/kernel/random/boot_id)" "$kept/boot_id"
  service_has_run
  no_lines 'no unit has failed' systemctl --failed --no-legend --plain
  took=$(systemd-analyze blame | sed -n 's/^ *\(.*\) cma-test-configure.service$/\1/p')
  matches "it took $took of the boot" '[0-9][0-9a-z. ]*s' "$took"
  systemd-analyze time | sed 's/^/# /'
  options_are_right
  while IFS='=' read -r name old; do
    found=$(addresses | sed -n "s/^$name=//p")
    check "$name has moved (KASLR)" test -n "$found" -a "$found" != "$old"
  done <"$kept/addresses"
  loads_and_unloads
}

purge() {
  typed apt-get purge -y cma-test-dkms cma-test
  tree >"$kept/after"
  check "the list of the $(wc -l <"$kept/before") files before the installation is one" \
    grep -E ' /usr/bin/dpkg ' "$kept/before"
  no_lines 'it leaves the files as they were before the installation' diff "$kept/before" "$kept/after"
  no_lines 'it leaves nothing in /run' find /run -ignore_readdir_race -xdev -name 'cma-test*' \
    -not -path '/run/udev/*' -o -path '/run/modprobe.d/*'
  # Asked for these alone, it would end with 1.
  no_match 'systemd knows no unit of it' '^cma-test' systemctl list-unit-files --no-legend
  no_match 'systemd has no unit of it loaded' '^cma-test' systemctl list-units --all --no-legend --plain
  no_lines 'dkms knows no module of it' dkms status
  no_lines 'dpkg knows no package of it' packages_like '^cma-test'
  no_lines 'no kernel has the module' find /lib/modules/ -name 'cmatest*'
  no_lines 'and none lists it' awk '/cmatest/ { print FILENAME ": " $0 }' /lib/modules/*/modules.dep
  no_lines 'dpkg finds nothing wrong' dpkg --audit
}

choose 'install rebooted purge' "$@"
