# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The packaged command for machines that have nothing else. Source it after ../lib.sh and
# ../deb-lib.sh; the caller has a folder $work, which goes with it, and the folder $build_root.
# shellcheck disable=SC2154  # the caller's
: "${top:?source scripts/lib.sh first}"

# command_tree ARCH: prints a folder with the packaged command of ARCH, its loader and its libraries,
# each in its place.
command_tree() {
  local arch=$1 tree=$work/$1 triplet debs queue file name
  if [[ ! -d $tree ]]; then
    debs=("$top"/dist/cma-test_*_"$arch".deb)
    [[ -e ${debs[0]} ]] ||
      die "there is no package for $arch in $top/dist: run scripts/build-deb --arch all"
    mkdir -p "$tree"
    dpkg-deb --fsys-tarfile "${debs[-1]}" | tar -x -C "$tree" ./usr/sbin/cma-test
    triplet=$(dpkg-architecture -a "$arch" -q DEB_HOST_MULTIARCH 2>/dev/null)
    mkdir -p "$tree/usr/lib/$triplet"
    name=$(readelf -l "$tree/usr/sbin/cma-test" | sed -n 's/.*program interpreter: \(.*\)]/\1/p')
    mkdir -p "$tree${name%/*}"
    cp -L "$build_root/usr/lib/$triplet/${name##*/}" "$tree$name"
    # libkmod is loaded when it is first called, so the program does not name it.
    cp -L "$build_root/usr/lib/$triplet/libkmod.so.2" "$tree/usr/lib/$triplet/"
    queue=("$tree/usr/sbin/cma-test" "$tree/usr/lib/$triplet/libkmod.so.2")
    while [[ ${#queue[@]} -gt 0 ]]; do
      file=${queue[0]}
      queue=("${queue[@]:1}")
      for name in $(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
        [[ ! -e $tree/usr/lib/$triplet/$name ]] || continue
        cp -L "$build_root/usr/lib/$triplet/$name" "$tree/usr/lib/$triplet/$name"
        queue+=("$tree/usr/lib/$triplet/$name")
      done
    done
  fi
  printf '%s\n' "$tree"
}

# command_files ARCH: sets files to the arguments of scripts/vm/mini that bring it into the machine.
command_files() {
  local tree entry
  tree=${command:-$(command_tree "$1")}
  files=()
  for entry in "$tree"/*; do files+=(--file "$entry:/${entry##*/}"); done
}

# module_tree RELEASE MODULES: prints a folder with the module of MODULES where modprobe finds it.
module_tree() {
  local release=$1 tree=$work/modules/$1
  mkdir -p "$tree/lib/modules/$release/updates/dkms"
  cp "$2/$release/cmatest.ko" "$tree/lib/modules/$release/updates/dkms/"
  touch "$tree/lib/modules/$release"/modules.{order,builtin,builtin.modinfo}
  depmod -b "$tree" "$release"
  printf '%s\n' "$tree"
}
