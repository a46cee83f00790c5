// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts what the kernel does for the allocations of one task, as its own
 * tracepoints tell: ranges that were tried in vain, pages that were moved away.
 *
 * The probes are registered by the first measurement and stay until the module is
 * removed: to remove them takes a grace period, which is longer than a measurement
 * can be. They run for migrations and allocations alone, and find within
 * nanoseconds that the task is none that measures.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hashtable.h>
#include <linux/kconfig.h>
#include <linux/kernel.h>
#include <linux/migrate_mode.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <trace/events/cma.h>
#include <trace/events/migrate.h>
#include <trace/events/page_isolation.h>

#include "cmatest.h"

static DEFINE_HASHTABLE(cmatest_watches, 6);
static DEFINE_SPINLOCK(cmatest_watches_lock);	/* taken to change the table */

/* That of the current task, or NULL. The caller is in an RCU read section. */
static struct cmatest_watch *cmatest_watch_current(void)
{
	struct cmatest_watch *watch;

	hash_for_each_possible_rcu(cmatest_watches, watch, node, (unsigned long)current) {
		if (watch->task == current)
			return watch;
	}
	return NULL;
}

static void cmatest_on_busy_retry(void *data, const char *name, unsigned long pfn,
				  const struct page *page, unsigned long count, unsigned int align)
{
	struct cmatest_watch *watch;

	rcu_read_lock();
	watch = cmatest_watch_current();
	if (watch) {
		watch->seen.tries++;
		watch->seen.retries++;
	}
	rcu_read_unlock();
}

static void cmatest_on_isolated(void *data, unsigned long start_pfn, unsigned long end_pfn,
				unsigned long fin_pfn)
{
	struct cmatest_watch *watch;

	rcu_read_lock();
	watch = cmatest_watch_current();
	if (watch) {
		watch->seen.tries++;
		if (fin_pfn < end_pfn)
			watch->seen.pfn = fin_pfn;
	}
	rcu_read_unlock();
}

static void cmatest_count_migrated(unsigned long succeeded, unsigned long failed, int reason)
{
	struct cmatest_watch *watch;

	if (reason != MR_CONTIG_RANGE)
		return;
	rcu_read_lock();
	watch = cmatest_watch_current();
	if (watch) {
		watch->seen.tries++;
		watch->seen.migrated += succeeded;
		watch->seen.unmigrated += failed;
	}
	rcu_read_unlock();
}

/* From 7.3 on. */
static void cmatest_on_migrate(void *data, unsigned long succeeded, unsigned long failed,
			       unsigned long thp_succeeded, unsigned long thp_failed,
			       unsigned long thp_split, unsigned long large_folio_split,
			       enum migrate_mode mode, enum migrate_reason reason)
{
	cmatest_count_migrated(succeeded, failed, reason);
}

static void cmatest_on_migrate_int(void *data, unsigned long succeeded, unsigned long failed,
				   unsigned long thp_succeeded, unsigned long thp_failed,
				   unsigned long thp_split, unsigned long large_folio_split,
				   enum migrate_mode mode, int reason)
{
	cmatest_count_migrated(succeeded, failed, reason);
}

/* Before 6.7. */
static void cmatest_on_migrate_thp(void *data, unsigned long succeeded, unsigned long failed,
				   unsigned long thp_succeeded, unsigned long thp_failed,
				   unsigned long thp_split, enum migrate_mode mode, int reason)
{
	cmatest_count_migrated(succeeded, failed, reason);
}

/* Whether an event calls its probes as this one wants to be called. */
#define CMATEST_FITS(event, probe)						\
	__builtin_types_compatible_p(typeof(check_trace_callback_type_##event),	\
				     void (typeof(&(probe))))

/* The probe that fits, or NULL. */
#define CMATEST_FITTING(event, probe) (CMATEST_FITS(event, probe) ? (void *)(probe) : NULL)

/**
 * struct cmatest_event - a tracepoint, and what is called there
 * @name: its name
 * @probe: NULL where this kernel passes other things than are known here
 * @tracepoint: where it was found; NULL where there is none of this name
 */
struct cmatest_event {
	const char *name;
	void *probe;
	struct tracepoint *tracepoint;
};

enum { CMATEST_EVENT_RETRY, CMATEST_EVENT_ISOLATED, CMATEST_EVENT_MIGRATE, CMATEST_EVENTS };

static struct cmatest_event cmatest_events[CMATEST_EVENTS];
static DEFINE_MUTEX(cmatest_events_lock);
static bool cmatest_events_tried;
static u32 cmatest_events_found;	/* CMATEST_MEASURE_HAS_* */

static void cmatest_event_find(struct tracepoint *tracepoint, void *data)
{
	int i;

	for (i = 0; i < CMATEST_EVENTS; i++) {
		if (!strcmp(tracepoint->name, cmatest_events[i].name))
			cmatest_events[i].tracepoint = tracepoint;
	}
}

static bool cmatest_event_register(struct cmatest_event *event)
{
	if (!event->tracepoint || !event->probe)
		return false;
	if (!tracepoint_probe_register(event->tracepoint, event->probe, NULL))
		return true;
	event->tracepoint = NULL;
	return false;
}

static void cmatest_events_register(void)
{
	bool retry, isolated, migrate;

	cmatest_events[CMATEST_EVENT_RETRY] = (struct cmatest_event) {
		.name = "cma_alloc_busy_retry",
		.probe = CMATEST_FITTING(cma_alloc_busy_retry, cmatest_on_busy_retry),
	};
	cmatest_events[CMATEST_EVENT_ISOLATED] = (struct cmatest_event) {
		.name = "test_pages_isolated",
		.probe = CMATEST_FITTING(test_pages_isolated, cmatest_on_isolated),
	};
	cmatest_events[CMATEST_EVENT_MIGRATE] = (struct cmatest_event) {
		.name = "mm_migrate_pages",
		.probe = CMATEST_FITTING(mm_migrate_pages, cmatest_on_migrate) ?:
			 CMATEST_FITTING(mm_migrate_pages, cmatest_on_migrate_int) ?:
			 CMATEST_FITTING(mm_migrate_pages, cmatest_on_migrate_thp),
	};
	for_each_kernel_tracepoint(cmatest_event_find, NULL);
	retry = cmatest_event_register(&cmatest_events[CMATEST_EVENT_RETRY]);
	isolated = cmatest_event_register(&cmatest_events[CMATEST_EVENT_ISOLATED]);
	migrate = cmatest_event_register(&cmatest_events[CMATEST_EVENT_MIGRATE]);

	/* Without all three, a failure of which none is told may have tried a range. */
	if (retry && isolated && migrate)
		cmatest_events_found |= CMATEST_MEASURE_HAS_RETRIES;
	if (migrate)
		cmatest_events_found |= CMATEST_MEASURE_HAS_MIGRATED;
}

/**
 * cmatest_watch_begin() - count what the kernel does for the current task
 *
 * Return: the counts, to be ended by the same task; NULL if there is no memory.
 */
struct cmatest_watch *cmatest_watch_begin(void)
{
	struct cmatest_watch *watch = kzalloc(sizeof(*watch), CMATEST_GFP);

	if (!watch)
		return NULL;
	mutex_lock(&cmatest_events_lock);
	if (IS_ENABLED(CONFIG_TRACEPOINTS) && !cmatest_events_tried)
		cmatest_events_register();
	cmatest_events_tried = true;
	watch->found = cmatest_events_found;
	mutex_unlock(&cmatest_events_lock);

	watch->task = current;
	spin_lock(&cmatest_watches_lock);
	hash_add_rcu(cmatest_watches, &watch->node, (unsigned long)current);
	spin_unlock(&cmatest_watches_lock);
	return watch;
}

/* Ends the counts, which may be NULL. */
void cmatest_watch_end(struct cmatest_watch *watch)
{
	if (!watch)
		return;
	spin_lock(&cmatest_watches_lock);
	hash_del_rcu(&watch->node);
	spin_unlock(&cmatest_watches_lock);
	/* A probe of another task can be passing by. */
	kfree_rcu(watch, rcu);
}

/* Removes the probes, and waits until none of them runs. No measurement is under way. */
void cmatest_watch_exit(void)
{
	int i;

	for (i = 0; i < CMATEST_EVENTS; i++) {
		if (cmatest_events[i].tracepoint && cmatest_events[i].probe)
			tracepoint_probe_unregister(cmatest_events[i].tracepoint,
						    cmatest_events[i].probe, NULL);
	}
	if (cmatest_events_tried)
		tracepoint_synchronize_unregister();
	/* What kfree_rcu() has queued frees by the slab allocator alone. */
}
