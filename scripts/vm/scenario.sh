# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What scenarios on virtual machines share: machines that end with the script, parts that run inside
# them, and the count of their checks. Source it after ../lib.sh, call scenario first.
# shellcheck disable=SC2154  # of the options

: "${top:?source scripts/lib.sh first}"

# shellcheck source=accel.sh
. "$top/scripts/vm/accel.sh"

vm=$top/scripts/vm/vm

# scenario ARGUMENT...: reads the options that the script's head describes; all have --arch, and --keep.
# There is one step for each line of the script that begins with "step".
scenario() {
  scenario=${0##*/} arch=amd64 keep=false
  options "$@"
  one_of arch "$arch" amd64 arm64
  [[ -e $top/dist/Packages ]] || die "there are no packages in $top/dist: run scripts/build-deb"
  # The kernels of arm64 reserve 64 MiB by themselves.
  reserved=''
  # shellcheck disable=SC2034  # for the scenarios
  if [[ $arch == amd64 ]]; then reserved=cma=256M; fi
  steps "$(grep -c '^step ' "$0")"
  machine=$(free_machine "$scenario-$arch")
  results=$(mktemp)
  broken=0 scenario_done=no
  trap scenario_end EXIT
  # What breaks a scenario off without a word would be hard to find out afterwards.
  set -E
  trap 'say "$scenario: $BASH_COMMAND: ended with $? (line $LINENO)"' ERR
  trap 'exit 130' INT
  trap 'exit 143' TERM
  "$vm" destroy "$machine"
}

# free_machine NAME: NAME, or NAME-2 and so on where a run that is still going has a machine of that
# name. One that was kept, or that outlived its run, makes room.
free_machine() {
  local name=$1 number=1 owner
  while owner=$("$vm" owner "$name") && [[ -n $owner && -d /proc/$owner ]]; do
    number=$((number + 1))
    name=$1-$number
  done
  printf '%s\n' "$name"
}

# counted WORD: the results that begin with it.
counted() { grep -c "^$1" "$results" || true; }

# scenario_end: counts, and ends the machine, unless it is to be kept to find out what went wrong.
scenario_end() {
  local rc=$? good bad
  good=$(counted 'ok - ')
  bad=$(($(counted 'not ok - ') + broken))
  if [[ $rc == 0 && ($bad != 0 || $good == 0 || $scenario_done == no) ]]; then rc=1; fi
  if [[ $rc != 0 ]] && $keep && [[ -n $("$vm" list | awk -v n="$machine" '$1 == n') ]]; then
    "$vm" keep "$machine"
    say "the machine is kept as it is: 'scripts/vm/vm shell $machine' enters it," \
      "'scripts/vm/vm run $machine COMMAND' runs something there, 'scripts/vm/vm destroy $machine' ends it"
  else
    "$vm" destroy "$machine"
    if [[ $rc != 0 && $scenario_done == no && -e $("$vm" log "$machine") ]]; then
      "$vm" console "$machine" | tail -n 30 >&2
    fi
    [[ $rc == 0 ]] || say "what the kernel and systemd said: $("$vm" log "$machine")"
  fi
  [[ $bad == 0 ]] || grep '^not ok - ' "$results" >&2 || true
  rm -f "$results" "$results.tar"
  printf '%s on %s: %d checks, %d failed%s, %d s\n' "$scenario" "$arch" "$((good + bad))" "$bad" \
    "$([[ $scenario_done == yes ]] || echo ', broken off')" "$SECONDS"
  exit "$rc"
}

# boot ARGUMENT...: starts the machine, which has the packages in /srv/cma-test, with these arguments of
# `vm start`, and waits for it.
boot() {
  "$vm" start "$machine" --arch "$arch" --owner $$ --share "$top/dist:/srv/cma-test" "$@"
  await
}

# boot_again ARGUMENT...: reboots it, with these arguments of `vm reboot`.
boot_again() {
  "$vm" reboot "$machine" "$@"
  await
}

# await: waits for the machine; one whose emulation failed is started anew. Beside a second machine that
# happens twice in a row now and then.
await() {
  local tries=1
  until "$vm" wait "$machine" --timeout 600; do
    if [[ $tries == 5 ]] || ! died_of_emulation "$arch" "$("$vm" log "$machine")"; then return 1; fi
    tries=$((tries + 1))
    say "$machine died of its emulation while it booted: try $tries"
    "$vm" reboot "$machine"
  done
}

# part SECONDS [SCRIPT] ARGUMENT...: runs Tests/vm/SCENARIO.sh, or another .sh of Tests/, with bash, inside the
# machine. Its checks are the lines "ok - …" and "not ok - …"; one that fails without such a line is a failed
# check as well, and so is one that ends with 0 before its end: it has not looked at the rest.
part() {
  local seconds=$1 script=vm/$scenario.sh rc=0 began=$SECONDS before ended
  shift
  if [[ ${1:-} == *.sh ]]; then script=$1 && shift; fi
  # In one file, as each takes a session with the agent.
  tar -C "$top/Tests" -cf "$results.tar" checks.sh kernel-log.sh "${script%/*}"
  "$vm" put "$machine" "$results.tar" /tmp/cma-test-checks.tar
  before=$(counted 'not ok - ') ended=$(counted '# done: ')
  "$vm" run "$machine" --timeout "$seconds" -- bash -c '
    mkdir -p /tmp/cma-test-checks && tar -C /tmp/cma-test-checks -xf /tmp/cma-test-checks.tar || exit 2
    exec bash "/tmp/cma-test-checks/$0" "$@"' "$script" "$@" | tee -a "$results" || rc=$?
  case $rc in
    2) die "$script $* broke off, and the rest needs what it was to do" ;;
    12[4-9] | 1[3-9]? | 2??) broken=$((broken + 1)) && die "$script $* did not end by itself ($rc)" ;;
    0) [[ $(counted '# done: ') != "$ended" ]] || amiss "$script $* did not come to its end" ;;
    *) [[ $(counted 'not ok - ') != "$before" ]] || amiss "$script $* failed with $rc" ;;
  esac
  say "$script $*: $((SECONDS - began)) s"
}

# amiss TEXT: a failed check that the machine has not named.
amiss() {
  broken=$((broken + 1))
  say "not ok - $1"
}
