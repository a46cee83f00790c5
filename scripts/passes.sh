# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What has passed in virtual machines, kept so that hours of tests can go on where they were
# interrupted. Source it after lib.sh.
: "${top:?source scripts/lib.sh first}" "${cache:?}"

# Each has a script and a part that runs inside, scripts/vm/NAME and Tests/vm/NAME.sh, which are of no
# concern to any other.
scenarios=(main-road upgrade environments autopkgtest orders boot-speed reserve)
# These have a whole Debian system; all other stages a kernel with an initramfs, by scripts/vm/mini.
for_systems=(scripts/vm/{vm,root,guest,pool,next-version,kernels.sh,scenario.sh}
  Tests/vm/{checks,kernels,status}.sh)
for_mini=(scripts/vm/{mini,kmod-refusals,kmod-engine,suite,debug-kernel,debug.config}
  Tests/kmod Tests/vm/suite.sh)

# know_kernels: once, before the stages, for apt takes seconds.
know_kernels() { kernels_there=$(all_kernels); }

# what_counts STAGE COMMAND...: all that the result of a stage comes from: its command, the kernels, and
# the files of the work tree; but for documents, for what only runs the stages or no machine has to do
# with, and for what is another scenario's or the other kind's alone.
what_counts() {
  local stage=$1 name not=(':!*.md' ':!.ci' ':!scripts/test' ':!scripts/passes.sh' ':!scripts/benchmark'
    ':!scripts/demo')
  local others=("${for_systems[@]}")
  shift
  for name in "${scenarios[@]}"; do
    if [[ $stage == "$name" || $stage == "$name"-* ]]; then
      others=("${for_mini[@]}")
    else
      not+=(":!scripts/vm/$name" ":!Tests/vm/$name.sh")
    fi
  done
  not+=("${others[@]/#/:!}")
  [[ $stage == autopkgtest-* ]] || not+=(':!debian/tests')
  printf '%s\n' "$*" "$kernels_there"
  cd "$top" || return
  # One that was removed and not committed yet is still listed.
  git ls-files -z --cached --others --exclude-standard -- . "${not[@]}" | LC_ALL=C sort -z |
    xargs -0 sha256sum 2>/dev/null || :
}

# pass_of STAGE COMMAND...: prints the file that is there if the stage has passed with all of that.
pass_of() {
  mkdir -p "$cache/passed"
  printf '%s/passed/%s-%s\n' "$cache" "$1" "$(what_counts "$@" | sha256sum | cut -c 1-16)"
}

# forget_old_passes: those that nobody will resume.
forget_old_passes() { find "$cache/passed" -type f -mtime +7 -delete; }
