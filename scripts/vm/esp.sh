# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Firmware with Secure Boot for a machine of scripts/vm/mini, and the disk from which it boots by Debian's
# signed shim and GRUB. Source it after ../lib.sh and accel.sh.
: "${cache:?source scripts/lib.sh first}" "${suite:?}"

# firmware_variables FILE: makes it the variables of firmware that has Secure Boot on, with Microsoft's keys.
firmware_variables() {
  need_packages ovmf
  cp /usr/share/OVMF/OVMF_VARS_4M.ms.fd "$1"
}

# firmware_words VARIABLES ESP: QEMU's words, one a line, for that firmware and this disk. The variables are
# for system management mode alone to write.
firmware_words() {
  printf '%s\n' -machine smm=on -global driver=cfi.pflash01,property=secure,value=on \
    -global ICH9-LPC.disable_s3=1 \
    -drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.ms.fd \
    -drive "if=pflash,unit=1,format=raw,file=$1" \
    -drive "if=none,id=esp,format=raw,readonly=on,file=$2" -device virtio-blk-pci,drive=esp,bootindex=0
}

# debian_files NAME PACKAGE...: prints a folder with what these packages of the release hold. Made once.
debian_files() { made "$cache/debian-files/$suite-$1" make_debian_files "${@:2}"; }
make_debian_files() {
  local names=("${@:1:$#-1}") dir=${*: -1} package
  mkdir "$dir/debs"
  (cd "$dir/debs" && quietly "$cache/log/debian-files.log" apt_for amd64 "$suite" apt-get download "${names[@]}") ||
    die "cannot get the packages ${names[*]}"
  for package in "$dir/debs"/*.deb; do dpkg -x "$package" "$dir" || return; done
  rm -r "$dir/debs"
}

# esp FILE KERNEL INITRD WORDS: makes FILE a disk with an EFI system partition alone: shim, MokManager and
# GRUB, which boots the kernel with that command line.
esp() {
  local file=$1 signed=$1.d size partition=$1@@1M
  need_packages fdisk mtools
  signed=$(debian_files shim shim-signed shim-helpers-amd64-signed grub-efi-amd64-signed)
  size=$((($(stat -Lc %s "$2") + $(stat -Lc %s "$3")) / 512 + 65536))
  rm -f "$file"
  truncate -s "$(((size + 4096) * 512))" "$file"
  printf 'start=2048, size=%d, type=U\n' "$size" | sfdisk --quiet --label gpt "$file"
  mformat -i "$partition" -v ESP -T "$size" -h 16 -s 32 ::
  mmd -i "$partition" ::EFI ::EFI/BOOT ::EFI/debian
  mcopy -i "$partition" "$signed/usr/lib/shim/shimx64.efi.signed" ::EFI/BOOT/BOOTX64.EFI
  mcopy -i "$partition" "$signed/usr/lib/shim/mmx64.efi.signed" ::EFI/BOOT/mmx64.efi
  mcopy -i "$partition" "$signed/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" ::EFI/BOOT/grubx64.efi
  printf 'linux /kernel %s\ninitrd /initrd\nboot\n' "$4" | mcopy -i "$partition" - ::EFI/debian/grub.cfg
  mcopy -i "$partition" "$2" ::kernel
  mcopy -i "$partition" "$3" ::initrd
}

# mok_manager VARIABLES LOG TEXT KEYS [TEXT KEYS]...: starts a machine with a request of mokutil in its
# variables, and types in the menu that shim then shows: waits for TEXT on the serial line, presses KEYS
# (Down, Enter, or text as it is), and so on, until the machine reboots. LOG is of what it showed.
mok_manager() (
  local log=$2 folder key qemu machine firmware seen=0 began=$SECONDS
  folder=$(mktemp -d "$cache/mok-manager.XXXXXX")
  declare -A codes=([Down]=$'\e[B' [Enter]=$'\r')
  qemu=$(qemu_system amd64)
  need_packages socat
  lines_of machine accelerator amd64
  : >"$folder/none"
  esp "$folder/esp" "$folder/none" "$folder/none" ''
  lines_of firmware firmware_words "$1" "$folder/esp"
  : >"$log"
  "$qemu" "${machine[@]}" -m 512 -nodefaults -no-user-config -no-reboot -display none \
    -chardev "socket,id=line,path=$folder/line,server=on,wait=off,logfile=$log" -serial chardev:line \
    "${firmware[@]}" </dev/null 2>"$folder/qemu.log" &
  qemu=$!
  trap 'kill "$qemu" 2>/dev/null || true; rm -rf "$folder"' EXIT
  until [[ -S $folder/line ]]; do
    kill -0 "$qemu" 2>/dev/null || die "QEMU ended at once: $(<"$folder/qemu.log")"
    sleep 0.2
  done
  exec {keys}> >(exec socat - "UNIX-CONNECT:$folder/line" >/dev/null)
  shift 2
  while [[ $# -gt 0 ]]; do
    until at=$(tail -c +$((seen + 1)) "$log" | grep -abo -F -- "$1" | sed -n 1p); do
      ((SECONDS - began < 300)) || die "MokManager does not show '$1': see $log"
      sleep 0.5
    done
    seen=$((seen + ${at%%:*} + ${#1}))
    for key in $2; do
      sleep 1 # what comes all at once is not a key each
      printf '%s' "${codes[$key]-$key}" >&"$keys"
    done
    shift 2
  done
  while kill -0 "$qemu" 2>/dev/null; do
    ((SECONDS - began < 300)) || die "the machine has not rebooted from MokManager: see $log"
    sleep 0.5
  done
)
