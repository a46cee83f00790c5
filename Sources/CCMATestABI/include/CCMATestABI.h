/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface of /dev/cmatest for Swift: the module's own header, and the number of each request,
 * since Swift cannot import the macros that make them.
 */
#ifndef CMA_TEST_CCMATESTABI_H
#define CMA_TEST_CCMATESTABI_H

#include <sys/ioctl.h>

#include "../../../src-kmod/uapi/cmatest.h"

#define CMATEST_REQUEST(name, number)						\
	static const unsigned long cmatest_request_##name = number;

CMATEST_REQUEST(info, CMATEST_IOC_INFO)
CMATEST_REQUEST(area, CMATEST_IOC_AREA)
CMATEST_REQUEST(alloc, CMATEST_IOC_ALLOC)
CMATEST_REQUEST(release, CMATEST_IOC_RELEASE)
CMATEST_REQUEST(block, CMATEST_IOC_BLOCK)
CMATEST_REQUEST(fill, CMATEST_IOC_FILL)
CMATEST_REQUEST(check, CMATEST_IOC_CHECK)
CMATEST_REQUEST(batch, CMATEST_IOC_BATCH)
CMATEST_REQUEST(probe, CMATEST_IOC_PROBE)
CMATEST_REQUEST(place, CMATEST_IOC_PLACE)
CMATEST_REQUEST(measure, CMATEST_IOC_MEASURE)
CMATEST_REQUEST(frames, CMATEST_IOC_FRAMES)
CMATEST_REQUEST(path, CMATEST_IOC_PATH)
CMATEST_REQUEST(entry, CMATEST_IOC_ENTRY)
CMATEST_REQUEST(witness, CMATEST_IOC_WITNESS)

#undef CMATEST_REQUEST

#endif
