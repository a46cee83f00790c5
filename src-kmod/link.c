// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions that the kernel exports.
 *
 * From 7.1 on these are enough, and the module needs no address from outside.
 * The references are weak, so that the module also builds for and loads into a
 * kernel that exports fewer: one that is not exported is NULL.
 */
#include "cmatest.h"

#include <linux/cma.h>
#include <linux/compiler.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/version.h>

extern typeof(cma_alloc) cma_alloc __weak;
extern typeof(cma_release) cma_release __weak;
extern typeof(cma_for_each_area) cma_for_each_area __weak;
extern typeof(cma_get_name) cma_get_name __weak;
extern typeof(cma_get_base) cma_get_base __weak;
extern typeof(cma_get_size) cma_get_size __weak;

/* Before, an inline function that reads a variable which is not exported. */
#if defined(CONFIG_DMA_CMA) && LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)
extern typeof(dev_get_cma_area) dev_get_cma_area __weak;
#define DEFAULT_AREA	((unsigned long)dev_get_cma_area)
#else
#define DEFAULT_AREA	0
#endif

static unsigned long exported[SYMBOLS] __initdata = {
	[SYMBOL_ALLOC] = (unsigned long)cma_alloc,
	[SYMBOL_RELEASE] = (unsigned long)cma_release,
	[SYMBOL_FOR_EACH] = (unsigned long)cma_for_each_area,
	[SYMBOL_NAME] = (unsigned long)cma_get_name,
	[SYMBOL_BASE] = (unsigned long)cma_get_base,
	[SYMBOL_SIZE] = (unsigned long)cma_get_size,
	[SYMBOL_DEFAULT_AREA] = DEFAULT_AREA,
};

/**
 * cmatest_link() - the address of a symbol that the kernel exports
 * @symbol: which
 *
 * The address must come from data. On arm64 code that names a weak symbol takes
 * its address from a table of offsets, which the module loader does not make;
 * READ_ONCE() keeps the compiler from turning this into such code.
 *
 * Return: the address, or 0 if the kernel does not export the symbol.
 */
unsigned long __init cmatest_link(unsigned int symbol)
{
	return READ_ONCE(exported[symbol]);
}
