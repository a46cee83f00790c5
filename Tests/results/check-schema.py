#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Validates results by their schema, and checks that the schema refuses them with each fault.

Each key that the schema names must be in one of the results, so that none is there in vain.

usage: check-schema.py [--valid] SCHEMA RESULT...
  --valid  only whether they are valid: results that were really measured need not have every key
"""
import copy
import json
import sys

import jsonschema


def shape(value):
    """What a value is made of, without its texts and numbers."""
    if isinstance(value, dict):
        return tuple((key, shape(member)) for key, member in sorted(value.items()))
    if isinstance(value, list):
        return frozenset(map(shape, value))
    return None


def places(value, path=()):
    """The path of each member of an object, and of the first element of each shape in an array."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield path + (key,)
            yield from places(member, path + (key,))
    elif isinstance(value, list):
        first = {}
        for number, element in enumerate(value):
            first.setdefault(shape(element), number)
        for number in first.values():
            yield from places(value[number], path + (number,))


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


def named(schema):
    """The keys that a schema names; those of the environment are free."""
    if isinstance(schema, list):
        return set().union(*map(named, schema))
    if not isinstance(schema, dict):
        return set()
    keys = set()
    for key, value in schema.items():
        if key == "properties":
            keys |= set(value)
            keys |= set().union(*(named(member) for name, member in value.items() if name != "environment"))
        else:
            keys |= named(value)
    return keys


def main():
    arguments = sys.argv[1:]
    only_valid = arguments[0] == "--valid"
    if only_valid:
        del arguments[0]
    with open(arguments[0], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    faults, seen = 0, set()
    for name in arguments[1:]:
        with open(name, encoding="utf-8") as file:
            result = json.load(file)
        for error in validator.iter_errors(result):
            sys.exit(f"{name}: {error.json_path}: {error.message}")
        if only_valid:
            continue
        for path in places(result):
            # The machine's properties are free but for two.
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
    if only_valid:
        print(f"{len(arguments) - 1} results are valid")
        return
    missing = named(schema) - {path[-1] for path in seen}
    if missing or len(seen) < 40:
        sys.exit(f"only {len(seen)} keys were tried, and not {', '.join(sorted(missing))}")
    print(f"{len(arguments) - 1} results; {faults} faults of {len(seen)} keys refused")


main()
