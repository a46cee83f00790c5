// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts the times of many allocations in histograms.
 *
 * The histograms are kernel memory that cannot move. An array in the caller's
 * memory could lie in the very area, and be migrated by the call that is timed.
 * They are copied out once, at the end, so a measurement of days takes as much
 * memory as one of a second.
 *
 * Threads that measure together form a team: they begin when the last has come,
 * draw their requests from one number, and the first that must end ends all.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "cmatest.h"

#define CMATEST_MAX_HOLD	65536
#define CMATEST_MAX_TEAM	1024
#define CMATEST_MAX_INTERVAL	(3600ULL * NSEC_PER_SEC)

/* Below this a bin is one nanosecond wide. */
#define CMATEST_BIN_LINEAR_BITS	7

static unsigned int cmatest_histogram_bin(u64 ns)
{
	unsigned int shift;

	if (ns < BIT_ULL(CMATEST_BIN_LINEAR_BITS))
		return ns;
	shift = ilog2(ns) - (CMATEST_BIN_LINEAR_BITS - 1);
	return min_t(u64, shift * 64 + (ns >> shift), CMATEST_BINS - 1);
}

static void cmatest_histogram_add(struct cmatest_histogram *histogram, u64 ns)
{
	histogram->count++;
	if (check_add_overflow(histogram->sum_ns, ns, &histogram->sum_ns))
		histogram->sum_ns = U64_MAX;
	histogram->min_ns = min(histogram->min_ns, ns);
	histogram->max_ns = max(histogram->max_ns, ns);
	histogram->bins[cmatest_histogram_bin(ns)]++;
}

/**
 * struct cmatest_ring - the blocks that a thread keeps, the oldest first
 * @blocks: room for @size of them
 * @size: how many are kept
 * @first: where the oldest is
 * @live: how many there are
 */
struct cmatest_ring {
	struct cmatest_pages *blocks;
	u32 size;
	u32 first;
	u32 live;
};

static bool cmatest_ring_is_full(const struct cmatest_ring *ring)
{
	return ring->live == ring->size;
}

/* The ring is not full. */
static void cmatest_ring_put(struct cmatest_ring *ring, const struct cmatest_pages *block)
{
	ring->blocks[(ring->first + ring->live++) % ring->size] = *block;
}

/* The ring is not empty. */
static struct cmatest_pages *cmatest_ring_take(struct cmatest_ring *ring)
{
	struct cmatest_pages *block = &ring->blocks[ring->first];

	ring->first = (ring->first + 1) % ring->size;
	ring->live--;
	return block;
}

/* Ends a team that has begun; one that is still waiting only has one less. */
static void cmatest_team_leave(struct cmatest_team *team)
{
	mutex_lock(&team->lock);
	team->come--;
	if (team->start_ns) {
		WRITE_ONCE(team->ended, true);
		wake_up_all(&team->wait);
	}
	mutex_unlock(&team->lock);
}

/*
 * Joins the team of the open file and waits until it is complete. After success
 * the caller leaves it with cmatest_team_leave().
 */
static int cmatest_team_join(struct cmatest_team *team, const struct cmatest_measure *measure)
{
	int err = 0;

	mutex_lock(&team->lock);
	if (!team->come) {
		team->threads = measure->threads;
		team->start_ns = 0;
		team->ended = false;
		atomic64_set(&team->left, measure->requests ?: S64_MAX);
	} else if (team->start_ns || team->threads != measure->threads) {
		err = -EBUSY;
	}
	if (!err && ++team->come == team->threads) {
		WRITE_ONCE(team->start_ns, ktime_get_ns());
		wake_up_all(&team->wait);
	}
	mutex_unlock(&team->lock);
	if (err)
		return err;

	err = wait_event_interruptible(team->wait, READ_ONCE(team->start_ns));
	if (err)
		cmatest_team_leave(team);
	return err;
}

/**
 * struct cmatest_run - what one thread measures
 * @measure: the request, whose answers are counted there
 * @cma: its area
 * @team: the threads that measure together
 * @histograms: of this thread
 * @ring: the blocks that are kept
 * @watch: what the kernel does for this thread; NULL if no time is taken
 * @cpu: the processor on which the last allocation began
 */
struct cmatest_run {
	struct cmatest_measure *measure;
	struct cma *cma;
	struct cmatest_team *team;
	struct cmatest_histograms *histograms;
	struct cmatest_ring ring;
	struct cmatest_watch *watch;
	int cpu;
};

static int cmatest_run_alloc(struct cmatest_run *run, struct cmatest_pages *block)
{
	struct cmatest_measure *measure = run->measure;

	if (measure->flags & CMATEST_MEASURE_NO_CLOCK)
		return cmatest_cma_alloc_untimed(run->cma, measure->count, measure->order, block);
	/* To log a failure takes longer than to fail. */
	return cmatest_cma_alloc(run->cma, measure->count, measure->order, true, block);
}

static void cmatest_run_release(struct cmatest_run *run, struct cmatest_pages *block)
{
	struct cmatest_measure *measure = run->measure;
	bool accepted;
	u64 ns;

	if (measure->flags & CMATEST_MEASURE_NO_CLOCK) {
		accepted = cmatest_cma_release_untimed(block);
	} else {
		accepted = cmatest_cma_release(block, &ns);
		cmatest_histogram_add(&run->histograms->release, ns);
	}
	if (!accepted)
		measure->refused++;
}

/* Counts an allocation that took @ns, and ends the team if that was too long. */
static void cmatest_run_look(struct cmatest_run *run, const struct cmatest_seen *before, u64 ns,
			     bool failed)
{
	struct cmatest_measure *measure = run->measure;
	const struct cmatest_seen *now = &run->watch->seen;

	if (failed && now->tries == before->tries)
		measure->no_hole++;
	if (!measure->stop_above_ns || ns <= measure->stop_above_ns)
		return;
	measure->found |= CMATEST_MEASURE_SLOW;
	measure->slow_ns = ns;
	measure->slow_retries = now->retries - before->retries;
	measure->slow_migrated = now->migrated - before->migrated;
	measure->slow_pfn = now->pfn;
	WRITE_ONCE(run->team->ended, true);
	wake_up_all(&run->team->wait);
}

/* 0, or -EINTR if there was no allocation because this task is being killed. */
static int cmatest_run_once(struct cmatest_run *run, u64 intended_ns)
{
	struct cmatest_measure *measure = run->measure;
	struct cmatest_histograms *histograms = run->histograms;
	bool timed = !(measure->flags & CMATEST_MEASURE_NO_CLOCK);
	int cpu = raw_smp_processor_id();
	struct cmatest_seen before = { };
	struct cmatest_pages block;
	int err;

	if (measure->done && cpu != run->cpu)
		measure->moves++;
	run->cpu = cpu;

	if (run->watch) {
		run->watch->seen.pfn = 0;
		before = run->watch->seen;
	}
	err = cmatest_run_alloc(run, &block);
	if (err == -EINTR)
		return err;
	measure->done++;
	if (run->watch)
		cmatest_run_look(run, &before, block.alloc_ns, err);
	if (err) {
		measure->failed++;
		if (timed)
			cmatest_histogram_add(&histograms->failure, block.alloc_ns);
		return 0;
	}
	if (timed)
		cmatest_histogram_add(&histograms->alloc, block.alloc_ns);
	if (measure->interval_ns)
		cmatest_histogram_add(&histograms->response, ktime_get_ns() - intended_ns);

	if (!run->ring.size) {
		cmatest_run_release(run, &block);
		return 0;
	}
	if (cmatest_ring_is_full(&run->ring))
		cmatest_run_release(run, cmatest_ring_take(&run->ring));
	cmatest_ring_put(&run->ring, &block);
	return 0;
}

/*
 * Waits for the intended start of the next allocation; one that is late starts at
 * once. Return: whether the run goes on.
 */
static bool cmatest_run_wait(struct cmatest_run *run, u64 intended_ns)
{
	s64 early = intended_ns - ktime_get_ns();
	long left;

	if (early <= 0)
		return true;
	left = wait_event_interruptible_hrtimeout(run->team->wait, READ_ONCE(run->team->ended),
						  ns_to_ktime(early));
	return left == -ETIME;
}

/* Allocates until the team ends, its requests are drawn, or a signal comes. */
static void cmatest_run_all(struct cmatest_run *run)
{
	struct cmatest_measure *measure = run->measure;
	struct cmatest_team *team = run->team;
	u64 intended = team->start_ns;

	while (!READ_ONCE(team->ended) && !signal_pending(current)) {
		if (measure->duration_ns &&
		    max(intended, ktime_get_ns()) - team->start_ns >= measure->duration_ns)
			break;
		if (atomic64_dec_return(&team->left) < 0)
			break;
		if (measure->interval_ns && !cmatest_run_wait(run, intended))
			break;
		if (cmatest_run_once(run, intended))
			break;
		intended += measure->interval_ns;
		cond_resched();
	}
}

static int cmatest_measure_check(const struct cmatest_measure *measure, struct cma **cma,
				 unsigned long *pages)
{
	bool timed = measure->duration_ns || measure->interval_ns || measure->stop_above_ns;
	int err;

	err = cmatest_request_check(measure->area, measure->count, measure->order, cma);
	if (err)
		return err;
	if (!measure->threads || measure->threads > CMATEST_MAX_TEAM)
		return -EINVAL;
	if (measure->hold > CMATEST_MAX_HOLD || measure->requests > S64_MAX)
		return -EINVAL;
	if (measure->duration_ns > S64_MAX || measure->interval_ns > CMATEST_MAX_INTERVAL)
		return -EINVAL;
	if (!measure->requests && !measure->duration_ns)
		return -EINVAL;
	if (timed && (measure->flags & CMATEST_MEASURE_NO_CLOCK))
		return -EINVAL;
	if (check_mul_overflow((unsigned long)measure->count, measure->hold + 1UL, pages))
		return -ENOSPC;
	return 0;
}

/* What the caller left in the fields of the answer does not count. */
static void cmatest_measure_clear(struct cmatest_measure *measure)
{
	measure->found = 0;
	measure->done = 0;
	measure->failed = 0;
	measure->no_hole = 0;
	measure->refused = 0;
	measure->moves = 0;
	measure->retries = 0;
	measure->migrated = 0;
	measure->unmigrated = 0;
	measure->slow_ns = 0;
	measure->slow_retries = 0;
	measure->slow_migrated = 0;
	measure->slow_pfn = 0;
}

/* Answers what the kernel told, as far as this one tells anything. */
static void cmatest_run_answer(struct cmatest_run *run)
{
	struct cmatest_measure *measure = run->measure;
	u32 found = run->watch ? run->watch->found : 0;

	measure->found |= found;
	if (found & CMATEST_MEASURE_HAS_RETRIES) {
		measure->retries = run->watch->seen.retries;
	} else {
		measure->no_hole = 0;
		measure->slow_retries = 0;
	}
	if (found & CMATEST_MEASURE_HAS_MIGRATED) {
		measure->migrated = run->watch->seen.migrated;
		measure->unmigrated = run->watch->seen.unmigrated;
	} else {
		measure->slow_migrated = 0;
	}
}

static void cmatest_histograms_init(struct cmatest_histograms *histograms)
{
	histograms->alloc.min_ns = U64_MAX;
	histograms->response.min_ns = U64_MAX;
	histograms->failure.min_ns = U64_MAX;
	histograms->release.min_ns = U64_MAX;
}

/* Measures as one of the team; the blocks that are left are released uncounted. */
static void cmatest_run_in_team(struct cmatest_run *run)
{
	struct cmatest_measure *measure = run->measure;
	unsigned long switches = current->nivcsw;
	u64 ns;

	cmatest_run_all(run);
	measure->elapsed_ns = ktime_get_ns() - run->team->start_ns;
	measure->switches = current->nivcsw - switches;
	cmatest_team_leave(run->team);
	while (run->ring.live) {
		if (!cmatest_cma_release(cmatest_ring_take(&run->ring), &ns))
			measure->refused++;
		cond_resched();
	}
}

/* CMATEST_IOC_MEASURE: counts the times of many allocations. */
int cmatest_measure_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_measure *measure = &arg->measure;
	struct cmatest_run run = { .measure = measure, .team = &file->team };
	bool timed = !(measure->flags & CMATEST_MEASURE_NO_CLOCK);
	unsigned long pages;
	void __user *user;
	int err;

	err = cmatest_measure_check(measure, &run.cma, &pages);
	if (err)
		return err;
	user = u64_to_user_ptr(measure->histograms);
	if ((uintptr_t)user != measure->histograms)
		return -EFAULT;
	err = cmatest_charge(measure->area, pages);
	if (err)
		return err;

	err = -ENOBUFS;
	run.histograms = kvzalloc(sizeof(*run.histograms), CMATEST_GFP);
	if (!run.histograms)
		goto uncharge;
	cmatest_histograms_init(run.histograms);
	run.ring.size = measure->hold;
	if (run.ring.size) {
		run.ring.blocks = kvmalloc_array(run.ring.size, sizeof(*run.ring.blocks),
						 CMATEST_GFP);
		if (!run.ring.blocks)
			goto free_histograms;
	}

	cmatest_measure_clear(measure);
	err = -ENOBUFS;
	if (timed) {
		run.watch = cmatest_watch_begin();
		if (!run.watch)
			goto free_ring;
	}
	err = cmatest_team_join(run.team, measure);
	if (err)
		goto end_watch;
	cmatest_run_in_team(&run);
	cmatest_run_answer(&run);
	if (!measure->done)
		err = signal_pending(current) ? -ERESTARTSYS : 0;
	if (!err && timed && copy_to_user(user, run.histograms, sizeof(*run.histograms)))
		err = -EFAULT;

end_watch:
	cmatest_watch_end(run.watch);
free_ring:
	kvfree(run.ring.blocks);
free_histograms:
	kvfree(run.histograms);
uncharge:
	cmatest_uncharge(measure->area, pages);
	return err;
}
