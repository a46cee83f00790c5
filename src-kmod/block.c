// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps the blocks of open files, and their limits.
 *
 * The lock of a file's xarray protects which handles there are, and @live and
 * @users of each. It is never held across a call of the allocator or an access to
 * the memory of a block. @users counts the requests that use a block, and a block
 * in use cannot be released: the answer is -EBUSY, so that no request waits for
 * another one. Whoever takes a handle out of the xarray is its only owner.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "cmatest.h"

unsigned long cmatest_max_pages __ro_after_init;
int cmatest_max_handles __ro_after_init;
atomic_long_t cmatest_charged;

/**
 * cmatest_charge() - take pages from the limit of all open files
 * @area: index of the area of the pages
 * @count: number of pages
 *
 * Return: 0, or -ENOSPC if that would pass the limit.
 */
int cmatest_charge(u32 area, unsigned long count)
{
	long now = atomic_long_read(&cmatest_charged);

	do {
		if (count > cmatest_max_pages - now)
			return -ENOSPC;
	} while (!atomic_long_try_cmpxchg(&cmatest_charged, &now, now + count));
	cmatest_area_charge(area, count);
	return 0;
}

/* Gives back what cmatest_charge() took. */
void cmatest_uncharge(u32 area, unsigned long count)
{
	cmatest_area_charge(area, -(long)count);
	atomic_long_sub(count, &cmatest_charged);
}

/**
 * cmatest_request_check() - check a request for a block
 * @area: index of the area
 * @count: number of pages
 * @order: alignment, 2^@order pages
 * @cma: set to the area
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

/* NULL if the file has no such handle. */
static struct cmatest_handle *cmatest_handle_use(struct cmatest_file *file, u32 id)
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

static void cmatest_handle_unuse(struct cmatest_file *file, struct cmatest_handle *handle)
{
	xa_lock(&file->handles);
	handle->users--;
	xa_unlock(&file->handles);
}

/* The handle must be out of the xarray, or nobody else may see it there. */
static bool cmatest_handle_free(struct cmatest_file *file, struct cmatest_handle *handle, u64 *ns)
{
	unsigned long count = handle->pages.count;
	bool accepted;

	accepted = cmatest_cma_release(&handle->pages, ns);
	cmatest_filled_free(&handle->filled);
	cmatest_uncharge(handle->area, count);
	atomic_dec(&file->count);
	kfree(handle);
	return accepted;
}

/*
 * CMATEST_IOC_ALLOC: allocates a block. Whatever else can fail comes before the
 * allocation. The handle is not live until cmatest_handle_settle().
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

	/* Never above the limit, not even for a moment: others would be refused. */
	if (!atomic_add_unless(&file->count, 1, cmatest_max_handles))
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
	/* The result is 1, and no error, when the numbers wrap around. */
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
 * cmatest_handle_settle() - make a new handle live, or undo its allocation
 * @file: the open file
 * @arg: the answer of cmatest_handle_alloc()
 * @answered: whether the caller has got the answer
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
		cmatest_handle_free(file, handle, &ns);
}

/* Takes the handle out of the xarray, unless it is in use. */
static struct cmatest_handle *cmatest_handle_end(struct cmatest_file *file, u32 id)
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
 * @pages: set to the block, which stays charged
 * @area: set to the index of its area
 *
 * Return: 0, -ENOENT if there is no such handle, or -EBUSY if it is in use.
 */
int cmatest_handle_take(struct cmatest_file *file, u32 id, struct cmatest_pages *pages, u32 *area)
{
	struct cmatest_handle *handle = cmatest_handle_end(file, id);

	if (IS_ERR(handle))
		return PTR_ERR(handle);

	*pages = handle->pages;
	*area = handle->area;
	cmatest_filled_free(&handle->filled);
	atomic_dec(&file->count);
	kfree(handle);
	return 0;
}

/* CMATEST_IOC_RELEASE: releases a block. */
int cmatest_handle_release(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_release *release = &arg->release;
	struct cmatest_handle *handle;

	if (release->unused)
		return -EINVAL;

	handle = cmatest_handle_end(file, release->handle);
	if (IS_ERR(handle))
		return PTR_ERR(handle);

	release->accepted = cmatest_handle_free(file, handle, &release->ns);
	return 0;
}

static int cmatest_handle_look_at(const struct cmatest_pages *pages,
				  struct cmatest_block *block, u64 start, u64 end)
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

/* CMATEST_IOC_BLOCK: looks at each page of a block. */
int cmatest_handle_look(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_block *block = &arg->block;
	const u32 span = CMATEST_AREA_HAS_BASE | CMATEST_AREA_HAS_SIZE;
	const struct cmatest_pages *pages;
	struct cmatest_handle *handle;
	struct cmatest_area area;
	int err;

	handle = cmatest_handle_use(file, block->handle);
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
	err = cmatest_handle_look_at(pages, block, area.base >> PAGE_SHIFT,
				     (area.base + area.size) >> PAGE_SHIFT);

	cmatest_handle_unuse(file, handle);
	return err;
}

static int cmatest_handle_check_range(const struct cmatest_pages *pages, u64 offset, u64 length)
{
	u64 size = (u64)pages->count << PAGE_SHIFT;

	if ((offset | length) % sizeof(u64))
		return -EINVAL;
	if (!length || offset >= size || length > size - offset)
		return -EINVAL;
	return 0;
}

/* CMATEST_IOC_FILL: writes a pattern into a block. */
int cmatest_handle_fill(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_fill *fill = &arg->fill;
	struct cmatest_handle *handle;
	u64 length = fill->length;
	int err;

	handle = cmatest_handle_use(file, fill->handle);
	if (!handle)
		return -ENOENT;

	err = cmatest_handle_check_range(&handle->pages, fill->offset, fill->length);
	if (!err)
		err = cmatest_filled_prepare(&handle->filled, fill->offset, length);
	if (!err) {
		err = cmatest_pattern_fill(&handle->pages, cmatest_pattern_key(fill->seed),
					   fill->offset, &length);
		cmatest_filled_add(&handle->filled, fill->offset, length);
	}

	cmatest_handle_unuse(file, handle);
	return err;
}

/* CMATEST_IOC_CHECK: compares a block with its pattern. */
int cmatest_handle_check(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_check *check = &arg->check;
	struct cmatest_handle *handle;
	struct cmatest_wrong wrong;
	int err;

	handle = cmatest_handle_use(file, check->handle);
	if (!handle)
		return -ENOENT;

	err = cmatest_handle_check_range(&handle->pages, check->offset, check->length);
	/* The answer has words of the block: never those of another program. */
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

	cmatest_handle_unuse(file, handle);
	return err;
}

/* Releases all blocks of a file that is being closed. */
void cmatest_handles_release(struct cmatest_file *file)
{
	struct cmatest_handle *handle;
	unsigned long id;
	u64 ns;

	xa_for_each(&file->handles, id, handle) {
		cmatest_handle_free(file, handle, &ns);
		cond_resched();
	}
	xa_destroy(&file->handles);
}
