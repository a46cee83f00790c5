#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a result as `cma-test bench` does, of times that are made up.

usage: make-result.py [--cells N] [--rounds N] [--requests N] [--shift F] [--seed N] [--soak N] [--every]
                      [--markup]
  --shift F  times are so many times as long
  --soak N   pieces of each round, one a minute
  --every    requests at intervals: times since the intended start, too
  --markup   names and words are markup, with what a page or a terminal would obey
"""
import argparse
import json
import random


def bin_of(time):
    if time < 128:
        return time
    shift = time.bit_length() - 7
    return shift * 64 + (time >> shift)


def histogram(times):
    bins = {}
    for time in times:
        bins[bin_of(time)] = bins.get(bin_of(time), 0) + 1
    return {
        "count": len(times), "sum_ns": sum(times), "min_ns": min(times, default=None),
        "max_ns": max(times, default=None), "bins": [n for pair in sorted(bins.items()) for n in pair],
    }


def slices(count, scale, start):
    pages = 65000
    for minute in range(count):
        pages -= random.random() < 0.2
        p50 = scale * (1 + minute / count / 5) * random.uniform(0.95, 1.05)
        yield {
            "at_ns": start + (minute + 1) * 60_000_000_000, "allocated": 6000, "failed": minute % 7 == 0,
            "p50_ns": p50, "p99_ns": p50 * 4, "max_ns": int(p50 * random.uniform(5, 60)), "free_pages": pages,
        }


def measured(number, pages, options):
    scale = 15_000 * (1 + pages ** 0.5) * options.shift * random.gauss(1, 0.03)
    times = [max(1, int(random.lognormvariate(0, 0.5) * scale)) for _ in range(options.requests)]
    failed = [max(1, int(random.lognormvariate(0, 0.3) * scale * 9)) for _ in range(options.requests // 40)]
    late = [time + (random.randrange(5_000_000) if random.random() < 0.03 else 0) for time in times]
    return {
        "number": number, "elapsed_ns": sum(times), "refused": 0, "involuntary_switches": 3, "cpu_migrations": 1,
        "busy_retries": len(failed) * 2, "no_hole": 1, "migrated_pages": len(times), "unmigrated_pages": 0,
        "filled_pages": None, "in_the_way": None, "allocations": histogram(times),
        "responses": histogram(late if options.every else []), "failures": histogram(failed),
        "releases": histogram([time // 20 + 1 for time in times]),
        "slices": [{**piece, "failed": int(piece["failed"])} for piece in
                   slices(options.soak, scale, (number - 1) * options.soak * 60_000_000_000)],
    }


MARKUP = "<script>document.title = 'x'</script></title>\x1b[2J\x85\u202e\ufdd0\U0001ffff\"'><img src=x onerror=y>&amp;"


def main():
    parser = argparse.ArgumentParser()
    for name, default in [("cells", 6), ("rounds", 9), ("requests", 1000), ("seed", 1), ("soak", 0)]:
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--shift", type=float, default=1)
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--markup", action="store_true")
    options = parser.parse_args()
    random.seed(options.seed)
    cells = []
    for number in range(options.cells):
        pages = 4 ** (number % 7)
        cells.append({
            "pages": pages, "order": 0, "threads": number // 7 + 1, "hold": 0,
            "every_ns": 10_000_000 if options.every else 0,
            "load": "none" if number % 2 == 0 else "command:stress-ng --vm 2, \"it's\"",
            "rounds": [measured(round + 1, pages, options) for round in range(options.rounds)],
        })
    result = {
        "format": "cma-test bench", "version": 1, "complete": True, "ended_by": None, "program": "1.0",
        "time": "2026-11-26T21:00:00Z", "seed": options.seed, "profile": None,
        "environment": {
            "kernel": "7.3.4+deb13-amd64", "command_line": "root=/dev/vda1 ro quiet cma=256M " + "x" * 90,
            "processor": "Some processor with a name", "page_size": 4096, "init_on_alloc": "1",
            "transparent_hugepage": "always [madvise] never", "clocksource": "tsc",
        },
        "area": {"name": "reserved", "pages": 65536, "free_pages": 65000}, "slow": None, "cells": cells,
    }
    if options.markup:
        result["environment"] = {MARKUP: MARKUP, "page_size": 4096, "kernel": MARKUP, "host": MARKUP}
        result["area"]["name"] = MARKUP
        result.update(complete=False, ended_by=MARKUP, profile=MARKUP, program=MARKUP, time=MARKUP, slow={
            "cell": 0, "round": 1, "ns": 5, "busy_retries": 1, "migrated_pages": 2, "in_the_way": MARKUP})
        for cell in cells:
            cell["load"] = "command:" + MARKUP
            for round in cell["rounds"]:
                round["in_the_way"] = MARKUP
    print(json.dumps(result))


if __name__ == "__main__":
    main()
