# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian root with LAVA's dispatcher, and LAVA's templates of devices. Source it after lib.sh.
: "${cache:?source scripts/lib.sh first}" "${suite:?}"

# lava_root: prints the folder of a Debian root with the dispatcher and QEMU.
lava_root() {
  local packages=(
    {lava-dispatcher,lava-common}/trixie-backports
    qemu-system-x86 qemu-utils git python3-voluptuous
  )
  root lava --include="$(IFS=, && echo "${packages[*]}")"
}

# lava_templates: prints a folder with LAVA's own templates of devices, out of the package of its server.
lava_templates() { made "$cache/lava/templates" make_lava_templates; }
make_lava_templates() {
  local folder=$1
  (cd "$folder" && quietly "$cache/log/lava-templates.log" \
    apt_for amd64 "$suite-backports" apt-get download lava-server) || return
  dpkg-deb --fsys-tarfile "$folder"/lava-server_*.deb | tar -x -C "$folder" ./usr/share/lava-server/device-types
  rm "$folder"/lava-server_*.deb
}
