// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A module whose symbols have the names that cmatest asks for. None of them is
 * the kernel's, so cmatest must refuse each: a module's symbol is followed by
 * the module's name in what the kernel says is at an address. Where the kernel
 * does not export them, this module does, and cmatest must not link to that.
 */
#include <linux/cma.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/version.h>

static void *dma_contiguous_default_area;

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 1, 0)
noinline struct page *cma_alloc(struct cma *cma, unsigned long count, unsigned int align,
				bool no_warn)
{
	return READ_ONCE(dma_contiguous_default_area);
}
EXPORT_SYMBOL_GPL(cma_alloc);

noinline bool cma_release(struct cma *cma, const struct page *pages, unsigned long count)
{
	return !READ_ONCE(dma_contiguous_default_area);
}
EXPORT_SYMBOL_GPL(cma_release);

#define USE_BOTH	(cma_alloc(NULL, 0, 0, false) && !cma_release(NULL, NULL, 0))
#else
/* With other names for the compiler, which knows the kernel's own. */
static noinline void *impostor_alloc(void) __asm__("cma_alloc");
static noinline void *impostor_alloc(void)
{
	return READ_ONCE(dma_contiguous_default_area);
}

static noinline bool impostor_release(void) __asm__("cma_release");
static noinline bool impostor_release(void)
{
	return !READ_ONCE(dma_contiguous_default_area);
}

#define USE_BOTH	(impostor_alloc() && !impostor_release())
#endif

static noinline int impostor_for_each(void) __asm__("cma_for_each_area");
static noinline int impostor_for_each(void)
{
	return !!READ_ONCE(dma_contiguous_default_area);
}

static int __init impostor_init(void)
{
	/* Use all of them, or the compiler drops them. */
	WRITE_ONCE(dma_contiguous_default_area, THIS_MODULE);
	return USE_BOTH && impostor_for_each() ? 0 : -EINVAL;
}

static void __exit impostor_exit(void)
{
	WRITE_ONCE(dma_contiguous_default_area, NULL);
}

module_init(impostor_init);
module_exit(impostor_exit);

MODULE_DESCRIPTION("Symbols with the allocator's names, for cmatest to refuse");
MODULE_LICENSE("GPL");
