/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "CCMATestABI.h"

/* The sizes are part of the requests' numbers: a compiler that pads would ask for something else. */
_Static_assert(sizeof(struct cmatest_info) == 128, "cmatest_info");
_Static_assert(sizeof(struct cmatest_area) == 104, "cmatest_area");
_Static_assert(sizeof(struct cmatest_alloc) == 56, "cmatest_alloc");
_Static_assert(sizeof(struct cmatest_release) == 40, "cmatest_release");
_Static_assert(sizeof(struct cmatest_block) == 96, "cmatest_block");
_Static_assert(sizeof(struct cmatest_fill) == 48, "cmatest_fill");
_Static_assert(sizeof(struct cmatest_check) == 80, "cmatest_check");
_Static_assert(sizeof(struct cmatest_batch) == 80, "cmatest_batch");
_Static_assert(sizeof(struct cmatest_probe) == 48, "cmatest_probe");
_Static_assert(sizeof(struct cmatest_place) == 56, "cmatest_place");
_Static_assert(sizeof(struct cmatest_times) == 8, "cmatest_times");
_Static_assert(sizeof(struct cmatest_measure) == 200, "cmatest_measure");
_Static_assert(sizeof(struct cmatest_frames) == 64, "cmatest_frames");
_Static_assert(sizeof(struct cmatest_path) == 96, "cmatest_path");
_Static_assert(sizeof(struct cmatest_entry) == 120, "cmatest_entry");
_Static_assert(sizeof(struct cmatest_witness) == 136, "cmatest_witness");
_Static_assert(sizeof(struct cmatest_frame_run) == 48, "cmatest_frame_run");
_Static_assert(sizeof(struct cmatest_attempt) == 40, "cmatest_attempt");
