# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Which accelerator QEMU uses here: found out by booting, not by looking. /dev/kvm may be there,
# open, and still not run a kernel (nested without hardware help, a paravisor in the way).
# Source it after ../lib.sh.
: "${cache:?source scripts/lib.sh first}" "${suite:?}" "${top:?}"

. "$top/scripts/stock-kernels.sh"

# accelerator ARCH: prints the QEMU arguments (machine, processor, accelerator), one a line, for a
# guest of ARCH (amd64, arm64). CMA_TEST_ACCEL=kvm|tcg overrules the probe.
#   lines_of machine accelerator amd64
accelerator() {
  local arch=$1 with
  with=$(accelerator_kind "$arch") || return
  case $arch-$with in
    amd64-kvm) printf '%s\n' -machine q35 -cpu host -accel kvm ;;
    # cma_alloc() needs nothing of a late processor, but a guest that has IBT, SMAP and LA57 off
    # tests less than one that has what the emulator can give.
    amd64-tcg) printf '%s\n' -machine q35 -cpu max -accel tcg,thread=multi ;;
    arm64-kvm) printf '%s\n' -machine virt,gic-version=host -cpu host -accel kvm ;;
    # -cpu max emulates pointer authentication, which makes the boot twenty times slower.
    arm64-tcg) printf '%s\n' -machine virt -cpu cortex-a72 -accel tcg,thread=multi ;;
    *) die "no QEMU machine for '$arch' with '$with': use amd64 or arm64, and kvm or tcg" ;;
  esac
}

# accelerator_kind ARCH: prints kvm or tcg.
accelerator_kind() {
  if [[ -n ${CMA_TEST_ACCEL:-} ]]; then
    printf '%s\n' "$CMA_TEST_ACCEL"
  else
    accelerator_probe "$1"
  fi
}

# accelerator_probe ARCH: prints kvm or tcg. The answer holds for one boot of this host.
accelerator_probe() {
  local arch=$1 host key answer lock
  host=$(dpkg --print-architecture)
  if [[ $arch != "$host" || ! -r /dev/kvm || ! -w /dev/kvm ]]; then
    echo tcg
    return
  fi
  key=$cache/accel-$arch-$(</proc/sys/kernel/random/boot_id)
  exec {lock}>"$cache/accel-$arch.lock"
  flock "$lock"
  if [[ ! -s $key ]]; then
    rm -f "$cache/accel-$arch"-*-*
    answer=tcg
    say "does KVM boot a kernel here? trying"
    if accelerator_boots "$arch"; then answer=kvm; fi
    say "accelerator for $arch guests: $answer"
    echo "$answer" >"$key"
  fi
  exec {lock}>&-
  cat "$key"
}

# accelerator_boots ARCH: whether this machine's KVM takes the newest stock kernel of ARCH through
# all of its early boot, to the panic for want of a root: a second or two on a KVM that works.
accelerator_boots() {
  local arch=$1 kernel log=$cache/log/accel-$1.log release args
  release=$(latest_kernel "$arch" "$suite-backports") || return 1
  kernel=$(kernel_image "$release") || return 1
  CMA_TEST_ACCEL=kvm lines_of args accelerator "$arch"
  mkdir -p "$cache/log"
  timeout --kill-after=2 20 "$(qemu_system "$arch")" "${args[@]}" -m 512 -smp 2 -nodefaults \
    -no-reboot -display none -serial "file:$log" -kernel "$kernel" \
    -append "console=$(console "$arch") panic=-1" </dev/null >"$log.qemu" 2>&1 || true
  grep -aq 'Unable to mount root fs' "$log"
}

# boot_line RELEASE WORDS LOADER: what scripts/vm/vm writes to a console's log before each boot.
boot_line() {
  printf '=== %s: %s, %s, loader: %s\n' "$(date +%T)" "$1" "$2" "$3"
}

# died_of_emulation ARCH CONSOLE-LOG: whether the kernel of the last boot there died of QEMU rather than
# of itself: it patches its own code while another processor runs it, and emulation with several threads
# may then take a breakpoint for real that is there for a moment only. No KVM and no real machine does:
# there it is the kernel's own fault.
died_of_emulation() {
  local arch=$1 log=$2 kind
  kind=$(accelerator_kind "$arch") || return 1
  [[ $kind == tcg && -s $log ]] || return 1
  # All boots of a machine of scripts/vm/vm are in one log.
  LC_ALL=C awk '
    /^=== [0-9][0-9]:[0-9][0-9]:[0-9][0-9]: .*, loader: / { died = 0 }
    /Oops: int3/ { died = 1 }
    END { exit !died }' "$log"
}

# qemu_system ARCH: the emulator's name; installs it when it is missing.
qemu_system() {
  case $1 in
    amd64) need_packages qemu-system-x86 && echo qemu-system-x86_64 ;;
    arm64) need_packages qemu-system-arm && echo qemu-system-aarch64 ;;
    *) die "no QEMU for architecture '$1': use amd64 or arm64" ;;
  esac
}

# console ARCH: the name of its first serial port in the guest.
console() {
  case $1 in
    arm64) echo ttyAMA0 ;;
    *) echo ttyS0 ;;
  esac
}
