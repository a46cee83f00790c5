# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is needed to build the packages and the Swift programs: the root with the compilers, the
# Swift dependency, another architecture's standard library, a copy of the sources.
# Source scripts/lib.sh first.
: "${top:?}" "${cache:?}" "${suite:?}"

# A function that fails inside $(…) must end it, not go on.
shopt -s inherit_errexit

# native_arch: prints the architecture of this machine, if packages are built for it.
native_arch() {
  local arch
  arch=$(dpkg --print-architecture)
  [[ $arch == amd64 || $arch == arm64 ]] ||
    die "this machine is $arch: Debian has swiftlang for amd64 and arm64 only; build on one of these"
  printf '%s\n' "$arch"
}

# build_root: prints the folder of the Debian root with all build dependencies (debian/control),
# the cross compilers for the other architecture, and what examines packages. Enter it with in_root.
build_root() {
  local native other=arm64 packages
  native=$(native_arch)
  [[ $native == amd64 ]] || other=amd64
  packages=(
    build-essential debhelper dh-dkms dh-dlopenlibdeps libkmod-dev lld swiftlang
    "crossbuild-essential-$other" {libc6-dev,libstdc++-14-dev,libkmod-dev}:"$other"
    # SwiftPM clones its dependencies with it where they are not in the tree.
    git ca-certificates
    apt-utils fakeroot lintian systemd
  )
  root build "--architectures=$native,$other" --include="$(IFS=, && echo "${packages[*]}")"
}

# check_root: prints the folder of the Debian root with what examines packages besides lintian.
check_root() { root check --include=devscripts,licenserecon,piuparts; }

# base_root: prints the folder of a Debian root as small as one that has dkms gets.
base_root() { root base --include=dkms,libkmod2; }

# sid_root: prints the folder of a Debian unstable root with the newest lintian. A mirror that is
# a snapshot of it has expired; for this use it need not be fresh.
sid_root() {
  local suite=sid
  root lintian --include=lintian --aptopt='Acquire::Check-Valid-Until "false"'
}

# argument_parser: prints the folder of swift-argument-parser's sources, of the version that
# Package.swift asks for, without .git. Beside it, as FOLDER.tar, they are as git archives them.
argument_parser() {
  local url version dir
  url=$(sed -nE 's/.*url: "([^"]*swift-argument-parser)".*/\1/p' "$top/Package.swift")
  version=$(sed -nE 's/.*swift-argument-parser", exact: "([^"]*)".*/\1/p' "$top/Package.swift")
  [[ -n $url && -n $version ]] ||
    die "Package.swift does not say which swift-argument-parser it wants, as '.package(url: \"…\", exact: \"…\")'"
  dir=$cache/swift-argument-parser-$version
  if [[ ! -d $dir || ! -e $dir.tar ]]; then
    need_packages git ca-certificates
    rm -rf "$dir.new"
    quietly "$cache/log/swift-argument-parser.log" \
      git -c advice.detachedHead=false clone --branch "$version" --depth 1 "$url" "$dir.new" ||
      die "cloning $url failed"
    git -C "$dir.new" -c tar.umask=0022 archive --prefix=swift-argument-parser/ "$version" >"$dir.tar.new"
    mv "$dir.tar.new" "$dir.tar"
    rm -rf "$dir.new/.git" "$dir"
    mv "$dir.new" "$dir"
  fi
  printf '%s\n' "$dir"
}

# swiftlang ARCH ROOT: prints a folder with that architecture's standard library, out of Debian's
# package of the version that ROOT has; debian/README.source says what for.
swiftlang() {
  local arch=$1 root=$2 version dir new debs
  version=$(dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Version}' swiftlang)
  dir=$cache/swiftlang-$version-$arch
  if [[ ! -d $dir ]]; then
    new=$(mktemp -d "$cache/swiftlang.XXXXXX")
    (cd "$new" && quietly "$cache/log/swiftlang-$arch.log" \
      apt_for "$arch" "$suite" apt-get download "swiftlang=$version") || {
      rm -rf "$new"
      die "no swiftlang $version for $arch on the mirror, and the root has that one: delete $root to have it" \
        "made anew"
    }
    debs=("$new"/*.deb)
    mkdir "$new/root"
    dpkg-deb --fsys-tarfile "${debs[0]}" |
      tar -x -C "$new/root" ./usr/libexec/swift/lib/{clang,swift_static} ./usr/share/doc/swiftlang
    find "$cache" -maxdepth 1 -name "swiftlang-[0-9]*-$arch" -exec rm -rf {} +
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

# upstream_commit VERSION: prints the commit that the upstream tarball of that version holds: the
# release's, tagged with its name; before there is a tag, the last commit that changes anything outside
# debian/. Either way a Debian revision and what is not committed leave it as it is.
upstream_commit() {
  local commit
  if ! commit=$(git -C "$top" rev-parse --verify --quiet "refs/tags/$1^{commit}"); then
    commit=$(git -C "$top" rev-list -1 HEAD -- . ':!debian')
  fi
  printf '%s\n' "$commit"
}

# source_tree DIR COMMIT VERSION: makes in DIR what dpkg-source takes: the upstream tarballs, as git
# archives them, with the times of their commits; and cma-test/, which is these and the work tree's
# debian/.
source_tree() {
  local dir=$1 commit=$2 upstream=${3%-*} parser
  upstream=${upstream#*:}
  parser=$(argument_parser)
  mkdir -p "$dir/cma-test"
  git -C "$top" -c tar.umask=0022 archive "--prefix=cma-test-$upstream/" "$commit" -- . ':!debian' \
    >"$dir/cma-test_$upstream.orig.tar"
  cp "$parser.tar" "$dir/cma-test_$upstream.orig-swift-argument-parser.tar"
  tar -C "$dir/cma-test" --strip-components=1 -xf "$dir/cma-test_$upstream.orig.tar"
  tar -C "$dir/cma-test" -xf "$parser.tar"
  sources | grep -z '^debian/' | tar -C "$top" --null --files-from=- -c | tar -C "$dir/cma-test" -x
}

# not_in_source COMMIT: the files, but for debian/, in which the work tree differs from that commit.
not_in_source() {
  git -C "$top" diff --name-only --no-renames "$1" -- . ':!debian'
  git -C "$top" ls-files --others --exclude-standard -- . ':!debian'
}

# how_to_install: the commands that install what is in dist/ on this machine, two blanks before each.
# apt's own user reads a repository: below a folder of root's or of a user's alone, it cannot.
how_to_install() {
  local dist=$top/dist version native
  native=$(native_arch)
  version=$(sed -nE '1s/^[^ ]+ \(([0-9]+:)?([^)]*)\).*/\2/p' "$top/debian/changelog")
  set -- "$dist/cma-test_${version}_$native.deb" "$dist/cma-test-dkms_${version}_all.deb"
  printf 'To install:\n  apt install %s\n' "${*/#"$PWD"/.}"
  if setpriv --reuid _apt --regid nogroup --clear-groups test -r "$dist/Packages"; then
    printf '%s\n' "or, to get the next build by 'apt upgrade', too:" \
      "  echo 'deb [trusted=yes] file:$dist ./' > /etc/apt/sources.list.d/cma-test.list" \
      '  apt update' '  apt install cma-test-dkms'
  else
    echo "apt's own user cannot read $dist: as a repository it serves in a copy elsewhere, as in /srv."
  fi
}

# version_of CHANGELOG: the version that it begins with.
version_of() {
  sed -nE '1s/^[^ ]+ \(([^)]*)\).*/\1/p' "$1" | grep . || die "$1 does not begin with 'cma-test (VERSION) …'"
}

# build_packages DIR WHAT OPTIONS LOG: has dpkg-buildpackage build DIR/cma-test in the root $build_root: for an
# architecture, or "all" or "source"; OPTIONS are words of DEB_BUILD_OPTIONS.
build_packages() {
  local dir=$1 what=$2 library prepare=: arguments native binds=(--bind "$1:/build")
  local environment=("DEB_BUILD_OPTIONS=$3 parallel=$(nproc)")
  native=$(native_arch) || exit
  case $what in
    all) arguments=(-A) ;;
    source)
      arguments=(-S -d)
      # By the root's xz: this machine's may be another version, which can compress to other bytes.
      prepare='xz --threads=1 -6 ../*.orig*.tar'
      ;;
    "$native") arguments=(-B "-a$what") ;;
    *)
      arguments=(-B "-a$what")
      # shellcheck disable=SC2154  # the caller's
      library=$(swiftlang "$what" "$build_root") || exit
      binds+=(--bind "$library:/opt/swiftlang")
      environment+=(SWIFTLANG_HOST=/opt/swiftlang)
      ;;
  esac
  # -nc: the copy is clean, but for the objects of the build before it, which save minutes.
  quietly "$4" in_root "$build_root" "${binds[@]}" -- \
    env "${environment[@]}" sh -euc "cd /build/cma-test; $prepare; exec dpkg-buildpackage \"\$@\"" sh \
    -nc -us -uc "${arguments[@]}" || die "no packages for $what"
}
