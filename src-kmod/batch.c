// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many allocations in one request, each released at once, with their times.
 *
 * Only these two calls are timed. Nothing is allocated for a pair: the times
 * wait on the stack and are copied to the caller a chunk at a time.
 */
#include "cmatest.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#define CHUNK 64

static u32 saturated(u64 ns)
{
	return min_t(u64, ns, CMATEST_NS_MAX);
}

/* Return: 0, or -EINTR if there was no pair because this task is to die. */
static int run_pair(struct cmatest_batch *batch, struct cma *cma, struct cmatest_times *times)
{
	struct cmatest_pages pages;
	u64 ns;
	int err;

	/* Without a word: to log a failure takes longer than to fail. */
	err = cmatest_cma_alloc(cma, batch->count, batch->order, true, &pages);
	if (err == -EINTR)
		return err;

	times->alloc_ns = saturated(pages.alloc_ns);
	times->release_ns = CMATEST_NS_NONE;
	if (err) {
		batch->failed++;
		return 0;
	}
	if (!cmatest_cma_release(&pages, &ns))
		batch->refused++;
	times->release_ns = saturated(ns);
	return 0;
}

/**
 * cmatest_batch_run() - CMATEST_IOC_BATCH
 * @file: the open file
 * @arg: the argument
 *
 * Return: 0 or an error, see struct cmatest_batch.
 */
int cmatest_batch_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_batch *batch = &arg->batch;
	struct cmatest_times __user *user;
	struct cmatest_times times[CHUNK];
	unsigned int pending = 0;
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
	while (batch->done < batch->pairs) {
		if (signal_pending(current) || run_pair(batch, cma, &times[pending]))
			break;
		batch->done++;
		if (++pending == CHUNK || batch->done == batch->pairs) {
			if (copy_to_user(user, times, pending * sizeof(*times)))
				goto fault;
			user += pending;
			pending = 0;
		}
		cond_resched();
	}
	/* What there was before a signal. */
	if (copy_to_user(user, times, pending * sizeof(*times)))
		goto fault;

	cmatest_uncharge(batch->area, batch->count);
	return batch->done ? 0 : -ERESTARTSYS;

fault:
	cmatest_uncharge(batch->area, batch->count);
	return -EFAULT;
}
