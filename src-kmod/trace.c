// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts what the kernel does for the allocations of a task: ranges that it tries
 * in vain, and pages that it moves away.
 *
 * The kernel tells both by tracepoints. The probes stay from the first measurement
 * of an open file until that file is closed, and no longer: a probe costs every
 * caller of the allocator a little, and to add or remove one changes the kernel's
 * code under all processors, which must not come between two measurements.
 *
 * Where the kernel has no such tracepoint, or one with other arguments than those
 * known here, that is not counted, and nothing else changes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compiler.h>
#include <linux/hashtable.h>
#include <linux/kernel.h>
#include <linux/migrate_mode.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/tracepoint.h>

#include "cmatest.h"

#ifdef CONFIG_TRACEPOINTS

#include <trace/events/cma.h>
#include <trace/events/migrate.h>
#include <trace/events/page_isolation.h>

/* The tasks that measure. Readers are in RCU sections, writers have the lock. */
static DEFINE_HASHTABLE(cmatest_watches, 6);
static DEFINE_SPINLOCK(cmatest_watches_lock);

static DEFINE_MUTEX(cmatest_probes_lock);
static unsigned int cmatest_probes_users;
static unsigned int cmatest_probes_found;

/*
 * NULL if this task does not measure. No task but the one it is of looks into a
 * watch, so it stays after the RCU section.
 */
static notrace struct cmatest_watch *cmatest_watch_current(void)
{
	struct cmatest_watch *watch, *found = NULL;

	rcu_read_lock();
	hash_for_each_possible_rcu(cmatest_watches, watch, node, (unsigned long)current) {
		if (watch->task == current) {
			found = watch;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

static notrace void cmatest_on_retry(void *data, const char *name, unsigned long pfn,
				     const struct page *page, unsigned long count,
				     unsigned int align)
{
	struct cmatest_watch *watch = cmatest_watch_current();

	if (watch) {
		watch->tried = true;
		watch->retries++;
	}
}

static notrace void cmatest_on_isolated(void *data, unsigned long start_pfn,
					unsigned long end_pfn, unsigned long fin_pfn)
{
	struct cmatest_watch *watch = cmatest_watch_current();

	if (watch) {
		watch->tried = true;
		if (fin_pfn < end_pfn)
			watch->pfn = fin_pfn;
	}
}

static notrace void cmatest_on_migrated(unsigned long succeeded, unsigned long failed, int reason)
{
	struct cmatest_watch *watch;

	if (reason != MR_CONTIG_RANGE)
		return;
	watch = cmatest_watch_current();
	if (watch) {
		watch->tried = true;
		watch->migrated += succeeded;
		watch->unmigrated += failed;
	}
}

/* A probe must have the very types of its tracepoint, not just such of the same size. */
static notrace void cmatest_on_migrated_7(void *data, unsigned long succeeded,
					  unsigned long failed, unsigned long thp_succeeded,
					  unsigned long thp_failed, unsigned long thp_split,
					  enum migrate_mode mode, int reason)
{
	cmatest_on_migrated(succeeded, failed, reason);
}

static notrace void cmatest_on_migrated_8(void *data, unsigned long succeeded,
					  unsigned long failed, unsigned long thp_succeeded,
					  unsigned long thp_failed, unsigned long thp_split,
					  unsigned long large_folio_split,
					  enum migrate_mode mode, int reason)
{
	cmatest_on_migrated(succeeded, failed, reason);
}

static notrace void cmatest_on_migrated_8_enum(void *data, unsigned long succeeded,
					       unsigned long failed, unsigned long thp_succeeded,
					       unsigned long thp_failed, unsigned long thp_split,
					       unsigned long large_folio_split,
					       enum migrate_mode mode, enum migrate_reason reason)
{
	cmatest_on_migrated(succeeded, failed, reason);
}

static struct cmatest_trace cmatest_traces[] = {
	{ "cma_alloc_busy_retry",
	  CMATEST_IF_TAKEN(cma_alloc_busy_retry, cmatest_on_retry, NULL),
	  CMATEST_MEASURE_HAS_RETRIES },
	{ "mm_migrate_pages",
	  CMATEST_IF_TAKEN(mm_migrate_pages, cmatest_on_migrated_8_enum,
	  CMATEST_IF_TAKEN(mm_migrate_pages, cmatest_on_migrated_8,
	  CMATEST_IF_TAKEN(mm_migrate_pages, cmatest_on_migrated_7, NULL))),
	  CMATEST_MEASURE_HAS_MIGRATED },
	{ "test_pages_isolated",
	  CMATEST_IF_TAKEN(test_pages_isolated, cmatest_on_isolated, NULL) },
};

/**
 * cmatest_probes_use() - have the kernel's events counted
 * @uses: whether the caller uses them already; true afterwards
 *
 * Return: CMATEST_MEASURE_HAS_* of what is counted.
 */
u32 cmatest_probes_use(bool *uses)
{
	u32 found;

	mutex_lock(&cmatest_probes_lock);
	if (!*uses && !cmatest_probes_users++)
		cmatest_probes_found = cmatest_listen(cmatest_traces, ARRAY_SIZE(cmatest_traces));
	*uses = true;
	found = cmatest_probes_found;
	mutex_unlock(&cmatest_probes_lock);
	return found;
}

/* Ends what cmatest_probes_use() began, if it did. */
void cmatest_probes_unuse(bool *uses)
{
	mutex_lock(&cmatest_probes_lock);
	if (*uses && !--cmatest_probes_users)
		cmatest_listen_no_more(cmatest_traces, ARRAY_SIZE(cmatest_traces));
	*uses = false;
	mutex_unlock(&cmatest_probes_lock);
}

/* Has the events of this task counted in a watch, from kzalloc(), which has no other yet. */
void cmatest_watch_begin(struct cmatest_watch *watch)
{
	watch->task = current;
	spin_lock(&cmatest_watches_lock);
	hash_add_rcu(cmatest_watches, &watch->node, (unsigned long)current);
	spin_unlock(&cmatest_watches_lock);
}

/* Other tasks may still walk past the watch, so it is freed later. */
void cmatest_watch_end(struct cmatest_watch *watch)
{
	spin_lock(&cmatest_watches_lock);
	hash_del_rcu(&watch->node);
	spin_unlock(&cmatest_watches_lock);
	kfree_rcu(watch, rcu);
}

#else

u32 cmatest_probes_use(bool *uses)
{
	return 0;
}

void cmatest_probes_unuse(bool *uses)
{
}

void cmatest_watch_begin(struct cmatest_watch *watch)
{
}

void cmatest_watch_end(struct cmatest_watch *watch)
{
	kfree(watch);
}

#endif
