# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What has passed in virtual machines, kept so that hours of tests can go on where they were
# interrupted. Source it after lib.sh.
: "${top:?source scripts/lib.sh first}" "${cache:?}"

# Each has a script and a part that runs inside, scripts/vm/NAME (or NAME-check) and Tests/vm/NAME.sh, which are of no
# concern to any other.
scenarios=(main-road upgrade environments autopkgtest orders boot-speed reserve many lava)
# These have a whole Debian system; all other stages a kernel with an initramfs, by scripts/vm/mini.
for_systems=(scripts/vm/{vm,root,guest,pool,next-version,scenario.sh,grub-disk.sh}
  Tests/vm/debian.sh)
for_mini=(scripts/vm/{mini,esp.sh,kmod-refusals,kmod-engine,suite,checks-fail,secure-boot,debug-kernel,debug.config}
  scripts/vm/{places,on-kernels.sh,command.sh}
  Tests/kmod Tests/vm/{suite,checks-fail,places,secure-boot}.sh)

# know_kernels: once, before the stages, for apt takes seconds.
know_kernels() {
  kernels_there=$(all_kernels)
  # Without it all stages would have the same files, which are none.
  git -C "$top" ls-files --error-unmatch scripts/passes.sh >/dev/null ||
    die "git does not list the files of $top: run 'git -C $top status'"
}

# what_counts STAGE COMMAND...: all that the result of a stage comes from: its command, the kernels, and
# the files of the work tree; but for documents, for what only runs the stages or no machine has to do
# with, and for what is another scenario's or the other kind's alone.
what_counts() {
  local stage=$1 name not=(':!*.md' ':!.ci' ':!scripts/test' ':!scripts/passes.sh' ':!scripts/benchmark'
    ':!scripts/demo' ':!scripts/pace.sh' ':!scripts/stages')
  local others=("${for_systems[@]}")
  shift
  for name in "${scenarios[@]}"; do
    if [[ $stage == "$name" || $stage == "$name"-* ]]; then
      others=("${for_mini[@]}")
    else
      not+=(":!scripts/vm/$name" ":!scripts/$name-check" ":!Tests/vm/$name.sh")
    fi
  done
  # This one is about all checks, and the pace.
  if [[ $stage == checks-fail ]]; then not=(':!*.md') others=(); fi
  not+=(${others[@]+"${others[@]/#/:!}"})
  [[ $stage == autopkgtest-* ]] || not+=(':!debian/tests')
  printf '%s\n' "$*" "$kernels_there"
  cd "$top" || return
  git ls-files -z --cached --others --exclude-standard -- . "${not[@]}" | LC_ALL=C sort -z |
    while IFS= read -r -d '' name; do
      # One that was removed and not committed yet is still listed.
      [[ ! -f $name ]] || printf '%s\0' "$name"
    done | xargs -0 sha256sum
}

# pass_of STAGE COMMAND...: prints the file that is there if the stage has passed with all of that.
pass_of() {
  mkdir -p "$cache/passed"
  local digest
  digest=$(what_counts "$@" | sha256sum) || die "what the result of $1 comes from cannot be read: see above"
  printf '%s/passed/%s-%s\n' "$cache" "$1" "${digest:0:16}"
}
