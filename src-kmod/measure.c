// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes the times of many allocations, and makes calls that must fail.
 *
 * What is measured here is one call of cma_alloc() and one of cma_release(). No
 * memory is allocated between the two of them, or between two pairs.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "cmatest.h"

/* Times that wait on the stack until they are copied to the caller. */
#define CMATEST_BATCH_CHUNK	64

static u32 cmatest_saturated_ns(u64 ns)
{
	return min_t(u64, ns, CMATEST_NS_MAX);
}

/* 0, or -EINTR if there was no pair because this task is being killed. */
static int cmatest_batch_pair(struct cmatest_batch *batch, struct cma *cma,
			      struct cmatest_times *times)
{
	struct cmatest_pages pages;
	u64 ns;
	int err;

	/* To log a failure takes longer than to fail. */
	err = cmatest_cma_alloc(cma, batch->count, batch->order, true, &pages);
	if (err == -EINTR)
		return err;

	times->alloc_ns = cmatest_saturated_ns(pages.alloc_ns);
	times->release_ns = CMATEST_NS_NONE;
	if (err) {
		batch->failed++;
		return 0;
	}
	if (!cmatest_cma_release(&pages, &ns))
		batch->refused++;
	times->release_ns = cmatest_saturated_ns(ns);
	return 0;
}

/* 0, or -EFAULT. A signal ends the pairs early. */
static int cmatest_batch_pairs(struct cmatest_batch *batch, struct cma *cma,
			       struct cmatest_times __user *user)
{
	struct cmatest_times times[CMATEST_BATCH_CHUNK];
	unsigned int pending = 0;

	while (batch->done < batch->pairs) {
		if (signal_pending(current) || cmatest_batch_pair(batch, cma, &times[pending]))
			break;
		batch->done++;
		if (++pending == CMATEST_BATCH_CHUNK) {
			if (copy_to_user(user, times, sizeof(times)))
				return -EFAULT;
			user += pending;
			pending = 0;
		}
		cond_resched();
	}
	return copy_to_user(user, times, pending * sizeof(*times)) ? -EFAULT : 0;
}

/* CMATEST_IOC_BATCH: allocates a block and releases it, many times. */
int cmatest_batch_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_batch *batch = &arg->batch;
	struct cmatest_times __user *user;
	struct cma *cma;
	int err;

	if (batch->unused || !batch->pairs || batch->pairs > CMATEST_MAX_PAIRS)
		return -EINVAL;
	err = cmatest_request_check(batch->area, batch->count, batch->order, &cma);
	if (err)
		return err;
	user = u64_to_user_ptr(batch->times);
	if ((uintptr_t)user != batch->times)
		return -EFAULT;
	err = cmatest_charge(batch->area, batch->count);
	if (err)
		return err;

	batch->done = 0;
	batch->failed = 0;
	batch->refused = 0;
	err = cmatest_batch_pairs(batch, cma, user);
	cmatest_uncharge(batch->area, batch->count);
	if (!err && !batch->done)
		err = -ERESTARTSYS;
	return err;
}

/* The allocator must refuse a page that is of no area. */
static int cmatest_probe_foreign_page(struct cma *cma, struct cmatest_probe *probe)
{
	/* GFP_KERNEL memory cannot be moved, so it is never from an area. */
	struct page *page = alloc_page(GFP_KERNEL);
	bool refused;

	if (!page)
		return -ENOBUFS;

	probe->pfn = page_to_pfn(page);
	refused = !cmatest_cma_offer(cma, page, 1, &probe->ns);
	/* Otherwise the allocator has freed the page. */
	if (refused)
		__free_page(page);
	probe->refused = refused;
	return 0;
}

/* The allocator must refuse a request for no pages. */
static int cmatest_probe_no_pages(struct cma *cma, struct cmatest_probe *probe)
{
	struct cmatest_pages pages;
	u64 ns;

	probe->refused = cmatest_cma_alloc(cma, 0, 0, true, &pages) != 0;
	probe->ns = pages.alloc_ns;
	if (!probe->refused) {
		probe->pfn = page_to_pfn(pages.first);
		cmatest_cma_release(&pages, &ns);
	}
	return 0;
}

/*
 * CMATEST_IOC_PROBE: makes a wrong call. Only those that the allocator checks for
 * and survives: pages that are released twice, or that end behind an area, are
 * not among them.
 */
int cmatest_probe_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_probe *probe = &arg->probe;
	struct cma *cma = cmatest_area_get(probe->area);

	if (!cma)
		return -ENOENT;

	probe->pfn = 0;
	switch (probe->kind) {
	case CMATEST_PROBE_FOREIGN_PAGE:
		return cmatest_probe_foreign_page(cma, probe);
	case CMATEST_PROBE_NO_PAGES:
		return cmatest_probe_no_pages(cma, probe);
	default:
		return -EINVAL;
	}
}
