# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What every script here shares: messages, the cache, the mirror, and clean Debian roots.
# Source it first; it turns on the strict mode.
# With pipefail a reader that stops early is trouble: what writes to it dies of SIGPIPE, now and then.
# scripts/lint forbids the usual ones.
set -euo pipefail

# shellcheck disable=SC2034  # for the scripts that source this
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/cma-test
# An empty one counts as none by its specification, but clang takes it for the present folder.
[[ -n ${XDG_CACHE_HOME:-} ]] || unset XDG_CACHE_HOME
# The Debian release that the packages are built on and for.
suite=trixie
mkdir -p "$cache/log"

if [[ -t 2 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' red='' plain=''
fi

# say TEXT: a line of progress, on standard error.
say() { printf '%s\n' "$*" >&2; }

# die TEXT: what failed, on what, why, and what to do next; ends the script with 1.
die() {
  printf '%s%s: error: %s%s\n' "$red" "${0##*/}" "$*" "$plain" >&2
  exit 1
}

# steps N: there will be N steps; step TEXT announces the next one.
steps() { steps_total=$1 steps_done=0; }
step() {
  steps_done=$((steps_done + 1))
  printf '%s[%d/%d] %s …%s\n' "$bold" "$steps_done" "$steps_total" "$*" "$plain" >&2
}

# quietly LOG COMMAND...: keeps the output in LOG and shows its end if the command fails.
quietly() {
  local log=$1 rc=0
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null || rc=$?
  if [[ $rc != 0 ]]; then
    say "${red}failed with $rc: $*${plain}"
    tail -n 60 "$log" >&2
    say "the whole log: $log"
  fi
  return "$rc"
}

# usage: prints the comment at the head of the script that runs.
usage() { sed -n '3,/^[^#]/{/^# shellcheck/d; s/^# \{0,1\}//p}' "$0"; }

# options ARGUMENT...: reads the arguments by the lines "#   --name …  text" in that comment, and sets the
# variable of that name: a flag ("--keep") to true, others to their value ("--arch ARCH"); what may be
# repeated ("--also RELEASE...") is added to an array. The rest is in the array operands, where the usage
# line names any: a word in capitals that belongs to no option. What is not given stays as it was before.
# After as many operands as $operands_until, if it is set, nothing is an option any more.
options() {
  local o_option o_value o_variable o_usage
  local -A o_takes
  operands=()
  while read -r o_option o_value; do
    o_takes[$o_option]=$o_value
  done < <(sed -nE '3,/^[^#]/s/^#   (--?[a-z][a-z-]*)( [^ ]+)?(  .*)?$/\1\2/p' "$0")
  while [[ $# -gt 0 ]]; do
    case $1 in
      -h | --help) usage && exit ;;
      --) operands+=("${@:2}") && break ;;
      -*)
        [[ -v o_takes[$1] ]] || wrong_argument "$1"
        o_variable=${1##*(-)} o_variable=${o_variable//-/_} o_value=${o_takes[$1]}
        [[ -z $o_value || $# -ge 2 ]] || die "$1 takes ${o_value%...}"
        case $o_value in
          '') printf -v "$o_variable" true ;;
          *...) eval "$o_variable+=(\"\$2\")" && shift ;;
          *) printf -v "$o_variable" %s "$2" && shift ;;
        esac
        ;;
      *)
        operands+=("$1")
        [[ ${#operands[@]} != "${operands_until:-}" ]] || { operands+=("${@:2}") && break; }
        ;;
    esac
    shift
  done
  o_usage=$(sed -nE '3,/^[^#]/{/^# usage: [^ ]+/{s///; s/--?[a-z-]+ [A-Z|:]+//g; p}}' "$0")
  [[ ${#operands[@]} == 0 || $o_usage =~ [A-Z] ]] || wrong_argument "${operands[0]}"
}
wrong_argument() {
  usage >&2
  die "unknown argument '$1'"
}
shopt -s extglob

# one_of NAME VALUE CHOICE...: ends the script unless the option --NAME has one of these.
one_of() {
  local choices=${*:3}
  [[ " $choices " == *" $2 "* ]] || die "--$1 takes ${choices// / or }, not '$2'"
}

# Checks, one line each: they count in $failed, and passed, at the end of the script, says whether all did.
failed=0
ok() { printf 'ok - %s\n' "$1"; }
not_ok() {
  printf 'not ok - %s\n' "$1"
  failed=$((failed + 1))
}

# is TEXT WANTED FOUND
is() { if [[ $2 == "$3" ]]; then ok "$1"; else not_ok "$1: wanted '$2', found '$3'"; fi; }

# check TEXT COMMAND...: that it succeeds; what it prints is shown if it does not, as a part of the line.
check() {
  local text=$1 output
  shift
  if output=$("$@" 2>&1); then ok "$text"; else not_ok "$text"$'\n'"$output"; fi
}

# check_quietly TEXT LOG COMMAND...: the same, with the output in LOG.
check_quietly() { if quietly "${@:2}"; then ok "$1"; else not_ok "$1 (the log: $2)"; fi; }
passed() { exit "$((failed > 0))"; }

# lines_of ARRAY COMMAND...: makes it the lines that the command prints, maybe none; ends the script when
# the command fails, which mapfile < <(…) would not notice.
lines_of() {
  local -n lines_array=$1
  local lines_text
  shift
  lines_text=$("$@") || die "'$*' failed, see above"
  lines_array=()
  # shellcheck disable=SC2034  # the caller's
  [[ -z $lines_text ]] || mapfile -t lines_array <<<"$lines_text"
}

need_root() {
  [[ $(id -u) == 0 ]] || die "this installs packages and makes Debian roots: run it as root (sudo $0)"
}

# missing_packages PACKAGE...: those of them that this machine lacks, one a line.
missing_packages() {
  local package
  for package; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

# need_packages PACKAGE...: installs those that are missing on this machine.
need_packages() {
  local missing
  lines_of missing missing_packages "$@"
  [[ ${#missing[@]} -gt 0 ]] || return 0
  need_root
  say "installing ${missing[*]}"
  exec {apt_lock}>"$cache/apt.lock"
  flock "$apt_lock"
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}")
  # The first try may find no lists, or old ones, which is no failure: its words are kept and not shown.
  if ! "${install[@]}" >"$cache/log/apt-install-first.log" 2>&1 </dev/null; then
    say "apt has no lists of packages, or old ones: updating them"
    { quietly "$cache/log/apt-update.log" apt-get update && quietly "$cache/log/apt-install.log" "${install[@]}"; } ||
      die "cannot install ${missing[*]}: see above, mend apt's sources or install them by hand, and run this again"
  fi
  exec {apt_lock}>&-
}

# mirror: the archive that this machine's own apt uses, so that no host is named here.
mirror() {
  local uri lock
  # A machine that never ran apt-get update names no archive.
  if [[ -z $(apt-get indextargets 'Created-By: Packages') ]]; then
    need_root
    exec {lock}>"$cache/apt.lock"
    flock "$lock"
    quietly "$cache/log/apt-update.log" apt-get update
    exec {lock}>&-
  fi
  uri=$(apt-get indextargets --format '$(REPO_URI)|$(ORIGIN)|$(LABEL)' 'Created-By: Packages' |
    awk -F'|' '$2 == "Debian" && $3 == "Debian" && !found++ { print $1 }')
  if [[ -z $uri ]]; then
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
      grep -E '/debian/?$' | sed -n 1p) || true
  fi
  [[ -n $uri ]] || die "no Debian archive in apt's sources: run 'apt-get update' and check /etc/apt/sources.list.d"
  printf '%s\n' "${uri%/}"
}

# security_mirror: the archive of security updates that this machine's own apt uses, or else the one
# that Debian and most mirrors have beside theirs.
security_mirror() {
  local uri main
  main=$(mirror) || return
  uri=$(apt-get indextargets --format '$(REPO_URI)|$(ORIGIN)|$(LABEL)' 'Created-By: Packages' |
    awk -F'|' '$2 == "Debian" && $3 == "Debian-Security" && !found++ { print $1 }')
  uri=${uri:-$main-security}
  printf '%s\n' "${uri%/}"
}

# apt_lines SUITE...: sources.list lines for these suites from those archives.
apt_lines() {
  local m s
  for s; do
    if [[ $s == *-security ]]; then m=$(security_mirror) || return; else m=$(mirror) || return; fi
    printf 'deb %s %s main\n' "$m" "$s"
  done
}

# apt_for ARCH SUITE COMMAND...: an apt command (apt-get, apt-cache) on that suite and architecture
# alone, with lists of its own, refreshed when older than a day; this machine's apt is untouched.
apt_for() {
  local arch=$1 from=$2 dir=$cache/apt/$1-$2 tool=$3 apt_options lock rc=0
  shift 3
  mkdir -p "$dir"/{lists,archives}/partial
  apt_options=(-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir" -o Dir::State::status=/dev/null
    -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=-
    -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o APT::Sandbox::User=root)
  exec {lock}>"$dir/lock"
  flock "$lock"
  if [[ -z $(find "$dir/fresh" -mtime -1 2>/dev/null) ]]; then
    apt_lines "$from" >"$dir/sources.list" &&
      quietly "$cache/log/apt-$arch-$from.log" apt-get "${apt_options[@]}" update || rc=$?
    [[ $rc != 0 ]] || touch "$dir/fresh"
  fi
  exec {lock}>&-
  [[ $rc == 0 ]] || return "$rc"
  "$tool" "${apt_options[@]}" "$@"
}

# made DIR COMMAND...: prints DIR, which the command makes in the folder that is its last argument: once,
# whoever else asks at the same time, and whole or not at all.
made() {
  local dir=$1 lock new
  mkdir -p "${dir%/*}"
  exec {lock}>"$dir.lock"
  flock "$lock"
  if [[ ! -d $dir ]]; then
    new=$(mktemp -d "$dir.XXXXXX")
    chmod 755 "$new"
    # Callers use $(…) and ||, where set -e is off.
    (trap 'rm -rf "$new"' EXIT && "${@:2}" "$new" >&2 && mv "$new" "$dir") || die "$dir cannot be made: see above"
  fi
  exec {lock}>&-
  printf '%s\n' "$dir"
}

# collect: deletes from the cache, once a day, what nobody will need, and says so: the leftovers of runs that
# failed or were broken off, after a day, and what has not been asked for in three weeks, as all that is of
# kernels which the archive has no longer. Each folder has a lock beside it, whose time is that of the last
# question.
collect() {
  local old lock
  [[ -z $(find "$cache/collected" -mtime -1 2>/dev/null) ]] || return 0
  touch "$cache/collected"
  while IFS= read -r old; do
    say "deleting what is left of an earlier run: $old"
    rm -rf "$old"
  done < <(find "$cache" -mindepth 1 -maxdepth 2 -regextype posix-extended \( -path "$cache/log" -prune -o \
    -regex '.*\.[A-Za-z0-9]{6}' -mtime +0 -prune -print -o \
    -regex "$cache/(modules|kmod|suite|passed)/[^/]*" -mtime +20 -print \))
  while IFS= read -r old; do
    exec {lock}<"$old"
    if flock --nonblock "$lock"; then
      say "deleting what has not been used for three weeks: ${old%.lock}"
      rm -rf "${old%.lock}" "${old%.lock}"{,-}????????????{,.list} "$old"
    fi
    exec {lock}<&-
  done < <(find "$cache" -mindepth 2 -maxdepth 2 -name '*.lock' -mtime +20)
}
collect

# A root that is older than this many days is made anew, with the packages that the mirror has by then.
root_days=14

# root NAME MMDEBSTRAP-ARGUMENT...: prints the folder of a cached Debian root, made on first use.
# Its key is the arguments, so that a change of packages makes it anew and the old one goes.
# Never write into it: enter it with in_root. What it is made of is known by its file .complete.
root() {
  local name=$1 key dir lock lines
  shift
  key=$(printf '%s\n' "$@" | sha256sum | cut -c 1-12)
  dir=$cache/root/$name-$key
  mkdir -p "$cache/root"
  exec {lock}>"$cache/root/$name.lock"
  flock "$lock"
  if [[ -z $(find "$dir/.complete" -mtime "-$root_days" 2>/dev/null) ]]; then
    need_packages mmdebstrap arch-test
    rm -rf "$dir.new"
    mkdir "$dir.new"
    if [[ $suite == sid ]]; then lines=(sid); else lines=("$suite" "$suite-backports"); fi
    # In a namespace of its own, so that what it mounts goes with it when it is killed.
    if apt_lines "${lines[@]}" >"$dir.list" &&
      quietly "$cache/log/root-$name.log" unshare --mount mmdebstrap --variant=minbase --format=directory \
        --skip=check/empty "$@" "$suite" "$dir.new" "$dir.list"; then
      date --iso-8601=seconds >"$dir.new/.complete"
      put_root "$name" "$dir"
    elif [[ -e $dir/.complete ]]; then
      rm -rf "$dir.new"
      say "the $name root is of $(date -r "$dir/.complete" --iso-8601) and could not be made anew (see" \
        "$cache/log/root-$name.log): going on with its packages"
    else
      rm -rf "$dir.new"
      die "making the $name root failed: see $cache/log/root-$name.log"
    fi
  fi
  exec {lock}>&-
  printf '%s\n' "$dir"
}

# put_root NAME DIR: has DIR.new take the place of DIR once nobody is in that, and deletes what was made
# under other keys, unless somebody is in it.
put_root() {
  local name=$1 dir=$2 old use patience
  for old in "$cache/root/$name"-????????????; do
    [[ -e $old/.complete ]] || continue
    if [[ $old == "$dir" ]]; then patience=3600; else patience=0; fi
    exec {use}<"$old/.complete"
    if flock --timeout "$patience" "$use"; then
      rm "$old/.complete"
      [[ $old == "$dir" ]] || rm -rf "$old" "$old.list"
    elif [[ $old == "$dir" ]]; then
      die "$dir is older than $root_days days, and something has been running in it for an hour: end that first"
    fi
    exec {use}<&-
  done
  rm -rf "$dir"
  mv "$dir.new" "$dir"
}

# in_root DIR [--bind HOST:INSIDE]... -- COMMAND...: runs COMMAND in a throw-away overlay of the root,
# with /proc, /dev and /sys; what it writes goes with it, but for the binds. All of it lives in a
# private mount namespace: nothing to unmount when it is killed.
in_root() {
  local dir=$1 binds=() use
  shift
  while [[ $1 != -- ]]; do
    [[ $1 == --bind ]] || die "in_root: unknown argument $1"
    binds+=("$2")
    shift 2
  done
  shift
  local layer rc=0
  exec {use}<"$dir/.complete"
  flock --shared "$use"
  layer=$(mktemp -d "$cache/overlay.XXXXXX")
  mkdir "$layer"/{upper,work,merged}
  CMA_TEST_BINDS=$(printf '%s\n' ${binds[@]+"${binds[@]}"}) \
    unshare --mount --pid --fork --kill-child bash -euc '
      layer=$1 lower=$2; shift 2
      mount -t overlay overlay -o "lowerdir=$lower,upperdir=$layer/upper,workdir=$layer/work" "$layer/merged"
      m=$layer/merged
      mount -t proc proc "$m/proc"
      mount --rbind /sys "$m/sys"
      mount --rbind /dev "$m/dev"
      while IFS=: read -r from to; do
        [ -n "$from" ] || continue
        mkdir -p "$m$to"
        mount --bind "$from" "$m$to"
      done <<<"$CMA_TEST_BINDS"
      unset CMA_TEST_BINDS
      exec chroot "$m" "$@"
    ' bash "$layer" "$dir" \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    DEBIAN_FRONTEND=noninteractive "$@" || rc=$?
  rm -rf "$layer"
  exec {use}<&-
  return "$rc"
}
