/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The faults of cmatest_fault.ko, and their numbers in cmatest_info.fault. The
 * parameter "fault" has these names in lower case, with hyphens.
 */
#ifndef FAULT_H
#define FAULT_H

#define CMATEST_FAULT_NONE		0
#define CMATEST_FAULT_LEAK		1	/* cma_release() keeps the last page */
#define CMATEST_FAULT_MISALIGN		2	/* cma_alloc() gives blocks that start one page late */
#define CMATEST_FAULT_OVERLAP		3	/* all blocks share the memory of their first page */
#define CMATEST_FAULT_WRONG_RELEASE	4	/* cma_release() accepts a foreign page */
#define CMATEST_FAULT_CORRUPT		5	/* a bit flips in the middle of what FILL wrote */
#define CMATEST_FAULT_STALE_ACCOUNTING	6	/* the page counts of INFO stand still */
#define CMATEST_FAULT_REFUSED_RELEASE	7	/* cma_release() says that it refused the pages */
#define CMATEST_FAULT_RELEASED_TWICE	8	/* RELEASE accepts a handle that is gone */
#define CMATEST_FAULT_SHARED		9	/* BLOCK has one unshared page less */
#define CMATEST_FAULT_OTHER_ZONE	10	/* BLOCK has one page less in the zone */
#define CMATEST_FAULT_OUTSIDE		11	/* BLOCK has one page less inside */
#define CMATEST_FAULT_OTHER_COUNT	12	/* BLOCK has one page more */
#define CMATEST_FAULT_OTHER_FRAME	13	/* BLOCK starts one page late */
#define CMATEST_FAULT_SAME_PLACE	14	/* ALLOC says where the block before is */
#define CMATEST_FAULT_ZERO_PAGES	15	/* cma_alloc() gives a block of no pages */
#define CMATEST_FAULT_PASSED_ZERO	16	/* ALLOC passes a request for no pages on */
#define CMATEST_FAULT_REFUSED_BATCH	17	/* cma_release() says so once in a BATCH */
#define CMATEST_FAULT_DELAY		18	/* each 100th cma_alloc() takes 5 ms longer */
#define CMATEST_FAULT_STALL		19	/* the 20th cma_alloc() takes 2 s longer */
#define CMATEST_FAULT_NO_PAGE_CACHE	20	/* PLACE has no memory for the page cache of a file */

#endif
