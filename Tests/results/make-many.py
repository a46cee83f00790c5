#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes results of many machines, of times that are made up: FOLDER/MACHINE/KERNEL/NAME.json.

usage: make-many.py FOLDER COUNT

Of each machine there are ten files: with either of two kernels three measurements and a run, and then a map
of the area with the older and an explanation with the newer one. On one machine of forty the newer kernel is
slower, on one of fifty a case fails. Of each hundred files one cannot be used. Prints how many of each there
are: used, left out, machines, slower, faulty, maps.
"""
import importlib.util
import json
import os
import random
import sys
import types

spec = importlib.util.spec_from_file_location(
    "make_result", os.path.join(os.path.dirname(os.path.abspath(__file__)), "make-result.py"))
made = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made)

KERNELS = ["7.2.9+deb13-amd64", "7.3.4+deb13-amd64"]


def bench(shift):
    options = types.SimpleNamespace(shift=shift, requests=100, soak=0, every=False)
    cells = [
        {"pages": pages, "order": 0, "threads": 1, "hold": 0, "every_ns": 0, "load": "none",
         "rounds": [made.measured(round + 1, pages, options) for round in range(9)]}
        for pages in (1, 16, 256)]
    return json.dumps({
        "format": "cma-test bench", "version": 1, "complete": True, "ended_by": None, "program": "1.0",
        "time": "@TIME@", "seed": 1, "profile": "default",
        "environment": {
            "host": "@HOST@", "kernel": "@KERNEL@", "command_line": "root=/dev/vda1 ro quiet cma=256M",
            "page_size": 4096, "cpu": "Some processor", "init_on_alloc": "1"},
        "area": {"name": "reserved", "pages": 65536, "free_pages": 65000}, "slow": None, "cells": cells,
    }, indent=2)


def run(fails):
    cases = [
        {"name": f"case-{number}", "purpose": "It works.", "outcome": "pass", "reason": None,
         "duration_ns": 1000000 + number, "metrics": {"alloc_ns": 20000}} for number in range(40)]
    if fails:
        cases[7].update(outcome="fail", reason="13 pages of 256 are lost")
    return json.dumps({
        "schema": 1, "ok": not fails, "complete": True, "ended_by": None, "version": "1.0",
        "kernel": "@KERNEL@", "host": "@HOST@", "time": "@TIME@", "seed": 7, "area": "reserved",
        "area_pages": 65536, "page_size": 4096, "others_pages": 0, "others_exact": True,
        "duration_ns": 66000000000,
        "totals": {"pass": 40 - fails, "fail": int(fails), "skip": 0, "not_run": 0}, "cases": cases,
    }, indent=2)


HOLDER = {
    "kind": "anonymous", "words": "anonymous memory of 812 (<b>&amp;python3)", "pinned": False, "movable": True,
    "pages": 0, "pieces": 0, "processes": [{"pid": 812, "command": "<b>&amp;python3", "cgroup": None}],
    "process_count": 1, "path": None, "mounted": None, "filesystem": None, "device": None, "block": None}
FACTS = {
    "schema": 1, "ok": True, "format": "@FORMAT@", "program": "1.0", "kernel": "@KERNEL@", "host": "@HOST@",
    "time": "@TIME@"}


def area_map():
    """Two thousand runs, of forty holders and of nobody."""
    size, classes = 65536, ["free", "anonymous", "page-cache", "pinned"]
    holders = [{**HOLDER, "kind": "free", "words": "free", "processes": [], "process_count": 0}]
    for number in range(40):
        words = f"{'pinned ' if number % 40 == 7 else ''}anonymous memory of {number} (<b>&amp;python3)"
        holders.append({**HOLDER, "words": words, "pinned": number % 40 == 7, "movable": number % 40 != 7})
    runs, offset, shares = [], 0, dict.fromkeys(classes, 0)
    while offset < size:
        pages = min(size - offset, random.randrange(1, 64))
        holder = random.randrange(1, 41) if len(runs) % 2 else 0
        place = 0 if holder == 0 else 3 if holder == 8 else 1 + holder % 2
        runs.append([offset, pages, place, holder])
        shares[classes[place]] += pages
        holders[holder]["pages"] += pages
        holders[holder]["pieces"] += 1
        offset += pages
    return json.dumps({
        **FACTS, "format": "cma-test map", "area": {"name": "reserved", "index": 0, "pages": size},
        "page_size": 4096, "classes": [{"class": name, "pages": pages} for name, pages in shares.items()],
        "holders": holders, "runs": runs,
        "ledger": {"on": True, "live": 0, "missed": 0, "since": "2026-11-01T00:00:00Z"}, "notes": [],
    }, indent=2)


def explanation():
    return json.dumps({
        **FACTS, "format": "cma-test explain",
        "area": {"name": "reserved", "index": 0, "pages": 65536, "free_pages": 65000, "page_size": 4096},
        "fits": False, "summary": "64M does not fit into the area reserved <b>&amp;.",
        "requests": [{"request": "64M", "pages": 16384, "order": 8, "blocks": 1, "allocated": 0}],
        "ns": 0, "largest_left_pages": None,
        "failure": {
            "request": "64M", "block": 1, "cause": "in-use", "errno": 16, "ns": 7000000, "attempts": 2,
            "refused": 0, "migrated_pages": 31, "unmigrated_pages": 1, "largest_hole_pages": 16000,
            "in_the_way": [{**HOLDER, "pinned": True, "movable": False, "pages": 1, "pieces": 1}]},
        "advice": ["Wait until 812 (<b>&amp;python3) has done its input and output, or end that process."],
        "pages_needed": 81920, "reserve": "cma-test reserve 320M", "notes": [],
    }, indent=2)


def broken(text, area, kind):
    """What a lab has beside whole results, and cannot be used."""
    return [
        text[:len(text) // 2], '{"name": "package"}\n', text.replace('"version": 1', '"version": 9', 1), "",
        text.replace('"complete": true', '"complete": false', 1).replace(
            '"ended_by": null', '"ended_by": "SIGTERM"', 1),
        area[:len(area) // 2], area.replace('"schema": 1', '"schema": 9', 1), area.replace('"runs"', '"walks"', 1),
        area.replace('"pages": 65536', '"pages": 1024', 1)][kind % 9]


def main():
    folder, count = sys.argv[1], int(sys.argv[2])
    random.seed(1)
    fast = [bench(1) for _ in range(24)]
    slow = [bench(1.5) for _ in range(6)]
    passed, failed = run(False), run(True)
    maps, explained = [area_map() for _ in range(4)], explanation()
    totals = dict(used=0, left=0, machines=0, slower=0, faulty=0, maps=0)
    for number in range(count):
        machine, rest = divmod(number, 10)
        kernel, kind = divmod(rest, 5)
        name = f"board-{machine}"
        is_slower, is_faulty = machine % 40 == 11, machine % 50 == 13
        if rest == 0:
            totals["machines"] += 1
        if kind == 3:
            text, what = failed if is_faulty and kernel == 1 else passed, "run"
            totals["faulty"] += is_faulty and kernel == 1
        elif kind == 4:
            text, what = (maps[machine % 4], "map") if kernel == 0 else (explained, "explain")
            totals["maps"] += kernel == 0
        else:
            # No two of a machine are the same.
            text = slow[kind] if is_slower and kernel == 1 else fast[(machine * 6 + kernel * 3 + kind) % 24]
            what = f"bench-{kind}"
            totals["slower"] += is_slower and kernel == 1 and kind == 2
        path = os.path.join(folder, name, KERNELS[kernel])
        os.makedirs(path, exist_ok=True)
        text = text.replace("@HOST@", name, 1).replace("@KERNEL@", KERNELS[kernel], 1)
        text = text.replace("@TIME@", f"2026-11-{1 + kernel:02}T{kind:02}:00:00Z", 1)
        if number % 100 == 40:
            # A whole result more than these would be missed.
            with open(os.path.join(path, "broken.json"), "w") as file:
                file.write(broken(fast[0], maps[0], number // 100))
            totals["left"] += 1
        with open(os.path.join(path, what + ".json"), "w") as file:
            file.write(text)
        totals["used"] += 1
    print(*totals.values())


if __name__ == "__main__":
    main()
