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
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/migrate_mode.h>
#include <linux/mutex.h>
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
 * struct cmatest_inquiry - an allocation whose failures are told
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
struct cmatest_inquiry {
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

/* Mostly empty, or of few: those whose are not told look at the number alone. */
static LIST_HEAD(cmatest_inquiries);
static DEFINE_RAW_SPINLOCK(cmatest_inquiries_lock);
static atomic_t cmatest_inquiring = ATOMIC_INIT(0);

/* That of this task. Nobody else changes it, and it stays until this task ends it. */
static struct cmatest_inquiry *cmatest_inquiry_of_task(void)
{
	struct cmatest_inquiry *inquiry, *found = NULL;
	unsigned long flags;

	if (!atomic_read(&cmatest_inquiring) || !in_task())
		return NULL;
	raw_spin_lock_irqsave(&cmatest_inquiries_lock, flags);
	list_for_each_entry(inquiry, &cmatest_inquiries, list) {
		if (inquiry->task == current) {
			found = inquiry;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&cmatest_inquiries_lock, flags);
	return found;
}

static void cmatest_inquiry_begin(struct cmatest_inquiry *inquiry)
{
	unsigned long flags;

	inquiry->began_ns = ktime_get_ns();
	raw_spin_lock_irqsave(&cmatest_inquiries_lock, flags);
	list_add(&inquiry->list, &cmatest_inquiries);
	raw_spin_unlock_irqrestore(&cmatest_inquiries_lock, flags);
	atomic_inc(&cmatest_inquiring);
}

static void cmatest_inquiry_end(struct cmatest_inquiry *inquiry)
{
	unsigned long flags;

	atomic_dec(&cmatest_inquiring);
	raw_spin_lock_irqsave(&cmatest_inquiries_lock, flags);
	list_del(&inquiry->list);
	raw_spin_unlock_irqrestore(&cmatest_inquiries_lock, flags);
}

/* Counts the moves of the attempt that ends, and begins the next. */
static void cmatest_inquiry_next(struct cmatest_inquiry *inquiry, u64 now)
{
	struct cmatest_witness *answer = inquiry->answer;

	answer->migrated += inquiry->attempt.migrated;
	answer->unmigrated += inquiry->attempt.unmigrated;
	answer->migrate_ns += inquiry->attempt.migrate_ns;
	inquiry->attempt = (struct cmatest_attempt) { };
	inquiry->tested = false;
	inquiry->began_ns = now;
}

static void cmatest_inquiry_isolated(void *data, unsigned long start_pfn, unsigned long end_pfn,
				   unsigned long fin_pfn)
{
	struct cmatest_inquiry *inquiry = cmatest_inquiry_of_task();

	if (!inquiry)
		return;
	inquiry->tested = true;
	inquiry->attempt.in_the_way = fin_pfn < end_pfn ? fin_pfn : 0;
}

static void cmatest_inquiry_moving(void)
{
	struct cmatest_inquiry *inquiry = cmatest_inquiry_of_task();

	if (inquiry)
		inquiry->moving_ns = ktime_get_ns();
}

static void cmatest_inquiry_moved(unsigned long succeeded, unsigned long failed)
{
	struct cmatest_inquiry *inquiry = cmatest_inquiry_of_task();

	if (!inquiry)
		return;
	inquiry->attempt.migrated += succeeded;
	inquiry->attempt.unmigrated += failed;
	if (inquiry->moving_ns)
		inquiry->attempt.migrate_ns += ktime_get_ns() - inquiry->moving_ns;
	inquiry->moving_ns = 0;
}

/* An attempt has failed. */
static void cmatest_inquiry_retry(void *data, const char *name, unsigned long pfn,
				const struct page *page, unsigned long count, unsigned int align)
{
	struct cmatest_inquiry *inquiry = cmatest_inquiry_of_task();
	struct cmatest_witness *answer;
	u64 now;

	if (!inquiry)
		return;
	answer = inquiry->answer;
	now = ktime_get_ns();
	inquiry->attempt.pfn = pfn;
	inquiry->attempt.ns = now - inquiry->began_ns;
	answer->failed++;
	if (!inquiry->tested)
		answer->refused++;
	if (inquiry->attempt.in_the_way)
		answer->last_pfn = inquiry->attempt.in_the_way;
	if (answer->made < answer->room)
		inquiry->attempts[answer->made++] = inquiry->attempt;
	cmatest_inquiry_next(inquiry, now);
}

static void cmatest_inquiry_finish(void *data, const char *name, unsigned long pfn,
				 const struct page *page, unsigned long count,
				 unsigned int align, int error)
{
	struct cmatest_inquiry *inquiry = cmatest_inquiry_of_task();

	if (!inquiry)
		return;
	inquiry->finished = true;
	inquiry->error = error;
}

/*
 * The kinds of prototypes of the kernels 6.1, 6.12 and 7.2, and 7.3: a reason is an
 * int before.
 */
static void cmatest_inquiry_start_int(void *data, enum migrate_mode mode, int reason)
{
	if (reason == MR_CONTIG_RANGE)
		cmatest_inquiry_moving();
}

static void cmatest_inquiry_start_enum(void *data, enum migrate_mode mode,
				     enum migrate_reason reason)
{
	if (reason == MR_CONTIG_RANGE)
		cmatest_inquiry_moving();
}

static void cmatest_inquiry_moved_7(void *data, unsigned long succeeded, unsigned long failed,
				  unsigned long thp_succeeded, unsigned long thp_failed,
				  unsigned long thp_split, enum migrate_mode mode, int reason)
{
	if (reason == MR_CONTIG_RANGE)
		cmatest_inquiry_moved(succeeded, failed);
}

static void cmatest_inquiry_moved_8(void *data, unsigned long succeeded, unsigned long failed,
				  unsigned long thp_succeeded, unsigned long thp_failed,
				  unsigned long thp_split, unsigned long large_folio_split,
				  enum migrate_mode mode, int reason)
{
	if (reason == MR_CONTIG_RANGE)
		cmatest_inquiry_moved(succeeded, failed);
}

static void cmatest_inquiry_moved_8_enum(void *data, unsigned long succeeded, unsigned long failed,
				       unsigned long thp_succeeded, unsigned long thp_failed,
				       unsigned long thp_split, unsigned long large_folio_split,
				       enum migrate_mode mode, enum migrate_reason reason)
{
	if (reason == MR_CONTIG_RANGE)
		cmatest_inquiry_moved(succeeded, failed);
}

static struct cmatest_trace cmatest_inquiry_traces[] = {
	{ "cma_alloc_finish",
	  CMATEST_IF_TAKEN(cma_alloc_finish, cmatest_inquiry_finish, NULL),
	  CMATEST_WITNESS_HAS_ERROR },
	{ "cma_alloc_busy_retry",
	  CMATEST_IF_TAKEN(cma_alloc_busy_retry, cmatest_inquiry_retry, NULL),
	  CMATEST_WITNESS_HAS_ATTEMPTS },
	{ "test_pages_isolated",
	  CMATEST_IF_TAKEN(test_pages_isolated, cmatest_inquiry_isolated, NULL),
	  CMATEST_WITNESS_HAS_IN_THE_WAY },
	{ "mm_migrate_pages",
	  CMATEST_IF_TAKEN(mm_migrate_pages, cmatest_inquiry_moved_8_enum,
	  CMATEST_IF_TAKEN(mm_migrate_pages, cmatest_inquiry_moved_8,
	  CMATEST_IF_TAKEN(mm_migrate_pages, cmatest_inquiry_moved_7, NULL))),
	  CMATEST_WITNESS_HAS_MIGRATION },
	{ "mm_migrate_pages_start",
	  CMATEST_IF_TAKEN(mm_migrate_pages_start, cmatest_inquiry_start_enum,
	  CMATEST_IF_TAKEN(mm_migrate_pages_start, cmatest_inquiry_start_int, NULL)) },
};

static DEFINE_MUTEX(cmatest_witness_lock);
static unsigned int cmatest_witness_users;
static unsigned int cmatest_witness_told;

/*
 * Has the kernel tell from the first request of an open file until that is closed: it
 * costs every allocation a little. Returns what it tells, as CMATEST_WITNESS_HAS_*.
 */
static unsigned int cmatest_witness_use(bool *uses)
{
	unsigned int told;

	mutex_lock(&cmatest_witness_lock);
	if (!*uses && !cmatest_witness_users++)
		cmatest_witness_told = cmatest_listen(cmatest_inquiry_traces,
						      ARRAY_SIZE(cmatest_inquiry_traces));
	*uses = true;
	told = cmatest_witness_told;
	mutex_unlock(&cmatest_witness_lock);
	return told;
}

/**
 * cmatest_witness_unuse() - end what the requests of an open file began
 * @uses: whether there were any; false afterwards
 */
void cmatest_witness_unuse(bool *uses)
{
	mutex_lock(&cmatest_witness_lock);
	if (*uses && !--cmatest_witness_users)
		cmatest_listen_no_more(cmatest_inquiry_traces,
				       ARRAY_SIZE(cmatest_inquiry_traces));
	*uses = false;
	mutex_unlock(&cmatest_witness_lock);
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
	/*
	 * Any other error than EBUSY ends cma_alloc() at once, and moving pages can
	 * fail for want of memory alone. After an attempt ENOMEM is not that of an
	 * area without a hole.
	 */
	if (answer->error == ENOMEM && (answer->failed || answer->migrated || answer->unmigrated))
		return CMATEST_CAUSE_NO_MEMORY;
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
	struct cmatest_inquiry inquiry = { .task = current, .answer = answer };
	unsigned int told;
	int err;

	if (answer->unused || answer->room > CMATEST_WITNESS_ROOM)
		return -EINVAL;
	if ((uintptr_t)user != answer->attempts)
		return -EFAULT;
	if (answer->room) {
		inquiry.attempts = kvmalloc_array(answer->room, sizeof(*inquiry.attempts),
						CMATEST_GFP);
		if (!inquiry.attempts)
			return -ENOBUFS;
	}
	answer->made = 0;
	answer->failed = 0;
	answer->refused = 0;
	answer->migrated = 0;
	answer->unmigrated = 0;
	answer->migrate_ns = 0;
	answer->last_pfn = 0;

	told = cmatest_witness_use(&file->uses_witness);
	cmatest_inquiry_begin(&inquiry);
	err = cmatest_handle_alloc(file, arg);
	cmatest_inquiry_end(&inquiry);
	if (err && err != -ENOMEM)
		goto free;

	cmatest_inquiry_next(&inquiry, 0);
	answer->found = told;
	if (!inquiry.finished)
		answer->found &= ~CMATEST_WITNESS_HAS_ERROR;
	answer->error = -inquiry.error;
	answer->cause = cmatest_witness_cause(answer, err);
	if (copy_to_user(user, inquiry.attempts, answer->made * sizeof(*inquiry.attempts))) {
		if (!err)
			cmatest_handle_settle(file, arg, false);
		err = -EFAULT;
	}
free:
	kvfree(inquiry.attempts);
	return err;
}
