// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves the addresses of the allocator's functions, and calls them.
 *
 * From 7.1 on the kernel exports what the module needs, and weak references give
 * the addresses. Before, they come from outside as module parameters. A module
 * that jumps to whatever address it is given is a way to run any code in the
 * kernel, under Secure Boot too, and an address of the last boot is wrong in this
 * one. So the kernel is asked what lies at each address, and nothing but the exact
 * name, at its first byte, in the kernel proper is accepted.
 *
 * The calls are static calls: their prototypes are those in <linux/cma.h> of the
 * kernel that the module is built for. Where the architecture has
 * HAVE_STATIC_CALL, as x86, the call is a direct one. An indirect call may trap
 * there, if the kernel itself never takes the function's address: IBT seals such
 * a function, CFI knows no hash for it. Elsewhere, as on arm64, a static call is
 * an indirect call, and no function is sealed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/cma.h>
#include <linux/compiler.h>
#include <linux/dma-map-ops.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/kconfig.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/version.h>
#include <linux/vmstat.h>

#include "cmatest.h"

/* A weak symbol that the kernel does not export is NULL. */
extern typeof(cma_alloc) cma_alloc __weak;
extern typeof(cma_release) cma_release __weak;
extern typeof(cma_for_each_area) cma_for_each_area __weak;
extern typeof(cma_get_name) cma_get_name __weak;
extern typeof(cma_get_base) cma_get_base __weak;
extern typeof(cma_get_size) cma_get_size __weak;

/* Before, an inline function that reads a variable which is not exported. */
#if defined(CONFIG_DMA_CMA) && LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)
extern typeof(dev_get_cma_area) dev_get_cma_area __weak;
#define CMATEST_DEV_GET_CMA_AREA	((unsigned long)dev_get_cma_area)
#else
#define CMATEST_DEV_GET_CMA_AREA	0
#endif

/**
 * struct cmatest_symbol - a symbol of the kernel
 * @param: the module parameter for its address, NULL if there is none
 * @name: the name that the kernel must have for that address
 * @is_data: whether it is a variable: only CONFIG_KALLSYMS_ALL names these
 * @exported: its address if the kernel exports it, else 0
 *
 * @exported must be read from memory. On arm64, code that names a weak symbol
 * takes its address from a global offset table, which the module loader does not
 * make.
 */
struct cmatest_symbol {
	const char *param;
	const char *name;
	bool is_data;
	unsigned long exported;
};

static struct cmatest_symbol cmatest_symbols[CMATEST_SYMBOLS] __initdata = {
	[CMATEST_SYMBOL_AREA_BASE] = { "area_base", "dma_contiguous_default_area", true },
	[CMATEST_SYMBOL_ALLOC] = {
		"alloc_fn", "cma_alloc", false, (unsigned long)cma_alloc },
	[CMATEST_SYMBOL_RELEASE] = {
		"free_fn", "cma_release", false, (unsigned long)cma_release },
	[CMATEST_SYMBOL_FOR_EACH] = {
		"for_each_fn", "cma_for_each_area", false, (unsigned long)cma_for_each_area },
	[CMATEST_SYMBOL_NAME] = {
		"name_fn", "cma_get_name", false, (unsigned long)cma_get_name },
	[CMATEST_SYMBOL_BASE] = {
		"base_fn", "cma_get_base", false, (unsigned long)cma_get_base },
	[CMATEST_SYMBOL_SIZE] = {
		"size_fn", "cma_get_size", false, (unsigned long)cma_get_size },
	[CMATEST_SYMBOL_DEFAULT_AREA] = {
		NULL, "dev_get_cma_area", false, CMATEST_DEV_GET_CMA_AREA },
};

DEFINE_STATIC_CALL_NULL(cmatest_call_alloc, cma_alloc);
DEFINE_STATIC_CALL_NULL(cmatest_call_release, cma_release);
DEFINE_STATIC_CALL_NULL(cmatest_call_for_each, cma_for_each_area);
DEFINE_STATIC_CALL_NULL(cmatest_call_name, cma_get_name);
DEFINE_STATIC_CALL_NULL(cmatest_call_base, cma_get_base);
DEFINE_STATIC_CALL_NULL(cmatest_call_size, cma_get_size);
DEFINE_STATIC_CALL_NULL(cmatest_call_default, dev_get_cma_area);

unsigned int cmatest_bound __ro_after_init;
unsigned int cmatest_linked __ro_after_init;

/*
 * The address of a symbol that the kernel exports, or 0. Where the kernel exports
 * no such name a module may, and that is not the allocator: what the kernel calls
 * such an address ends in " [module]".
 */
static unsigned long __init cmatest_symbol_link(unsigned int i)
{
	unsigned long address = READ_ONCE(cmatest_symbols[i].exported);
	char found[KSYM_SYMBOL_LEN];

	if (!address)
		return 0;
	sprint_symbol(found, address);
	return strchr(found, '[') ? 0 : address;
}

/*
 * Whether the kernel's text for an address is "name+0x0/0x<size>" and no more: a
 * symbol of a module, of BPF or of ftrace is followed by " [owner]".
 */
static bool __init cmatest_symbol_starts(const char *found, const char *name)
{
	size_t length = str_has_prefix(found, name);

	if (!length)
		return false;
	found += length;
	length = str_has_prefix(found, "+0x0/0x");
	if (!length)
		return false;
	found += length;
	return *found && strspn(found, "0123456789abcdef") == strlen(found);
}

#define CMATEST_WHAT_TO_DO							\
	"run \"cma-test configure\", then \"modprobe cmatest\" (not insmod); or " \
	"pass %s= with the address of %s in this boot's /proc/kallsyms"

/*
 * Nothing is read from the address, so any value is safe here. The log has more
 * readers than /proc/kallsyms: it gets the kernel's name for the address, and the
 * address only if that is of no symbol.
 */
static int __init cmatest_symbol_prove(const struct cmatest_symbol *symbol, unsigned long address)
{
	char found[KSYM_SYMBOL_LEN];

	if (!address) {
		pr_err("%s: missing (or 0), needs the address of %s: " CMATEST_WHAT_TO_DO "\n",
		       symbol->param, symbol->name, symbol->param, symbol->name);
		return -EINVAL;
	}

	sprint_symbol(found, address);
	if (cmatest_symbol_starts(found, symbol->name))
		return 0;

	if (symbol->is_data && !IS_ENABLED(CONFIG_KALLSYMS_ALL))
		pr_err("%s: %s cannot be proved: this kernel names no variables (CONFIG_KALLSYMS_ALL is off) and only %s for that address; leave it out, as \"cma-test configure\" does\n",
		       symbol->param, symbol->name, found);
	else
		pr_err("%s: found %s%s, not %s+0x0: " CMATEST_WHAT_TO_DO "\n",
		       symbol->param,
		       strstarts(found, "0x") ? "no symbol at " : "", found,
		       symbol->name, symbol->param, symbol->name);
	return -EINVAL;
}

static bool __init cmatest_symbol_is_required(const unsigned long address[CMATEST_SYMBOLS],
					      unsigned int i)
{
	switch (i) {
	case CMATEST_SYMBOL_AREA_BASE:
		/* With the other two the default area can be found by its name. */
		return !cmatest_symbol_link(CMATEST_SYMBOL_DEFAULT_AREA) &&
		       !((address[CMATEST_SYMBOL_FOR_EACH] ||
			  cmatest_symbol_link(CMATEST_SYMBOL_FOR_EACH)) &&
			 (address[CMATEST_SYMBOL_NAME] ||
			  cmatest_symbol_link(CMATEST_SYMBOL_NAME)));
	case CMATEST_SYMBOL_ALLOC:
	case CMATEST_SYMBOL_RELEASE:
		return !cmatest_symbol_link(i);
	default:
		return false;
	}
}

/*
 * An address that is passed must be right, even where the kernel exports the
 * symbol and no address is needed: whoever passes a wrong one should know.
 */
static int __init cmatest_symbol_check(const unsigned long address[CMATEST_SYMBOLS],
				       unsigned int i)
{
	const struct cmatest_symbol *symbol = &cmatest_symbols[i];
	unsigned long link = cmatest_symbol_link(i);
	int err;

	if (!address[i] && !cmatest_symbol_is_required(address, i))
		return 0;
	err = cmatest_symbol_prove(symbol, address[i]);
	if (err)
		return err;
	if (link && link != address[i]) {
		pr_err("%s: found a second %s, not the one that this kernel exports: leave it out\n",
		       symbol->param, symbol->name);
		return -EINVAL;
	}
	return 0;
}

/**
 * cmatest_symbols_check() - prove all addresses, and that none is missing
 * @address: the addresses that were passed, 0 for each one that was not
 *
 * Each wrong or missing one is logged, with what to do, so that one load tells
 * all that is wrong.
 *
 * Return: 0 or -EINVAL.
 */
int __init cmatest_symbols_check(const unsigned long address[CMATEST_SYMBOLS])
{
	int err = 0;
	unsigned int i;

	for (i = 0; i < CMATEST_SYMBOLS; i++) {
		if (cmatest_symbol_check(address, i))
			err = -EINVAL;
	}
	return err;
}

/**
 * cmatest_symbols_bind() - set the functions to call
 * @address: addresses that cmatest_symbols_check() has accepted
 *
 * A static call checks nothing, not even that a direct call reaches so far.
 */
void __init cmatest_symbols_bind(const unsigned long address[CMATEST_SYMBOLS])
{
	unsigned long bound[CMATEST_SYMBOLS];
	unsigned int i;

	BUILD_BUG_ON(CMATEST_BOUND_DEFAULT_AREA != BIT(CMATEST_SYMBOL_DEFAULT_AREA));
	BUILD_BUG_ON(CMATEST_SYMBOLS != CMATEST_SYMBOL_DEFAULT_AREA + 1);

	for (i = 0; i < CMATEST_SYMBOLS; i++) {
		unsigned long link = cmatest_symbol_link(i);

		bound[i] = address[i] ? address[i] : link;
		if (bound[i])
			cmatest_bound |= BIT(i);
		if (link)
			cmatest_linked |= BIT(i);
	}

	static_call_update(cmatest_call_alloc,
			   (typeof(cma_alloc) *)bound[CMATEST_SYMBOL_ALLOC]);
	static_call_update(cmatest_call_release,
			   (typeof(cma_release) *)bound[CMATEST_SYMBOL_RELEASE]);
	static_call_update(cmatest_call_for_each,
			   (typeof(cma_for_each_area) *)bound[CMATEST_SYMBOL_FOR_EACH]);
	static_call_update(cmatest_call_name,
			   (typeof(cma_get_name) *)bound[CMATEST_SYMBOL_NAME]);
	static_call_update(cmatest_call_base,
			   (typeof(cma_get_base) *)bound[CMATEST_SYMBOL_BASE]);
	static_call_update(cmatest_call_size,
			   (typeof(cma_get_size) *)bound[CMATEST_SYMBOL_SIZE]);
	static_call_update(cmatest_call_default,
			   (typeof(dev_get_cma_area) *)bound[CMATEST_SYMBOL_DEFAULT_AREA]);
}

static void __init cmatest_symbols_name(char *text, size_t size, unsigned int mask)
{
	size_t length = scnprintf(text, size, mask ? "" : " nothing");
	unsigned int i;

	for (i = 0; i < CMATEST_SYMBOLS; i++) {
		if (mask & BIT(i))
			length += scnprintf(text + length, size - length, " %s",
					    cmatest_symbols[i].name);
	}
}

/**
 * cmatest_symbols_report() - log which functions are linked, and which were passed
 */
void __init cmatest_symbols_report(void)
{
	char exported[160], passed[160];

	cmatest_symbols_name(exported, sizeof(exported), cmatest_linked);
	cmatest_symbols_name(passed, sizeof(passed), cmatest_bound & ~cmatest_linked);
	pr_info("linked:%s; passed as addresses:%s\n", exported, passed);
}

/**
 * cmatest_cma_alloc() - allocate from an area
 * @cma: the area
 * @count: number of pages
 * @order: alignment, 2^@order pages
 * @no_warn: whether the kernel must not log a failure
 * @pages: set to the block, and to how long the call took even if it failed
 *
 * Return: 0, -ENOMEM if cma_alloc() returned NULL, or -EINTR if it did so because
 * this task is being killed.
 */
int cmatest_cma_alloc(struct cma *cma, unsigned long count, unsigned int order,
		      bool no_warn, struct cmatest_pages *pages)
{
	struct page *first;
	u64 start, end;

	start = ktime_get_ns();
	first = static_call(cmatest_call_alloc)(cma, count, order, no_warn);
	end = ktime_get_ns();

	*pages = (struct cmatest_pages) {
		.cma = cma,
		.first = first,
		.count = count,
		.order = order,
		.alloc_ns = end - start,
	};
	if (!first)
		return fatal_signal_pending(current) ? -EINTR : -ENOMEM;
	return 0;
}

/**
 * cmatest_cma_alloc_untimed() - allocate without a look at the clock
 * @cma: the area
 * @count: number of pages
 * @order: alignment, 2^@order pages
 * @pages: set to the block
 *
 * Return: as cmatest_cma_alloc(). The kernel does not log a failure.
 */
int cmatest_cma_alloc_untimed(struct cma *cma, unsigned long count, unsigned int order,
			      struct cmatest_pages *pages)
{
	*pages = (struct cmatest_pages) {
		.cma = cma,
		.first = static_call(cmatest_call_alloc)(cma, count, order, true),
		.count = count,
		.order = order,
	};
	if (!pages->first)
		return fatal_signal_pending(current) ? -EINTR : -ENOMEM;
	return 0;
}

/**
 * cmatest_cma_offer() - call cma_release(), whosever the pages are
 * @cma: the area
 * @first: the first page
 * @count: number of pages
 * @ns: set to the nanoseconds that the call took
 *
 * Return: what cma_release() returned: false if the pages are not of this area.
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

static void cmatest_cma_released(struct cmatest_pages *pages, bool accepted)
{
	if (!accepted)
		pr_err_ratelimited("cma_release refused the %lu pages that cma_alloc gave: they are lost until the next boot\n",
				   pages->count);
	pages->first = NULL;
}

/**
 * cmatest_cma_release() - give back a block
 * @pages: the block; it has no pages afterwards
 * @ns: set to the nanoseconds that cma_release() took
 *
 * The allocator must get exactly what it gave, once. It does not check for pages
 * that are released twice, which corrupt its lists, and a range that ends behind
 * the area is a WARN(), or a BUG() with DEBUG_VM.
 *
 * Return: what cma_release() returned. After false the pages are lost.
 */
bool cmatest_cma_release(struct cmatest_pages *pages, u64 *ns)
{
	bool accepted;

	accepted = cmatest_cma_offer(pages->cma, pages->first, pages->count, ns);
	cmatest_cma_released(pages, accepted);
	return accepted;
}

/**
 * cmatest_cma_release_untimed() - give back a block, without a look at the clock
 * @pages: the block; it has no pages afterwards
 *
 * Return: as cmatest_cma_release().
 */
bool cmatest_cma_release_untimed(struct cmatest_pages *pages)
{
	bool accepted;

	accepted = static_call(cmatest_call_release)(pages->cma, pages->first, pages->count);
	cmatest_cma_released(pages, accepted);
	return accepted;
}

/**
 * cmatest_cma_for_each() - call a function for each area
 * @fn: the function; a value other than 0 ends the loop
 * @data: passed to @fn
 *
 * Return: the last value of @fn, or -EOPNOTSUPP without cma_for_each_area().
 */
int __init cmatest_cma_for_each(int (*fn)(struct cma *cma, void *data), void *data)
{
	if (!(cmatest_bound & CMATEST_BOUND_FOR_EACH))
		return -EOPNOTSUPP;
	return static_call(cmatest_call_for_each)(fn, data);
}

/* NULL without dev_get_cma_area(), and where there is no default area. */
struct cma *cmatest_cma_default(void)
{
	if (!(cmatest_bound & CMATEST_BOUND_DEFAULT_AREA))
		return NULL;
	return static_call(cmatest_call_default)(NULL);
}

/* NULL without cma_get_name(). */
const char *cmatest_cma_name(struct cma *cma)
{
	if (!(cmatest_bound & CMATEST_BOUND_NAME))
		return NULL;
	return static_call(cmatest_call_name)(cma);
}

/* 0 without cma_get_base(), which warns of an area that has several ranges. */
u64 cmatest_cma_base(struct cma *cma)
{
	if (!(cmatest_bound & CMATEST_BOUND_BASE))
		return 0;
	return static_call(cmatest_call_base)(cma);
}

/* Bytes in all ranges of the area, 0 without cma_get_size(). */
u64 cmatest_cma_size(struct cma *cma)
{
	if (!(cmatest_bound & CMATEST_BOUND_SIZE))
		return 0;
	return static_call(cmatest_call_size)(cma);
}

/**
 * cmatest_cma_max_count() - the largest request that is passed on
 *
 * This is more than all areas together have, so that a request can be too large
 * for any of them, and not so large that the allocator's sums overflow. The
 * machine's memory serves, unless a balloon has taken most of it.
 *
 * Return: number of pages.
 */
unsigned long cmatest_cma_max_count(void)
{
	return max(totalram_pages(), cmatest_cma_reserved() + 1);
}

/**
 * cmatest_cma_max_order() - the largest alignment that is passed on
 *
 * The allocator shifts by the order, so a larger one is not only senseless.
 *
 * Return: the largest order whose pages are no more than cmatest_cma_max_count().
 */
unsigned int cmatest_cma_max_order(void)
{
	return ilog2(cmatest_cma_max_count());
}

/**
 * cmatest_cma_reserved() - count the pages of all areas
 *
 * Neither totalcma_pages nor what for_each_zone() needs is exported.
 *
 * Return: CmaTotal of /proc/meminfo, in pages.
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

/* CmaFree of /proc/meminfo, in pages. */
unsigned long cmatest_cma_free(void)
{
	return global_zone_page_state(NR_FREE_CMA_PAGES);
}
