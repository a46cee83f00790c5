#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Upgrades of the kernel and of the package, inside a machine that scripts/vm/upgrade has booted; the
# packages lie in /srv/cma-test, their next version in /srv/next, the newer kernel in /srv/kernels.
#
#   upgrade.sh install | next-version | new-kernel RELEASE | booted RELEASE [OTHER]
#              | old-kernel-goes RELEASE
# shellcheck disable=SC2317  # the parts are called by name
# shellcheck source=debian.sh
. "$(dirname "$0")/debian.sh"

running=$(uname -r)
package_version() { version_of cma-test-dkms; }

# found_for RELEASE: built by dkms, in the package's version, where modprobe finds it.
found_for() {
  built_for "$1" "dkms has installed $(package_version) for $1"
  same "the module for $1 has the package's version" "$(package_version)" \
    "$(modinfo -k "$1" -F version cmatest)"
}

install() {
  repository cma-test
  typed apt-get install -y cma-test-dkms
  found_for "$running"
  options_are_right
  typed modprobe cmatest
  status_is 0
  same 'status knows the loaded module for the installed one' true "$(fact loaded.current)"
  healthy 'after the installation'
}

next-version() {
  local before loaded held version
  before=$(package_version)
  loaded=$(cat /sys/module/cmatest/srcversion)
  held=$(cma_available)
  mark_log
  repository next
  typed apt-get install -y cma-test cma-test-dkms
  version=$(package_version)
  check "$version is newer than $before" dpkg --compare-versions "$version" gt "$before"
  same 'so is the command' "$version" "$(cma-test --version)"
  found_for "$running"
  no_match "dkms has nothing of $before any more" "/$(exactly "$before")," dkms status cma-test
  no_lines "and there is no file of it" \
    find /usr/src /var/lib/dkms/cma-test -maxdepth 1 -name "cma-test-$before" -o -name "$before"

  same 'the loaded module is still the one from before' "$before $loaded" \
    "$(cat /sys/module/cmatest/version /sys/module/cmatest/srcversion | paste -sd ' ')"
  no_match 'nobody has unloaded or loaded it' 'cmatest: (init|exit)' log_since
  [[ -z $held ]] || same 'it holds what it held' "$held" "$(cma_available)"
  status_is 0 'an older one loaded'
  said 'status says which is loaded, and which is installed' \
    "loaded .*version $(exactly "$before"), since .*; the installed module is $(exactly "$version")"
  said 'and how to change that' 'rmmod cmatest && modprobe cmatest'
  same 'in JSON, too' "$before false" "$(fact loaded.version) $(fact loaded.current)"

  typed rmmod cmatest
  typed modprobe cmatest
  same 'loaded again it is the new one' "$version" "$(cat /sys/module/cmatest/version)"
  status_is 0 'the new one loaded'
  same 'which status sees' true "$(fact loaded.current)"
  typed rmmod cmatest
  options_are_right
  healthy 'after the upgrade of the package'
}

new-kernel() {
  lean_kernels
  repository kernels
  typed apt-get install -y "linux-image-$1" "linux-headers-$1"
  rm "$lean"
  found_for "$1"
  found_for "$running"
  # It asks modprobe's view of the running kernel only: the other is DKMS's to know.
  status_is 0 'with two kernels'
  same "status lists both: $running" installed "$(dkms_state "$running")"
  same "status lists both: $1" installed "$(dkms_state "$1")"
  healthy 'after the upgrade of the kernel'
}

booted() {
  same "$1 is running" "$1" "$running"
  service_has_run
  healthy "booted into $1"
  options_are_right
  found_for "$1"
  [[ -z ${2:-} ]] || found_for "$2"
  status_is 0 "on $1"
  same 'status says that the options are of this kernel' "$1" "$(fact options.kernel)"
  mark_log
  typed modprobe cmatest
  says_what_it_holds
  typed rmmod cmatest
  quiet 'the kernel complains of nothing'
}

old-kernel-goes() {
  local old=$1 packages all
  check "what is kept of $old from its boots is there" grep -rqF "kernel $old" /var/cache/cma-test
  all=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "linux-*-${old%-*}*")
  mapfile -t packages <<<"$(sed -n 's/^installed //p' <<<"$all")"
  check "$old has packages to be removed" test "${#packages[@]}" -gt 1
  typed apt-get purge -y "${packages[@]}"
  no_lines "no package of $old is left" packages_like "^linux-.*$(exactly "${old%-*}")"
  no_match 'dkms knows nothing of it' "$(exactly "$old")" dkms status cma-test
  no_lines 'nor does its tree' find /var/lib/dkms/cma-test -name "*$old*"
  no_lines 'its modules are gone, and ours with them' \
    find /lib/modules/ -path "*$old*" -name '*.ko*'
  no_lines 'nothing is left in its folder' below "/lib/modules/$old"
  check_not 'nothing is kept for it in /var/cache' grep -rF "kernel $old" /var/cache/cma-test
  check "but for $running there is" grep -rqF "kernel $running" /var/cache/cma-test
  status_is 0 "without $old"
  same "status does not know $old any more" unknown "$(dkms_state "$old")"
  same "status lists $running" installed "$(dkms_state "$running")"
  healthy 'after the removal of the kernel'
}

choose 'install next-version new-kernel booted old-kernel-goes' "$@"
