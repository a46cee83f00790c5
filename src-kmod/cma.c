// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls into the allocator, and what is reserved and free.
 *
 * The functions are called through static calls: their prototypes are those of
 * the kernel that this is built for, whatever it has in <linux/cma.h>. Where the
 * architecture has HAVE_STATIC_CALL, as x86, the call is a direct one: an
 * indirect call to a function whose address the kernel itself never takes may
 * trap there (IBT seals it, CFI knows no hash for it). Elsewhere, as on arm64, a
 * static call is an indirect one, and no function is sealed.
 */
#include "cmatest.h"
#include "fault.h"

#include <linux/cache.h>
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/static_call.h>
#include <linux/timekeeping.h>
#include <linux/vmstat.h>

DEFINE_STATIC_CALL_NULL(cmatest_call_alloc, cma_alloc);
DEFINE_STATIC_CALL_NULL(cmatest_call_release, cma_release);
DEFINE_STATIC_CALL_NULL(cmatest_call_for_each, cma_for_each_area);
DEFINE_STATIC_CALL_NULL(cmatest_call_name, cma_get_name);
DEFINE_STATIC_CALL_NULL(cmatest_call_base, cma_get_base);
DEFINE_STATIC_CALL_NULL(cmatest_call_size, cma_get_size);
DEFINE_STATIC_CALL_NULL(cmatest_call_default, dev_get_cma_area);

static unsigned int bound __ro_after_init;
static unsigned int linked __ro_after_init;

/**
 * cmatest_cma_bind() - set the allocator's functions
 * @address: their addresses, linked or proved; 0 for one that there is not
 *
 * Nothing in the static calls checks the addresses, not even that a direct call
 * reaches so far: the module loader or cmatest_symbol_prove() must have.
 */
void __init cmatest_cma_bind(const unsigned long address[SYMBOLS])
{
	unsigned int i;

	BUILD_BUG_ON(CMATEST_BOUND_DEFAULT_AREA != BIT(SYMBOL_DEFAULT_AREA));
	BUILD_BUG_ON(SYMBOLS != SYMBOL_DEFAULT_AREA + 1);

	static_call_update(cmatest_call_alloc,
			   (typeof(cma_alloc) *)address[SYMBOL_ALLOC]);
	static_call_update(cmatest_call_release,
			   (typeof(cma_release) *)address[SYMBOL_RELEASE]);
	static_call_update(cmatest_call_for_each,
			   (typeof(cma_for_each_area) *)address[SYMBOL_FOR_EACH]);
	static_call_update(cmatest_call_name,
			   (typeof(cma_get_name) *)address[SYMBOL_NAME]);
	static_call_update(cmatest_call_base,
			   (typeof(cma_get_base) *)address[SYMBOL_BASE]);
	static_call_update(cmatest_call_size,
			   (typeof(cma_get_size) *)address[SYMBOL_SIZE]);
	static_call_update(cmatest_call_default,
			   (typeof(dev_get_cma_area) *)address[SYMBOL_DEFAULT_AREA]);

	for (i = 0; i < SYMBOLS; i++) {
		if (address[i])
			bound |= BIT(i);
		if (cmatest_link(i))
			linked |= BIT(i);
	}
}

/**
 * cmatest_cma_bound() - what can be called
 *
 * Return: CMATEST_BOUND_* flags.
 */
unsigned int cmatest_cma_bound(void)
{
	return bound;
}

/**
 * cmatest_cma_linked() - what of that the kernel exports
 *
 * Return: CMATEST_BOUND_* flags.
 */
unsigned int cmatest_cma_linked(void)
{
	return linked;
}

/**
 * cmatest_cma_default() - dev_get_cma_area() of no device: the default area
 *
 * Return: the area, or NULL if there is none or that cannot be asked.
 */
struct cma *cmatest_cma_default(void)
{
	if (!(bound & CMATEST_BOUND_DEFAULT_AREA))
		return NULL;
	return static_call(cmatest_call_default)(NULL);
}

/**
 * cmatest_cma_alloc() - allocate from an area
 * @cma: the area
 * @count: pages
 * @order: their alignment
 * @no_warn: the kernel does not log it if it cannot
 * @pages: gets what was allocated, and how long that took even if nothing was
 *
 * Return: 0, -ENOMEM if the allocator gave nothing, or -EINTR if that was
 * because this task is to die.
 */
int cmatest_cma_alloc(struct cma *cma, unsigned long count, unsigned int order,
		      bool no_warn, struct cmatest_pages *pages)
{
	unsigned long lead = cmatest_fault_lead();
	struct page *first;
	u64 start, end;

	start = ktime_get_ns();
	first = static_call(cmatest_call_alloc)(cma, count + lead, order, no_warn);
	end = ktime_get_ns();

	*pages = (struct cmatest_pages) {
		.cma = cma,
		.first = first ? first + lead : NULL,
		.count = count,
		.order = order,
		.alloc_ns = end - start,
	};
	if (!first)
		return fatal_signal_pending(current) ? -EINTR : -ENOMEM;
	return 0;
}

/**
 * cmatest_cma_offer() - call cma_release()
 * @cma: the area
 * @first: a page
 * @count: pages
 * @ns: gets how long it took
 *
 * Return: what cma_release() said: false if the pages are not of this area.
 */
bool cmatest_cma_offer(struct cma *cma, struct page *first, unsigned long count, u64 *ns)
{
	u64 start, end;
	bool accepted;

	start = ktime_get_ns();
	accepted = static_call(cmatest_call_release)(cma, first, count);
	end = ktime_get_ns();

	*ns = end - start;
	return accepted;
}

/**
 * cmatest_cma_release() - give pages back
 * @pages: the pages, none afterwards
 * @ns: gets how long cma_release() took
 *
 * Each call to the allocator must be for exactly what it once gave: it has no
 * defence against others. Pages that are released twice corrupt its lists, and
 * a range that ends behind the area is a WARN() or a BUG() with DEBUG_VM.
 *
 * Return: what cma_release() said. After false the pages are lost.
 */
bool cmatest_cma_release(struct cmatest_pages *pages, u64 *ns)
{
	unsigned long lead = cmatest_fault_lead();
	bool accepted;

	accepted = cmatest_cma_offer(pages->cma, pages->first - lead, pages->count + lead, ns);
	if (!accepted)
		pr_err_ratelimited("cma_release refused the %lu pages that cma_alloc gave: they are lost until the next boot\n",
				   pages->count);
	pages->first = NULL;
	return accepted;
}

/**
 * cmatest_cma_for_each() - cma_for_each_area()
 * @fn: called for each area, until it returns something else than 0
 * @data: passed to it
 *
 * Return: what @fn returned last, or -EOPNOTSUPP.
 */
int __init cmatest_cma_for_each(int (*fn)(struct cma *cma, void *data), void *data)
{
	if (!(bound & CMATEST_BOUND_FOR_EACH))
		return -EOPNOTSUPP;
	return static_call(cmatest_call_for_each)(fn, data);
}

/**
 * cmatest_cma_name() - cma_get_name()
 * @cma: the area
 *
 * Return: the name, or NULL if that cannot be asked.
 */
const char *cmatest_cma_name(struct cma *cma)
{
	if (!(bound & CMATEST_BOUND_NAME))
		return NULL;
	return static_call(cmatest_call_name)(cma);
}

/**
 * cmatest_cma_base() - cma_get_base()
 * @cma: an area that is one range: the kernel warns for others
 *
 * Return: the physical address of its first byte, or 0 if that cannot be asked.
 */
u64 cmatest_cma_base(struct cma *cma)
{
	if (!(bound & CMATEST_BOUND_BASE))
		return 0;
	return static_call(cmatest_call_base)(cma);
}

/**
 * cmatest_cma_size() - cma_get_size()
 * @cma: the area
 *
 * Return: the bytes in all its ranges, or 0 if that cannot be asked.
 */
u64 cmatest_cma_size(struct cma *cma)
{
	if (!(bound & CMATEST_BOUND_SIZE))
		return 0;
	return static_call(cmatest_call_size)(cma);
}

/**
 * cmatest_cma_max_count() - the largest request that is passed on
 *
 * More than all areas together have, so there can be requests that are too large
 * for one; but not so large that the allocator's sums overflow. The machine's
 * memory is that, unless a balloon has taken most of it.
 *
 * Return: pages.
 */
unsigned long cmatest_cma_max_count(void)
{
	return max(totalram_pages(), cmatest_cma_reserved() + 1);
}

/**
 * cmatest_cma_max_order() - the largest alignment that is passed on
 *
 * Larger orders than this are not only senseless: the allocator shifts by them.
 *
 * Return: the order of the largest block with up to as many pages as that.
 */
unsigned int cmatest_cma_max_order(void)
{
	return ilog2(cmatest_cma_max_count());
}

/**
 * cmatest_cma_reserved() - CmaTotal of /proc/meminfo, in pages
 *
 * totalcma_pages is not exported, and neither is what for_each_zone() needs.
 *
 * Return: the pages of all areas.
 */
unsigned long cmatest_cma_reserved(void)
{
	unsigned long pages = 0;
	int nid, i;

	for_each_online_node(nid) {
		for (i = 0; i < MAX_NR_ZONES; i++) {
			struct zone *zone = &NODE_DATA(nid)->node_zones[i];

			if (populated_zone(zone))
				pages += zone_cma_pages(zone);
		}
	}
	return pages;
}

/**
 * cmatest_cma_free() - CmaFree of /proc/meminfo, in pages
 *
 * Return: the free pages of all areas.
 */
unsigned long cmatest_cma_free(void)
{
	return global_zone_page_state(NR_FREE_CMA_PAGES);
}
