// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocates a block, and tells what was in the way.
 *
 * While an allocation runs, the kernel tells of each range that it tries, and of the
 * first page in it that could not be moved, in the task that allocates. So what it
 * tells belongs to the witness of that task, if there is one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/migrate_mode.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <trace/events/cma.h>
#include <trace/events/migrate.h>
#include <trace/events/page_isolation.h>

#include "cmatest.h"

#define CMATEST_WITNESS_ROOM	4096U

/**
 * struct cmatest_watch - an allocation that is watched
 * @list: in the list of all
 * @task: which makes it
 * @answer: where it is counted
 * @attempts: room for answer->room attempts
 * @attempt: the one that runs
 * @began_ns: when that began
 * @moving_ns: when pages began to be moved, or 0
 * @tested: whether it was looked for pages in the way
 * @finished: whether the kernel told the end
 * @error: what it said then
 */
struct cmatest_watch {
	struct list_head list;
	struct task_struct *task;
	struct cmatest_witness *answer;
	struct cmatest_attempt *attempts;
	struct cmatest_attempt attempt;
	u64 began_ns;
	u64 moving_ns;
	bool tested;
	bool finished;
	int error;
};

/* Mostly empty, or of few: those who are not watched look at the number alone. */
static LIST_HEAD(cmatest_watches);
static DEFINE_RAW_SPINLOCK(cmatest_watches_lock);
static atomic_t cmatest_watching = ATOMIC_INIT(0);

/* That of this task. Nobody else changes it, and it stays until this task ends it. */
static struct cmatest_watch *cmatest_watch_of_task(void)
{
	struct cmatest_watch *watch, *found = NULL;
	unsigned long flags;

	if (!atomic_read(&cmatest_watching) || !in_task())
		return NULL;
	raw_spin_lock_irqsave(&cmatest_watches_lock, flags);
	list_for_each_entry(watch, &cmatest_watches, list) {
		if (watch->task == current) {
			found = watch;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&cmatest_watches_lock, flags);
	return found;
}

static void cmatest_watch_begin(struct cmatest_watch *watch)
{
	unsigned long flags;

	watch->began_ns = ktime_get_ns();
	raw_spin_lock_irqsave(&cmatest_watches_lock, flags);
	list_add(&watch->list, &cmatest_watches);
	raw_spin_unlock_irqrestore(&cmatest_watches_lock, flags);
	atomic_inc(&cmatest_watching);
}

static void cmatest_watch_end(struct cmatest_watch *watch)
{
	unsigned long flags;

	atomic_dec(&cmatest_watching);
	raw_spin_lock_irqsave(&cmatest_watches_lock, flags);
	list_del(&watch->list);
	raw_spin_unlock_irqrestore(&cmatest_watches_lock, flags);
}

/* Counts the moves of the attempt that ends, and begins the next. */
static void cmatest_watch_next(struct cmatest_watch *watch, u64 now)
{
	struct cmatest_witness *answer = watch->answer;

	answer->migrated += watch->attempt.migrated;
	answer->unmigrated += watch->attempt.unmigrated;
	answer->migrate_ns += watch->attempt.migrate_ns;
	watch->attempt = (struct cmatest_attempt) { };
	watch->tested = false;
	watch->began_ns = now;
}

static void cmatest_watch_isolated(void *data, unsigned long start_pfn, unsigned long end_pfn,
				   unsigned long fin_pfn)
{
	struct cmatest_watch *watch = cmatest_watch_of_task();

	if (!watch)
		return;
	watch->tested = true;
	watch->attempt.in_the_way = fin_pfn < end_pfn ? fin_pfn : 0;
}

static void cmatest_watch_moving(void)
{
	struct cmatest_watch *watch = cmatest_watch_of_task();

	if (watch)
		watch->moving_ns = ktime_get_ns();
}

static void cmatest_watch_moved(unsigned long succeeded, unsigned long failed)
{
	struct cmatest_watch *watch = cmatest_watch_of_task();

	if (!watch)
		return;
	watch->attempt.migrated += succeeded;
	watch->attempt.unmigrated += failed;
	if (watch->moving_ns)
		watch->attempt.migrate_ns += ktime_get_ns() - watch->moving_ns;
	watch->moving_ns = 0;
}

/* An attempt has failed. */
static void cmatest_watch_retry(void *data, const char *name, unsigned long pfn,
				const struct page *page, unsigned long count, unsigned int align)
{
	struct cmatest_watch *watch = cmatest_watch_of_task();
	struct cmatest_witness *answer;
	u64 now;

	if (!watch)
		return;
	answer = watch->answer;
	now = ktime_get_ns();
	watch->attempt.pfn = pfn;
	watch->attempt.ns = now - watch->began_ns;
	answer->failed++;
	if (!watch->tested)
		answer->refused++;
	if (watch->attempt.in_the_way)
		answer->last_pfn = watch->attempt.in_the_way;
	if (answer->made < answer->room)
		watch->attempts[answer->made++] = watch->attempt;
	cmatest_watch_next(watch, now);
}

static void cmatest_watch_finish(int error)
{
	struct cmatest_watch *watch = cmatest_watch_of_task();

	if (!watch)
		return;
	watch->finished = true;
	watch->error = error;
}

static void cmatest_watch_finish_now(void *data, const char *name, unsigned long pfn,
				     const struct page *page, unsigned long count,
				     unsigned int align, int error)
{
	cmatest_watch_finish(error);
}

/*
 * The kinds of prototypes of the kernels 6.1, 6.12 and 7.2, and 7.3: a reason is an
 * int before.
 */
static void cmatest_watch_start_int(void *data, enum migrate_mode mode, int reason)
{
	if (reason == MR_CONTIG_RANGE)
		cmatest_watch_moving();
}

static void cmatest_watch_start_enum(void *data, enum migrate_mode mode,
				     enum migrate_reason reason)
{
	if (reason == MR_CONTIG_RANGE)
		cmatest_watch_moving();
}

static void cmatest_watch_moved_7(void *data, unsigned long succeeded, unsigned long failed,
				  unsigned long thp_succeeded, unsigned long thp_failed,
				  unsigned long thp_split, enum migrate_mode mode, int reason)
{
	if (reason == MR_CONTIG_RANGE)
		cmatest_watch_moved(succeeded, failed);
}

static void cmatest_watch_moved_8(void *data, unsigned long succeeded, unsigned long failed,
				  unsigned long thp_succeeded, unsigned long thp_failed,
				  unsigned long thp_split, unsigned long large_folio_split,
				  enum migrate_mode mode, int reason)
{
	if (reason == MR_CONTIG_RANGE)
		cmatest_watch_moved(succeeded, failed);
}

static void cmatest_watch_moved_8_enum(void *data, unsigned long succeeded, unsigned long failed,
				       unsigned long thp_succeeded, unsigned long thp_failed,
				       unsigned long thp_split, unsigned long large_folio_split,
				       enum migrate_mode mode, enum migrate_reason reason)
{
	if (reason == MR_CONTIG_RANGE)
		cmatest_watch_moved(succeeded, failed);
}

enum {
	CMATEST_WATCH_FINISH,
	CMATEST_WATCH_RETRY,
	CMATEST_WATCH_ISOLATED,
	CMATEST_WATCH_MOVED,
	CMATEST_WATCH_START,
};

static struct cmatest_trace cmatest_watch_traces[] = {
	[CMATEST_WATCH_FINISH] = { .name = "cma_alloc_finish" },
	[CMATEST_WATCH_RETRY] = { .name = "cma_alloc_busy_retry" },
	[CMATEST_WATCH_ISOLATED] = { .name = "test_pages_isolated" },
	[CMATEST_WATCH_MOVED] = { .name = "mm_migrate_pages" },
	[CMATEST_WATCH_START] = { .name = "mm_migrate_pages_start" },
	{ }
};

#define CMATEST_FOUR	unsigned long, unsigned long, unsigned long, unsigned long

/* Listens to what this kernel tells. */
void __init cmatest_witness_start(void)
{
	struct cmatest_trace *trace = cmatest_watch_traces;
	void *probe;

	trace[CMATEST_WATCH_FINISH].probe =
		CMATEST_PROBE_IF(cma_alloc_finish, cmatest_watch_finish_now, const char *,
				 unsigned long, const struct page *, unsigned long, unsigned int,
				 int);
	trace[CMATEST_WATCH_RETRY].probe =
		CMATEST_PROBE_IF(cma_alloc_busy_retry, cmatest_watch_retry, const char *,
				 unsigned long, const struct page *, unsigned long, unsigned int);
	trace[CMATEST_WATCH_ISOLATED].probe =
		CMATEST_PROBE_IF(test_pages_isolated, cmatest_watch_isolated, unsigned long,
				 unsigned long, unsigned long);

	probe = CMATEST_PROBE_IF(mm_migrate_pages_start, cmatest_watch_start_int,
				 enum migrate_mode, int);
	if (!probe)
		probe = CMATEST_PROBE_IF(mm_migrate_pages_start, cmatest_watch_start_enum,
					 enum migrate_mode, enum migrate_reason);
	trace[CMATEST_WATCH_START].probe = probe;

	probe = CMATEST_PROBE_IF(mm_migrate_pages, cmatest_watch_moved_7, CMATEST_FOUR,
				 unsigned long, enum migrate_mode, int);
	if (!probe)
		probe = CMATEST_PROBE_IF(mm_migrate_pages, cmatest_watch_moved_8, CMATEST_FOUR,
					 unsigned long, unsigned long, enum migrate_mode, int);
	if (!probe)
		probe = CMATEST_PROBE_IF(mm_migrate_pages, cmatest_watch_moved_8_enum,
					 CMATEST_FOUR, unsigned long, unsigned long,
					 enum migrate_mode, enum migrate_reason);
	trace[CMATEST_WATCH_MOVED].probe = probe;

	cmatest_traces_add(trace);
}

/* No request runs any more. */
void cmatest_witness_stop(void)
{
	cmatest_traces_remove(cmatest_watch_traces);
}

static u32 cmatest_witness_found(const struct cmatest_watch *watch)
{
	const struct cmatest_trace *trace = cmatest_watch_traces;
	u32 found = 0;

	if (trace[CMATEST_WATCH_FINISH].on && watch->finished)
		found |= CMATEST_WITNESS_HAS_ERROR;
	if (trace[CMATEST_WATCH_RETRY].on)
		found |= CMATEST_WITNESS_HAS_ATTEMPTS;
	if (trace[CMATEST_WATCH_MOVED].on && trace[CMATEST_WATCH_START].on)
		found |= CMATEST_WITNESS_HAS_MIGRATION;
	if (trace[CMATEST_WATCH_ISOLATED].on)
		found |= CMATEST_WITNESS_HAS_IN_THE_WAY;
	return found;
}

/*
 * Why there was no block. Without an attempt there was no hole, or the area is
 * smaller: the kernel's errno for these two is ENOMEM up to 7.2, EBUSY from 7.3 on.
 */
static u32 cmatest_witness_cause(const struct cmatest_witness *answer, int err)
{
	struct cma *cma = cmatest_area_get(answer->area);
	bool knows_size = cmatest_bound & CMATEST_BOUND_SIZE;

	if (!err)
		return CMATEST_CAUSE_NONE;
	if (knows_size && answer->count > cmatest_cma_size(cma) >> PAGE_SHIFT)
		return CMATEST_CAUSE_LARGER;
	if (!(answer->found & CMATEST_WITNESS_HAS_ATTEMPTS))
		return CMATEST_CAUSE_UNKNOWN;
	if (!answer->failed && answer->error && answer->error != ENOMEM && answer->error != EBUSY)
		return CMATEST_CAUSE_UNKNOWN;
	if (!answer->failed)
		return knows_size ? CMATEST_CAUSE_NO_HOLE : CMATEST_CAUSE_UNKNOWN;
	if (answer->found & CMATEST_WITNESS_HAS_IN_THE_WAY && answer->refused == answer->failed)
		return CMATEST_CAUSE_REFUSED;
	return CMATEST_CAUSE_IN_USE;
}

/* CMATEST_IOC_WITNESS: allocates, and tells what was in the way. */
int cmatest_witness_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_witness *answer = &arg->witness;
	void __user *user = u64_to_user_ptr(answer->attempts);
	struct cmatest_watch watch = { .task = current, .answer = answer };
	int err;

	if (answer->unused || answer->room > CMATEST_WITNESS_ROOM)
		return -EINVAL;
	if ((uintptr_t)user != answer->attempts)
		return -EFAULT;
	if (answer->room) {
		watch.attempts = kvmalloc_array(answer->room, sizeof(*watch.attempts),
						CMATEST_GFP);
		if (!watch.attempts)
			return -ENOBUFS;
	}
	answer->made = 0;
	answer->failed = 0;
	answer->refused = 0;
	answer->migrated = 0;
	answer->unmigrated = 0;
	answer->migrate_ns = 0;
	answer->last_pfn = 0;

	cmatest_watch_begin(&watch);
	err = cmatest_handle_alloc(file, arg);
	cmatest_watch_end(&watch);
	if (err && err != -ENOMEM)
		goto free;

	cmatest_watch_next(&watch, 0);
	answer->found = cmatest_witness_found(&watch);
	answer->error = -watch.error;
	answer->cause = cmatest_witness_cause(answer, err);
	if (copy_to_user(user, watch.attempts, answer->made * sizeof(*watch.attempts))) {
		if (!err)
			cmatest_handle_settle(file, arg, false);
		err = -EFAULT;
	}
free:
	kvfree(watch.attempts);
	return err;
}
