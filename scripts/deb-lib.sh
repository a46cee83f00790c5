# shellcheck shell=bash
# What is needed to build the packages and the Swift programs: the root with the compilers, the
# Swift dependency, another architecture's standard library, a copy of the sources.
# Source scripts/lib.sh first.
: "${top:?}" "${cache:?}" "${suite:?}"

# A function that fails inside $(…) must end it, not go on.
shopt -s inherit_errexit

# build_root: prints the folder of the Debian root with all build dependencies (debian/control),
# the cross compilers for arm64, and what examines packages. Enter it with in_root.
build_root() {
  local packages=(
    build-essential debhelper dh-dkms dh-dlopenlibdeps libkmod-dev lld swiftlang
    crossbuild-essential-arm64 {libc6-dev,libstdc++-14-dev,libkmod-dev}:arm64
    # SwiftPM clones its dependencies with it where they are not in the tree.
    git ca-certificates
    apt-utils fakeroot lintian systemd
  )
  root build --architectures=amd64,arm64 --include="$(IFS=, && echo "${packages[*]}")"
}

# sid_root: prints the folder of a Debian unstable root with the newest lintian. A mirror that is
# a snapshot of it has expired; for this use it need not be fresh.
sid_root() {
  local suite=sid
  root lintian --include=lintian --aptopt='Acquire::Check-Valid-Until "false"'
}

# argument_parser: prints the folder of swift-argument-parser's sources, of the version that
# Package.swift asks for, without .git.
argument_parser() {
  local url version dir
  url=$(sed -nE 's/.*url: "([^"]*swift-argument-parser)".*/\1/p' "$top/Package.swift")
  version=$(sed -nE 's/.*swift-argument-parser", exact: "([^"]*)".*/\1/p' "$top/Package.swift")
  [[ -n $url && -n $version ]] ||
    die "Package.swift does not say which swift-argument-parser it wants, as '.package(url: \"…\", exact: \"…\")'"
  dir=$cache/swift-argument-parser-$version
  if [[ ! -d $dir ]]; then
    need_packages git ca-certificates
    rm -rf "$dir.new"
    quietly "$cache/log/swift-argument-parser.log" \
      git -c advice.detachedHead=false clone --branch "$version" --depth 1 "$url" "$dir.new" ||
      die "cloning $url failed"
    rm -rf "$dir.new/.git"
    mv "$dir.new" "$dir"
  fi
  printf '%s\n' "$dir"
}

# swiftlang ARCH: prints a folder with that architecture's standard library, out of Debian's
# package; debian/README.source says what for.
swiftlang() {
  local arch=$1 dir new debs
  dir=$cache/swiftlang-$suite-$arch
  if [[ ! -d $dir ]]; then
    new=$(mktemp -d "$cache/swiftlang.XXXXXX")
    (cd "$new" && quietly "$cache/log/swiftlang-$arch.log" \
      apt_for "$arch" "$suite" apt-get download swiftlang) ||
      die "cannot get Debian's swiftlang for $arch"
    debs=("$new"/*.deb)
    mkdir "$new/root"
    dpkg-deb --fsys-tarfile "${debs[0]}" |
      tar -x -C "$new/root" ./usr/libexec/swift/lib/{clang,swift_static}
    mv "$new/root" "$dir"
    rm -rf "$new"
  fi
  printf '%s\n' "$dir"
}

# sources: the files of the work tree as it is now, NUL between them: what git has or would add.
sources() {
  local file
  git -C "$top" ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do
      # One that was removed and not committed yet is still listed.
      [[ -e $top/$file || -L $top/$file ]] || continue
      printf '%s\0' "$file"
    done
}

# digests DIR: the files in it, NUL between them, each after the digest of what is in it; not
# .build-debian, where debian/rules has SwiftPM work.
digests() {
  cd "$1" && find . -path ./.build-debian -prune -o -type f -print0 | xargs -0 -r sha256sum -z |
    LC_ALL=C sort -z
}

# copy_sources DIR: makes DIR a copy of the work tree, with the Swift dependency in it. A file
# that did not change keeps its time, so that what was built from it stays; all else goes but for
# .build-debian.
copy_sources() {
  local dir=$1 new parser
  parser=$(argument_parser)
  new=$(mktemp -d "$cache/sources.XXXXXX")
  mkdir -p "$dir" "$new/tree"
  sources | tar -C "$top" --null --files-from=- -c | tar -C "$new/tree" -x
  cp -a "$parser" "$new/tree/swift-argument-parser"
  (digests "$new/tree") >"$new/wanted"
  (digests "$dir") >"$new/found"
  find "$dir" -type l ! -path "$dir/.build-debian*" -delete
  (cd "$new/tree" && find . -type l -print0 | xargs -0 -r cp -P --parents -t "$dir" --)
  # A digest has 64 characters, and two more stand before the name.
  LC_ALL=C comm -z -13 "$new/wanted" "$new/found" | cut -z -c 67- | (cd "$dir" && xargs -0 -r rm --)
  LC_ALL=C comm -z -23 "$new/wanted" "$new/found" | cut -z -c 67- |
    (cd "$new/tree" && xargs -0 -r cp -P --parents -t "$dir" --)
  (cd "$new/tree" && find . -type f -perm /u+x -print0) | (cd "$dir" && xargs -0 -r chmod +x --)
  (cd "$new/tree" && find . -type f ! -perm /u+x -print0) | (cd "$dir" && xargs -0 -r chmod -x --)
  find "$dir" -mindepth 1 -type d -empty ! -path "$dir/.build-debian*" -delete
  rm -rf "$new"
}

# orig_tarballs DIR VERSION: makes the upstream tarballs of the source package from the copy of the
# sources in DIR/cma-test; the same files give the same bytes.
orig_tarballs() {
  local dir=$1 version=${2%-*} date
  version=${version#*:}
  date=$(sed -nE 's/^ -- .*>  (.*)/\1/p;T;q' "$dir/cma-test/debian/changelog")
  local options=(--sort=name --format=gnu --owner=0 --group=0 --numeric-owner "--mode=go=rX,u+rw"
    "--mtime=$date" -J -c)
  tar -C "$dir" "${options[@]}" --exclude=cma-test/{debian,swift-argument-parser} \
    -f "$dir/cma-test_$version.orig.tar.xz" cma-test
  tar -C "$dir/cma-test" "${options[@]}" \
    -f "$dir/cma-test_$version.orig-swift-argument-parser.tar.xz" swift-argument-parser
}
