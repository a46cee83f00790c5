# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scenarios on Debian machines and in Debian roots share: packages, the options file, what
# `cma-test status` says, and kernels from a repository. Source it; end with a call of choose.
set -uo pipefail
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

# What one part of a scenario leaves for the next, across a reboot.
kept=${CMA_TEST_STATE:-/root/cma-test-state}
mkdir -p "$kept"

# choose PARTS ARGUMENT...: runs the part that the first argument names, a function, with the others; a
# usage error if it is none of PARTS.
choose() {
  local part=${2:-}
  if [[ $part == *' '* || " $1 " != *" $part "* ]]; then
    sed -n '/^# shellcheck/q; s/^#   //p' "$0" >&2
    exit 2
  fi
  "$part" "${@:3}"
  finish
}

# matches TEXT PATTERN FOUND: an extended regular expression for the whole of FOUND.
matches() { if [[ $3 =~ ^($2)$ ]]; then ok "$1"; else not_ok "$1" "wanted $2, found '$3'"; fi; }

# typed COMMAND...: runs it as a user would, its output shown; a failure ends the script, for what
# follows would fail for the same reason.
typed() {
  local rc=0
  printf '# $ %s\n' "$*"
  "$@" 2>&1 | sed --unbuffered 's/^/# /' || rc=$?
  if [[ $rc != 0 ]]; then
    not_ok "$*" "failed with $rc, see above; the rest was not run"
    give_up
  fi
  ok "$*"
}

# package_has TEXT STATUS PACKAGE: what dpkg has of it, as 'ii '.
package_has() { same "$1" "$2" "$(dpkg-query -W -f '${db:Status-Abbrev}' "$3")"; }

# shows FILE: as a comment in the report.
shows() { sed 's/^/# /' "$1"; }

# taints: the taint flags but those of any out-of-tree (O) and unsigned (E) module.
taints() { echo $(($(</proc/sys/kernel/tainted) & ~(1 << 12 | 1 << 13))); }

# cma_available: pages that no one has allocated from any area, by the allocator's own count, which
# is exact; kernels from 7.1 with CMA_SYSFS tell it.
cma_available() { cat /sys/kernel/mm/cma/*/available_pages 2>/dev/null | awk '{ n += $1 } END { print n }'; }

# --- packages -----------------------------------------------------------------------------------

# repository NAME...: apt knows the packages in /srv/NAME.
repository() {
  local name
  for name; do echo "deb [trusted=yes] file:/srv/$name ./" >"/etc/apt/sources.list.d/$name.list"; done
  typed apt-get update
}

version_of() { dpkg-query -W -f '${source:Upstream-Version}' "$1"; }

# built_for RELEASE [TEXT]: that dkms has installed the module of the package's version for it.
built_for() {
  check "${2:-dkms has installed the module for $1}" \
    grep -Fx "cma-test/$(version_of cma-test-dkms), $1, $(uname -m): installed" <(dkms status cma-test)
}

# service_has_run: that the unit of this boot has ended well.
service_has_run() {
  same 'cma-test-configure.service has run' 'ActiveState=active Result=success SubState=exited' \
    "$(systemctl show -p ActiveState -p SubState -p Result cma-test-configure.service | sort | paste -sd ' ')"
}

# says_what_it_holds: that the module has logged its load since mark_log, in the two lines of its form, with
# addresses in the kernel's half.
says_what_it_holds() {
  local address='0x[89a-f][0-9a-f]{15}'
  matches 'it says that it was loaded, and what it holds' \
    "cmatest: init CMA test mod\."$'\n'"cmatest: alloc pages:buf:$address:$address\." \
    "$(log_since | grep -E '^cmatest: (init|alloc)')"
}

# packages_like REGEX: those of which dpkg has anything, and what.
packages_like() {
  local all
  all=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n') || return
  awk -v name="$1" '$2 != "not-installed" && $1 ~ name' <<<"$all"
}

# --- the options file ---------------------------------------------------------------------------

options=/run/modprobe.d/cma-test-symbols.conf

# addresses: those of the options file, one a line.
addresses() { grep '^options cmatest ' "$options" | grep -oE '[a-z_]+=0x[0-9a-f]+'; }

# options_are_right: checks on the options file, for the boot that this is.
options_are_right() {
  same "$options belongs to root alone" '600 root root' "$(stat -c '%a %U %G' "$options" 2>&1)"
  check "$options names the kernel $(uname -r)" grep -F "$(uname -r)" <(grep '^#' "$options")
  check "$options names this boot" grep -F "$(</proc/sys/kernel/random/boot_id)" <(grep '^#' "$options")
  same "$options has the address of each symbol that this kernel has" \
    "$(kernel_addresses)" "$(addresses)"
  # All stock kernels with CMA have all of them, but variables only with CONFIG_KALLSYMS_ALL.
  same "$options has all the module's addresses" \
    "$(grep -qx CONFIG_KALLSYMS_ALL=y "/boot/config-$(uname -r)" && printf 'area_base ')$(
      printf 'alloc_fn free_fn for_each_fn name_fn base_fn size_fn ')" \
    "$(addresses | cut -d = -f 1 | tr '\n' ' ')"
}

# --- cma-test status ----------------------------------------------------------------------------

# status_is CODE [TEXT]: takes the status as text and as JSON, for said and fact, and checks that
# both end with that exit code; TEXT is the case that it is about.
status_is() {
  local code=0 json_code=0 about=${2:+$2: }
  status_text=$(cma-test status 2>&1) || code=$?
  status_json=$(cma-test status --json 2>&1) || json_code=$?
  same "${about}the exit code of 'cma-test status' is $1" "$1" "$code"
  [[ $code == "$1" ]] || printf '%s\n' "$status_text" | sed 's/^/#   /'
  same "${about}with --json it is the same, and in it" "$1 $1" "$json_code $(fact code)"
}

# exactly TEXT: the extended regular expression that only TEXT, a version or a path, matches.
exactly() {
  local text=${1//./[.]}
  printf '%s\n' "${text//+/[+]}"
}

# said TEXT PATTERN: that a line of the status matches PATTERN, an extended regular expression; the
# line is shown, for what a user would read is what this is about.
said() {
  local line
  line=$(grep -E -m 1 -- "$2" <<<"$status_text")
  if [[ -n $line ]]; then
    ok "$1: '$(sed -E 's/^ +//' <<<"$line")'"
  else
    not_ok "$1" "no line like '$2' in:"$'\n'"$status_text"
  fi
}

# facts: the values of the JSON, a line each, with their path: loaded.version 1.0; items of a list have
# their number, as dkms.kernels.0.state. The form is that of cma-test's own printer: two spaces a level.
facts() {
  awk '
    {
      match($0, /^ */)
      depth = RLENGTH / 2
      line = substr($0, RLENGTH + 1)
      sub(/,$/, "", line)
      if (line ~ /^[]}]/) next
      if (match(line, /^"[^"]*": /)) {
        name = substr(line, 2, RLENGTH - 4)
        line = substr(line, RLENGTH + 1)
      } else {
        name = count[depth]++
      }
      path[depth] = name
      count[depth + 1] = 0
      all = path[1]
      for (i = 2; i <= depth; i++) all = all "." path[i]
      gsub(/^"|"$/, "", line)
      if (depth > 0) print all, line
    }' <<<"$status_json"
}

# fact PATH
fact() { facts | sed -n "s/^$(exactly "$1") //p"; }

# dkms_state RELEASE: what the JSON says of that kernel: installed, built, failed, skipped, none; and
# "unknown" of one that is not listed.
dkms_state() {
  local number
  number=$(facts | sed -nE "s/^dkms\.kernels\.([0-9]+)\.release $(exactly "$1")\$/\1/p")
  if [[ -n $number ]]; then fact "dkms.kernels.$number.state"; else echo unknown; fi
}

# healthy TEXT: that installing and booting left nothing undone: no package half-configured, no unit
# failed but those of $due.
healthy() {
  no_lines "$1: dpkg finds nothing half-done" dpkg --audit
  [[ -d /run/systemd/system ]] || return 0
  no_lines "$1: no unit has failed${due:+ but $due}" failed_units
}
due=''

# failed_units: those of systemd, but for $due.
failed_units() {
  local units
  units=$(systemctl --failed --no-legend --plain) || return
  [[ -z $units ]] || awk -v due="$due" '$1 != due' <<<"$units"
}

# --- kernels ------------------------------------------------------------------------------------

lean=/etc/dpkg/dpkg.cfg.d/cma-test-lean

# lean_kernels: has dpkg leave out the modules for hardware that no machine here has, as
# scripts/vm/root does: depmod, which runs whenever a module comes or goes, reads them all. Only the
# unpacking differs; the packages are the archive's.
lean_kernels() {
  local folder
  for folder in sound net drivers/{accel,ata,bluetooth,gpu,hid,hwmon,i2c,iio,infiniband,input,leds} \
    drivers/{media,mfd,misc,mmc,mtd,net,nvme,pinctrl,platform,power,scsi,staging,thermal,usb,video} \
    fs/{btrfs,ceph,gfs2,jfs,nfs,nfsd,ocfs2,smb,ubifs,xfs}; do
    printf 'path-exclude=/usr/lib/modules/*/kernel/%s/*\n' "$folder"
    printf 'path-exclude=/lib/modules/*/kernel/%s/*\n' "$folder"
  done >$lean
}
