// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block that is held from load to unload.
 *
 * Only module load and unload come here, and the kernel runs these one after
 * the other: no lock.
 */
#include "cmatest.h"

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/printk.h>

#define INACTIVE								\
	"the default area has no pages: the kernel reserved it but could not "	\
	"activate it (see \"CMA area ... could not be activated\" in the log), "	\
	"as happens where it spans two memory zones: boot with cma=SIZE@PLACE "	\
	"within one zone, or without movablecore= and kernelcore=\n"

static struct cmatest_pages held;

/**
 * cmatest_hold_check() - refuse what no machine like this one can have
 * @count: pages
 * @order: their alignment
 *
 * Return: 0 or -EINVAL.
 */
int __init cmatest_hold_check(unsigned long count, unsigned int order)
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

static void release(void)
{
	unsigned long count = held.count;
	u64 ns;

	if (cmatest_cma_release(&held, &ns))
		pr_info("released %lu pages in %llu ns\n", count, ns);
}

/**
 * cmatest_hold() - allocate the block, and test its memory
 * @area: index of the area to take it from
 * @count: pages; 0 holds nothing
 * @order: their alignment
 *
 * Return: 0; -ENODEV if the area has no pages at all; -ENOMEM if the allocator
 * gave nothing; -EIO if the memory is not good; -EINTR if this task is to die.
 * Nothing is held after an error.
 */
int __init cmatest_hold(u32 area, unsigned long count, unsigned int order)
{
	unsigned long pfn;
	int err;

	if (cmatest_area_is_inactive(area)) {
		if (count)
			pr_err(INACTIVE);
		else
			pr_warn(INACTIVE);
		if (count)
			return -ENODEV;
	}
	if (!count)
		return 0;

	/*
	 * A failure is a result here, with a message of its own: no_warn is
	 * true so that the kernel does not log it as a fault of its own.
	 */
	err = cmatest_cma_alloc(cmatest_area_get(area), count, order, true, &held);
	if (err == -ENOMEM)
		pr_err("cma_alloc failed for %lu pages of order %u: %lu pages are reserved for CMA, %lu of them free: pass a smaller alloc_count, or boot with a larger cma=SIZE\n",
		       count, order, cmatest_cma_reserved(), cmatest_cma_free());
	if (err)
		return err;

	pfn = page_to_pfn(held.first);
	if (!IS_ALIGNED(pfn, 1UL << order)) {
		pr_err("cma_alloc gave pfn 0x%lx, which is not of order %u\n",
		       pfn, order);
		err = -EIO;
	} else {
		err = cmatest_pattern_test(&held);
	}
	if (err)
		release();
	return err;
}

/**
 * cmatest_hold_count() - how many pages are held
 *
 * Return: that.
 */
unsigned long cmatest_hold_count(void)
{
	return held.first ? held.count : 0;
}

/**
 * cmatest_hold_report() - log what is held, if anything is
 */
void __init cmatest_hold_report(void)
{
	phys_addr_t first, last;

	if (!held.first)
		return;

	/*
	 * %px, not %p: the form of this line, with real addresses, is what users
	 * of this module have long read, to find the block in crash(8) and in
	 * page table dumps. Only root can load the module, and Debian lets
	 * only root read the log (kernel.dmesg_restrict=1).
	 */
	pr_info("alloc pages:buf:0x%px:0x%px.\n", held.first, page_address(held.first));

	first = page_to_phys(held.first);
	last = first + ((phys_addr_t)held.count << PAGE_SHIFT) - 1;
	pr_info("%lu pages of order %u at physical %pap-%pap, allocated in %llu ns\n",
		held.count, held.order, &first, &last, held.alloc_ns);
}

/**
 * cmatest_hold_release() - give the block back, if there is one
 */
void cmatest_hold_release(void)
{
	if (held.first)
		release();
}
