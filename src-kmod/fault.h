/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Deliberate faults, to prove that the tests find them: see fault.c.
 *
 * Without CMATEST_FAULTS=1, so in every package, each of these is a constant or
 * nothing, and the module has no parameter for them.
 */
#ifndef CMATEST_FAULT_H
#define CMATEST_FAULT_H

#include <linux/types.h>

#include "uapi/cmatest.h"

struct cmatest_pages;
struct page;
union cmatest_arg;

#ifdef CMATEST_FAULTS

int cmatest_fault_start(void);
void cmatest_fault_stop(void);
unsigned int cmatest_fault_kind(void);
unsigned long cmatest_fault_lead(void);
void cmatest_fault_leak(struct cmatest_pages *pages);
struct page *cmatest_fault_page(struct page *page, unsigned long index);
void cmatest_fault_corrupt(const struct cmatest_pages *pages, u64 offset, u64 length);
int cmatest_fault_answer(unsigned int cmd, int err, union cmatest_arg *arg);

#else

static inline int cmatest_fault_start(void)
{
	return 0;
}

static inline void cmatest_fault_stop(void)
{
}

static inline unsigned int cmatest_fault_kind(void)
{
	return CMATEST_FAULT_NONE;
}

static inline unsigned long cmatest_fault_lead(void)
{
	return 0;
}

static inline void cmatest_fault_leak(struct cmatest_pages *pages)
{
}

static inline struct page *cmatest_fault_page(struct page *page, unsigned long index)
{
	return page;
}

static inline void cmatest_fault_corrupt(const struct cmatest_pages *pages, u64 offset, u64 length)
{
}

static inline int cmatest_fault_answer(unsigned int cmd, int err, union cmatest_arg *arg)
{
	return err;
}

#endif
#endif
