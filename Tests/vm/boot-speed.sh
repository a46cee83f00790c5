#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the boot helper costs, measured inside a machine that scripts/vm/boot-speed has booted; the
# packages lie in /srv/cma-test.
#
#   boot-speed.sh install | scan | cache
# shellcheck disable=SC2317  # the parts are called by name
# shellcheck source=debian.sh
. "$(dirname "$0")/debian.sh"

unit=cma-test-configure.service
greps=old-greps.service

install() {
  repository cma-test
  # The command and its unit: this is not about the module.
  typed apt-get install -y --no-install-recommends cma-test
  # The manual of the old module, as a unit at the same place in the boot.
  cat >/usr/local/sbin/old-greps <<'SCRIPT'
#!/bin/sh
mkdir -p /run/old-greps
{
  cat /proc/kallsyms | grep -w dma_contiguous_default_area
  cat /proc/kallsyms | grep -w cma_alloc
  cat /proc/kallsyms | grep -w cma_release
} >/run/old-greps/found
SCRIPT
  chmod 755 /usr/local/sbin/old-greps
  cat >"/etc/systemd/system/$greps" <<UNIT
[Unit]
DefaultDependencies=no
After=$unit
Before=systemd-modules-load.service systemd-udev-trigger.service sysinit.target shutdown.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/old-greps
[Install]
WantedBy=sysinit.target
UNIT
  typed systemctl enable "$greps"
  rm -rf /var/cache/cma-test
}

# milliseconds UNIT: from its start to its end, in this boot.
milliseconds() {
  systemctl show --value -p InactiveExitTimestampMonotonic -p ActiveEnterTimestampMonotonic "$1" |
    awk '{ at[NR] = $1 } END { d = at[1] - at[2]; if (d < 0) d = -d; printf "%d", d / 1000 }'
}

# from_the SOURCE [TEXT]: where the addresses are from.
from_the() {
  same "the addresses are from the $1${2:-}" "# addresses: $1" "$(grep '^# addresses:' "$options")"
}

# boot_took SOURCE: this boot's figures, and where the addresses came from. They are recorded, not
# judged: what else the boot and the host do at that moment is in them.
boot_took() {
  same 'the unit has run' success "$(systemctl show --value -p Result "$unit")"
  from_the "$1"
  check 'the three greps found them, too' grep -qw cma_release /run/old-greps/found
  echo "# in this boot: the unit $(milliseconds "$unit") ms, one with the three greps $(milliseconds "$greps") ms"
  systemd-analyze time | sed 's/^/# /'
  systemd-analyze blame | grep -E "$unit|$greps" | sed 's/^/# /'
  systemd-analyze critical-chain "$unit" "$greps" --no-pager | sed 's/^/# /'
}

# takes_less SOURCE: both units once more, by turns and with the boot over; the least of five rounds,
# for other work on the host only ever adds to them.
takes_less() {
  local name took
  local -A least=()
  for _ in 1 2 3 4 5; do
    for name in "$unit" "$greps"; do
      # So many starts in a row are not those of a unit that keeps failing.
      systemctl reset-failed "$name"
      systemctl restart "$name" || { not_ok "$name starts again" && return; }
      took=$(milliseconds "$name")
      if ((took < ${least[$name]:-took + 1})); then least[$name]=$took; fi
    done
  done
  from_the "$1" ' each time'
  check "from the $1, the unit takes ${least[$unit]} ms, one with the three greps ${least[$greps]} ms" \
    test "${least[$unit]}" -lt "${least[$greps]}"
}

scan() {
  boot_took scan
  check 'what was looked up is kept for the next boot' sh -c '
    for i in $(seq 60); do
      ls /var/cache/cma-test/offsets-* 2>/dev/null && exit
      sleep 1
    done
    exit 1'
  mv /var/cache/cma-test /var/cache/cma-test.aside
  takes_less scan
  mv /var/cache/cma-test.aside /var/cache/cma-test
}

# at_most BOUND FOUND
at_most() { awk "BEGIN { exit !($2 <= $1) }"; }

# measure: whole processes, in /tmp/pace, a line each; those that take little, and so are disturbed
# most by other work on the host, in many rounds. Prints, against the floor: the helper from its cache,
# the same beyond an empty Swift program, and libkmod alone; each by the least of its rounds.
measure() {
  local helper=/usr/libexec/cma-test/cma-test-configure
  {
    # Round by round, so that other work on the host hits all of them.
    pace 15 'C read loop: the floor' 'floor /proc/kallsyms' \
      'helper, whole scan' "$helper --no-cache" &&
      pace 75 'helper, from its cache' "$helper" \
        'empty Swift program' empty \
        'libkmod alone, in C' options \
        'helper, its start alone' "$helper --version"
  } >/tmp/pace || return
  awk -F'\t' '
    NR == 1 { floor = $2 }
    { printf "# %-26s %8.1f ms (%.1f to %.1f)  x %.3f  CPU %.1f ms  %d KiB\n", $1, $2, $3, $4, $2 / floor, $6, $7 }
  ' /tmp/pace >&2
  awk -F'\t' '
    { least[$1] = $3 }
    END {
      floor = least["C read loop: the floor"]
      printf "%.3f %.3f %.3f\n", least["helper, from its cache"] / floor, \
        (least["helper, from its cache"] - least["empty Swift program"]) / floor, \
        least["libkmod alone, in C"] / floor
    }' /tmp/pace
}

cache() {
  local try figures whole beyond library
  boot_took cache
  takes_less cache
  if [[ -x /usr/local/bin/pace ]]; then
    # To reach are 0.25 and 0.05. The bounds have room for what else the host does meanwhile, which may
    # still be more than that: then once more.
    for try in 1 2 3; do
      figures=$(measure) || break
      read -r whole beyond library <<<"$figures"
      echo "# try $try, against the floor: the helper from its cache $whole (to reach: 0.25), beyond an" \
        "empty Swift program $beyond (0.05); libkmod alone $library"
      if at_most 0.30 "$whole" && at_most 0.10 "$beyond"; then break; fi
    done
    same 'all that is measured succeeds' 000000 "$(cut -f 8 /tmp/pace | tr -d '\n')"
    check "a second boot's helper takes at most 0.30 of the floor: ${whole:-}" at_most 0.30 "${whole:-9}"
    check "and at most 0.10 of it beyond an empty Swift program: ${beyond:-}" at_most 0.10 "${beyond:-9}"
  fi
}

choose 'install scan cache' "$@"
