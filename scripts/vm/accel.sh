# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Which accelerator QEMU uses here: found out by booting, not by looking. /dev/kvm may be there,
# open, and still not run a kernel (nested without hardware help, a paravisor in the way).
# Source it after ../lib.sh.
: "${cache:?source scripts/lib.sh first}" "${suite:?}"

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

# kernel_image RELEASE: prints the path of the stock kernel's image (vmlinuz; its configuration lies
# next to it as "config"), which is downloaded and unpacked on first use.
kernel_image() {
  local release=$1 arch from dir lock part work
  arch=$(arch_of "$release") || return
  dir=$cache/kernel/$release
  mkdir -p "$cache/kernel"
  exec {lock}>"$cache/kernel/$release.lock"
  flock "$lock"
  if [[ ! -e $dir/.complete ]]; then
    # Each step guarded by hand: callers use $(…) and ||, where set -e is off.
    from=$(kernel_suite "$release") || exit 1
    work=$(mktemp -d "$cache/kernel/.work.XXXXXX")
    # The image was one package up to 7.2; from 7.3 it is in linux-binary and its configuration in
    # linux-base.
    for part in binary base image; do
      [[ $part != image || -z $(find "$work" -name 'vmlinuz*') ]] || continue
      apt_for "$arch" "$from" apt-cache show "linux-$part-$release" >"$work/show" 2>/dev/null || continue
      [[ -s $work/show ]] || continue
      if ! (cd "$work" && quietly "$cache/log/kernel-$release.log" \
        apt_for "$arch" "$from" apt-get download "linux-$part-$release") ||
        ! dpkg -x "$work/linux-$part-$release"_*.deb "$work/$part"; then
        die "cannot get the package linux-$part-$release: see $cache/log/kernel-$release.log"
      fi
    done
    rm -rf "$dir"
    mkdir -p "$dir"
    find "$work" \( -name vmlinuz -o -name "vmlinuz-$release" \) -exec mv {} "$dir/vmlinuz" \;
    find "$work" -type f \( -path '*/modules/*/config' -o -name "config-$release" \) \
      -exec mv {} "$dir/config" \;
    # Where these are modules, scripts/vm/mini talks to its guest with them.
    mkdir "$dir/modules"
    find "$work" \( -path '*/drivers/virtio/virtio*.ko' -o -name virtio_console.ko \) \
      -exec cp {} "$dir/modules/" \;
    rm -rf "$work"
    [[ -s $dir/vmlinuz && -s $dir/config ]] ||
      die "the packages of kernel $release hold no vmlinuz or no config: see $cache/log/kernel-$release.log"
    touch "$dir/.complete"
  fi
  exec {lock}>&-
  printf '%s\n' "$dir/vmlinuz"
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
