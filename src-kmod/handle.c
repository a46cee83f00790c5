// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks that an open file owns.
 *
 * The lock of the file's xarray guards which handles there are, and @live and
 * @users of each. It is never held across a call to the allocator or a look at
 * memory. Who uses a block counts in @users, and a block with users cannot be
 * released: that is -EBUSY, and not a wait, so that no request has to wait for
 * another. Whoever takes a handle out of the xarray owns it alone.
 */
#include "cmatest.h"
#include "fault.h"

#include <linux/cache.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * struct cmatest_handle - a block of an open file
 * @pages: the block
 * @filled: which of its bytes were filled
 * @area: index of its area
 * @users: requests that use it now
 * @live: its owner was told of it; until then it is not there for anybody else
 */
struct cmatest_handle {
	struct cmatest_pages pages;
	struct cmatest_filled filled;
	u32 area;
	unsigned int users;
	bool live;
};

static atomic_long_t charged;

static unsigned long page_limit __ro_after_init;
static int handle_limit __ro_after_init;

/**
 * cmatest_limits_set() - set what can be had
 * @max_pages: pages of all open files together, 0 for no limit
 * @max_handles: blocks of one open file
 */
void __init cmatest_limits_set(unsigned long max_pages, unsigned int max_handles)
{
	page_limit = min_not_zero(max_pages, (unsigned long)LONG_MAX);
	handle_limit = min_t(unsigned int, max_handles, INT_MAX);
}

/**
 * cmatest_max_pages() - how many pages all open files can have
 *
 * Return: pages.
 */
unsigned long cmatest_max_pages(void)
{
	return page_limit;
}

/**
 * cmatest_max_handles() - how many blocks one open file can have
 *
 * Return: blocks.
 */
unsigned int cmatest_max_handles(void)
{
	return handle_limit;
}

/**
 * cmatest_charged() - how many pages all open files have, or ask for
 *
 * Return: pages.
 */
unsigned long cmatest_charged(void)
{
	return atomic_long_read(&charged);
}

/**
 * cmatest_charge() - take pages from the limit
 * @area: index of the area that they are of
 * @count: pages
 *
 * Return: 0 or -ENOSPC.
 */
int cmatest_charge(u32 area, unsigned long count)
{
	long now = atomic_long_read(&charged);

	do {
		if (count > page_limit - now)
			return -ENOSPC;
	} while (!atomic_long_try_cmpxchg(&charged, &now, now + count));
	cmatest_area_charge(area, count);
	return 0;
}

/**
 * cmatest_uncharge() - give pages back to the limit
 * @area: as it was charged
 * @count: as it was charged
 */
void cmatest_uncharge(u32 area, unsigned long count)
{
	cmatest_area_charge(area, -(long)count);
	atomic_long_sub(count, &charged);
}

/**
 * cmatest_request_check() - check what to ask an area for
 * @area: index of the area
 * @count: pages
 * @order: their alignment
 * @cma: gets the area
 *
 * Return: 0, -ENOENT if there is no such area, or -EINVAL.
 */
int cmatest_request_check(u32 area, u64 count, u32 order, struct cma **cma)
{
	*cma = cmatest_area_get(area);
	if (!*cma)
		return -ENOENT;
	if (!count || count > cmatest_cma_max_count() || order > cmatest_cma_max_order())
		return -EINVAL;
	return 0;
}

static struct cmatest_handle *use_handle(struct cmatest_file *file, u32 id)
{
	struct cmatest_handle *handle;

	xa_lock(&file->handles);
	handle = xa_load(&file->handles, id);
	if (handle && handle->live)
		handle->users++;
	else
		handle = NULL;
	xa_unlock(&file->handles);
	return handle;
}

static void unuse_handle(struct cmatest_file *file, struct cmatest_handle *handle)
{
	xa_lock(&file->handles);
	handle->users--;
	xa_unlock(&file->handles);
}

/* The handle is no longer in the xarray, or not seen by anybody there. */
static bool free_handle(struct cmatest_file *file, struct cmatest_handle *handle, u64 *ns)
{
	unsigned long count = handle->pages.count;
	bool accepted;

	cmatest_fault_leak(&handle->pages);
	accepted = cmatest_cma_release(&handle->pages, ns);
	cmatest_filled_free(&handle->filled);
	cmatest_uncharge(handle->area, count);
	atomic_dec(&file->count);
	kfree(handle);
	return accepted;
}

/**
 * cmatest_handle_alloc() - CMATEST_IOC_ALLOC
 * @file: the open file
 * @arg: the argument
 *
 * All that can fail is done before the allocation. The handle is not live
 * until cmatest_handle_settle().
 *
 * Return: 0 or an error, see struct cmatest_alloc.
 */
int cmatest_handle_alloc(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_alloc *alloc = &arg->alloc;
	struct cmatest_handle *handle;
	struct cma *cma;
	u32 id;
	int err;

	err = cmatest_request_check(alloc->area, alloc->count, alloc->order, &cma);
	if (err)
		return err;

	alloc->handle = 0;
	alloc->pfn = 0;
	alloc->ns = 0;

	/* Never above the limit, not for a moment: that would refuse others. */
	if (!atomic_add_unless(&file->count, 1, handle_limit))
		return -EMFILE;
	err = cmatest_charge(alloc->area, alloc->count);
	if (err)
		goto uncount;
	handle = kzalloc(sizeof(*handle), CMATEST_GFP);
	if (!handle) {
		err = -ENOBUFS;
		goto uncharge;
	}
	handle->area = alloc->area;
	cmatest_filled_init(&handle->filled, alloc->count);
	/* 1 means that the numbers started anew, which is fine. */
	err = xa_alloc_cyclic(&file->handles, &id, handle, xa_limit_32b, &file->next,
			      CMATEST_GFP);
	if (err < 0) {
		err = -ENOBUFS;
		goto free;
	}

	err = cmatest_cma_alloc(cma, alloc->count, alloc->order,
				alloc->flags & CMATEST_NO_WARN, &handle->pages);
	alloc->ns = handle->pages.alloc_ns;
	if (err)
		goto erase;

	alloc->handle = id;
	alloc->pfn = page_to_pfn(handle->pages.first);
	return 0;

erase:
	xa_erase(&file->handles, id);
free:
	cmatest_filled_free(&handle->filled);
	kfree(handle);
uncharge:
	cmatest_uncharge(alloc->area, alloc->count);
uncount:
	atomic_dec(&file->count);
	return err;
}

/**
 * cmatest_handle_settle() - let the handle be used, or undo the allocation
 * @file: the open file
 * @arg: as cmatest_handle_alloc() left it
 * @answered: the caller has got it
 */
void cmatest_handle_settle(struct cmatest_file *file, union cmatest_arg *arg, bool answered)
{
	struct cmatest_handle *handle;
	u64 ns;

	xa_lock(&file->handles);
	if (answered) {
		handle = xa_load(&file->handles, arg->alloc.handle);
		handle->live = true;
	} else {
		handle = __xa_erase(&file->handles, arg->alloc.handle);
	}
	xa_unlock(&file->handles);

	if (!answered)
		free_handle(file, handle, &ns);
}

/* Return: the block, whose number is nobody's any more, or an error. */
static struct cmatest_handle *end_handle(struct cmatest_file *file, u32 id)
{
	struct cmatest_handle *handle;

	xa_lock(&file->handles);
	handle = xa_load(&file->handles, id);
	if (!handle || !handle->live)
		handle = ERR_PTR(-ENOENT);
	else if (handle->users)
		handle = ERR_PTR(-EBUSY);
	else
		__xa_erase(&file->handles, id);
	xa_unlock(&file->handles);
	return handle;
}

/**
 * cmatest_handle_take() - end a handle, and take over its block
 * @file: the open file
 * @id: the handle
 * @pages: gets the block, which stays charged
 * @area: gets the index of its area
 *
 * Return: 0, -ENOENT if there is no such handle, or -EBUSY if it has users.
 */
int cmatest_handle_take(struct cmatest_file *file, u32 id, struct cmatest_pages *pages, u32 *area)
{
	struct cmatest_handle *handle = end_handle(file, id);

	if (IS_ERR(handle))
		return PTR_ERR(handle);

	*pages = handle->pages;
	*area = handle->area;
	cmatest_filled_free(&handle->filled);
	atomic_dec(&file->count);
	kfree(handle);
	return 0;
}

/**
 * cmatest_handle_release() - CMATEST_IOC_RELEASE
 * @file: the open file
 * @arg: the argument
 *
 * Return: 0 or an error, see struct cmatest_release.
 */
int cmatest_handle_release(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_release *release = &arg->release;
	struct cmatest_handle *handle;

	if (release->unused)
		return -EINVAL;

	handle = end_handle(file, release->handle);
	if (IS_ERR(handle))
		return PTR_ERR(handle);

	release->accepted = free_handle(file, handle, &release->ns);
	return 0;
}

static int look_at_pages(const struct cmatest_pages *pages, struct cmatest_block *block,
			 u64 start, u64 end)
{
	unsigned long first = page_to_pfn(pages->first), i;
	struct page *page;

	for (i = 0; i < pages->count; i++) {
		page = pfn_to_page(first + i);
		if (page_zone(page) == page_zone(pages->first))
			block->in_zone++;
		if (page_count(page) == 1)
			block->unshared++;
		if (first + i >= start && first + i < end)
			block->inside++;

		cond_resched();
		if (signal_pending(current) && i + 1 < pages->count)
			return -ERESTARTSYS;
	}
	return 0;
}

/**
 * cmatest_handle_look() - CMATEST_IOC_BLOCK
 * @file: the open file
 * @arg: the argument
 *
 * Return: 0 or an error, see struct cmatest_block.
 */
int cmatest_handle_look(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_block *block = &arg->block;
	const u32 span = CMATEST_AREA_HAS_BASE | CMATEST_AREA_HAS_SIZE;
	const struct cmatest_pages *pages;
	struct cmatest_handle *handle;
	struct cmatest_area area;
	int err;

	handle = use_handle(file, block->handle);
	if (!handle)
		return -ENOENT;

	pages = &handle->pages;
	*block = (struct cmatest_block) {
		.handle = block->handle,
		.area = handle->area,
		.order = pages->order,
		.count = pages->count,
		.pfn = page_to_pfn(pages->first),
		.node = page_to_nid(pages->first),
		.zone = page_zonenum(pages->first),
	};
	snprintf((char *)block->zone_name, sizeof(block->zone_name), "%s",
		 page_zone(pages->first)->name);

	cmatest_area_describe(handle->area, &area);
	if ((area.flags & span) == span)
		block->flags |= CMATEST_BLOCK_HAS_INSIDE;
	else
		area.base = area.size = 0;
	err = look_at_pages(pages, block, area.base >> PAGE_SHIFT,
			    (area.base + area.size) >> PAGE_SHIFT);

	unuse_handle(file, handle);
	return err;
}

static int check_range(const struct cmatest_pages *pages, u64 offset, u64 length)
{
	u64 size = (u64)pages->count << PAGE_SHIFT;

	if ((offset | length) % sizeof(u64))
		return -EINVAL;
	if (!length || offset >= size || length > size - offset)
		return -EINVAL;
	return 0;
}

/**
 * cmatest_handle_fill() - CMATEST_IOC_FILL
 * @file: the open file
 * @arg: the argument
 *
 * Return: 0 or an error, see struct cmatest_fill.
 */
int cmatest_handle_fill(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_fill *fill = &arg->fill;
	struct cmatest_handle *handle;
	u64 length = fill->length;
	int err;

	handle = use_handle(file, fill->handle);
	if (!handle)
		return -ENOENT;

	err = check_range(&handle->pages, fill->offset, fill->length);
	if (!err)
		err = cmatest_filled_prepare(&handle->filled, fill->offset, length);
	if (!err) {
		err = cmatest_pattern_fill(&handle->pages, cmatest_pattern_key(fill->seed),
					   fill->offset, &length);
		cmatest_filled_add(&handle->filled, fill->offset, length);
	}
	if (!err)
		cmatest_fault_corrupt(&handle->pages, fill->offset, fill->length);

	unuse_handle(file, handle);
	return err;
}

/**
 * cmatest_handle_check() - CMATEST_IOC_CHECK
 * @file: the open file
 * @arg: the argument
 *
 * Return: 0 or an error, see struct cmatest_check.
 */
int cmatest_handle_check(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_check *check = &arg->check;
	struct cmatest_handle *handle;
	struct cmatest_wrong wrong;
	int err;

	handle = use_handle(file, check->handle);
	if (!handle)
		return -ENOENT;

	err = check_range(&handle->pages, check->offset, check->length);
	/* The caller is told what is there: nothing that others left. */
	if (!err && !cmatest_filled_all(&handle->filled, check->offset, check->length))
		err = -EINVAL;
	if (!err)
		err = cmatest_pattern_check(&handle->pages, cmatest_pattern_key(check->seed),
					    check->offset, check->length, &wrong);
	if (!err) {
		check->bad_words = wrong.words;
		check->first_bad = wrong.first;
		check->wrote = wrong.wrote;
		check->read = wrong.read;
	}

	unuse_handle(file, handle);
	return err;
}

/**
 * cmatest_handles_release() - release all blocks of a file that is closed
 * @file: the file
 */
void cmatest_handles_release(struct cmatest_file *file)
{
	struct cmatest_handle *handle;
	unsigned long id;
	u64 ns;

	xa_for_each(&file->handles, id, handle) {
		free_handle(file, handle, &ns);
		cond_resched();
	}
	xa_destroy(&file->handles);
}
