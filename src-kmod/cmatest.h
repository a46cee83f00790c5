/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmatest: tests the Contiguous Memory Allocator (CMA) from inside the kernel.
 *
 * The files of the module, each of which calls only those above it:
 *
 *   cma.c      proves the addresses of the allocator's functions and calls them
 *   area.c     lists the areas and finds the default one
 *   pattern.c  fills memory with a pattern, and reads the pattern back
 *   block.c    keeps the blocks of open files, and their limits
 *   place.c    releases a block into memory or page cache of the caller
 *   measure.c  takes the times of many allocations; makes calls that must fail
 *   listen.c   listens to tracepoints of the kernel
 *   trace.c    counts what the kernel does for the allocations of a task
 *   bench.c    counts the times of many allocations in histograms
 *   frames.c   looks at page frames of an area, and names the files of pages
 *   ledger.c   keeps who allocated the blocks of all areas
 *   witness.c  allocates a block, and tells what was in the way
 *   device.c   opens and closes /dev/cmatest, and dispatches its requests
 *   main.c     has the parameters, and the block that is held while loaded
 */
#ifndef CMATEST_H
#define CMATEST_H

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "uapi/cmatest.h"

struct cma;
struct page;
struct task_struct;
struct tracepoint;

#define CMATEST_MAX_PAIRS	(1U << 30)	/* 8 GiB of times */

/*
 * For the module's own records: charged to the caller, and never worth killing a
 * process for. A request that cannot have such memory fails with -ENOBUFS.
 */
#define CMATEST_GFP	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* Symbols of the kernel. Symbol n is bit n of cmatest_bound and cmatest_linked. */
enum cmatest_symbol_index {
	CMATEST_SYMBOL_AREA_BASE,	/* dma_contiguous_default_area */
	CMATEST_SYMBOL_ALLOC,		/* cma_alloc */
	CMATEST_SYMBOL_RELEASE,		/* cma_release */
	CMATEST_SYMBOL_FOR_EACH,	/* cma_for_each_area */
	CMATEST_SYMBOL_NAME,		/* cma_get_name */
	CMATEST_SYMBOL_BASE,		/* cma_get_base */
	CMATEST_SYMBOL_SIZE,		/* cma_get_size */
	CMATEST_SYMBOL_DEFAULT_AREA,	/* dev_get_cma_area, which has no parameter */
	CMATEST_SYMBOLS
};

/**
 * struct cmatest_pages - contiguous pages from cma_alloc()
 * @cma: the area of the pages
 * @first: the first page, NULL if there are none
 * @count: number of pages
 * @order: requested alignment, 2^@order pages
 * @alloc_ns: nanoseconds that cma_alloc() took
 */
struct cmatest_pages {
	struct cma *cma;
	struct page *first;
	unsigned long count;
	unsigned int order;
	u64 alloc_ns;
};

/**
 * struct cmatest_wrong - words of a block that differ from the pattern
 * @words: number of such words
 * @first: byte offset of the first one
 * @wrote: what was written there
 * @read: what was read there
 */
struct cmatest_wrong {
	u64 words;
	u64 first;
	u64 wrote;
	u64 read;
};

/**
 * struct cmatest_filled - the bytes of a block that have been filled
 * @lock: protects all of this
 * @pages: number of pages in the block
 * @whole: a bit for each page that was filled whole; NULL before the first fill
 * @parts: for each page that was filled in part, a bitmap of its words
 */
struct cmatest_filled {
	struct mutex lock;
	unsigned long pages;
	unsigned long *whole;
	struct xarray parts;
};

/**
 * struct cmatest_team - threads that measure together on one open file
 * @lock: protects all but @left, which is set under it
 * @wait: woken when the team begins, when it ends, and when the last has left
 * @threads: how many the team has when it is complete
 * @come: how many are in it
 * @begun: whether it was complete, since when @start_ns does not change
 * @ended: whether all of them have to end
 * @slow: whether one of them has the allocation that took too long
 * @start_ns: when the team began
 * @requests: how many it makes, 0 for no limit
 * @left: those of them that no thread has drawn yet
 */
struct cmatest_team {
	struct mutex lock;
	wait_queue_head_t wait;
	u32 threads;
	u32 come;
	bool begun;
	bool ended;
	bool slow;
	u64 start_ns;
	u64 requests;
	atomic64_t left;
};

/**
 * struct cmatest_watch - what the kernel did for an allocation
 * @node: in the list of all tasks that measure
 * @rcu: to free it
 * @task: the one whose allocations these are
 * @tried: whether there was a range to try
 * @retries: ranges that were tried in vain
 * @migrated: pages that were moved away
 * @unmigrated: pages that could not be moved
 * @pfn: the last page that was in the way, or 0
 */
struct cmatest_watch {
	struct hlist_node node;
	struct rcu_head rcu;
	struct task_struct *task;
	bool tried;
	u64 retries;
	u64 migrated;
	u64 unmigrated;
	u64 pfn;
};

/**
 * struct cmatest_file - an open file of /dev/cmatest
 * @handles: its blocks, a struct cmatest_handle by the number of the handle
 * @next: where the search for a free number begins
 * @count: number of its blocks, with those that are being allocated
 * @team: its threads that measure together
 * @uses_probes: whether it has had the kernel's events counted
 * @uses_witness: whether it has asked what was in the way of an allocation
 */
struct cmatest_file {
	struct xarray handles;
	u32 next;
	atomic_t count;
	struct cmatest_team team;
	bool uses_probes;
	bool uses_witness;
};

/**
 * struct cmatest_handle - a block of an open file
 * @pages: the block
 * @filled: its bytes that have been filled
 * @area: index of its area
 * @users: number of requests that use it now
 * @live: whether its owner knows of it; until then nobody else can see it
 */
struct cmatest_handle {
	struct cmatest_pages pages;
	struct cmatest_filled filled;
	u32 area;
	unsigned int users;
	bool live;
};

/**
 * struct cmatest_trace - a tracepoint to listen to
 * @name: its name
 * @probe: the function that it calls; NULL if the tracepoint has arguments that
 *	are not known here
 * @found: what it is needed for, a bit of the one who listens, or 0
 * @point: the tracepoint, NULL if the kernel has none
 * @probed: whether it calls @probe now
 */
struct cmatest_trace {
	const char *name;
	void *probe;
	unsigned int found;
	struct tracepoint *point;
	bool probed;
};

/* The argument of a request. */
union cmatest_arg {
	struct cmatest_info info;
	struct cmatest_area area;
	struct cmatest_alloc alloc;
	struct cmatest_release release;
	struct cmatest_block block;
	struct cmatest_fill fill;
	struct cmatest_check check;
	struct cmatest_batch batch;
	struct cmatest_probe probe;
	struct cmatest_place place;
	struct cmatest_measure measure;
	struct cmatest_frames frames;
	struct cmatest_path path;
	struct cmatest_entry entry;
	struct cmatest_witness witness;
};

/* cma.c */
extern unsigned int cmatest_bound;	/* CMATEST_BOUND_*: functions that can be called */
extern unsigned int cmatest_linked;	/* those of them that the kernel exports */

int cmatest_symbols_check(const unsigned long address[CMATEST_SYMBOLS]);
void cmatest_symbols_bind(const unsigned long address[CMATEST_SYMBOLS]);
void cmatest_symbols_report(void);
int cmatest_cma_alloc(struct cma *cma, unsigned long count, unsigned int order,
		      bool no_warn, struct cmatest_pages *pages);
bool cmatest_cma_offer(struct cma *cma, struct page *first, unsigned long count, u64 *ns);
bool cmatest_cma_release(struct cmatest_pages *pages, u64 *ns);
int cmatest_cma_alloc_untimed(struct cma *cma, unsigned long count, unsigned int order,
			      struct cmatest_pages *pages);
bool cmatest_cma_release_untimed(struct cmatest_pages *pages);
int cmatest_cma_for_each(int (*fn)(struct cma *cma, void *data), void *data);
struct cma *cmatest_cma_default(void);
const char *cmatest_cma_name(struct cma *cma);
u64 cmatest_cma_base(struct cma *cma);
u64 cmatest_cma_size(struct cma *cma);
unsigned long cmatest_cma_max_count(void);
unsigned int cmatest_cma_max_order(void);
unsigned long cmatest_cma_reserved(void);
unsigned long cmatest_cma_free(void);

/* area.c */
extern unsigned int cmatest_areas;		/* number of areas */
extern unsigned int cmatest_default_area;	/* index of the default one */

int cmatest_areas_find(unsigned long area_base);
struct cma *cmatest_area_get(u32 index);
bool cmatest_area_is_inactive(u32 index);
void cmatest_area_charge(u32 index, long count);
int cmatest_area_frames(u32 index, unsigned long *first, unsigned long *count);
int cmatest_area_describe(u32 index, struct cmatest_area *area);

/* pattern.c */
u64 cmatest_pattern_key(u64 seed);
int cmatest_pattern_fill(const struct cmatest_pages *pages, u64 key, u64 offset, u64 *length);
int cmatest_pattern_check(const struct cmatest_pages *pages, u64 key, u64 offset, u64 length,
			  struct cmatest_wrong *wrong);
int cmatest_pattern_test(const struct cmatest_pages *pages);
void cmatest_filled_init(struct cmatest_filled *filled, unsigned long pages);
int cmatest_filled_prepare(struct cmatest_filled *filled, u64 offset, u64 length);
void cmatest_filled_add(struct cmatest_filled *filled, u64 offset, u64 length);
bool cmatest_filled_all(struct cmatest_filled *filled, u64 offset, u64 length);
void cmatest_filled_free(struct cmatest_filled *filled);

/* block.c */
extern unsigned long cmatest_max_pages;	/* of all open files together */
extern int cmatest_max_handles;		/* of one open file */
extern atomic_long_t cmatest_charged;	/* pages of all open files, with those asked for */

int cmatest_charge(u32 area, unsigned long count);
void cmatest_uncharge(u32 area, unsigned long count);
int cmatest_request_check(u32 area, u64 count, u32 order, struct cma **cma);
int cmatest_handle_alloc(struct cmatest_file *file, union cmatest_arg *arg);
void cmatest_handle_settle(struct cmatest_file *file, union cmatest_arg *arg, bool answered);
int cmatest_handle_take(struct cmatest_file *file, u32 id, struct cmatest_pages *pages, u32 *area);
int cmatest_handle_release(struct cmatest_file *file, union cmatest_arg *arg);
int cmatest_handle_look(struct cmatest_file *file, union cmatest_arg *arg);
int cmatest_handle_fill(struct cmatest_file *file, union cmatest_arg *arg);
int cmatest_handle_check(struct cmatest_file *file, union cmatest_arg *arg);
void cmatest_handles_release(struct cmatest_file *file);

/* place.c */
int cmatest_place_run(struct cmatest_file *file, union cmatest_arg *arg);

/* measure.c */
int cmatest_batch_run(struct cmatest_file *file, union cmatest_arg *arg);
int cmatest_probe_run(struct cmatest_file *file, union cmatest_arg *arg);

/* listen.c */
unsigned int cmatest_listen(struct cmatest_trace *traces, size_t count);
void cmatest_listen_no_more(struct cmatest_trace *traces, size_t count);

/* trace.c */
u32 cmatest_probes_use(bool *uses);
void cmatest_probes_unuse(bool *uses);
void cmatest_watch_begin(struct cmatest_watch *watch);
void cmatest_watch_end(struct cmatest_watch *watch);

/* bench.c */
int cmatest_measure_run(struct cmatest_file *file, union cmatest_arg *arg);

/* frames.c */
int cmatest_frames_run(struct cmatest_file *file, union cmatest_arg *arg);
int cmatest_path_run(struct cmatest_file *file, union cmatest_arg *arg);

/* ledger.c */
void cmatest_ledger_start(unsigned int most);
void cmatest_ledger_stop(void);
struct task_struct **cmatest_own_begin(void);
void cmatest_own_end(struct task_struct **slot);
int cmatest_entry_run(struct cmatest_file *file, union cmatest_arg *arg);

/* witness.c */
void cmatest_witness_unuse(bool *uses);
int cmatest_witness_run(struct cmatest_file *file, union cmatest_arg *arg);

/* device.c */
int cmatest_device_add(unsigned long loaded_pages);
void cmatest_device_remove(void);

#endif
