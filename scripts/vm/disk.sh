# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A stock kernel's modules, and a disk with ext4, for a machine of scripts/vm/mini. Source it after
# ../lib.sh and accel.sh.
: "${cache:?source scripts/lib.sh first}"

# disk_modules RELEASE: the modules for a virtio disk with ext4, as stock_modules has them.
disk_modules() { stock_modules "$1" disk virtio_blk ext4; }

# stock_modules RELEASE PURPOSE MODULE...: prints a folder with these modules of a stock kernel, those
# that they need, and the names of all in the order of loading, in the file "order". Made once.
stock_modules() {
  local release=$1 purpose=$2 arch from dir=$cache/kernel/$1-$2 lock work part package name file
  shift 2
  arch=$(arch_of "$release") || return
  mkdir -p "$cache/kernel"
  exec {lock}>"$dir.lock"
  flock "$lock"
  if [[ ! -s $dir/order ]]; then
    from=$(kernel_suite "$release") || exit 1
    work=$(mktemp -d "$cache/kernel/.work.XXXXXX")
    # The modules are in linux-image up to 7.2, in linux-modules from 7.3, where both are there.
    for part in modules image; do
      package=linux-$part-$release
      apt_for "$arch" "$from" apt-cache show "$package" >"$work/show" 2>/dev/null && [[ -s $work/show ]] &&
        break
    done
    if ! (cd "$work" && quietly "$cache/log/$purpose-$release.log" \
      apt_for "$arch" "$from" apt-get download "$package") ||
      ! dpkg -x "$work/$package"_*.deb "$work"; then
      die "cannot get the package $package: see $cache/log/$purpose-$release.log"
    fi
    # Before trixie /lib was not yet /usr/lib in packages, and depmod asks for /lib.
    [[ -d $work/lib ]] || ln -s usr/lib "$work/lib"
    quietly "$cache/log/$purpose-$release.log" depmod -b "$work" "$release" ||
      die "depmod of $package: see $cache/log/$purpose-$release.log"
    rm -rf "$dir" && mkdir "$dir"
    for name; do
      modprobe -C /dev/null -d "$work" -S "$release" --show-depends "$name" >"$work/needs" ||
        die "the kernel $release has no module $name"
      while read -r _ file _; do
        name=${file##*/} name=${name%%.ko*}
        [[ ! -e $dir/$name.ko ]] || continue
        case $file in
          *.xz) xz -dc "$file" ;;
          *.zst) zstd -dcq "$file" ;;
          *) cat "$file" ;;
        esac >"$dir/$name.ko"
        echo "$name" >>"$dir/names"
      done < <(sed -n '/^insmod /p' "$work/needs")
    done
    rm -rf "$work"
    # Last, so that a folder which has it is complete.
    mv "$dir/names" "$dir/order"
  fi
  exec {lock}>&-
  printf '%s\n' "$dir"
}

# ext4_image FILE SIZE: makes it.
ext4_image() {
  truncate -s "$2" "$1"
  quietly "$cache/log/mkfs.log" mkfs.ext4 -q -F "$1"
}
