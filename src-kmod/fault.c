// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deliberate faults, to prove that the tests find them.
 *
 * Built with CMATEST_FAULTS=1 alone, and never packaged. "fault=NAME" at load
 * makes the module behave as if the allocator had that fault. The machine takes
 * no harm: all that is kept or borrowed is the module's own, and goes back when
 * it is unloaded.
 */
#include "cmatest.h"
#include "fault.h"

#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *fault = "none";
module_param(fault, charp, 0400);
MODULE_PARM_DESC(fault,
		 "fault to show: leak, misalign, overlap, wrong-release, corrupt or stale-accounting (default none)");

static const char *const names[] = {
	[CMATEST_FAULT_NONE] = "none",
	[CMATEST_FAULT_LEAK] = "leak",
	[CMATEST_FAULT_MISALIGN] = "misalign",
	[CMATEST_FAULT_OVERLAP] = "overlap",
	[CMATEST_FAULT_WRONG_RELEASE] = "wrong-release",
	[CMATEST_FAULT_CORRUPT] = "corrupt",
	[CMATEST_FAULT_STALE_ACCOUNTING] = "stale-accounting",
};

struct leaked {
	struct list_head list;
	struct cmatest_pages pages;
};

static unsigned int kind __ro_after_init;
static LIST_HEAD(leaks);
static DEFINE_MUTEX(lock);
static struct page *shared __ro_after_init;
static struct cmatest_info first_info;

/**
 * cmatest_fault_start() - find out which fault to show
 *
 * Return: 0, -EINVAL for a name that is none, or -ENOMEM.
 */
int __init cmatest_fault_start(void)
{
	int found = match_string(names, ARRAY_SIZE(names), fault);

	if (found < 0) {
		pr_err("fault: there is none that is called %s\n", fault);
		return -EINVAL;
	}
	if (found == CMATEST_FAULT_OVERLAP) {
		shared = alloc_page(GFP_KERNEL);
		if (!shared)
			return -ENOMEM;
	}
	kind = found;
	return 0;
}

/**
 * cmatest_fault_stop() - give back what the fault took
 */
void cmatest_fault_stop(void)
{
	struct leaked *leak, *next;
	u64 ns;

	list_for_each_entry_safe(leak, next, &leaks, list) {
		cmatest_cma_release(&leak->pages, &ns);
		kfree(leak);
	}
	if (shared)
		__free_page(shared);
}

/**
 * cmatest_fault_kind() - which fault is shown
 *
 * Return: CMATEST_FAULT_*.
 */
unsigned int cmatest_fault_kind(void)
{
	return kind;
}

/**
 * cmatest_fault_lead() - pages that are allocated and left out before a block
 *
 * Return: pages.
 */
unsigned long cmatest_fault_lead(void)
{
	return kind == CMATEST_FAULT_MISALIGN;
}

/**
 * cmatest_fault_leak() - keep the last page of a block that is to be released
 * @pages: the block
 */
void cmatest_fault_leak(struct cmatest_pages *pages)
{
	struct leaked *leak;

	if (kind != CMATEST_FAULT_LEAK)
		return;
	leak = kmalloc(sizeof(*leak), GFP_KERNEL);
	if (!leak)
		return;

	pages->count--;
	leak->pages = *pages;
	leak->pages.first += pages->count;
	leak->pages.count = 1;
	mutex_lock(&lock);
	list_add(&leak->list, &leaks);
	mutex_unlock(&lock);
}

/**
 * cmatest_fault_page() - another page in the place of one of a block
 * @page: the right one
 * @index: which page of the block it is
 *
 * Return: the page to fill or to check.
 */
struct page *cmatest_fault_page(struct page *page, unsigned long index)
{
	return kind == CMATEST_FAULT_OVERLAP && index == 0 ? shared : page;
}

/**
 * cmatest_fault_refused() - lie about a foreign page
 * @refused: what is true
 *
 * Return: what to say.
 */
bool cmatest_fault_refused(bool refused)
{
	return refused ^ (kind == CMATEST_FAULT_WRONG_RELEASE);
}

/**
 * cmatest_fault_corrupt() - flip a bit in the middle of what was filled
 * @pages: the block
 * @offset: first byte that was filled
 * @length: how many were
 */
void cmatest_fault_corrupt(const struct cmatest_pages *pages, u64 offset, u64 length)
{
	u8 *byte;

	if (kind != CMATEST_FAULT_CORRUPT)
		return;
	offset += length / 2;
	byte = kmap_local_page(pfn_to_page(page_to_pfn(pages->first) + (offset >> PAGE_SHIFT)));
	byte[offset_in_page(offset)] ^= 0x10;
	kunmap_local(byte);
}

/**
 * cmatest_fault_stale() - let the page counts stand still
 * @info: the true ones
 */
void cmatest_fault_stale(struct cmatest_info *info)
{
	if (kind != CMATEST_FAULT_STALE_ACCOUNTING)
		return;

	mutex_lock(&lock);
	if (!first_info.version)
		first_info = *info;
	info->held_pages = first_info.held_pages;
	info->free_pages = first_info.free_pages;
	info->file_handles = first_info.file_handles;
	mutex_unlock(&lock);
}
