#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Validates results by their schema, and checks that the schema refuses them with each fault.

usage: check-schema.py SCHEMA RESULT...
"""
import copy
import json
import sys

import jsonschema


def places(value, path=()):
    """The path of each member of an object, and of the first element of each array."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield path + (key,)
            yield from places(member, path + (key,))
    elif isinstance(value, list) and value:
        yield from places(value[0], path + (0,))


def changed(result, path, change):
    result = copy.deepcopy(result)
    owner = result
    for key in path[:-1]:
        owner = owner[key]
    change(owner, path[-1])
    return result


def removed(owner, key):
    del owner[key]


def wrong(owner, key):
    # An array within an array is what no member is.
    owner[key] = [[]]


def added(owner, key):
    owner["of_a_later_version"] = {"anything": [1]}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    faults, seen = 0, set()
    for name in sys.argv[2:]:
        with open(name, encoding="utf-8") as file:
            result = json.load(file)
        for error in validator.iter_errors(result):
            sys.exit(f"{name}: {error.json_path}: {error.message}")
        for path in places(result):
            # The first element stands for all, and the machine's properties are free but for two.
            free = path[0] == "environment" and path[-1] not in ("environment", "kernel", "page_size")
            for change in (removed, wrong):
                if free and change is removed:
                    continue
                faults += 1
                seen.add(path)
                if validator.is_valid(changed(result, path, change)):
                    sys.exit(f"{name}: the schema takes a result in which {path} is {change.__name__}")
            if path[0] == "environment" and len(path) == 2:
                continue
            if not validator.is_valid(changed(result, path, added)):
                sys.exit(f"{name}: the schema refuses a key of a later version beside {path}")
    if len(seen) < 50:
        sys.exit(f"only {len(seen)} keys were tried")
    print(f"{len(sys.argv) - 2} results; {faults} faults of {len(seen)} keys refused")


main()
