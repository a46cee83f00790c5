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
		 "fault to show, CMATEST_FAULT_* of the interface in lower case, with hyphens (default none)");

static const char *const names[] = {
	[CMATEST_FAULT_NONE] = "none",
	[CMATEST_FAULT_LEAK] = "leak",
	[CMATEST_FAULT_MISALIGN] = "misalign",
	[CMATEST_FAULT_OVERLAP] = "overlap",
	[CMATEST_FAULT_WRONG_RELEASE] = "wrong-release",
	[CMATEST_FAULT_CORRUPT] = "corrupt",
	[CMATEST_FAULT_STALE_ACCOUNTING] = "stale-accounting",
	[CMATEST_FAULT_REFUSED_RELEASE] = "refused-release",
	[CMATEST_FAULT_RELEASED_TWICE] = "released-twice",
	[CMATEST_FAULT_SHARED] = "shared",
	[CMATEST_FAULT_OTHER_ZONE] = "other-zone",
	[CMATEST_FAULT_OUTSIDE] = "outside",
	[CMATEST_FAULT_OTHER_COUNT] = "other-count",
	[CMATEST_FAULT_OTHER_FRAME] = "other-frame",
	[CMATEST_FAULT_SAME_PLACE] = "same-place",
	[CMATEST_FAULT_ZERO_PAGES] = "zero-pages",
	[CMATEST_FAULT_PASSED_ZERO] = "passed-zero",
	[CMATEST_FAULT_REFUSED_BATCH] = "refused-batch",
};

struct leaked {
	struct list_head list;
	struct cmatest_pages pages;
};

static unsigned int kind __ro_after_init;
static LIST_HEAD(leaks);
static DEFINE_MUTEX(lock);
static struct page *shared __ro_after_init;
/* Under the lock. */
static struct cmatest_info first_info;
static u64 last_pfn;

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

static void answer_info(struct cmatest_info *info)
{
	if (kind != CMATEST_FAULT_STALE_ACCOUNTING)
		return;
	if (!first_info.version)
		first_info = *info;
	info->held_pages = first_info.held_pages;
	info->free_pages = first_info.free_pages;
	info->file_handles = first_info.file_handles;
}

static int answer_alloc(int err, struct cmatest_alloc *alloc)
{
	u64 pfn = alloc->pfn;

	if (kind == CMATEST_FAULT_PASSED_ZERO && err == -EINVAL && !alloc->count)
		return -ENOMEM;
	if (kind == CMATEST_FAULT_SAME_PLACE && !err) {
		if (last_pfn)
			alloc->pfn = last_pfn;
		last_pfn = pfn;
	}
	return err;
}

static int answer_release(int err, struct cmatest_release *release)
{
	if (kind == CMATEST_FAULT_REFUSED_RELEASE && !err)
		release->accepted = 0;
	if (kind == CMATEST_FAULT_RELEASED_TWICE && err == -ENOENT) {
		release->accepted = 1;
		release->ns = 0;
		return 0;
	}
	return err;
}

static void answer_block(struct cmatest_block *block)
{
	switch (kind) {
	case CMATEST_FAULT_SHARED:
		block->unshared--;
		break;
	case CMATEST_FAULT_OTHER_ZONE:
		block->in_zone--;
		break;
	case CMATEST_FAULT_OUTSIDE:
		block->inside--;
		break;
	case CMATEST_FAULT_OTHER_COUNT:
		block->count++;
		break;
	case CMATEST_FAULT_OTHER_FRAME:
		block->pfn++;
		break;
	}
}

static void answer_probe(struct cmatest_probe *probe)
{
	if (kind == CMATEST_FAULT_WRONG_RELEASE && probe->kind == CMATEST_PROBE_FOREIGN_PAGE)
		probe->refused = 0;
	if (kind == CMATEST_FAULT_ZERO_PAGES && probe->kind == CMATEST_PROBE_NO_PAGES)
		probe->refused = 0;
}

/**
 * cmatest_fault_answer() - lie about what was done
 * @cmd: the request
 * @err: how it ended
 * @arg: its structure, as it is to be written for the caller
 *
 * What was done is right, and stays as it is.
 *
 * Return: how to say that it ended.
 */
int cmatest_fault_answer(unsigned int cmd, int err, union cmatest_arg *arg)
{
	mutex_lock(&lock);
	switch (cmd) {
	case CMATEST_IOC_ALLOC:
		err = answer_alloc(err, &arg->alloc);
		break;
	case CMATEST_IOC_RELEASE:
		err = answer_release(err, &arg->release);
		break;
	case CMATEST_IOC_INFO:
		if (!err)
			answer_info(&arg->info);
		break;
	case CMATEST_IOC_BLOCK:
		if (!err)
			answer_block(&arg->block);
		break;
	case CMATEST_IOC_BATCH:
		if (!err && kind == CMATEST_FAULT_REFUSED_BATCH)
			arg->batch.refused++;
		break;
	case CMATEST_IOC_PROBE:
		if (!err)
			answer_probe(&arg->probe);
		break;
	}
	mutex_unlock(&lock);
	return err;
}
