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
#include <linux/hrtimer.h>
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

/* Ends what all of the team do, if it has begun. */
static void cmatest_team_end(struct cmatest_team *team)
{
	mutex_lock(&team->lock);
	if (team->begun) {
		WRITE_ONCE(team->ended, true);
		wake_up_all(&team->wait);
	}
	mutex_unlock(&team->lock);
}

/* Ends the team, too, if it has begun; else it only has one less. */
static void cmatest_team_leave(struct cmatest_team *team)
{
	mutex_lock(&team->lock);
	WRITE_ONCE(team->ended, team->begun);
	if (!--team->come) {
		WRITE_ONCE(team->begun, false);
		WRITE_ONCE(team->ended, false);
	}
	wake_up_all(&team->wait);
	mutex_unlock(&team->lock);
}

/* 0, -EBUSY if it is another team, or -EAGAIN if this one has ended but not all have left. */
static int cmatest_team_come(struct cmatest_team *team, const struct cmatest_measure *measure)
{
	if (team->ended)
		return -EAGAIN;
	if (!team->come) {
		team->threads = measure->threads;
		team->requests = measure->requests;
		team->slow = false;
		atomic64_set(&team->left, measure->requests ?: S64_MAX);
	} else if (team->begun || team->threads != measure->threads ||
		   team->requests != measure->requests) {
		return -EBUSY;
	}
	if (++team->come == team->threads) {
		team->start_ns = ktime_get_ns();
		/* After the other fields, which are read without the lock from then on. */
		smp_store_release(&team->begun, true);
		wake_up_all(&team->wait);
	}
	return 0;
}

/*
 * Joins the team of the open file and waits until it is complete. After success
 * the caller leaves it with cmatest_team_leave(). A thread that is done may ask for
 * the next measurement while others still leave the last one: it waits for them.
 */
static int cmatest_team_join(struct cmatest_team *team, const struct cmatest_measure *measure)
{
	int err;

	for (;;) {
		mutex_lock(&team->lock);
		err = cmatest_team_come(team, measure);
		mutex_unlock(&team->lock);
		if (err != -EAGAIN)
			break;
		err = wait_event_interruptible(team->wait, !READ_ONCE(team->ended));
		if (err)
			break;
	}
	if (err)
		return err;

	err = wait_event_interruptible(team->wait, smp_load_acquire(&team->begun));
	if (err)
		cmatest_team_leave(team);
	return err;
}

/**
 * struct cmatest_run - what one thread measures
 * @measure: the request, whose answers are counted there
 * @cma: its area
 * @team: the threads that measure together
 * @histograms: of this thread, NULL without a clock
 * @watch: what the kernel did for the allocation, NULL without a clock
 * @ring: the blocks that are kept
 * @cpu: the processor on which the last allocation began
 */
struct cmatest_run {
	struct cmatest_measure *measure;
	struct cma *cma;
	struct cmatest_team *team;
	struct cmatest_histograms *histograms;
	struct cmatest_watch *watch;
	struct cmatest_ring ring;
	int cpu;
};

static bool cmatest_run_is_timed(const struct cmatest_run *run)
{
	return !(run->measure->flags & CMATEST_MEASURE_NO_CLOCK);
}

static int cmatest_run_alloc(struct cmatest_run *run, struct cmatest_pages *block)
{
	struct cmatest_measure *measure = run->measure;
	struct cmatest_watch *watch = run->watch;

	if (!cmatest_run_is_timed(run))
		return cmatest_cma_alloc_untimed(run->cma, measure->count, measure->order, block);
	watch->tried = false;
	watch->retries = 0;
	watch->migrated = 0;
	watch->unmigrated = 0;
	watch->pfn = 0;
	/* To log a failure takes longer than to fail. */
	return cmatest_cma_alloc(run->cma, measure->count, measure->order, true, block);
}

static void cmatest_run_release(struct cmatest_run *run, struct cmatest_pages *block)
{
	bool accepted;
	u64 ns;

	if (cmatest_run_is_timed(run)) {
		accepted = cmatest_cma_release(block, &ns);
		cmatest_histogram_add(&run->histograms->release, ns);
	} else {
		accepted = cmatest_cma_release_untimed(block);
	}
	if (!accepted)
		run->measure->refused++;
}

/* Ends the measurement of all with an allocation that took too long, if it is the first. */
static void cmatest_run_stop(struct cmatest_run *run, u64 ns)
{
	struct cmatest_measure *measure = run->measure;
	struct cmatest_team *team = run->team;
	bool first;

	mutex_lock(&team->lock);
	first = !team->slow;
	team->slow = true;
	mutex_unlock(&team->lock);
	cmatest_team_end(team);
	if (!first)
		return;
	measure->found |= CMATEST_MEASURE_SLOW;
	measure->slow_ns = ns;
	measure->slow_retries = run->watch->retries;
	measure->slow_migrated = run->watch->migrated;
	measure->slow_pfn = run->watch->pfn;
}

/* Counts an allocation, and what the kernel did for it. */
static void cmatest_run_count(struct cmatest_run *run, bool failed, u64 ns)
{
	struct cmatest_measure *measure = run->measure;
	const struct cmatest_watch *watch = run->watch;

	cmatest_histogram_add(failed ? &run->histograms->failure : &run->histograms->alloc, ns);
	measure->retries += watch->retries;
	measure->migrated += watch->migrated;
	measure->unmigrated += watch->unmigrated;
	if (failed && !watch->tried && measure->found & CMATEST_MEASURE_HAS_RETRIES)
		measure->no_hole++;
	if (measure->stop_above_ns && ns > measure->stop_above_ns)
		cmatest_run_stop(run, ns);
}

/* 0, or -EINTR if there was no allocation because this task is being killed. */
static int cmatest_run_once(struct cmatest_run *run, u64 intended_ns)
{
	struct cmatest_measure *measure = run->measure;
	int cpu = raw_smp_processor_id();
	struct cmatest_pages block;
	int err;

	if (measure->done && cpu != run->cpu)
		measure->moves++;
	run->cpu = cpu;

	err = cmatest_run_alloc(run, &block);
	if (err == -EINTR)
		return err;
	measure->done++;
	if (err)
		measure->failed++;
	else if (measure->interval_ns)
		cmatest_histogram_add(&run->histograms->response, ktime_get_ns() - intended_ns);
	if (cmatest_run_is_timed(run))
		cmatest_run_count(run, err, block.alloc_ns);
	if (err)
		return 0;

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
	struct cmatest_team *team = run->team;
	ktime_t when = ns_to_ktime(intended_ns);
	bool goes_on = true;
	DEFINE_WAIT(entry);

	if (ktime_get_ns() >= intended_ns)
		return true;
	for (;;) {
		prepare_to_wait(&team->wait, &entry, TASK_INTERRUPTIBLE);
		if (READ_ONCE(team->ended) || signal_pending(current)) {
			goes_on = false;
			break;
		}
		/* Without the slack that other timers of a task have: it would be counted. */
		if (!schedule_hrtimeout_range(&when, 0, HRTIMER_MODE_ABS))
			break;
	}
	finish_wait(&team->wait, &entry);
	return goes_on;
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

	if (run->watch)
		cmatest_watch_begin(run->watch);
	cmatest_run_all(run);
	measure->elapsed_ns = ktime_get_ns() - run->team->start_ns;
	measure->switches = current->nivcsw - switches;
	/* The others need not wait for the blocks, but the next team does. */
	cmatest_team_end(run->team);
	if (run->watch)
		cmatest_watch_end(run->watch);
	run->watch = NULL;
	while (run->ring.live) {
		if (!cmatest_cma_release(cmatest_ring_take(&run->ring), &ns))
			measure->refused++;
		cond_resched();
	}
	cmatest_team_leave(run->team);
}

static void cmatest_run_free(struct cmatest_run *run)
{
	kvfree(run->ring.blocks);
	kvfree(run->histograms);
	kfree(run->watch);
}

/* 0, -ENOBUFS, or -EFAULT if the histograms could not be copied out in the end. */
static int cmatest_run_prepare(struct cmatest_run *run, void __user *user)
{
	run->ring.size = run->measure->hold;
	if (run->ring.size) {
		run->ring.blocks = kvmalloc_array(run->ring.size, sizeof(*run->ring.blocks),
						  CMATEST_GFP);
		if (!run->ring.blocks)
			return -ENOBUFS;
	}
	if (!cmatest_run_is_timed(run))
		return 0;
	run->watch = kzalloc(sizeof(*run->watch), CMATEST_GFP);
	run->histograms = kvzalloc(sizeof(*run->histograms), CMATEST_GFP);
	if (!run->watch || !run->histograms)
		return -ENOBUFS;
	cmatest_histograms_init(run->histograms);
	/* To learn of a wrong address at the end of days would be late. */
	return copy_to_user(user, run->histograms, sizeof(*run->histograms)) ? -EFAULT : 0;
}

static int cmatest_run(struct cmatest_run *run, void __user *user)
{
	struct cmatest_measure *measure = run->measure;
	int err;

	err = cmatest_run_prepare(run, user);
	if (err)
		return err;
	err = cmatest_team_join(run->team, measure);
	if (err)
		return err;
	cmatest_run_in_team(run);
	/* Alone it can start again by itself. The others of a team have come back by then. */
	if (!measure->done && signal_pending(current))
		return measure->threads > 1 ? -EINTR : -ERESTARTSYS;
	if (run->histograms && copy_to_user(user, run->histograms, sizeof(*run->histograms)))
		return -EFAULT;
	return 0;
}

/* CMATEST_IOC_MEASURE: counts the times of many allocations. */
int cmatest_measure_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_measure *measure = &arg->measure;
	struct cmatest_run run = { .measure = measure, .team = &file->team };
	unsigned long pages;
	void __user *user;
	int err;

	err = cmatest_measure_check(measure, &run.cma, &pages);
	if (err)
		return err;
	user = u64_to_user_ptr(measure->histograms);
	if (cmatest_run_is_timed(&run) && (uintptr_t)user != measure->histograms)
		return -EFAULT;
	err = cmatest_charge(measure->area, pages);
	if (err)
		return err;

	/* All answers are 0 at first; only these fields are read from now on. */
	*measure = (struct cmatest_measure) {
		.area = measure->area,
		.order = measure->order,
		.count = measure->count,
		.requests = measure->requests,
		.duration_ns = measure->duration_ns,
		.interval_ns = measure->interval_ns,
		.stop_above_ns = measure->stop_above_ns,
		.hold = measure->hold,
		.threads = measure->threads,
		.flags = measure->flags,
		.histograms = measure->histograms,
	};
	if (cmatest_run_is_timed(&run))
		measure->found = cmatest_probes_use(&file->uses_probes);
	err = cmatest_run(&run, user);
	cmatest_run_free(&run);
	cmatest_uncharge(measure->area, pages);
	return err;
}
