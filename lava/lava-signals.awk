# SPDX-License-Identifier: GPL-2.0-or-later
# Prints a line for each test case of a result, as lava-signals wants it: name, result, and where there is
# one the measurement and its unit. The writer of the result has a member a line, and two blanks a level.

# The words of a cell, as a name.
function word(text) {
  gsub(/[^A-Za-z0-9_]+/, "-", text)
  gsub(/^-|-$/, "", text)
  return text
}
function value(line) {
  sub(/^ *"[a-z_]*": /, "", line)
  sub(/,$/, "", line)
  gsub(/^"|"$/, "", line)
  return line
}
# The middle of a bin in ns: below 128 each has its own, and then 64 share a power of two.
function middle(bin, shift, low) {
  if (bin < 128) return bin
  shift = int(bin / 64) - 1
  low = (bin - 64 * shift) * 2 ^ shift
  return low + (2 ^ shift - 1) / 2
}
function quantile(q, rank, seen, bin) {
  rank = q * total
  if (rank > int(rank)) rank = int(rank) + 1
  if (rank >= total) return largest
  for (bin = 0; bin < 2368; bin++) {
    seen += counts[bin]
    if (seen >= rank) return middle(bin) < smallest ? smallest : middle(bin) > largest ? largest : middle(bin)
  }
}
function end_of_cell(name) {
  if (pages == "") return
  name = pages (pages == 1 ? "-page" : "-pages")
  if (order > 0) name = name "-order-" order
  if (threads != 1) name = name "-" threads "-threads"
  if (hold > 0) name = name "-hold-" hold
  if (every > 0) name = name "-every-" every "-ns"
  if (load != "none") name = name "-load-" word(load)
  if (total > 0) {
    printf "bench.%s.alloc-p50 pass %.0f ns\n", name, quantile(0.5)
    printf "bench.%s.alloc-p99 pass %.0f ns\n", name, quantile(0.99)
    printf "bench.%s.alloc-max pass %.0f ns\n", name, largest
  }
  if (total + failed > 0) printf "bench.%s.failed pass %.4f percent\n", name, 100 * failed / (total + failed)
  pages = ""
}
FNR == 1 { pages = "" }
/^  "format": "cma-test bench"/ { kind = "bench" }
/^  "cases": \[/ { kind = "run" }
/^  "complete": / { complete = value($0) }

# A case of a run, whose name stands first.
kind == "run" && /^      "name": / { name = value($0) }
kind == "run" && /^      "outcome": / {
  outcome = value($0)
  print "run." word(name), outcome == "not-run" ? "unknown" : outcome
}

# A cell, of which the pages stand first.
kind == "bench" && /^      "pages": / {
  end_of_cell()
  pages = value($0)
  for (bin in counts) delete counts[bin]
  total = failed = largest = smallest = 0
}
/^      "order": / { order = value($0) }
/^      "threads": / { threads = value($0) }
/^      "hold": / { hold = value($0) }
/^      "every_ns": / { every = value($0) }
/^      "load": / { load = value($0) }
/^          "[a-z_]*": / { times = $1; half = 0 }
times == "\"failures\":" && /^            "count": / { failed += value($0) }
times != "\"allocations\":" { next }
/^            "count": / { total += value($0) }
/^            "max_ns": [0-9]/ { if (value($0) + 0 > largest) largest = value($0) + 0 }
/^            "min_ns": [0-9]/ { if (smallest == 0 || value($0) + 0 < smallest) smallest = value($0) + 0 }
# Pairs of a bin and what it holds.
/^              [0-9]+,?$/ {
  sub(/,/, "")
  if (half) counts[at] += $1; else at = $1 + 0
  half = !half
}
END {
  if (kind == "") exit 1
  if (kind == "bench") end_of_cell()
  print kind ".complete", complete == "true" ? "pass" : "fail"
}
