// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole module as one translation unit, as kernel/sched/build_policy.c has
 * the scheduler's: the kernel's headers are most of what the compiler reads
 * here, and now reads once. DKMS builds this on users' boards, at each upgrade
 * of their kernel; it takes half the time.
 */
#include "area.c"
#include "batch.c"
#include "cma.c"
#include "device.c"
#ifdef CMATEST_FAULTS
#include "fault.c"
#endif
#include "filled.c"
#include "handle.c"
#include "hold.c"
#include "link.c"
#include "main.c"
#include "pattern.c"
#include "probe.c"
#include "symbol.c"
