// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parameters, load and unload.
 */
#include "cmatest.h"
#include "fault.h"

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kconfig.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>

static unsigned long address[SYMBOLS];

module_param_named(area_base, address[SYMBOL_AREA_BASE], ulong, 0400);
MODULE_PARM_DESC(area_base,
		 "address of the pointer dma_contiguous_default_area (required, or else for_each_fn and name_fn; \"cma-test configure\" finds it)");

module_param_named(alloc_fn, address[SYMBOL_ALLOC], ulong, 0400);
MODULE_PARM_DESC(alloc_fn,
		 "address of cma_alloc (required; \"cma-test configure\" finds it)");

module_param_named(free_fn, address[SYMBOL_RELEASE], ulong, 0400);
MODULE_PARM_DESC(free_fn,
		 "address of cma_release (required; \"cma-test configure\" finds it)");

module_param_named(for_each_fn, address[SYMBOL_FOR_EACH], ulong, 0400);
MODULE_PARM_DESC(for_each_fn,
		 "address of cma_for_each_area, for areas besides the default one");

module_param_named(name_fn, address[SYMBOL_NAME], ulong, 0400);
MODULE_PARM_DESC(name_fn, "address of cma_get_name, for the areas' names");

module_param_named(base_fn, address[SYMBOL_BASE], ulong, 0400);
MODULE_PARM_DESC(base_fn, "address of cma_get_base, for where the areas are");

module_param_named(size_fn, address[SYMBOL_SIZE], ulong, 0400);
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

static const struct cmatest_symbol symbols[SYMBOLS] = {
	[SYMBOL_AREA_BASE] = { "area_base", "dma_contiguous_default_area", true },
	[SYMBOL_ALLOC] = { "alloc_fn", "cma_alloc" },
	[SYMBOL_RELEASE] = { "free_fn", "cma_release" },
	[SYMBOL_FOR_EACH] = { "for_each_fn", "cma_for_each_area" },
	[SYMBOL_NAME] = { "name_fn", "cma_get_name" },
	[SYMBOL_BASE] = { "base_fn", "cma_get_base" },
	[SYMBOL_SIZE] = { "size_fn", "cma_get_size" },
};

static bool __init is_required(unsigned int symbol)
{
	switch (symbol) {
	case SYMBOL_AREA_BASE:
		/* With these two the default area can be found by its name. */
		return !address[SYMBOL_FOR_EACH] || !address[SYMBOL_NAME];
	case SYMBOL_ALLOC:
	case SYMBOL_RELEASE:
		return true;
	default:
		return false;
	}
}

/* Every parameter is looked at, so that one load tells all that is wrong. */
static int __init check_parameters(void)
{
	int err, result = 0;
	unsigned int i;

	for (i = 0; i < SYMBOLS; i++) {
		if (!address[i] && !is_required(i))
			continue;
		err = cmatest_symbol_prove(&symbols[i], address[i]);
		if (err)
			result = err;
	}
	err = cmatest_hold_check(alloc_count, alloc_align);
	return err ? err : result;
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
	cmatest_cma_bind(address);
	err = cmatest_areas_find(address[SYMBOL_AREA_BASE]);
	if (err)
		return err;
	cmatest_limits_set(max_pages, max_handles);

	err = cmatest_fault_start();
	if (err)
		return err;
	err = cmatest_hold(cmatest_area_get(cmatest_area_default()), alloc_count, alloc_align);
	if (err)
		goto stop_fault;
	/* The last that can fail: a user of the device must not see the module go. */
	err = cmatest_device_add();
	if (err)
		goto release;

	/* All of it is said now: these lines mean that the load succeeded. */
	pr_info("init CMA test mod.\n");
	cmatest_hold_report();
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
