// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parameters, load and unload, and the block that is held from load to unload.
 *
 * The kernel runs a module's load and unload one after the other: no lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kconfig.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>

#include "cmatest.h"

/*
 * Not below /sys/module: the addresses are secrets (KASLR), and nobody needs them
 * after the load.
 */
static unsigned long cmatest_address[CMATEST_SYMBOLS] __initdata;

module_param_named(area_base, cmatest_address[CMATEST_SYMBOL_AREA_BASE], ulong, 0);
MODULE_PARM_DESC(area_base,
		 "address of the pointer dma_contiguous_default_area (before 7.1 required, or else for_each_fn and name_fn; \"cma-test configure\" finds it)");

module_param_named(alloc_fn, cmatest_address[CMATEST_SYMBOL_ALLOC], ulong, 0);
MODULE_PARM_DESC(alloc_fn,
		 "address of cma_alloc (before 7.1 required; \"cma-test configure\" finds it)");

module_param_named(free_fn, cmatest_address[CMATEST_SYMBOL_RELEASE], ulong, 0);
MODULE_PARM_DESC(free_fn,
		 "address of cma_release (before 7.1 required; \"cma-test configure\" finds it)");

module_param_named(for_each_fn, cmatest_address[CMATEST_SYMBOL_FOR_EACH], ulong, 0);
MODULE_PARM_DESC(for_each_fn,
		 "address of cma_for_each_area, for areas besides the default one");

module_param_named(name_fn, cmatest_address[CMATEST_SYMBOL_NAME], ulong, 0);
MODULE_PARM_DESC(name_fn, "address of cma_get_name, for the areas' names");

module_param_named(base_fn, cmatest_address[CMATEST_SYMBOL_BASE], ulong, 0);
MODULE_PARM_DESC(base_fn, "address of cma_get_base, for where the areas are");

module_param_named(size_fn, cmatest_address[CMATEST_SYMBOL_SIZE], ulong, 0);
MODULE_PARM_DESC(size_fn, "address of cma_get_size, for the areas' sizes");

static unsigned long cmatest_alloc_count __ro_after_init = 256;
module_param_named(alloc_count, cmatest_alloc_count, ulong, 0400);
MODULE_PARM_DESC(alloc_count,
		 "pages to hold from load to unload (default 256; 0 holds nothing)");

static unsigned int cmatest_alloc_align __ro_after_init;
module_param_named(alloc_align, cmatest_alloc_align, uint, 0400);
MODULE_PARM_DESC(alloc_align,
		 "alignment of these pages, as an order: 2^n pages (default 0)");

static unsigned long cmatest_param_max_pages __ro_after_init;
module_param_named(max_pages, cmatest_param_max_pages, ulong, 0400);
MODULE_PARM_DESC(max_pages,
		 "pages that all users of /dev/cmatest can have together (default 0: no limit)");

/* 1 GiB in pages of 4 KiB. */
static unsigned int cmatest_param_max_handles __ro_after_init = 262144;
module_param_named(max_handles, cmatest_param_max_handles, uint, 0400);
MODULE_PARM_DESC(max_handles,
		 "blocks that one open /dev/cmatest can have (default 262144)");

static unsigned int cmatest_param_ledger __ro_after_init = 4096;
module_param_named(ledger, cmatest_param_ledger, uint, 0400);
MODULE_PARM_DESC(ledger,
		 "blocks of all areas whose owners can be kept (default 4096; 0 keeps none)");

/* Of the default area. */
static struct cmatest_pages cmatest_held;

/* Refuses what no machine like this one can have. */
static int __init cmatest_hold_check(unsigned long count, unsigned int order)
{
	unsigned long total = cmatest_cma_max_count();
	int err = 0;

	if (count > total) {
		pr_err("alloc_count: %lu pages are more than the %lu that this machine has: pass fewer\n",
		       count, total);
		err = -EINVAL;
	}
	if (order > cmatest_cma_max_order()) {
		pr_err("alloc_align: order %u is a block of 2^%u pages, more than the %lu that this machine has: pass a smaller order\n",
		       order, order, total);
		err = -EINVAL;
	}
	return err;
}

static void cmatest_hold_release(void)
{
	unsigned long count = cmatest_held.count;
	u64 ns;

	if (!cmatest_held.first)
		return;
	cmatest_area_charge(cmatest_default_area, -(long)count);
	if (cmatest_cma_release(&cmatest_held, &ns))
		pr_info("released %lu pages in %llu ns\n", count, ns);
}

#define CMATEST_INACTIVE							\
	"the default area has no pages: the kernel reserved it but could not "	\
	"activate it (see \"CMA area ... could not be activated\" in the log), "	\
	"as happens where it spans two memory zones: boot with cma=SIZE@PLACE "	\
	"within one zone, or without movablecore= and kernelcore=\n"

/*
 * Allocates the block and tests its memory. Returns 0; -ENODEV if the area has no
 * pages at all; -ENOMEM if the allocator gave nothing; -EIO if the memory is not
 * good; -EINTR if this task is being killed. Nothing is held after an error.
 */
static int __init cmatest_hold(unsigned long count, unsigned int order)
{
	unsigned long pfn;
	int err;

	if (cmatest_area_is_inactive(cmatest_default_area)) {
		if (count) {
			pr_err(CMATEST_INACTIVE);
			return -ENODEV;
		}
		pr_warn(CMATEST_INACTIVE);
	}
	if (!count)
		return 0;

	/*
	 * A failure is a result here, with a message of its own: no_warn is true,
	 * so that the kernel does not log it as a fault.
	 */
	err = cmatest_cma_alloc(cmatest_area_get(cmatest_default_area), count, order, true,
				&cmatest_held);
	if (err == -ENOMEM)
		pr_err("cma_alloc failed for %lu pages of order %u: %lu pages are reserved for CMA, %lu of them free: pass a smaller alloc_count, or boot with a larger cma=SIZE\n",
		       count, order, cmatest_cma_reserved(), cmatest_cma_free());
	if (err)
		return err;
	cmatest_area_charge(cmatest_default_area, count);

	pfn = page_to_pfn(cmatest_held.first);
	if (!IS_ALIGNED(pfn, 1UL << order)) {
		pr_err("cma_alloc gave pfn 0x%lx, which is not of order %u\n", pfn, order);
		err = -EIO;
	} else {
		err = cmatest_pattern_test(&cmatest_held);
	}
	if (err)
		cmatest_hold_release();
	return err;
}

static void __init cmatest_hold_report(void)
{
	phys_addr_t first, last;

	if (!cmatest_held.first)
		return;

	/*
	 * %px, not %p: users of this module have long read this line, with real
	 * addresses, to find the block in crash(8) and in page table dumps. Only
	 * root can load the module, and Debian lets only root read the log
	 * (kernel.dmesg_restrict=1).
	 */
	pr_info("alloc pages:buf:0x%px:0x%px.\n", cmatest_held.first,
		page_address(cmatest_held.first));

	first = page_to_phys(cmatest_held.first);
	last = first + ((phys_addr_t)cmatest_held.count << PAGE_SHIFT) - 1;
	pr_info("%lu pages of order %u at physical %pap-%pap, allocated in %llu ns\n",
		cmatest_held.count, cmatest_held.order, &first, &last, cmatest_held.alloc_ns);
}

/* Looks at every parameter, so that one load tells all that is wrong. */
static int __init cmatest_check_parameters(void)
{
	int err = cmatest_symbols_check(cmatest_address);
	int hold_err = cmatest_hold_check(cmatest_alloc_count, cmatest_alloc_align);

	return err ? err : hold_err;
}

static int __init cmatest_init(void)
{
	struct task_struct **slot;
	int err;

	if (!IS_ENABLED(CONFIG_DMA_CMA)) {
		pr_err("this kernel was built without CONFIG_DMA_CMA: there is nothing to test\n");
		return -ENODEV;
	}

	err = cmatest_check_parameters();
	if (err)
		return err;
	cmatest_symbols_bind(cmatest_address);
	err = cmatest_areas_find(cmatest_address[CMATEST_SYMBOL_AREA_BASE]);
	if (err)
		return err;
	cmatest_max_pages = min_not_zero(cmatest_param_max_pages, (unsigned long)LONG_MAX);
	cmatest_max_handles = min_t(unsigned int, cmatest_param_max_handles, INT_MAX);

	cmatest_ledger_start(cmatest_param_ledger);
	slot = cmatest_own_begin();
	err = cmatest_hold(cmatest_alloc_count, cmatest_alloc_align);
	cmatest_own_end(slot);
	if (err)
		goto stop;
	/* The last step that can fail: a user of the device must not see the module go. */
	err = cmatest_device_add(cmatest_held.first ? cmatest_held.count : 0);
	if (err) {
		cmatest_hold_release();
		goto stop;
	}

	/* Logged only now: these lines mean that the load succeeded. */
	pr_info("init CMA test mod.\n");
	cmatest_hold_report();
	cmatest_symbols_report();
	return 0;

stop:
	cmatest_ledger_stop();
	return err;
}

static void __exit cmatest_exit(void)
{
	cmatest_device_remove();
	cmatest_hold_release();
	cmatest_ledger_stop();
	pr_info("exit CMA test mod.\n");
}

module_init(cmatest_init);
module_exit(cmatest_exit);

MODULE_DESCRIPTION("Test of the Contiguous Memory Allocator (CMA)");
MODULE_AUTHOR("The cma-test authors");
MODULE_LICENSE("GPL v2");
MODULE_VERSION(CMATEST_VERSION);
