// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole module as one translation unit, as kernel/sched/build_policy.c has the
 * scheduler's: see Kbuild for what that saves.
 */
#include "cma.c"
#include "area.c"
#include "pattern.c"
#include "block.c"
#include "place.c"
#include "measure.c"
#include "listen.c"
#include "trace.c"
#include "bench.c"
#include "frames.c"
#include "ledger.c"
#include "witness.c"
#include "device.c"
#include "main.c"
