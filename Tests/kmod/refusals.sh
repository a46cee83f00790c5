#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What cmatest.ko does with each wrong input, and with right ones, on the kernel this runs on: run as
# root in a virtual machine, never on a machine that matters. Needs a shell, awk, grep, dmesg,
# insmod and rmmod, and what ../kernel-log.sh needs: busybox has them.
#
# usage: refusals.sh --modules DIR [area|no-area|no-cma]
#   --modules DIR  has cmatest.ko and, for the rows that need them, impostor.ko and cmahogg.ko as
#                  scripts/kmod-check -o leaves them
#   area           the kernel has reserved a default area (the default)
#   no-area        it could, but has not: booted without cma=SIZE, or with cma=0
#   no-cma         it was built without CONFIG_DMA_CMA
set -u
# shellcheck source=../kernel-log.sh
. "$(dirname "$0")/../kernel-log.sh"

modules='' mode=area
while [ $# -gt 0 ]; do
  case $1 in
    --modules) modules=$2 && shift 2 ;;
    area | no-area | no-cma) mode=$1 && shift ;;
    *) echo "refusals.sh: unknown argument $1" >&2 && exit 2 ;;
  esac
done
module=$modules/cmatest.ko
if [ ! -r "$module" ]; then
  echo "refusals.sh: no module $module" >&2
  exit 2
fi

checks=0 failed=0 skipped=0
# verdict TEXT REASONS: one line for a check; no reasons means that it passed
verdict() {
  checks=$((checks + 1))
  if [ -z "$2" ]; then
    echo "ok - $1"
  else
    failed=$((failed + 1))
    echo "not ok - $1:$2"
  fi
}
skip() {
  skipped=$((skipped + 1))
  echo "skip - $1: $2"
}

# inspect [PATTERN]: reads what the kernel has logged since the last time. Sets $own to the module's
# own lines, each once (busybox's insmod tries twice, with finit_module and init_module), $lines to
# their number, $matching to how many match PATTERN, and $splat to a line in which the kernel
# complains. One awk, because under emulation a process costs more than a reading of the log.
report=$(mktemp)
messages=$(mktemp)
mark_log || exit 2
inspect() {
  lost=''
  log_since >"$messages" || lost=$(tail -n 1 "$messages")
  log_forget
  FAULT=$kernel_fault LOST=$lost PATTERN=${1:-^} awk '
    $0 ~ ENVIRON["FAULT"] { splat = $0 }
    !/^cmatest: / || /loading out-of-tree module|module verification failed/ || $0 in seen { next }
    {
      seen[$0] = 1
      own[++lines] = $0
      if ($0 ~ ENVIRON["PATTERN"]) matching++
    }
    END {
      print ENVIRON["LOST"] == "" ? splat : ENVIRON["LOST"]
      print lines + 0; print matching + 0
      for (i = 1; i <= lines; i++) print own[i]
    }' "$messages" >"$report"
  own=''
  {
    IFS= read -r splat
    read -r lines
    read -r matching
    while IFS= read -r text_line; do own="$own${own:+
}$text_line"; done
  } <"$report"
}

# is_loaded: whether /proc/modules or /sys/module has cmatest
is_loaded() {
  [ ! -e /sys/module/cmatest ] || return 0
  while read -r listed _; do
    [ "$listed" != cmatest ] || return 0
  done </proc/modules
  return 1
}

# meminfo KEY: sets $kb
meminfo() {
  kb=''
  while read -r key value _; do
    if [ "$key" = "$1:" ]; then kb=$value && break; fi
  done </proc/meminfo
}

# load WORD...: sets $error ('' if it loaded) to what insmod says
load() {
  error=$(insmod "$module" "$@" 2>&1) && error='' || error=${error:-insmod failed}
}

# said ERRNO: whether $error means this; kmod's insmod has words of its own for EINVAL
said() {
  case $1:$error in
    EINVAL:*'Invalid argument'* | EINVAL:*'Invalid parameters'*) ;;
    ENODEV:*'No such device'*) ;;
    ENOMEM:*'annot allocate memory'* | ENOMEM:*'Out of memory'*) ;;
    ERANGE:*'out of range'* | ERANGE:*'not representable'*) ;;
    EEXIST:*'File exists'*) ;;
    *) return 1 ;;
  esac
}

# refused TEXT ERRNO PATTERN WORD...: these parameters are refused with ERRNO, in one line that
# matches PATTERN, and nothing of the load stays. CmaFree moves by itself, as the pages of processes
# come and go in the area, so here it may not fall by what a load would hold; that no page is
# lost is proved at the end, by the largest block.
refused() {
  text=$1 errno=$2 pattern=$3
  shift 3
  meminfo CmaFree && before=$kb
  load "$@"
  meminfo CmaFree && after=$kb
  inspect "$pattern"
  why=''
  if [ -z "$error" ]; then
    why="$why it loaded;"
    rmmod cmatest
  elif ! said "$errno"; then
    why="$why not $errno but '$error';"
  fi
  if [ "$matching" != 1 ] || [ "$lines" != 1 ]; then
    why="$why not one line like '$pattern' in the log but '$own';"
  fi
  [ -z "$splat" ] || why="$why the kernel complained: '$splat';"
  ! is_loaded || why="$why it is still there;"
  # A kernel without CMA has no such line.
  [ $((${before:-0} - ${after:-0})) -lt 1024 ] || why="$why CmaFree was $before kB and is $after kB;"
  verdict "$text: $errno" "$why"
}

finish() {
  [ ! -e /sys/module/impostor ] || rmmod impostor
  rm -f "$report" "$messages"
  # Bits 7 and 9: the kernel has oopsed, has warned.
  tainted=$(cat /proc/sys/kernel/tainted)
  why=''
  [ $((tainted & (128 | 512))) = 0 ] || why=" /proc/sys/kernel/tainted is $tainted"
  verdict 'the kernel neither oopsed nor warned' "$why"
  echo "$checks checks, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
  exit
}

if [ "$mode" = no-cma ]; then
  refused 'a kernel without CONFIG_DMA_CMA' ENODEV 'without CONFIG_DMA_CMA'
  finish
fi

if [ -r "$modules/impostor.ko" ]; then
  insmod "$modules/impostor.ko" || exit 2
fi

# All addresses in one pass: under emulation a pass takes seconds.
eval "$(awk '
  BEGIN {
    var["dma_contiguous_default_area"] = "area"; var["cma_alloc"] = "alloc"
    var["cma_release"] = "release"; var["__pfx_cma_alloc"] = "pfx_alloc"
    var["__pfx_cma_release"] = "pfx_release"; var["kfree"] = "function"
    var["linux_banner"] = "variable"; var["cma_for_each_area"] = "for_each"
    var["cma_get_name"] = "name_of"; var["cma_get_base"] = "base_of"; var["cma_get_size"] = "size_of"
    var["__pfx_cma_for_each_area"] = "pfx_for_each"; var["__ksymtab_cma_alloc"] = "exports"
  }
  $3 in var {
    if (NF == 3) print var[$3] "=" $1
    else if ($4 == "[impostor]") print "impostor_" var[$3] "=" $1
  }' /proc/kallsyms)"
: "${pfx_alloc=}" "${pfx_release=}" "${pfx_for_each=}" "${impostor_area=}" "${impostor_alloc=}" \
  "${impostor_release=}" "${impostor_for_each=}"
: "${area=}" "${variable=}" "${exports=}"
# Where any variable is listed, the area's must be.
for address in "${alloc=}" "${release=}" "${function=}" "${for_each=}" "${name_of=}" "${base_of=}" \
  "${size_of=}" ${variable:+"$area"}; do
  case $address in
    '' | 0000000000000000)
      echo 'refusals.sh: /proc/kallsyms lacks a symbol or hides the addresses' >&2
      exit 2
      ;;
  esac
done

# What leads to the default area: its address or, on a kernel that lists no variables (without
# CONFIG_KALLSYMS_ALL), what finds it by its name.
if [ -n "$area" ]; then
  default_area="area_base=0x$area"
else
  default_area="for_each_fn=0x$for_each name_fn=0x$name_of"
fi

# with PARAMETER ADDRESS WORD...: the other addresses right, this one so
with() {
  p=$1 v=$2
  shift 2
  a=0x$area f=0x$alloc r=0x$release
  case $p in
    area_base) a=$v ;;
    alloc_fn) f=$v ;;
    free_fn) r=$v ;;
    *_fn) set -- "$p=$v" "$@" ;;
  esac
  if [ "$a" = 0x ]; then a=$default_area; else a=area_base=$a; fi
  set -- "$a" "alloc_fn=$f" "free_fn=$r" "$@"
  parameters=$*
}

# plus ADDRESS N: in halves, because not every shell counts to 2^64
plus() {
  printf '0x%s%08x' "${1%????????}" $((0x${1#????????} + $2))
}

# wrong PARAMETER WHAT ADDRESS FOUND
wrong() {
  with "$1" "$3"
  pattern="found $4, not [a-z_]+\\+0x0: .*cma-test configure"
  if [ "$1/$area" = area_base/ ]; then
    pattern="dma_contiguous_default_area cannot be proved: .*${4#no symbol at } .*cma-test configure"
  fi
  # shellcheck disable=SC2086  # words
  refused "$1 is $2" EINVAL "^cmatest: $1: $pattern" $parameters
}

for parameter in area_base alloc_fn free_fn; do
  case $parameter in
    area_base) own_address=$area name=dma_contiguous_default_area prefix='' impostor=$impostor_area ;;
    alloc_fn) own_address=$alloc name=cma_alloc prefix=$pfx_alloc impostor=$impostor_alloc ;;
    free_fn) own_address=$release name=cma_release prefix=$pfx_release impostor=$impostor_release ;;
  esac
  # From 7.1 on the kernel exports what is needed, and nothing has to be passed: see below.
  if [ -n "$exports" ]; then
    :
  elif [ $parameter = area_base ]; then
    refused 'area_base missing' EINVAL '^cmatest: area_base: missing .*dma_contiguous_default_area.*cma-test configure' \
      "alloc_fn=0x$alloc" "free_fn=0x$release"
  else
    with '' ''
    # shellcheck disable=SC2046,SC2086  # words
    refused "$parameter missing" EINVAL "^cmatest: $parameter: missing .*$name.*cma-test configure" \
      $(printf '%s\n' $parameters | grep -v "^$parameter=")
  fi
  if [ -z "$exports" ]; then
    with "$parameter" 0
    # shellcheck disable=SC2086  # words
    refused "$parameter is 0" EINVAL "^cmatest: $parameter: missing .*$name.*cma-test configure" $parameters
  fi
  wrong $parameter 1 1 'no symbol at 0x1'
  wrong $parameter 'in user space' 0x7f1234567000 'no symbol at 0x7f1234567000'
  wrong $parameter 'not canonical' 0x8000000000000000 'no symbol at 0x8000000000000000'
  wrong $parameter unmapped 0xfffffffffffff000 'no symbol at 0xfffffffffffff000'
  wrong $parameter 'all ones' 0xffffffffffffffff 'no symbol at 0xffffffffffffffff'
  wrong $parameter 'another function' "0x$function" 'kfree\+0x0/0x[0-9a-f]+'
  if [ -n "$variable" ]; then
    wrong $parameter 'another variable' "0x$variable" 'linux_banner\+0x0/0x[0-9a-f]+'
  else
    skip "$parameter is another variable" 'this kernel lists none'
  fi
  if [ -n "$own_address" ]; then
    wrong $parameter "$name+4" "$(plus "$own_address" 4)" "$name\\+0x4/0x[0-9a-f]+"
  else
    skip "$parameter is $name+4" 'this kernel lists no variables'
  fi
  if [ -n "$prefix" ]; then
    wrong $parameter "__pfx_$name" "0x$prefix" "__pfx_$name\\+0x0/0x10"
  elif [ $parameter != area_base ]; then
    skip "$parameter is __pfx_$name" 'this kernel has no such symbol'
  fi
  if [ -n "$impostor" ]; then
    wrong $parameter "a module's $name" "0x$impostor" "$name\\+0x0/0x[0-9a-f]+ \\[impostor\\]"
  else
    skip "$parameter is a module's $name" 'no impostor.ko'
  fi
done
wrong area_base cma_alloc "0x$alloc" 'cma_alloc\+0x0/0x[0-9a-f]+'
wrong alloc_fn cma_release "0x$release" 'cma_release\+0x0/0x[0-9a-f]+'
wrong free_fn cma_alloc "0x$alloc" 'cma_alloc\+0x0/0x[0-9a-f]+'

# Those that may be missing, but not wrong.
for parameter in for_each_fn name_fn base_fn size_fn; do
  case $parameter in
    for_each_fn) own_address=$for_each name=cma_for_each_area ;;
    name_fn) own_address=$name_of name=cma_get_name ;;
    base_fn) own_address=$base_of name=cma_get_base ;;
    size_fn) own_address=$size_of name=cma_get_size ;;
  esac
  wrong $parameter 'in user space' 0x7f1234567000 'no symbol at 0x7f1234567000'
  wrong $parameter 'all ones' 0xffffffffffffffff 'no symbol at 0xffffffffffffffff'
  wrong $parameter 'another function' "0x$function" 'kfree\+0x0/0x[0-9a-f]+'
  wrong $parameter "$name+4" "$(plus "$own_address" 4)" "$name\\+0x4/0x[0-9a-f]+"
done
wrong name_fn cma_get_base "0x$base_of" 'cma_get_base\+0x0/0x[0-9a-f]+'
wrong base_fn cma_get_name "0x$name_of" 'cma_get_name\+0x0/0x[0-9a-f]+'
if [ -n "$pfx_for_each" ]; then
  wrong for_each_fn __pfx_cma_for_each_area "0x$pfx_for_each" '__pfx_cma_for_each_area\+0x0/0x10'
else
  skip 'for_each_fn is __pfx_cma_for_each_area' 'this kernel has no such symbol'
fi
if [ -n "$impostor_for_each" ]; then
  wrong for_each_fn "a module's cma_for_each_area" "0x$impostor_for_each" \
    'cma_for_each_area\+0x0/0x[0-9a-f]+ \[impostor\]'
else
  skip "for_each_fn is a module's cma_for_each_area" 'no impostor.ko'
fi
# Only both of these together can find the default area.
[ -n "$exports" ] || for parameter in "for_each_fn=0x$for_each" "name_fn=0x$name_of"; do
  refused "area_base missing with ${parameter%=*} alone" EINVAL \
    '^cmatest: area_base: missing .*dma_contiguous_default_area.*cma-test configure' \
    "alloc_fn=0x$alloc" "free_fn=0x$release" "$parameter"
done
by_name="alloc_fn=0x$alloc free_fn=0x$release for_each_fn=0x$for_each name_fn=0x$name_of"

# several TEXT PARAMETERS WORD...: all of these are named, with a line for each
several() {
  text=$1 expected=$2
  shift 2
  load "$@"
  inspect '^cmatest: (area_base|[a-z_]+_fn): '
  why=''
  if [ -z "$error" ]; then
    why=' it loaded;'
    rmmod cmatest
  fi
  said EINVAL || why="$why not EINVAL but '$error';"
  wanted=0
  for p in $expected; do
    wanted=$((wanted + 1))
    case $own in
      *"cmatest: $p: "*) ;;
      *) why="$why $p is not named: '$own';" ;;
    esac
  done
  [ "$matching/$lines" = "$wanted/$wanted" ] || why="$why not $wanted lines: '$own';"
  [ -z "$splat" ] || why="$why the kernel complained: '$splat';"
  ! is_loaded || why="$why it is still there;"
  verdict "$text: EINVAL" "$why"
}
# shellcheck disable=SC2086  # words
several 'the functions swapped' 'alloc_fn free_fn' \
  $default_area "alloc_fn=0x$release" "free_fn=0x$alloc"
if [ -z "$exports" ]; then several 'no parameter' 'area_base alloc_fn free_fn'; fi
several 'all that can be' 'area_base alloc_fn free_fn for_each_fn name_fn base_fn size_fn' \
  area_base=1 alloc_fn=1 free_fn=1 for_each_fn=1 name_fn=1 base_fn=1 size_fn=1

with '' ''
right=$parameters
if [ "$mode" = no-area ]; then
  if [ -n "$exports" ]; then
    refused 'no default area and no address' ENODEV \
      '^cmatest: area_base: .*no default area.*cma=SIZE.*cma-test reserve'
  fi
  for count in '' alloc_count=0; do
    # shellcheck disable=SC2086  # words
    refused "no default area ${count:-and the default count}" ENODEV \
      '^cmatest: area_base: .*no default area.*cma=SIZE.*cma-test reserve' $right $count
    # shellcheck disable=SC2086  # words
    refused "no default area by its name ${count:-and the default count}" ENODEV \
      '^cmatest: area_base: .*no default area.*cma=SIZE.*cma-test reserve' $by_name $count
  done
  finish
fi

page=$(awk '/^KernelPageSize/ { print $2; exit }' /proc/self/smaps)
meminfo MemTotal && memory=$((kb / page))
meminfo CmaTotal && total=$((kb / page))

for order in 30 51 62 63 64 65 4294967295; do
  # shellcheck disable=SC2086  # words
  refused "alloc_align=$order" EINVAL "^cmatest: alloc_align: order $order " $right alloc_align=$order
done
for count in $((memory + 1)) 18446744073709551615; do
  # shellcheck disable=SC2086  # words
  refused "alloc_count=$count" EINVAL "^cmatest: alloc_count: $count pages " $right alloc_count=$count
done
# The kernel's own parser refuses these, and names the parameter.
for word in alloc_count=-1 alloc_count=many alloc_align=-1 alloc_fn=cma_alloc area_base=0xg; do
  # shellcheck disable=SC2086  # words
  refused "$word" EINVAL "^cmatest: .${word#*=}. invalid for parameter .${word%%=*}" $right "$word"
done
# shellcheck disable=SC2086  # words
refused 'alloc_fn beyond 64 bits' ERANGE \
  '^cmatest: .0x10000000000000000. (too large|invalid) for parameter .alloc_fn' $right \
  alloc_fn=0x10000000000000000
for count in $((total + 1)) $memory; do
  # shellcheck disable=SC2086  # words
  refused "alloc_count=$count, more than the area" ENOMEM \
    "^cmatest: cma_alloc failed for $count pages of order 0: $total pages are reserved for CMA, [0-9]+ of them free: .*cma=SIZE" \
    $right alloc_count=$count
done
if [ -r "$modules/cmahogg.ko" ]; then
  # shellcheck disable=SC2086  # words
  if error=$(insmod "$modules/cmahogg.ko" $right alloc_count=$((total * 3 / 4)) 2>&1); then
    # shellcheck disable=SC2086  # words
    refused 'more than is left of the area' ENOMEM \
      "^cmatest: cma_alloc failed for $((total / 2)) pages .* $total pages are reserved for CMA, [0-9]+ of them free" \
      $right alloc_count=$((total / 2))
    rmmod cmahogg
  else
    verdict 'a second module holds most of the area' " $error"
  fi
else
  skip 'more than is left of the area' 'no cmahogg.ko'
fi

# drained: sets $free to CmaFree, in kB, with nothing hidden. Pages that were released wait in lists
# of each CPU, where they are not counted as free, until an allocation takes them back: so a page is
# allocated, CmaFree read, and that page added.
drained() {
  # shellcheck disable=SC2086  # words
  load $right alloc_count=1
  meminfo CmaFree && free=$((kb + page))
  [ -n "$error" ] || rmmod cmatest
  inspect
}

# The region that the kernel said it reserved, as numbers.
region=$(dmesg | sed -n 's/.*cma: Reserved \([0-9]*\) MiB at \(0x[0-9a-f]*\).*/\1 \2/p' | head -n 1)
why=''
[ -n "$region" ] || why=' there is no such line in its log'
verdict 'the kernel says where the area is' "$why"

# counter NAME: what the default area's file in sysfs says, '' if this kernel has none
counter() { cat "/sys/kernel/mm/cma/reserved/$1" 2>/dev/null; }

# held COUNT ORDER WORD...: a right load, step by step
held() {
  count=$1 order=$2
  shift 2
  text="$count pages of order $order"
  drained && before=$free
  allocated=$(counter alloc_pages_success) released=$(counter release_pages_success)
  # shellcheck disable=SC2086  # words
  load $right "$@"
  meminfo CmaFree && during=$kb
  inspect
  if [ -n "$error" ]; then
    verdict "$text: load" " $error: '$own'"
    return
  fi
  printf '%s\n' "$own" >"$report"
  { IFS= read -r one && IFS= read -r two && IFS= read -r three && IFS= read -r four; } <"$report"
  why=''
  [ -z "$splat" ] || why="$why the kernel complained: '$splat';"
  [ "$one" = 'cmatest: init CMA test mod.' ] || why="$why first line;"
  printf '%s\n' "$two" |
    grep -qxE 'cmatest: alloc pages:buf:0xf[0-9a-f]{15}:0xf[0-9a-f]{15}\.' || why="$why second line;"
  printf '%s\n' "$three" | grep -qxE \
    "cmatest: $count pages of order $order at physical 0x[0-9a-f]{16}-0x[0-9a-f]{16}, allocated in [1-9][0-9]* ns" ||
    why="$why third line;"
  [ "$four" = "cmatest: linked: $linked; passed as addresses: ${passed}" ] || why="$why fourth line;"
  [ "$lines" = 4 ] || why="$why not four lines;"
  [ -z "$why" ] || why="$why '$own'"
  verdict "$text: the log has the four lines in their form" "$why"

  range=${three#* physical } && range=${range%%,*}
  first=${range%-*} end=${range#*-}
  why=''
  bytes=$((count * page * 1024))
  [ $((end - first + 1)) = "$bytes" ] || why="$why $range is not $bytes bytes;"
  [ $((first % (page * 1024 << order))) = 0 ] || why="$why $first is not aligned;"
  if [ -n "$region" ]; then
    from=${region#* } size=${region% *}
    if [ $((first)) -lt $((from)) ] || [ $((end)) -ge $((from + size * 1048576)) ]; then
      why="$why $range is not in the $size MiB at $from;"
    fi
  fi
  verdict "$text: the range is as long, as aligned and where it must be" "$why"

  why=''
  is_loaded || why=' not loaded;'
  fallen "$before" "$during" "$count"
  if [ -n "$allocated" ]; then
    [ $(($(counter alloc_pages_success) - allocated)) = "$count" ] || why="$why alloc_pages_success;"
    [ "$(counter release_pages_success)" = "$released" ] || why="$why release_pages_success;"
  fi
  verdict "$text: CmaFree falls by these" "$why"

  why=''
  error=$(rmmod cmatest 2>&1) || why=" $error;"
  inspect '^cmatest: released '"$count"' pages in [1-9][0-9]* ns$|^cmatest: exit CMA test mod\.$'
  [ "$matching/$lines" = 2/2 ] || why="$why '$own'"
  case $own in
    *'exit CMA test mod.') ;;
    *) why="$why the last line is not the exit line;" ;;
  esac
  [ -z "$splat" ] || why="$why the kernel complained: '$splat';"
  ! is_loaded || why="$why it is still there;"
  if [ -n "$released" ]; then
    [ $(($(counter release_pages_success) - released)) = "$count" ] || why="$why release_pages_success;"
  fi
  drained
  fallen "$before" "$free" 0
  verdict "$text: rmmod gives them back" "$why"
}

# fallen BEFORE AFTER PAGES: adds to $why if CmaFree has not fallen by that, give or take what the
# few processes here have in the area.
fallen() {
  off=$(($1 - $2 - $3 * page))
  if [ "$off" -gt 512 ] || [ "$off" -lt -512 ]; then
    why="$why CmaFree was $1 kB and is $2 kB with $3 pages held;"
  fi
}

# The largest block there is, by steps: the kernel itself keeps some of the area (its pools for
# atomic DMA). This also moves what processes have in the area out of it.
largest=''
for less in 0 32 64 96 128 256 512 1024 2048 4096; do
  # shellcheck disable=SC2086  # words
  load $right alloc_count=$((total - less))
  if [ -z "$error" ]; then
    largest=$((total - less))
    rmmod cmatest
    break
  fi
done
inspect
why=''
[ -n "$largest" ] || why=" $error: '$own'"
verdict 'nearly all of the area can be held' "$why"

# What the last line of a load names: in the order of the symbols, linked ones apart.
linked=nothing
passed='cma_alloc cma_release'
[ -z "$area" ] || passed="dma_contiguous_default_area $passed"
[ -n "$area" ] || passed="$passed cma_for_each_area cma_get_name"
if [ -n "$exports" ]; then
  linked='cma_alloc cma_release cma_get_name dev_get_cma_area'
  passed=dma_contiguous_default_area
fi
held 256 0
all=$right had=$passed
right=$by_name
passed='cma_alloc cma_release cma_for_each_area cma_get_name'
[ -z "$exports" ] || passed=cma_for_each_area
held 255 0 alloc_count=255
if [ -n "$exports" ]; then
  # As on a machine where nobody may see an address.
  restrict=$(cat /proc/sys/kernel/kptr_restrict)
  echo 2 >/proc/sys/kernel/kptr_restrict
  passed=nothing
  right=''
  held 254 0 alloc_count=254
  right="free_fn=0x$release"
  held 253 0 alloc_count=253
  echo "$restrict" >/proc/sys/kernel/kptr_restrict
else
  skip 'no address is needed' 'this kernel exports no function of the allocator'
fi
right=$all passed=$had
held 16 4 alloc_count=16 alloc_align=4
held 1 0 alloc_count=1
held 257 3 alloc_count=257 alloc_align=3
held 1001 9 alloc_count=1001 alloc_align=9
held $((total / 2 + 1)) 0 alloc_count=$((total / 2 + 1))

# Nothing held; the parameters can be read by root alone; a second load changes nothing.
drained && before=$free
# shellcheck disable=SC2086  # words
load $right alloc_count=0
inspect '^cmatest: (init CMA test mod\.|linked: .*; passed as addresses: .*)$'
why=''
[ -z "$error" ] || why=" $error;"
[ "$matching/$lines" = 2/2 ] || why="$why '$own';"
meminfo CmaFree
fallen "$before" "$kb" 0
verdict 'alloc_count=0 loads and holds nothing' "$why"
why=''
for parameter in alloc_count alloc_align max_pages max_handles; do
  # shellcheck disable=SC2012  # one known file
  rights=$(ls -l /sys/module/cmatest/parameters/$parameter | cut -c 1-10)
  [ "$rights" = -r-------- ] || why="$why $parameter is $rights;"
done
[ "$(cat /sys/module/cmatest/parameters/alloc_count)" = 0 ] || why="$why alloc_count;"
verdict 'the parameters are read-only and for root alone' "$why"
why=''
for parameter in area_base alloc_fn free_fn for_each_fn name_fn base_fn size_fn; do
  [ ! -e /sys/module/cmatest/parameters/$parameter ] || why="$why $parameter is there;"
done
verdict 'the addresses cannot be read back' "$why"
# shellcheck disable=SC2086  # words
load $right
why=''
said EEXIST || why=" '$error'"
verdict 'a second load is refused: EEXIST' "$why"
rmmod cmatest
inspect '^cmatest: exit CMA test mod\.$'
why=''
[ "$matching/$lines" = 1/1 ] || why=" '$own'"
verdict 'rmmod after alloc_count=0' "$why"

# Were a page lost in all this, then there would no longer be as large a block. What is pinned for a
# moment can make it fail as well, so it has some tries.
for try in 1 2 3 4 5; do
  # shellcheck disable=SC2086  # words
  load $right alloc_count="${largest:-$total}"
  [ -n "$error" ] || break
  sleep 1
done
inspect
why=''
[ -z "$error" ] || why=" $try times: $error: '$own'"
[ -z "$splat" ] || why="$why the kernel complained: '$splat';"
verdict "${largest:-$total} of $total pages can be held again: none was lost" "$why"
[ -n "$error" ] || rmmod cmatest

finish
