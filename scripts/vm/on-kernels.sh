# shellcheck shell=bash disable=SC2034,SC2154  # what lib.sh and the script have
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts share that try the module on stock kernels with scripts/vm/mini: which kernels, the module
# for them, and what failed. Source it after ../lib.sh.
: "${top:?source scripts/lib.sh first}" "${cache:?}"
# shellcheck source=accel.sh
. "$top/scripts/vm/accel.sh"

wrong=()

# chosen_kernels [ARCH]: sets releases to what the command line names; to all that there are, of one
# architecture or of both; or else to the newest amd64 of backports and the newest arm64 of the release itself.
# shellcheck disable=SC2120
chosen_kernels() {
  if [[ ${all:-false} == true ]]; then
    [[ -z ${1:-} ]] || one_of arch "$1" amd64 arm64
    lines_of releases "$top/scripts/kmod-check" --list ${1:+--only "$1"}
  elif [[ ${#operands[@]} -gt 0 ]]; then
    releases=("${operands[@]}")
  else
    releases=("$(stock_kernel amd64)" "$(stock_kernel arm64)")
  fi
}

# module_for RELEASE...: sees to it that the folder $modules has the module for them, and what tries it;
# builds them where there is no such folder.
module_for() {
  local release
  if [[ -z $modules ]]; then
    modules=$cache/kmod
    say "building the module for $* …"
    # shellcheck disable=SC2046  # releases have no blanks
    quietly "$cache/log/kmod-check.log" "$top/scripts/kmod-check" --kernels -o "$modules" $(printf -- '--release %s\n' "$@" | sort -u)
  fi
  for release; do
    [[ -r $modules/$release/cmatest.ko && -r $modules/$release/cmatest_fault.ko && -x $modules/$release/engine ]] ||
      die "no module for $release in $modules: run scripts/kmod-check -o $modules --release $release"
  done
}

# try WHAT LOG ARGUMENT...: runs scripts/vm/mini with these, its output in LOG, too; a failure is one of WHAT.
try() {
  local what=$1 log=$cache/log/$2.log rc=0
  "$top/scripts/vm/mini" "${@:3}" | tee "$log" || rc=$?
  [[ $rc != 0 ]] || return 0
  wrong+=("$what")
  say "${red}failed with $rc; all of it: $log${plain}"
}

# all_right TEXT: ends the script, with TEXT if nothing failed.
all_right() {
  [[ ${#wrong[@]} == 0 ]] || die "not all as it must be: ${wrong[*]}"
  say "$1"
}
