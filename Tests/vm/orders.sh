#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Orders of installation, inside a Debian root that scripts/orders-check has made: no kernel is booted,
# DKMS builds for those that are installed. The packages lie in /srv/cma-test, kernels in
# /srv/kernels.
#
#   orders.sh order RELEASE STEP...    the steps: image, headers, package
#   orders.sh mixed RELEASE WITHOUT    WITHOUT is a kernel without CMA
#   orders.sh broken RELEASE
#   orders.sh container
# shellcheck disable=SC2317  # the parts are called by name
# shellcheck source=debian.sh
. "$(dirname "$0")/debian.sh"

printf 'deb [trusted=yes] file:/srv/%s ./\n' cma-test kernels >/root/sources.list
apt=(-o Dir::Etc::SourceList=/root/sources.list -o Dir::Etc::SourceParts=- -o APT::Sandbox::User=root)
output=/root/output

# install PACKAGE...: with apt; what it says is kept in $output, too.
install() {
  typed apt-get "${apt[@]}" install -y "$@" | tee "$output"
  # typed ends with 2 in its subshell only.
  [[ ${PIPESTATUS[0]} == 0 ]] || give_up
  checks=$((checks + 1))
}

# install_fails TEXT ARGUMENT...: apt cannot install these.
install_fails() {
  apt-get "${apt[@]}" install -y "${@:2}" >"$output" 2>&1
  same "$1" 100 $?
  shows "$output"
}

purge() { typed apt-get "${apt[@]}" purge -y "$@"; }

# no_apology: what apt said has no word of failure.
no_apology() {
  local said
  said=$(<"$output")
  lacks "$1: nobody speaks of an error" \
    '(^|[^-])\b(error|fail(ed|ure)?|bad exit|bad return)\b' "${said,,}"
}

step() {
  case $1 in
    image) install "linux-image-$release" ;;
    headers) install "linux-headers-$release" ;;
    package) install cma-test-dkms ;;
  esac
}

is_installed() {
  built_for "$1"
  # Without the image there is no list of modules to look it up in.
  [[ ! -e /boot/vmlinuz-$1 ]] ||
    same 'modprobe would find it' "/lib/modules/$1/updates/dkms/cmatest.ko" \
      "$(modinfo -k "$1" -n cmatest | sed 's/\.ko\..*/.ko/')"
}

# take_status: the exit code is that of a machine whose running kernel is another's.
take_status() {
  status_text=$(cma-test status 2>&1)
  status_json=$(cma-test status --json 2>&1)
}

order() {
  local has='' name
  release=$1
  shift
  for name; do
    step "$name"
    no_apology "$name after${has:- nothing}"
    has="$has $name"
    if [[ $has == *package* && $has != *headers* ]]; then
      if [[ $has == *image* ]]; then
        matches 'it says once that the headers are missing' 1 \
          "$(grep -ciE 'kernel headers.*(not seem to be installed|no kernel headers)|No kernel headers were found' "$output")"
        take_status
        said 'and so does the status' "$(exactly "$release"): not built, its headers are not installed"
        said 'with the command that mends it' "apt install linux-headers-$(exactly "$release")"
      fi
      no_lines 'nothing was built' below /lib/modules/ -name 'cmatest.ko*'
    fi
    if [[ $has == *package* && $has == *headers* ]]; then is_installed "$release"; fi
  done
  take_status
  said 'the status lists the kernel' "$(exactly "$release"): $(cma-test --version) installed"
  healthy 'at the end'
  # What came goes, with the packages, in the other order.
  purge cma-test-dkms cma-test
  no_lines 'purged, no kernel has the module' below /lib/modules/ -name 'cmatest*'
  no_lines 'and dkms knows of none' dkms status
  check_not 'nor does its tree' test -e /var/lib/dkms/cma-test
}

mixed() {
  local without=$2
  release=$1
  step package
  matches 'without any kernel it says that there are no headers' 1 "$(grep -c 'No kernel headers were found' "$output")"
  install "linux-image-$without" "linux-headers-$without" "linux-image-$release" "linux-headers-$release"
  is_installed "$release"
  no_lines "nothing was built for $without" find "/lib/modules/$without/" -name 'cmatest.ko*'
  check 'dkms said that it skipped it' grep -F "Autoinstall on $without was skipped for module(s) cma-test" "$output"
  healthy 'with a kernel without CMA'
  take_status
  said 'the status says why' "$(exactly "$without"): skipped, since this kernel was built without CONFIG_CMA"
  same 'in JSON: skipped' skipped "$(dkms_state "$without")"
  same "and $release: installed" installed "$(dkms_state "$release")"

  # The package comes after both.
  purge cma-test-dkms
  step package
  is_installed "$release"
  no_lines "nothing was built for $without" find "/lib/modules/$without/" -name 'cmatest.ko*'
  healthy 'installed after both'
}

# mended HEADER: that the header as it was is all that the build lacked.
mended() {
  cp /root/cma.h "$1"
  typed dpkg --configure -a
  is_installed "$release"
}

broken() {
  local header log
  release=$1
  step image
  step headers
  header=$(readlink -f "/lib/modules/$release/source" 2>/dev/null)/include/linux/cma.h
  [[ -e $header ]] || header=/usr/src/linux-headers-${release%-*}-common/include/linux/cma.h
  check 'the header is there to be broken' test -s "$header"
  cp "$header" /root/cma.h
  echo '#error broken for a test' >"$header"

  install_fails 'apt install cma-test-dkms fails' cma-test-dkms
  log=/var/lib/dkms/cma-test/$(version_of cma-test-dkms)/build/make.log
  check 'the user is told for which kernel' grep -F "Bad return status for module build on kernel: $release" "$output"
  check 'and which log says why' grep -F "Consult $log for more information" "$output"
  check 'the log does say why' grep -F 'broken for a test' "$log"
  package_has 'dpkg has the package half-configured' 'iF ' cma-test-dkms
  package_has 'and the command whole' 'ii ' cma-test
  no_lines 'no module was installed' find /lib/modules/ -name 'cmatest.ko*'
  take_status
  said 'the status names the failed build' "$(exactly "$release"): the build of .* failed, and its log says why"
  said 'and its log' "less $(exactly "$log")"
  same 'in JSON: failed' failed "$(dkms_state "$release")"

  mended "$header"
  healthy 'with the header mended'

  # The same when the headers come last, as in an upgrade of the kernel.
  purge "linux-headers-$release" "linux-headers-${release%-*}-common"
  printf 'path-exclude=%s\n' "$header" >/etc/dpkg/dpkg.cfg.d/broken
  typed dkms uninstall "cma-test/$(cma-test --version)" -k "$release"
  typed dkms unbuild "cma-test/$(cma-test --version)" -k "$release"
  install_fails 'apt install of such headers fails' "linux-headers-$release"
  check 'the user is told for which module' grep -F "Autoinstall on $release failed for module(s) cma-test" "$output"
  check 'and which log says why' grep -F "Consult $log for more information" "$output"
  package_has 'dpkg has the headers half-configured' 'iF ' "linux-headers-$release"
  package_has 'not our package' 'ii ' cma-test-dkms
  take_status
  said 'the status names the failed build' "$(exactly "$release"): the build of .* failed, and its log says why"
  mended "$header"
  healthy 'with the header there again'

  # A failed build is no obstacle to getting rid of the package.
  echo '#error broken for a test' >"$header"
  install_fails 'apt install --reinstall fails with it' --reinstall cma-test-dkms
  purge cma-test-dkms cma-test
  no_lines 'purged after a failed build, nothing of it is left' \
    find /lib/modules/ /var/lib/dkms /usr/src -name 'cmatest*' -o -name 'cma-test*'
  healthy 'purged after a failed build'
}

container() {
  step package
  no_apology 'in a container'
  check 'it says that it does nothing here' grep '^# cma-test: in a container' "$output"
  check_not "it wrote no $options" test -e "$options"
  no_lines 'and nothing else to /run' find /run -ignore_readdir_race -name '*cma-test*'
  status_is 32 'in a container'
  said 'the status says so' 'in a container \(lxc\)'
  healthy 'in a container'
  purge cma-test-dkms cma-test
}

lean_kernels
typed apt-get "${apt[@]}" update
choose 'order mixed broken container' "$@"
