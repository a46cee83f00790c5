// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A module whose symbols have the names that cmatest asks for. None of them is
 * the kernel's, so cmatest must refuse each: a module's symbol is followed by
 * the module's name in what the kernel says is at an address.
 */
#include <linux/init.h>
#include <linux/module.h>

static void *dma_contiguous_default_area;

static noinline void *cma_alloc(void)
{
	return READ_ONCE(dma_contiguous_default_area);
}

static noinline bool cma_release(void)
{
	return !READ_ONCE(dma_contiguous_default_area);
}

static noinline int cma_for_each_area(void)
{
	return !!READ_ONCE(dma_contiguous_default_area);
}

static int __init impostor_init(void)
{
	/* Use all of them, or the compiler drops them. */
	WRITE_ONCE(dma_contiguous_default_area, THIS_MODULE);
	return cma_alloc() && !cma_release() && cma_for_each_area() ? 0 : -EINVAL;
}

static void __exit impostor_exit(void)
{
	WRITE_ONCE(dma_contiguous_default_area, NULL);
}

module_init(impostor_init);
module_exit(impostor_exit);

MODULE_DESCRIPTION("Symbols with the allocator's names, for cmatest to refuse");
MODULE_LICENSE("GPL");
