// SPDX-License-Identifier: GPL-2.0-only
/*
 * Releases a block into memory or page cache of the caller.
 *
 * A program cannot choose its pages, and the kernel prefers other memory to an
 * area. But a page that is released goes to the head of a list of this CPU, where
 * the pages of areas are among the movable ones, and the next movable page that is
 * allocated on this CPU from that zone is the head of the list
 * (rmqueue_pcplist() in mm/page_alloc.c, 6.1 to 7.3). So each page of the block is
 * released alone, and an allocation from its zone follows at once. That uses up no
 * other memory, however much there is.
 *
 * Somebody else may come first, an interrupt for example. That page is not placed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kconfig.h>
#include <linux/migrate.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "cmatest.h"

/* Pages that are placed while the caller's memory is locked. */
#define CMATEST_PLACE_CHUNK	32

#define CMATEST_ZONE_BITS	(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM)

/* Two requests that narrow one mapping would each restore what the other has set. */
static DEFINE_MUTEX(cmatest_narrowing);

/* The flags that have memory come from the page's zone, or a lower one. */
static gfp_t cmatest_zone_bits(const struct page *page)
{
	switch (page_zonenum(page)) {
#ifdef CONFIG_ZONE_DMA
	case ZONE_DMA:
		return __GFP_DMA;
#endif
#ifdef CONFIG_ZONE_DMA32
	case ZONE_DMA32:
		return __GFP_DMA32;
#endif
	case ZONE_MOVABLE:
		return __GFP_HIGHMEM;
	default:
		return 0;
	}
}

/*
 * Each page of a block has a reference count of its own, and an area that is
 * counted in single pages takes it back alone.
 */
static int cmatest_place_release_last(struct cmatest_pages *block)
{
	struct page *page = block->first + --block->count;
	u64 ns;

	if (cmatest_cma_offer(block->cma, page, 1, &ns))
		return 0;
	pr_err_ratelimited("cma_release refused a page that cma_alloc gave: it is lost until the next boot\n");
	return -EIO;
}

#if IS_ENABLED(CONFIG_DEVICE_MIGRATION)
/* Makes the last page of the block a movable one that is all 0, or returns NULL. */
static struct page *cmatest_place_exchange_last(struct cmatest_pages *block, int *err)
{
	struct page *last = block->first + block->count - 1;
	gfp_t gfp = GFP_USER | __GFP_MOVABLE | __GFP_ZERO | __GFP_THISNODE |
		    __GFP_NORETRY | __GFP_NOWARN | cmatest_zone_bits(last);
	struct page *page = NULL;

	migrate_disable();
	*err = cmatest_place_release_last(block);
	if (!*err)
		page = alloc_pages_node(page_to_nid(last), gfp, 0);
	migrate_enable();

	if (page && page != last) {
		__free_page(page);
		page = NULL;
	}
	return page;
}

/*
 * The functions of <linux/migrate.h> are for memory of devices, but take any. They
 * fill holes of the caller's memory as page faults would: the pages are charged to
 * its control group, and are on the LRU.
 */
static int cmatest_place_fill_holes(struct cmatest_pages *block, struct vm_area_struct *vma,
				    unsigned long start, unsigned long count, u64 *placed)
{
	unsigned long src[CMATEST_PLACE_CHUNK] = {}, dst[CMATEST_PLACE_CHUNK] = {};
	struct migrate_vma args = {
		.vma = vma,
		.src = src,
		.dst = dst,
		.start = start,
		.end = start + (count << PAGE_SHIFT),
	};
	struct page *page;
	unsigned long i;
	int err;

	/* Without a flag, pages that are there already stay. */
	err = migrate_vma_setup(&args);
	if (err)
		return err;

	for (i = count; i-- && !err;) {
		page = NULL;
		if (src[i] & MIGRATE_PFN_MIGRATE)
			page = cmatest_place_exchange_last(block, &err);
		else
			err = cmatest_place_release_last(block);
		if (page) {
			folio_lock(page_folio(page));
			dst[i] = migrate_pfn(page_to_pfn(page));
		}
	}

	migrate_vma_pages(&args);
	for (i = 0; i < count; i++) {
		if (dst[i] && src[i] & MIGRATE_PFN_MIGRATE)
			++*placed;
	}
	migrate_vma_finalize(&args);
	return err;
}

static int cmatest_place_in_memory(struct cmatest_pages *block, u64 address, u64 *placed)
{
	unsigned long count, start;
	struct vm_area_struct *vma;
	int err = 0;

	if (!PAGE_ALIGNED(address) || address > ULONG_MAX - (block->count << PAGE_SHIFT))
		return -EINVAL;

	while (block->count && !err) {
		if (signal_pending(current))
			return -EINTR;
		count = min_t(unsigned long, block->count, CMATEST_PLACE_CHUNK);
		start = address + ((block->count - count) << PAGE_SHIFT);

		if (mmap_read_lock_killable(current->mm))
			return -EINTR;
		vma = vma_lookup(current->mm, start);
		if (vma && vma_is_anonymous(vma) && vma->vm_flags & VM_WRITE &&
		    vma->vm_end - start >= count << PAGE_SHIFT)
			err = cmatest_place_fill_holes(block, vma, start, count, placed);
		else
			err = -EINVAL;
		mmap_read_unlock(current->mm);
	}
	return err;
}
#else
static int cmatest_place_in_memory(struct cmatest_pages *block, u64 address, u64 *placed)
{
	return -EOPNOTSUPP;
}
#endif

/*
 * The file grows by each page. Within a size that it has already, tmpfs might take
 * large pages, which are not those that were released.
 */
static int cmatest_place_write_pages(struct cmatest_pages *block, struct file *file, u64 offset,
				     u64 *placed)
{
	void *zeros = (void *)get_zeroed_page(GFP_KERNEL);
	loff_t pos = offset;
	ssize_t written;
	int err = 0;

	if (!zeros)
		return -ENOBUFS;
	while (block->count && !err) {
		if (signal_pending(current)) {
			err = -EINTR;
			break;
		}
		written = 0;

		migrate_disable();
		err = cmatest_place_release_last(block);
		if (!err)
			written = kernel_write(file, zeros, PAGE_SIZE, &pos);
		migrate_enable();

		if (written == PAGE_SIZE)
			++*placed;
		else if (written == -ENOMEM)
			/* For the page cache, that is: -ENOMEM is the allocator's. */
			err = -ENOBUFS;
		else if (!err)
			err = written < 0 ? written : -ENOSPC;
	}
	free_page((unsigned long)zeros);
	return err;
}

static int cmatest_place_in_file(struct cmatest_pages *block, int fd, u64 offset, u64 *placed)
{
	struct address_space *mapping;
	struct file *file = fget(fd);
	gfp_t before;
	int err = -EINVAL;

	if (!file)
		return -EBADF;
	if (!(file->f_mode & FMODE_WRITE)) {
		err = -EBADF;
		goto put;
	}
	if (!S_ISREG(file_inode(file)->i_mode) || file->f_flags & (O_APPEND | O_DIRECT))
		goto put;
	if (!PAGE_ALIGNED(offset) || offset > MAX_LFS_FILESIZE - ((u64)block->count << PAGE_SHIFT))
		goto put;

	/* Meanwhile the file's page cache comes from the area's zone alone. */
	if (mutex_lock_interruptible(&cmatest_narrowing)) {
		err = -EINTR;
		goto put;
	}
	mapping = file->f_mapping;
	before = mapping_gfp_mask(mapping);
	mapping_set_gfp_mask(mapping,
			     (before & ~CMATEST_ZONE_BITS) | cmatest_zone_bits(block->first));
	err = cmatest_place_write_pages(block, file, offset, placed);
	mapping_set_gfp_mask(mapping, before);
	mutex_unlock(&cmatest_narrowing);
put:
	fput(file);
	return err;
}

/* CMATEST_IOC_PLACE: releases a block into memory or page cache of the caller. */
int cmatest_place_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_place *place = &arg->place;
	struct cmatest_pages block;
	struct cmatest_area area;
	unsigned long count;
	u32 index;
	int err;
	u64 ns;

	if (place->unused)
		return -EINVAL;
	err = cmatest_handle_take(file, place->handle, &block, &index);
	if (err)
		return err;

	count = block.count;
	place->placed = 0;
	cmatest_area_describe(index, &area);
	if (area.flags & CMATEST_AREA_RANGES)
		/* Counted in huge pages: a single page cannot be released. */
		err = -EOPNOTSUPP;
	else if (place->flags & CMATEST_PLACE_IN_FILE)
		err = cmatest_place_in_file(&block, place->fd, place->address, &place->placed);
	else
		err = cmatest_place_in_memory(&block, place->address, &place->placed);

	if (block.count)
		cmatest_cma_release(&block, &ns);
	cmatest_uncharge(index, count);
	return place->placed && err != -EIO ? 0 : err;
}
