// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parameters, load and unload.
 */
#include "cmatest.h"
#include "fault.h"

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kconfig.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>

/*
 * Not below /sys/module: they are secrets (KASLR), and nobody needs them after
 * the load.
 */
static unsigned long address[SYMBOLS] __initdata;

module_param_named(area_base, address[SYMBOL_AREA_BASE], ulong, 0);
MODULE_PARM_DESC(area_base,
		 "address of the pointer dma_contiguous_default_area (before 7.1 required, or else for_each_fn and name_fn; \"cma-test configure\" finds it)");

module_param_named(alloc_fn, address[SYMBOL_ALLOC], ulong, 0);
MODULE_PARM_DESC(alloc_fn,
		 "address of cma_alloc (before 7.1 required; \"cma-test configure\" finds it)");

module_param_named(free_fn, address[SYMBOL_RELEASE], ulong, 0);
MODULE_PARM_DESC(free_fn,
		 "address of cma_release (before 7.1 required; \"cma-test configure\" finds it)");

module_param_named(for_each_fn, address[SYMBOL_FOR_EACH], ulong, 0);
MODULE_PARM_DESC(for_each_fn,
		 "address of cma_for_each_area, for areas besides the default one");

module_param_named(name_fn, address[SYMBOL_NAME], ulong, 0);
MODULE_PARM_DESC(name_fn, "address of cma_get_name, for the areas' names");

module_param_named(base_fn, address[SYMBOL_BASE], ulong, 0);
MODULE_PARM_DESC(base_fn, "address of cma_get_base, for where the areas are");

module_param_named(size_fn, address[SYMBOL_SIZE], ulong, 0);
MODULE_PARM_DESC(size_fn, "address of cma_get_size, for the areas' sizes");

static unsigned long alloc_count = 256;
module_param(alloc_count, ulong, 0400);
MODULE_PARM_DESC(alloc_count,
		 "pages to hold from load to unload (default 256; 0 holds nothing)");

static unsigned int alloc_align;
module_param(alloc_align, uint, 0400);
MODULE_PARM_DESC(alloc_align,
		 "alignment of these pages, as an order: 2^n pages (default 0)");

static unsigned long max_pages;
module_param(max_pages, ulong, 0400);
MODULE_PARM_DESC(max_pages,
		 "pages that all users of /dev/cmatest can have together (default 0: no limit)");

/* 1 GiB in pages of 4 KiB. */
static unsigned int max_handles = 262144;
module_param(max_handles, uint, 0400);
MODULE_PARM_DESC(max_handles,
		 "blocks that one open /dev/cmatest can have (default 262144)");

static const struct cmatest_symbol symbols[SYMBOLS] __initconst = {
	[SYMBOL_AREA_BASE] = { "area_base", "dma_contiguous_default_area", true },
	[SYMBOL_ALLOC] = { "alloc_fn", "cma_alloc" },
	[SYMBOL_RELEASE] = { "free_fn", "cma_release" },
	[SYMBOL_FOR_EACH] = { "for_each_fn", "cma_for_each_area" },
	[SYMBOL_NAME] = { "name_fn", "cma_get_name" },
	[SYMBOL_BASE] = { "base_fn", "cma_get_base" },
	[SYMBOL_SIZE] = { "size_fn", "cma_get_size" },
	[SYMBOL_DEFAULT_AREA] = { NULL, "dev_get_cma_area" },
};

static bool __init has(unsigned int symbol)
{
	return address[symbol] || cmatest_link(symbol);
}

static bool __init is_required(unsigned int symbol)
{
	switch (symbol) {
	case SYMBOL_AREA_BASE:
		/* With the last two the default area can be found by its name. */
		return !has(SYMBOL_DEFAULT_AREA) && !(has(SYMBOL_FOR_EACH) && has(SYMBOL_NAME));
	case SYMBOL_ALLOC:
	case SYMBOL_RELEASE:
		return !has(symbol);
	default:
		return false;
	}
}

/*
 * An address that is passed must be right, even where the kernel exports the
 * symbol and no address is needed: whoever passes a wrong one should know.
 */
static int __init check_address(unsigned int i)
{
	unsigned long link = cmatest_link(i);
	int err;

	if (!address[i] && !is_required(i))
		return 0;
	err = cmatest_symbol_prove(&symbols[i], address[i]);
	if (err)
		return err;
	if (link && link != address[i]) {
		pr_err("%s: found a second %s, not the one that this kernel exports: leave it out\n",
		       symbols[i].param, symbols[i].name);
		return -EINVAL;
	}
	return 0;
}

/* Every parameter is looked at, so that one load tells all that is wrong. */
static int __init check_parameters(void)
{
	int err, result = 0;
	unsigned int i;

	for (i = 0; i < SYMBOLS; i++) {
		err = check_address(i);
		if (err)
			result = err;
	}
	err = cmatest_hold_check(alloc_count, alloc_align);
	return err ? err : result;
}

static void __init bind_symbols(void)
{
	unsigned int i;

	for (i = 0; i < SYMBOLS; i++) {
		if (!address[i])
			address[i] = cmatest_link(i);
	}
	cmatest_cma_bind(address);
}

static void __init name_symbols(char *text, size_t size, unsigned int mask)
{
	size_t length = scnprintf(text, size, mask ? "" : " nothing");
	unsigned int i;

	for (i = 0; i < SYMBOLS; i++) {
		if (mask & BIT(i))
			length += scnprintf(text + length, size - length, " %s", symbols[i].name);
	}
}

static void __init report_symbols(void)
{
	unsigned int linked = cmatest_cma_linked();
	char exported[160], passed[160];

	name_symbols(exported, sizeof(exported), linked);
	name_symbols(passed, sizeof(passed), cmatest_cma_bound() & ~linked);
	pr_info("linked:%s; passed as addresses:%s\n", exported, passed);
}

static int __init cmatest_init(void)
{
	int err;

	if (!IS_ENABLED(CONFIG_DMA_CMA)) {
		pr_err("this kernel was built without CONFIG_DMA_CMA: there is nothing to test\n");
		return -ENODEV;
	}

	err = check_parameters();
	if (err)
		return err;
	bind_symbols();
	err = cmatest_areas_find(address[SYMBOL_AREA_BASE]);
	if (err)
		return err;
	cmatest_limits_set(max_pages, max_handles);

	err = cmatest_fault_start();
	if (err)
		return err;
	err = cmatest_hold(cmatest_area_default(), alloc_count, alloc_align);
	if (err)
		goto stop_fault;
	/* The last that can fail: a user of the device must not see the module go. */
	err = cmatest_device_add();
	if (err)
		goto release;

	/* All of it is said now: these lines mean that the load succeeded. */
	pr_info("init CMA test mod.\n");
	cmatest_hold_report();
	report_symbols();
	return 0;

release:
	cmatest_hold_release();
stop_fault:
	cmatest_fault_stop();
	return err;
}

static void __exit cmatest_exit(void)
{
	cmatest_device_remove();
	cmatest_hold_release();
	cmatest_fault_stop();
	pr_info("exit CMA test mod.\n");
}

module_init(cmatest_init);
module_exit(cmatest_exit);

MODULE_DESCRIPTION("Test of the Contiguous Memory Allocator (CMA)");
MODULE_AUTHOR("The cma-test authors");
MODULE_LICENSE("GPL v2");
MODULE_VERSION(CMATEST_VERSION);
