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
# shellcheck disable=SC2086,SC2154  # parameters are words; kernel_fault is of ../kernel-log.sh
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"

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
  { IFS= read -r splat && read -r lines && read -r matching && own=$(cat); } <"$report"
}

# is_loaded: whether /proc/modules or /sys/module has cmatest
is_loaded() { [ -e /sys/module/cmatest ] || grep -q '^cmatest ' /proc/modules; }

# read_meminfo KEY: sets $kb, without a process
read_meminfo() {
  kb=''
  while read -r key value _; do
    if [ "$key" = "$1:" ]; then kb=$value && break; fi
  done </proc/meminfo
}

# load WORD...: sets $error ('' if it loaded) to what insmod says
load() {
  error=$(insmod "$module" "$@" 2>&1) && error='' || error=${error:-insmod failed}
}

# means ERRNO: whether $error does; kmod's insmod has words of its own for EINVAL
means() {
  case $1:$error in
    EINVAL:*'Invalid argument'* | EINVAL:*'Invalid parameters'*) ;;
    ENODEV:*'No such device'*) ;;
    ENOMEM:*'annot allocate memory'* | ENOMEM:*'Out of memory'*) ;;
    ERANGE:*'out of range'* | ERANGE:*'not representable'*) ;;
    EEXIST:*'File exists'*) ;;
    *) return 1 ;;
  esac
}

# is_refused ERRNO N PATTERN: sets $why to what is wrong with the load before: an errno, N lines of the
# log that match PATTERN and no other, and no module.
is_refused() {
  inspect "$3"
  why=''
  if [ -z "$error" ]; then
    why=' it loaded;'
    rmmod cmatest
  fi
  means "$1" || why="$why not $1 but '$error';"
  [ "$matching/$lines" = "$2/$2" ] || why="$why not $2 lines like '$3' in the log but '$own';"
  is_gone
}

# is_gone: adds to $why if the kernel has complained or the module is still there.
is_gone() {
  [ -z "$splat" ] || why="$why the kernel complained: '$splat';"
  ! is_loaded || why="$why it is still there;"
}

# refused TEXT ERRNO PATTERN WORD...: these parameters are refused with ERRNO, in one line that
# matches PATTERN, and nothing of the load stays. CmaFree moves by itself, as the pages of processes
# come and go in the area, so here it may not fall by what a load would hold; that no page is
# lost is proved at the end, by the largest block.
refused() {
  text=$1 errno=$2 pattern=$3
  shift 3
  read_meminfo CmaFree && before=$kb
  load "$@"
  read_meminfo CmaFree && after=$kb
  is_refused "$errno" 1 "$pattern"
  # A kernel without CMA has no such line.
  [ $((${before:-0} - ${after:-0})) -lt 1024 ] || why="$why CmaFree was $before kB and is $after kB;"
  verdict "$text: $errno" "$why"
}

# several TEXT PARAMETERS WORD...: all of these are named, with a line for each
several() {
  text=$1 named=$2 count=0
  shift 2
  for parameter in $named; do count=$((count + 1)); done
  load "$@"
  is_refused EINVAL $count '^cmatest: (area_base|[a-z_]+_fn): '
  for parameter in $named; do
    case $own in
      *"cmatest: $parameter: "*) ;;
      *) why="$why $parameter is not named;" ;;
    esac
  done
  verdict "$text: EINVAL" "$why"
}

ends_here() {
  [ ! -e /sys/module/impostor ] || rmmod impostor
  rm -f "$report" "$messages"
  # Bits 7 and 9: the kernel has oopsed, has warned.
  tainted=$(cat /proc/sys/kernel/tainted)
  same 'the kernel neither oopsed nor warned' 0 $((tainted & (128 | 512)))
  finish
}

if [ "$mode" = no-cma ]; then
  refused 'a kernel without CONFIG_DMA_CMA' ENODEV 'without CONFIG_DMA_CMA'
  ends_here
fi

if [ -r "$modules/impostor.ko" ]; then
  insmod "$modules/impostor.ko" || exit 2
fi

# All addresses in one pass, because under emulation a pass takes seconds.
functions='cma_alloc cma_release cma_for_each_area cma_get_name cma_get_base cma_get_size kfree'
known=$(awk -v names="dma_contiguous_default_area linux_banner $functions \
__pfx_cma_alloc __pfx_cma_release __pfx_cma_for_each_area __ksymtab_cma_alloc" '
  BEGIN { n = split(names, name, " "); for (i = 1; i <= n; i++) wanted[name[i]] }
  $3 in wanted && NF == 3 { print $3 "=" $1 }
  $3 in wanted && $4 == "[impostor]" { print "impostor:" $3 "=" $1 }' /proc/kallsyms)
# at NAME: prints its address, nothing if there is none
at() { for pair in $known; do [ "${pair%%=*}" != "$1" ] || echo "0x${pair#*=}"; done; }
# From 7.1 on the kernel exports what is needed, and nothing has to be passed: see below.
exports=$(at __ksymtab_cma_alloc)
# A kernel without CONFIG_KALLSYMS_ALL lists no variables. Where any is listed, the area's must be.
area=$(at dma_contiguous_default_area) variable=$(at linux_banner)
for name in ${variable:+dma_contiguous_default_area} $functions; do
  case $(at "$name") in
    '' | 0x0000000000000000)
      echo "refusals.sh: /proc/kallsyms lacks $name or hides the addresses" >&2
      exit 2
      ;;
  esac
done

# What leads to the default area: its address or, on a kernel that lists no variables, what finds it by
# its name.
by_name="for_each_fn=$(at cma_for_each_area) name_fn=$(at cma_get_name)"
default_area=${area:+area_base=$area}
default_area=${default_area:-$by_name}
both="alloc_fn=$(at cma_alloc) free_fn=$(at cma_release)"
right="$default_area $both" by_name="$both $by_name"

# with PARAMETER [ADDRESS]: sets $parameters to the right ones, but for this one: that or left out
with() {
  parameters=${2:+$1=$2} others=$right
  [ "$1" != area_base ] || others=$both
  for word in $others; do
    [ "${word%%=*}" = "$1" ] || parameters="$parameters $word"
  done
}

# plus ADDRESS N: in halves, because not every shell counts to 2^64
plus() { [ -z "$1" ] || printf '%s%08x' "${1%????????}" $((0x${1#??????????} + $2)); }

# wrong PARAMETER WHAT ADDRESS FOUND [WHY]: all are right but this one, and FOUND is named; skipped for
# WHY where there is no such address
wrong() {
  if [ -z "$3" ]; then
    skip "$1 is $2" "$5"
    return
  fi
  with "$1" "$3"
  pattern="found $4, not [a-z_]+\\+0x0: .*cma-test configure"
  if [ "$1/$area" = area_base/ ]; then
    pattern="dma_contiguous_default_area cannot be proved: .*${4#no symbol at } .*cma-test configure"
  fi
  refused "$1 is $2" EINVAL "^cmatest: $1: $pattern" $parameters
}

for pair in $symbols; do
  parameter=${pair%=*} name=${pair#*=}
  missing="^cmatest: $parameter: missing .*$name.*cma-test configure"
  size='0x[0-9a-f]+'
  case $parameter in
    area_base | alloc_fn | free_fn)
      if [ -z "$exports" ]; then
        with $parameter
        refused "$parameter missing" EINVAL "$missing" $parameters
        with $parameter 0
        refused "$parameter is 0" EINVAL "$missing" $parameters
      fi
      wrong $parameter 1 1 'no symbol at 0x1'
      wrong $parameter 'not canonical' 0x8000000000000000 'no symbol at 0x8000000000000000'
      wrong $parameter unmapped 0xfffffffffffff000 'no symbol at 0xfffffffffffff000'
      wrong $parameter 'another variable' "$variable" "linux_banner\\+0x0/$size" 'this kernel lists none'
      ;;
  esac
  # The others may be missing, but not wrong either.
  wrong $parameter 'in user space' 0x7f1234567000 'no symbol at 0x7f1234567000'
  wrong $parameter 'all ones' 0xffffffffffffffff 'no symbol at 0xffffffffffffffff'
  wrong $parameter 'another function' "$(at kfree)" "kfree\\+0x0/$size"
  wrong $parameter "$name+4" "$(plus "$(at $name)" 4)" "$name\\+0x4/$size" 'this kernel lists no variables'
  case $parameter in
    alloc_fn | free_fn | for_each_fn)
      wrong $parameter "__pfx_$name" "$(at "__pfx_$name")" "__pfx_$name\\+0x0/0x10" \
        'this kernel has no such symbol'
      ;;
  esac
  case $parameter in
    area_base | alloc_fn | free_fn | for_each_fn)
      wrong $parameter "a module's $name" "$(at "impostor:$name")" "$name\\+0x0/$size \\[impostor\\]" \
        'no impostor.ko'
      ;;
  esac
done
while read -r parameter name; do
  wrong "$parameter" "$name" "$(at "$name")" "$name\\+0x0/0x[0-9a-f]+"
done <<'END'
area_base cma_alloc
alloc_fn cma_release
free_fn cma_alloc
name_fn cma_get_base
base_fn cma_get_name
END
# Only both of these together can find the default area.
[ -n "$exports" ] || for parameter in "for_each_fn=$(at cma_for_each_area)" "name_fn=$(at cma_get_name)"; do
  refused "area_base missing with ${parameter%=*} alone" EINVAL \
    '^cmatest: area_base: missing .*dma_contiguous_default_area.*cma-test configure' $both "$parameter"
done
several 'the functions swapped' 'alloc_fn free_fn' \
  $default_area "alloc_fn=$(at cma_release)" "free_fn=$(at cma_alloc)"
[ -n "$exports" ] || several 'no parameter' 'area_base alloc_fn free_fn'
several 'all that can be' 'area_base alloc_fn free_fn for_each_fn name_fn base_fn size_fn' \
  area_base=1 alloc_fn=1 free_fn=1 for_each_fn=1 name_fn=1 base_fn=1 size_fn=1

if [ "$mode" = no-area ]; then
  nothing='^cmatest: area_base: .*no default area.*cma=SIZE.*cma-test reserve'
  [ -z "$exports" ] || refused 'no default area and no address' ENODEV "$nothing"
  for count in '' alloc_count=0; do
    refused "no default area ${count:-and the default count}" ENODEV "$nothing" $right $count
    refused "no default area by its name ${count:-and the default count}" ENODEV "$nothing" $by_name $count
  done
  ends_here
fi

page=$(page_size)
read_meminfo MemTotal && memory=$((kb / page))
read_meminfo CmaTotal && total=$((kb / page))

# refuses WORD ERRNO PATTERN [TEXT]: this after the right parameters
refuses() { refused "${4:-$1}" "$2" "^cmatest: $3" $right "$1"; }
for order in 30 51 62 63 64 65 4294967295; do
  refuses alloc_align=$order EINVAL "alloc_align: order $order "
done
for count in $((memory + 1)) 18446744073709551615; do
  refuses alloc_count=$count EINVAL "alloc_count: $count pages "
done
# The kernel's own parser refuses these, and names the parameter.
for word in alloc_count=-1 alloc_count=many alloc_align=-1 alloc_fn=cma_alloc area_base=0xg; do
  refuses $word EINVAL ".${word#*=}. invalid for parameter .${word%%=*}"
done
refuses alloc_fn=0x10000000000000000 ERANGE \
  '.0x10000000000000000. (too large|invalid) for parameter .alloc_fn' 'alloc_fn beyond 64 bits'
left="$total pages are reserved for CMA, [0-9]+ of them free"
for count in $((total + 1)) $memory; do
  refuses alloc_count=$count ENOMEM "cma_alloc failed for $count pages of order 0: $left: .*cma=SIZE" \
    "alloc_count=$count, more than the area"
done
if [ ! -r "$modules/cmahogg.ko" ]; then
  skip 'more than is left of the area' 'no cmahogg.ko'
elif error=$(insmod "$modules/cmahogg.ko" $right alloc_count=$((total * 3 / 4)) 2>&1); then
  refuses alloc_count=$((total / 2)) ENOMEM "cma_alloc failed for $((total / 2)) pages .* $left" \
    'more than is left of the area'
  rmmod cmahogg
else
  not_ok 'a second module holds most of the area' "$error"
fi

# drained: sets $free to CmaFree, in kB, with nothing hidden. Pages that were released wait in lists
# of each CPU, where they are not counted as free, until an allocation takes them back: so a page is
# allocated, CmaFree read, and that page added.
drained() {
  load $right alloc_count=1
  read_meminfo CmaFree && free=$((kb + page))
  [ -n "$error" ] || rmmod cmatest
  inspect
}

# fallen BEFORE AFTER PAGES: adds to $why if CmaFree has not fallen by that, give or take what the
# few processes here have in the area.
fallen() {
  off=$(($1 - $2 - $3 * page))
  if [ "$off" -gt 512 ] || [ "$off" -lt -512 ]; then
    why="$why CmaFree was $1 kB and is $2 kB with $3 pages held;"
  fi
}

# The region that the kernel said it reserved, as numbers.
region=$(dmesg | sed -n 's/.*cma: Reserved \([0-9]*\) MiB at \(0x[0-9a-f]*\).*/\1 \2/p' | head -n 1)
check 'the kernel says where the area is' test -n "$region"

# counter NAME: what the default area's file in sysfs says, '' if this kernel has none
counter() { cat "/sys/kernel/mm/cma/reserved/$1" 2>/dev/null; }
# counted ALLOCATED RELEASED: adds to $why if these counters have not grown by that since $allocated and
# $released
counted() {
  [ -n "$allocated" ] || return 0
  [ $(($(counter alloc_pages_success) - allocated)) = "$1" ] || why="$why alloc_pages_success;"
  [ $(($(counter release_pages_success) - released)) = "$2" ] || why="$why release_pages_success;"
}

# logs: that $own is, line by line, what the patterns on standard input say; else adds to $why
logs() {
  printf '%s\n' "$own" >"$report"
  why="$why$(awk '
    NR == FNR { pattern[FNR] = "^(" $0 ")$"; patterns++; next }
    $0 !~ pattern[FNR] { print " line " FNR " is \"" $0 "\";" }
    { lines++ }
    END { if (lines != patterns) print " " lines " lines;" }' - "$report")"
}

# held COUNT ORDER WORD...: a right load, step by step
held() {
  count=$1 order=$2
  shift 2
  text="$count pages of order $order"
  drained && before=$free
  allocated=$(counter alloc_pages_success) released=$(counter release_pages_success)
  load $right "$@"
  read_meminfo CmaFree && during=$kb
  inspect
  if [ -n "$error" ]; then
    not_ok "$text: load" "$error: '$own'"
    return
  fi
  why=${splat:+ "the kernel complained: '$splat';"}
  logs <<END
cmatest: init CMA test mod\\.
cmatest: alloc pages:buf:0xf[0-9a-f]{15}:0xf[0-9a-f]{15}\\.
cmatest: $count pages of order $order at physical 0x[0-9a-f]{16}-0x[0-9a-f]{16}, allocated in [1-9][0-9]* ns
cmatest: linked: $linked; passed as addresses: $passed
END
  verdict "$text: the log has the four lines in their form" "$why"

  range=${own#* physical } && range=${range%%,*}
  first=${range%-*} end=${range#*-} bytes=$((count * page * 1024)) why=''
  [ $((end - first + 1)) = "$bytes" ] || why="$why $range is not $bytes bytes;"
  [ $((first % (page * 1024 << order))) = 0 ] || why="$why $first is not aligned;"
  from=${region#* } size=${region% *}
  if [ -n "$region" ] && { [ $((first)) -lt $((from)) ] || [ $((end)) -ge $((from + size * 1048576)) ]; }; then
    why="$why $range is not in the $size MiB at $from;"
  fi
  verdict "$text: the range is as long, as aligned and where it must be" "$why"

  why=''
  is_loaded || why=' not loaded;'
  fallen "$before" "$during" "$count"
  counted "$count" 0
  verdict "$text: CmaFree falls by these" "$why"

  why=''
  error=$(rmmod cmatest 2>&1) || why=" $error;"
  inspect
  logs <<END
cmatest: released $count pages in [1-9][0-9]* ns
cmatest: exit CMA test mod\\.
END
  is_gone
  counted "$count" "$count"
  drained
  fallen "$before" "$free" 0
  verdict "$text: rmmod gives them back" "$why"
}

# The largest block there is, by steps: the kernel itself keeps some of the area (its pools for
# atomic DMA). This also moves what processes have in the area out of it.
largest=''
for less in 0 32 64 96 128 256 512 1024 2048 4096; do
  load $right alloc_count=$((total - less))
  if [ -z "$error" ]; then
    largest=$((total - less))
    rmmod cmatest
    break
  fi
done
inspect
verdict 'nearly all of the area can be held' "${error:+ $error: $own}"

# What the last line of a load names: in the order of the symbols, linked ones apart.
linked=nothing had="${area:+dma_contiguous_default_area }cma_alloc cma_release"
[ -n "$area" ] || had="$had cma_for_each_area cma_get_name"
by='cma_alloc cma_release cma_for_each_area cma_get_name'
if [ -n "$exports" ]; then
  linked='cma_alloc cma_release cma_get_name dev_get_cma_area'
  had=dma_contiguous_default_area by=cma_for_each_area
fi
all=$right passed=$had
held 256 0
right=$by_name passed=$by
held 255 0 alloc_count=255
if [ -n "$exports" ]; then
  # As on a machine where nobody may see an address.
  restrict=$(cat /proc/sys/kernel/kptr_restrict)
  echo 2 >/proc/sys/kernel/kptr_restrict
  right='' passed=nothing
  held 254 0 alloc_count=254
  right="free_fn=$(at cma_release)"
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
load $right alloc_count=0
inspect
why=${error:+ $error;}
logs <<'END'
cmatest: init CMA test mod\.
cmatest: linked: .*; passed as addresses: .*
END
read_meminfo CmaFree
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
load $right
check "a second load is refused: EEXIST" means EEXIST
rmmod cmatest
inspect
why=''
logs <<'END'
cmatest: exit CMA test mod\.
END
verdict 'rmmod after alloc_count=0' "$why"

# Were a page lost in all this, then there would no longer be as large a block. What is pinned for a
# moment can make it fail as well, so it has some tries.
for try in 1 2 3 4 5; do
  load $right alloc_count="${largest:-$total}"
  [ -n "$error" ] || break
  sleep 1
done
inspect
why=${error:+ "$try times: $error: '$own'"}
[ -n "$error" ] || rmmod cmatest
[ -z "$splat" ] || why="$why the kernel complained: '$splat';"
verdict "${largest:-$total} of $total pages can be held again: none was lost" "$why"
ends_here
