#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes scipy.json: statistics by SciPy, which the tests compare with this project's own.

usage: reference.py >scipy.json   (numpy and scipy from PyPI; SciPy 1.17.1 wrote what is here)
"""
import json

import numpy as np
from scipy import stats

rng = np.random.default_rng(20261126)


def numbers(sample):
    return [float(value) for value in sample]


def mann_whitney(a, b, method):
    test = stats.mannwhitneyu(a, b, alternative="two-sided", method=method)
    return {"a": numbers(a), "b": numbers(b), "u": float(test.statistic), "p": float(test.pvalue)}


def ranks():
    for n, m, shift in [(3, 4, 0), (5, 5, 1), (9, 9, 0), (9, 9, 2), (9, 12, 0.7), (15, 15, 1.2),
                        (20, 20, 0.4), (25, 30, 0.5), (1, 9, 3)]:
        a = rng.normal(100, 5, n).round(6)
        b = rng.normal(100 + shift * 5, 5, m).round(6)
        yield mann_whitney(a, b, "exact")
    # Times come from bins, so they are often equal.
    for n, m, shift in [(9, 9, 0.5), (15, 15, 1), (40, 40, 0.3), (12, 9, 0), (6, 6, 5), (50, 31, 0.4)]:
        a = np.floor(rng.normal(10, 2, n))
        b = np.floor(rng.normal(10 + shift * 2, 2, m))
        yield mann_whitney(a, b, "asymptotic")


def shares():
    for a, b, c, d in [(0, 100, 0, 100), (1, 99, 5, 95), (3, 7, 9, 1), (0, 32, 8, 24), (10, 990, 30, 970),
                       (120, 99880, 200, 99800), (1, 0, 0, 1), (500, 500, 520, 480),
                       (5, 1000000, 40, 999960), (0, 9, 9, 0), (2, 30, 0, 50),
                       (100000, 900000, 101000, 899000)]:
        p = stats.fisher_exact([[a, b], [c, d]]).pvalue
        yield {"failed": [a, c], "of": [a + b, c + d], "p": float(p)}


def ratio(x, y, axis=-1):
    return np.median(y, axis=axis) / np.median(x, axis=axis)


def ratios():
    for n, m in [(9, 9), (15, 15), (10, 12), (20, 20), (5, 8)]:
        a = rng.lognormal(5, 0.1, n).round(6)
        b = rng.lognormal(5.1, 0.1, m).round(6)
        found = stats.bootstrap((a, b), ratio, n_resamples=400000, method="percentile", vectorized=True,
                                rng=np.random.default_rng(1), batch=20000).confidence_interval
        yield {"a": numbers(a), "b": numbers(b), "low": float(found.low), "high": float(found.high)}


def medians():
    for n in [5, 6, 9, 15, 20, 31]:
        a = np.sort(rng.lognormal(5, 0.3, n).round(6))
        k = 0
        while k < n // 2 and 2 * stats.binom.cdf(k, n, 0.5) <= 0.05:
            k += 1
        yield {"a": numbers(a), "median": float(np.median(a)),
               "bounds": numbers([a[k - 1], a[n - k]]) if k else None}


def corrections():
    for probabilities in [[0.01, 0.04, 0.03, 0.005], [0.5], [0.2, 0.2, 0.9, 0.0001, 0.02]]:
        # SciPy has no Holm: its definition, on the sorted probabilities.
        order = np.argsort(probabilities)
        steps = np.maximum.accumulate(
            [min(1, probabilities[i] * (len(probabilities) - k)) for k, i in enumerate(order)])
        adjusted = np.empty(len(probabilities))
        adjusted[order] = steps
        yield {"p": probabilities, "adjusted": numbers(adjusted)}


print(json.dumps({"mannWhitney": list(ranks()), "fisher": list(shares()), "ratio": list(ratios()),
                  "median": list(medians()), "holm": list(corrections())}, indent=1))
