# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The stock kernels of Debian that the tests run on: which there are, found by looking, and what is taken
# out of their packages. Source it after lib.sh.
: "${cache:?source scripts/lib.sh first}" "${suite:?}" "${top:?}"

# kernels ARCH SUITE [FLAVOUR]: the releases (uname -r) of the stock kernels there that have an image
# and headers, oldest first; of a flavour as 16k, or of none. linux-image-6.12-arm64 is none: it depends
# on the newest of the series.
kernels() {
  apt_for "$1" "$2" apt-cache pkgnames linux- |
    sed -nE "s/^linux-(image|headers)-([0-9]+(\.[0-9]+){2}[^-]*(-[0-9]+)?-$1${3:+-$3})\$/\2/p" |
    sort -V | uniq -d
}

# arch_of RELEASE: the architecture of a kernel, of whatever flavour.
arch_of() {
  case $1 in
    *-amd64*) echo amd64 ;;
    *-arm64*) echo arm64 ;;
    *) die "the kernel '$1' is of neither amd64 nor arm64" ;;
  esac
}

# no_security ARCH SUITE: why the mirror has no security updates of it, in apt's words; prints nothing
# if it has them. Asked once a day.
no_security() {
  local arch=$1 from=$2-security absent=$cache/apt/$1-$2-security.absent
  if [[ -z $(find "$absent" -mtime -1 2>/dev/null) ]]; then
    rm -f "$absent"
    if ! apt_for "$arch" "$from" true 2>/dev/null; then
      printf '%s: %s\n' "$from" "$(
        grep '^E: ' "$cache/log/apt-$arch-$from.log" | sed -n 1p || echo "see $cache/log/apt-$arch-$from.log"
      )" >"$absent"
      say "no kernels from $(<"$absent")"
    fi
  fi
  [[ ! -e $absent ]] || cat "$absent"
}

# kernel_releases ARCH: the Debian releases whose stock kernels are tested. The arm64 kernel of the one
# before is one of those that list no variables in kallsyms (CONFIG_KALLSYMS_ALL is off) and do have CMA.
kernel_releases() {
  [[ $1 != arm64 ]] || echo bookworm
  echo "$suite"
}

# kernel_suites ARCH: where stock kernels to test on come from: the releases, with their security
# updates where the mirror has them, and the backports.
kernel_suites() {
  local release missing
  for release in $(kernel_releases "$1"); do
    echo "$release"
    missing=$(no_security "$1" "$release") || return
    [[ -n $missing ]] || echo "$release-security"
  done
  echo "$suite-backports"
}

# all_kernels: the releases of all that there are for the tests.
all_kernels() {
  local arch from suites
  for arch in amd64 arm64; do
    lines_of suites kernel_suites "$arch"
    for from in "${suites[@]}"; do kernels "$arch" "$from" || return; done | sort -Vu
  done
}

# latest_kernel ARCH SUITE: the newest of these.
latest_kernel() {
  kernels "$1" "$2" | tail -n 1 | grep . || die "no kernel for $1 with its headers in $2"
}

# stock_kernel ARCH: the release that most tests run on: for amd64 the newest of backports, as
# trixie's own has no CMA; for arm64 trixie's own, which does not export the allocator.
stock_kernel() {
  local from=$suite
  [[ $1 == arm64 ]] || from=$suite-backports
  latest_kernel "$1" "$from"
}

# newest_kernel ARCH: of all that have headers; it has CMA.
newest_kernel() { latest_kernel "$1" "$suite-backports"; }

# older_kernel ARCH: the last one of the series before that.
older_kernel() {
  local newest
  newest=$(newest_kernel "$1") || return
  kernels "$1" "$suite-backports" | awk -F. -v series="${newest%%.*}.$(cut -d . -f 2 <<<"$newest")" \
    '$1 "." $2 != series' | tail -n 1 | grep . ||
    die "$suite-backports has kernels with headers of one series only: there is nothing to upgrade from"
}

# released_kernel ARCH: the release's own; on amd64 it has no CMA.
released_kernel() { latest_kernel "$1" "$suite"; }

# machine_with_older_kernel ARCH: arguments of `vm start`, one a line, and but for --release those of
# scripts/vm/root: the older kernel and the release's own, and on amd64 GRUB. One image serves all
# these scenarios.
machine_with_older_kernel() {
  local older released
  older=$(older_kernel "$1") && released=$(released_kernel "$1") || return
  printf '%s\n' --release "$older" --also "$released"
  [[ $1 != amd64 ]] || printf '%s\n' --package grub2-common --package grub-pc-bin
}

# image_with_older_kernel ARCH: makes the disk of that machine, if it is not there yet, as scripts/vm/vm
# would at its start.
image_with_older_kernel() {
  local arguments
  lines_of arguments machine_with_older_kernel "$1"
  "$top/scripts/vm/root" "$1" "${arguments[@]:1}"
}

# kernel_suite RELEASE: the suite that has this stock kernel.
kernel_suite() {
  local release=$1 arch flavour from suites there=()
  arch=$(arch_of "$release") || return
  flavour=${release##*-"$arch"}
  lines_of suites kernel_suites "$arch"
  for from in "${suites[@]}"; do
    lines_of there kernels "$arch" "$from" "${flavour#-}"
    if [[ " ${there[*]-} " == *" $release "* ]]; then
      echo "$from"
      return
    fi
  done
  die "no stock kernel $release: 'scripts/vm/mini --list' prints those that there are"
}

# kernel_part RELEASE PART DIR: unpacks the package linux-PART-RELEASE into DIR; 1 where there is none.
kernel_part() {
  local package=linux-$2-$1 arch from log=$cache/log/kernel-$1.log
  arch=$(arch_of "$1") && from=$(kernel_suite "$1") || exit 1
  apt_for "$arch" "$from" apt-cache show "$package" 2>/dev/null | grep . >/dev/null || return 1
  { (cd "$3" && quietly "$log" apt_for "$arch" "$from" apt-get download "$package") &&
    dpkg -x "$3/$package"_*.deb "$3"; } || die "cannot get the package $package: see $log"
}

# kernel_image RELEASE: prints the path of the stock kernel's image (vmlinuz; its configuration lies
# next to it as "config"), which is downloaded and unpacked on first use.
kernel_image() {
  local dir
  arch_of "$1" >/dev/null && dir=$(made "$cache/kernel/$1" make_kernel_image "$1") || return
  printf '%s\n' "$dir/vmlinuz"
}
make_kernel_image() {
  local release=$1 dir=$2 part
  mkdir "$dir/work" "$dir/modules" || return
  # The image was one package up to 7.2; from 7.3 it is in linux-binary and its configuration in
  # linux-base.
  for part in binary base image; do
    [[ $part == image && -n $(find "$dir/work" -name 'vmlinuz*') ]] || kernel_part "$release" "$part" "$dir/work" || :
  done
  find "$dir/work" \( -name vmlinuz -o -name "vmlinuz-$release" \) -exec mv {} "$dir/vmlinuz" \;
  find "$dir/work" -type f \( -path '*/modules/*/config' -o -name "config-$release" \) -exec mv {} "$dir/config" \;
  # Where these are modules, scripts/vm/mini talks to its guest with them.
  find "$dir/work" \( -path '*/drivers/virtio/virtio*.ko' -o -name virtio_console.ko \) -exec cp {} "$dir/modules/" \;
  rm -rf "$dir/work"
  [[ -s $dir/vmlinuz && -s $dir/config ]] || die "the packages of kernel $release hold no vmlinuz or no config"
}

# has_cma RELEASE [CONFIG]: whether the stock kernel was configured with CONFIG_CMA, or with CONFIG_….
has_cma() {
  local image
  image=$(kernel_image "$1") || exit 1
  [[ -s ${image%/*}/config ]] || die "there is no ${image%/*}/config: delete that folder, and run this again"
  grep -qx "CONFIG_${2:-CMA}=y" "${image%/*}/config"
}

# disk_modules RELEASE: the modules for a virtio disk with ext4, as stock_modules has them.
disk_modules() { stock_modules "$1" disk virtio_blk ext4; }

# stock_modules RELEASE PURPOSE MODULE...: prints a folder with these modules of a stock kernel, those
# that they need, and the names of all in the order of loading, in the file "order". Made once.
stock_modules() {
  need_packages kmod xz-utils zstd
  made "$cache/kernel/$1-$2" make_stock_modules "$1" "${@:3}"
}
make_stock_modules() {
  local release=$1 names=("${@:2:$#-2}") dir=${*: -1} name file
  mkdir "$dir/work" || return
  # The modules are in linux-image up to 7.2, in linux-modules from 7.3, where both are there.
  kernel_part "$release" modules "$dir/work" || kernel_part "$release" image "$dir/work" || return
  # Before trixie /lib was not yet /usr/lib in packages, and depmod asks for /lib.
  [[ -d $dir/work/lib ]] || ln -s usr/lib "$dir/work/lib"
  quietly "$cache/log/kernel-$release.log" depmod -b "$dir/work" "$release" || return
  for name in "${names[@]}"; do
    modprobe -C /dev/null -d "$dir/work" -S "$release" --show-depends "$name" >"$dir/needs" ||
      die "the kernel $release has no module $name"
    while read -r _ file _; do
      name=${file##*/} name=${name%%.ko*}
      [[ ! -e $dir/$name.ko ]] || continue
      case $file in
        *.xz) xz -dc "$file" ;;
        *.zst) zstd -dcq "$file" ;;
        *) cat "$file" ;;
      esac >"$dir/$name.ko" || return
      echo "$name" >>"$dir/order"
    done < <(sed -n '/^insmod /p' "$dir/needs")
  done
  rm -rf "$dir/work" "$dir/needs"
}
