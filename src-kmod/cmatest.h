/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmatest: tests the Contiguous Memory Allocator from inside the kernel.
 *
 * What the files of this module share:
 *   unit.c     all of the others, for the compiler
 *   main.c     parameters, load and unload
 *   symbol.c   proof that an address is the symbol it is said to be
 *   link.c     the functions that the kernel exports
 *   cma.c      calls into the allocator, and what is reserved and free
 *   area.c     which areas there are, and which is the default one
 *   hold.c     the block that is held from load to unload
 *   pattern.c  fills memory and reads it back
 *   device.c   /dev/cmatest: open, close and the table of its requests
 *   handle.c   blocks that an open file owns
 *   filled.c   which bytes of a block were filled
 *   batch.c    many allocations in one request
 *   place.c    pages of a block that become the caller's own
 *   probe.c    what the allocator must refuse
 *   fault.c    deliberate faults, only with CMATEST_FAULTS=1
 */
#ifndef CMATEST_H
#define CMATEST_H

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "uapi/cmatest.h"

#define CMATEST_MAX_PAIRS	(1U << 30)	/* 8 GiB of times */

/*
 * For the module's own notes: the caller's memory, and no process is killed to
 * get it. A request that cannot have it fails with -ENOBUFS.
 */
#define CMATEST_GFP	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

struct cma;
struct page;

/**
 * enum cmatest_symbol_index - the symbols that the module needs or can use
 * @SYMBOL_AREA_BASE: dma_contiguous_default_area
 * @SYMBOL_ALLOC: cma_alloc
 * @SYMBOL_RELEASE: cma_release
 * @SYMBOL_FOR_EACH: cma_for_each_area
 * @SYMBOL_NAME: cma_get_name
 * @SYMBOL_BASE: cma_get_base
 * @SYMBOL_SIZE: cma_get_size
 * @SYMBOL_DEFAULT_AREA: dev_get_cma_area, which has no parameter
 * @SYMBOLS: how many
 *
 * Symbol n is bit n of cmatest_info.bound and cmatest_info.linked.
 */
enum cmatest_symbol_index {
	SYMBOL_AREA_BASE,
	SYMBOL_ALLOC,
	SYMBOL_RELEASE,
	SYMBOL_FOR_EACH,
	SYMBOL_NAME,
	SYMBOL_BASE,
	SYMBOL_SIZE,
	SYMBOL_DEFAULT_AREA,
	SYMBOLS
};

/**
 * struct cmatest_symbol - a symbol of the kernel
 * @param: the module parameter that can bring its address, NULL if none can
 * @name: its name, which must be at that address
 * @is_data: a variable; the kernel can name these only with KALLSYMS_ALL
 */
struct cmatest_symbol {
	const char *param;
	const char *name;
	bool is_data;
};

/**
 * struct cmatest_pages - contiguous pages that cma_alloc() gave
 * @cma: the area that they are from
 * @first: the first of them, NULL if there are none
 * @count: how many
 * @order: the alignment that was asked for, as a power of two of pages
 * @alloc_ns: how long cma_alloc() took
 */
struct cmatest_pages {
	struct cma *cma;
	struct page *first;
	unsigned long count;
	unsigned int order;
	u64 alloc_ns;
};

/**
 * struct cmatest_wrong - words of a block that are not what was written
 * @words: how many
 * @first: byte offset of the first of them
 * @wrote: what was written there
 * @read: what is there
 */
struct cmatest_wrong {
	u64 words;
	u64 first;
	u64 wrote;
	u64 read;
};

/**
 * struct cmatest_filled - which bytes of a block were filled
 * @lock: guards all of this
 * @pages: of the block
 * @whole: a bit for each page that was filled whole; NULL before the first fill
 * @parts: for a page that was filled in part, a bitmap of its words
 */
struct cmatest_filled {
	struct mutex lock;
	unsigned long pages;
	unsigned long *whole;
	struct xarray parts;
};

/**
 * struct cmatest_file - an open file of /dev/cmatest
 * @handles: its blocks, struct cmatest_handle by the handle's number
 * @next: where the search for a free number starts
 * @count: how many blocks there are, or are being asked for
 */
struct cmatest_file {
	struct xarray handles;
	u32 next;
	atomic_t count;
};

/**
 * union cmatest_arg - the argument of a request
 */
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
};

/* symbol.c */
int cmatest_symbol_prove(const struct cmatest_symbol *symbol, unsigned long address);

/* link.c */
unsigned long cmatest_link(unsigned int symbol);

/* cma.c */
void cmatest_cma_bind(const unsigned long address[SYMBOLS]);
unsigned int cmatest_cma_bound(void);
unsigned int cmatest_cma_linked(void);
struct cma *cmatest_cma_default(void);
int cmatest_cma_alloc(struct cma *cma, unsigned long count, unsigned int order,
		      bool no_warn, struct cmatest_pages *pages);
bool cmatest_cma_offer(struct cma *cma, struct page *first, unsigned long count, u64 *ns);
bool cmatest_cma_release(struct cmatest_pages *pages, u64 *ns);
int cmatest_cma_for_each(int (*fn)(struct cma *cma, void *data), void *data);
const char *cmatest_cma_name(struct cma *cma);
u64 cmatest_cma_base(struct cma *cma);
u64 cmatest_cma_size(struct cma *cma);
unsigned long cmatest_cma_max_count(void);
unsigned int cmatest_cma_max_order(void);
unsigned long cmatest_cma_reserved(void);
unsigned long cmatest_cma_free(void);

/* area.c */
int cmatest_areas_find(unsigned long area_base);
unsigned int cmatest_area_count(void);
unsigned int cmatest_area_default(void);
struct cma *cmatest_area_get(u32 index);
bool cmatest_area_is_inactive(u32 index);
void cmatest_area_charge(u32 index, long count);
int cmatest_area_describe(u32 index, struct cmatest_area *area);

/* pattern.c */
u64 cmatest_pattern_key(u64 seed);
int cmatest_pattern_fill(const struct cmatest_pages *pages, u64 key, u64 offset, u64 *length);
int cmatest_pattern_check(const struct cmatest_pages *pages, u64 key, u64 offset, u64 length,
			  struct cmatest_wrong *wrong);
int cmatest_pattern_test(const struct cmatest_pages *pages);

/* filled.c */
void cmatest_filled_init(struct cmatest_filled *filled, unsigned long pages);
int cmatest_filled_prepare(struct cmatest_filled *filled, u64 offset, u64 length);
void cmatest_filled_add(struct cmatest_filled *filled, u64 offset, u64 length);
bool cmatest_filled_all(struct cmatest_filled *filled, u64 offset, u64 length);
void cmatest_filled_free(struct cmatest_filled *filled);

/* hold.c */
int cmatest_hold_check(unsigned long count, unsigned int order);
int cmatest_hold(u32 area, unsigned long count, unsigned int order);
unsigned long cmatest_hold_count(void);
void cmatest_hold_report(void);
void cmatest_hold_release(void);

/* device.c */
int cmatest_device_add(void);
void cmatest_device_remove(void);

/* handle.c */
void cmatest_limits_set(unsigned long max_pages, unsigned int max_handles);
unsigned long cmatest_max_pages(void);
unsigned int cmatest_max_handles(void);
unsigned long cmatest_charged(void);
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

/* batch.c */
int cmatest_batch_run(struct cmatest_file *file, union cmatest_arg *arg);

/* place.c */
int cmatest_place_run(struct cmatest_file *file, union cmatest_arg *arg);

/* probe.c */
int cmatest_probe_run(struct cmatest_file *file, union cmatest_arg *arg);

#endif
