# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a sequence of numbered requests that fails short: sourced by engine.sh, which tries each
# candidate in the machine that it runs in, and by scripts/vm/kmod-engine, which boots one for each.
# Both have a command fails NUMBERS: whether these requests, as "0-99,120,130-140", fail.

# shrink_without NUMBERS POSITION COUNT: NUMBERS but for so many from that position on.
shrink_without() {
  awk -v numbers="$1" -v from="$2" -v count="$3" '
    function keep(first, last) {
      if (first > last) return
      out = out (out == "" ? "" : ",") (first == last ? first : first "-" last)
    }
    BEGIN {
      n = split(numbers, ranges, ",")
      for (i = 1; i <= n; i++) {
        parts = split(ranges[i], ends, "-")
        first = ends[1] + 0; last = ends[parts] + 0; length_ = last - first + 1
        # What goes is from `a` up to and not with `b`, both from the first of this range.
        a = from - position; b = a + count
        if (a < 0) a = 0
        if (a > length_) a = length_
        if (b < 0) b = 0
        if (b > length_) b = length_
        keep(first, first + a - 1)
        keep(first + (b > a ? b : a), last)
        position += length_
      }
      print out
    }'
}

# shrink_count NUMBERS: how many they are.
shrink_count() {
  awk -v numbers="$1" 'BEGIN {
    n = split(numbers, ranges, ",")
    for (i = 1; i <= n; i++) {
      parts = split(ranges[i], ends, "-")
      count += ends[parts] - ends[1] + 1
    }
    print count + 0
  }'
}

# shrink TOTAL: leaves out a half, then quarters and so on, down to single requests, as long as the
# rest still fails. Leaves the result in $shrunk.
shrink() {
  shrunk=0-$(($1 - 1))
  shrink_size=$((($1 + 1) / 2))
  while :; do
    shrink_at=0 shrink_gone=''
    while [ "$shrink_at" -lt "$(shrink_count "$shrunk")" ]; do
      shrink_try=$(shrink_without "$shrunk" "$shrink_at" "$shrink_size")
      if [ -n "$shrink_try" ] && fails "$shrink_try"; then
        shrunk=$shrink_try shrink_gone=1
        echo "# $(shrink_count "$shrunk") requests still fail: $shrunk" | cut -c 1-200
      else
        shrink_at=$((shrink_at + shrink_size))
      fi
    done
    if [ "$shrink_size" -gt 1 ]; then
      shrink_size=$((shrink_size / 2))
    elif [ -z "$shrink_gone" ]; then
      return
    fi
  done
}
