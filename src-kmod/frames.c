// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks at page frames of an area, and names the files of pages.
 *
 * A frame can change hands at any moment. What tells little, such as whether it is
 * free, is read without a reference, by means that survive that. A page of a
 * process or file is referenced first, and looked at again: it stays what it is
 * until the reference is given back. A page of a driver is never referenced: the
 * kernel warns when it gets a block back whose pages somebody else refers to
 * (free_contig_range()).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/dcache.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/pageblock-flags.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include "cmatest.h"

#define CMATEST_FRAMES_ROOM	65536
#define CMATEST_FRAMES_CHUNK	64	/* runs that wait until they are copied out */
#define CMATEST_FRAMES_PAUSE	128	/* frames between two chances for other tasks */
#define CMATEST_FRAME_TRIES	4	/* looks at a frame that changes meanwhile */
#define CMATEST_PATH_TRIES	100	/* of about 200 us */

#ifdef MAX_PAGE_ORDER
#define CMATEST_FREE_ORDER	MAX_PAGE_ORDER
#else
#define CMATEST_FREE_ORDER	(MAX_ORDER - 1)
#endif

/* Before, folio_mapcount() is a function that modules cannot call. */
#define CMATEST_COUNTS_LARGE	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))

/*
 * get_pfnblock_migratetype() and its like are not exported, what they read is. The
 * order of pageblocks is a constant on amd64 and arm64; where it is a variable, as
 * on powerpc, that one is not exported either.
 */
#if defined(CONFIG_CMA) && defined(CONFIG_SPARSEMEM) && !defined(CONFIG_HUGETLB_PAGE_SIZE_VARIABLE)
#define CMATEST_READS_TYPE	1
#else
#define CMATEST_READS_TYPE	0
#endif

#if CMATEST_READS_TYPE
/* The page is online. */
static u32 cmatest_frame_type(unsigned long pfn)
{
	struct mem_section *section = __pfn_to_section(pfn);
	unsigned long block = (pfn & (PAGES_PER_SECTION - 1)) >> pageblock_order;
	unsigned long bit = block * NR_PAGEBLOCK_BITS;
	unsigned long *map, bits;
	u32 flags = 0;

	if (!section || !section->usage)
		return 0;
	map = section_to_usemap(section);
	bits = READ_ONCE(map[bit / BITS_PER_LONG]) >> bit % BITS_PER_LONG;
#ifdef PAGEBLOCK_MIGRATETYPE_MASK
	if (bits & PAGEBLOCK_ISO_MASK)
		flags |= CMATEST_FRAME_ISOLATED;
	if ((bits & PAGEBLOCK_MIGRATETYPE_MASK) == MIGRATE_CMA)
		flags |= CMATEST_FRAME_CMA;
#else
	/* While it is isolated the block has no other type. */
	if ((bits & MIGRATETYPE_MASK) == MIGRATE_ISOLATE)
		flags |= CMATEST_FRAME_ISOLATED;
	if ((bits & MIGRATETYPE_MASK) == MIGRATE_CMA)
		flags |= CMATEST_FRAME_CMA;
#endif
	return flags;
}
#else
static u32 cmatest_frame_type(unsigned long pfn)
{
	return 0;
}
#endif

/*
 * Whether a frame is free, and if so the order of the free block and the frames of
 * it from this one on. The block's first page has the order, and only as long as
 * it is free.
 */
static bool cmatest_frame_is_free(unsigned long pfn, struct cmatest_frame_run *run)
{
	unsigned int at, order;

	for (at = 0; at <= CMATEST_FREE_ORDER; at++) {
		unsigned long first = pfn & ~((1UL << at) - 1);
		struct page *page = pfn_to_online_page(first);

		if (!page)
			return false;
		if (!PageBuddy(page))
			continue;
		order = READ_ONCE(page->private);
		if (order > CMATEST_FREE_ORDER || order < at || !PageBuddy(page))
			return false;
		run->kind = CMATEST_FRAME_FREE;
		run->order = order;
		run->count = first + (1UL << order) - pfn;
		return true;
	}
	return false;
}

/*
 * These work on whatever the page is now. Those of the kernel have a check that
 * it is no part of a larger one, which may have come true meanwhile.
 */
static bool cmatest_folio_flag(const struct folio *folio, unsigned int flag)
{
	return test_bit(flag, (const unsigned long *)&folio->flags);
}

static unsigned long cmatest_folio_mapping(const struct folio *folio)
{
	return (unsigned long)READ_ONCE(folio->mapping);
}

static bool cmatest_folio_is_slab(struct folio *folio)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return folio_test_slab(folio);
#else
	return cmatest_folio_flag(folio, PG_slab);
#endif
}

static bool cmatest_page_is_movable(struct page *page)
{
#ifdef PAGE_MAPPING_MOVABLE
	return __PageMovable(page);
#else
	return page_has_movable_ops(page);
#endif
}

/* Kinds that are told without a reference; false if it may be one that needs it. */
static bool cmatest_frame_is_kernels(struct page *page, struct folio *folio,
				     struct cmatest_frame_run *run)
{
	if (cmatest_folio_is_slab(folio))
		run->kind = CMATEST_FRAME_SLAB;
	else if (PageTable(page))
		run->kind = CMATEST_FRAME_TABLE;
	else if (PageOffline(page))
		run->kind = CMATEST_FRAME_OFFLINE;
	else if (folio_test_hugetlb(folio))
		run->kind = CMATEST_FRAME_HUGETLB;
	else if (!folio_ref_count(folio))
		run->kind = CMATEST_FRAME_LOOSE;
	else if (cmatest_page_is_movable(page) || page_has_type(page) ||
		 (!cmatest_folio_flag(folio, PG_lru) && !cmatest_folio_mapping(folio)))
		run->kind = CMATEST_FRAME_OTHER;
	else
		return false;
	if (cmatest_page_is_movable(page))
		run->flags |= CMATEST_FRAME_MOVABLE;
	return true;
}

/*
 * Whose page cache it is. An inode's memory is not used for another one before a
 * grace period of RCU ends, and the mapping is still that of the folio at the end:
 * so it was that of the inode meanwhile. The reads may fail nevertheless, as not
 * all mappings are those of inodes.
 */
static void cmatest_folio_identify(const struct folio *folio, struct cmatest_frame_run *run)
{
	struct address_space *mapping;
	struct super_block *sb;
	struct inode *inode;
	typeof(inode->i_ino) number;
	dev_t device;
	umode_t mode;

	rcu_read_lock();
	mapping = READ_ONCE(folio->mapping);
	if (!mapping || (unsigned long)mapping & 3)
		goto out;
	if (copy_from_kernel_nofault(&inode, &mapping->host, sizeof(inode)) || !inode)
		goto out;
	if (copy_from_kernel_nofault(&number, &inode->i_ino, sizeof(number)) ||
	    copy_from_kernel_nofault(&mode, &inode->i_mode, sizeof(mode)))
		goto out;
	if (S_ISBLK(mode)) {
		if (copy_from_kernel_nofault(&device, &inode->i_rdev, sizeof(device)))
			goto out;
	} else {
		if (copy_from_kernel_nofault(&sb, &inode->i_sb, sizeof(sb)) ||
		    copy_from_kernel_nofault(&device, &sb->s_dev, sizeof(device)))
			goto out;
	}
	if (READ_ONCE(folio->mapping) != mapping)
		goto out;
	run->inode = number;
	run->device = new_encode_dev(device);
	if (S_ISBLK(mode))
		run->flags |= CMATEST_FRAME_BLOCK;
out:
	rcu_read_unlock();
}

static const struct {
	unsigned int bit;
	u32 flag;
} cmatest_folio_flags[] = {
	{ PG_lru, CMATEST_FRAME_LRU },
	{ PG_unevictable, CMATEST_FRAME_UNEVICTABLE },
	{ PG_mlocked, CMATEST_FRAME_MLOCKED },
	{ PG_dirty, CMATEST_FRAME_DIRTY },
	{ PG_writeback, CMATEST_FRAME_WRITEBACK },
	{ PG_locked, CMATEST_FRAME_LOCKED },
	{ PG_swapbacked, CMATEST_FRAME_SWAPBACKED },
	{ PG_private, CMATEST_FRAME_PRIVATE },
};

/* How often it is mapped, and what is left of its references. One of these is ours. */
static void cmatest_folio_count(struct folio *folio, struct cmatest_frame_run *run)
{
	int maps, known, references;

#if CMATEST_COUNTS_LARGE
	maps = folio_mapcount(folio);
#else
	if (folio_test_large(folio))
		return;
	maps = atomic_read(&folio->page._mapcount) + 1;
#endif
	references = folio_ref_count(folio);
	known = 1 + maps;
	if (run->flags & CMATEST_FRAME_SWAPCACHE)
		known += folio_nr_pages(folio);
	if (run->kind == CMATEST_FRAME_FILE)
		known += folio_nr_pages(folio);
	if (run->kind != CMATEST_FRAME_ANON && run->flags & CMATEST_FRAME_PRIVATE)
		known++;
	run->flags |= CMATEST_FRAME_COUNTED;
	run->maps = max(maps, 0);
	run->extra = max(references - known, 0);
}

/* The caller has a reference. */
static void cmatest_folio_describe(struct folio *folio, struct cmatest_frame_run *run)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmatest_folio_flags); i++) {
		if (cmatest_folio_flag(folio, cmatest_folio_flags[i].bit))
			run->flags |= cmatest_folio_flags[i].flag;
	}
	if (folio_test_swapcache(folio))
		run->flags |= CMATEST_FRAME_SWAPCACHE;
	if (folio_test_anon(folio)) {
		run->kind = CMATEST_FRAME_ANON;
		if (folio_test_ksm(folio))
			run->flags |= CMATEST_FRAME_KSM;
	} else if (cmatest_folio_mapping(folio)) {
		run->kind = CMATEST_FRAME_FILE;
		cmatest_folio_identify(folio, run);
	} else if (run->flags & CMATEST_FRAME_SWAPCACHE) {
		run->kind = CMATEST_FRAME_SWAP;
	} else {
		run->kind = CMATEST_FRAME_ORPHAN;
	}
	if (folio_maybe_dma_pinned(folio))
		run->flags |= CMATEST_FRAME_PINNED;
	run->order = folio_order(folio);
	cmatest_folio_count(folio, run);
}

/* A reference on the folio of a page, or NULL if that changed meanwhile. */
static struct folio *cmatest_folio_get(struct page *page, struct folio *folio)
{
	if (!folio_try_get(folio))
		return NULL;
	if (page_folio(page) == folio &&
	    (cmatest_folio_flag(folio, PG_lru) || cmatest_folio_mapping(folio)))
		return folio;
	folio_put(folio);
	return NULL;
}

/*
 * The frames of a folio from this one on, all of which are as this one: up to the
 * end of the pageblock, which has its own type. The caller has a reference.
 */
static unsigned long cmatest_folio_rest(struct folio *folio, unsigned long pfn)
{
	unsigned long end = folio_pfn(folio) + folio_nr_pages(folio);

#if CMATEST_READS_TYPE
	end = min(end, round_up(pfn + 1, pageblock_nr_pages));
#endif
	return end - pfn;
}

/* The run that begins with this frame, of as many frames as one look tells of. */
static void cmatest_frame_look(unsigned long pfn, struct cmatest_frame_run *run)
{
	struct page *page = pfn_to_online_page(pfn);
	struct folio *folio;
	unsigned int tries;

	*run = (struct cmatest_frame_run) {
		.pfn = pfn,
		.count = 1,
		.kind = CMATEST_FRAME_ABSENT,
	};
	if (!page)
		return;
	run->flags = cmatest_frame_type(pfn);
	for (tries = 0; tries < CMATEST_FRAME_TRIES; tries++) {
		/* Of a larger page, only the first frame has references. */
		if (!page_ref_count(page) && !PageTail(page) && cmatest_frame_is_free(pfn, run))
			return;
		folio = page_folio(page);
		if (cmatest_frame_is_kernels(page, folio, run))
			return;
		folio = cmatest_folio_get(page, folio);
		if (folio) {
			cmatest_folio_describe(folio, run);
			run->count = cmatest_folio_rest(folio, pfn);
			folio_put(folio);
			return;
		}
		cpu_relax();
	}
	run->kind = CMATEST_FRAME_CHANGING;
}

static bool cmatest_frames_are_alike(const struct cmatest_frame_run *a,
				     const struct cmatest_frame_run *b)
{
	return a->kind == b->kind && a->flags == b->flags && a->order == b->order &&
	       a->device == b->device && a->inode == b->inode &&
	       a->maps == b->maps && a->extra == b->extra;
}

/**
 * struct cmatest_looker - runs on their way to the caller
 * @user: where the next ones go
 * @run: those that are not copied yet, and the one that still grows
 * @used: number of these
 * @made: number of all
 */
struct cmatest_looker {
	struct cmatest_frame_run __user *user;
	struct cmatest_frame_run *run;
	u32 used;
	u32 made;
};

static int cmatest_looker_flush(struct cmatest_looker *looker)
{
	if (copy_to_user(looker->user, looker->run, looker->used * sizeof(*looker->run)))
		return -EFAULT;
	looker->user += looker->used;
	looker->used = 0;
	return 0;
}

/* 0; -ENOSPC if there is no room; -EFAULT. */
static int cmatest_looker_add(struct cmatest_looker *looker, const struct cmatest_frame_run *run,
			      u32 room)
{
	int err;

	if (looker->used && cmatest_frames_are_alike(&looker->run[looker->used - 1], run)) {
		looker->run[looker->used - 1].count += run->count;
		return 0;
	}
	if (looker->made == room)
		return -ENOSPC;
	if (looker->used == CMATEST_FRAMES_CHUNK) {
		err = cmatest_looker_flush(looker);
		if (err)
			return err;
	}
	looker->run[looker->used++] = *run;
	looker->made++;
	return 0;
}

static int cmatest_frames_look(struct cmatest_frames *frames, struct cmatest_looker *looker)
{
	struct cmatest_frame_run run;
	unsigned int looks = 0;
	int err;

	while (frames->count) {
		if (++looks % CMATEST_FRAMES_PAUSE == 0) {
			if (signal_pending(current))
				break;
			cond_resched();
		}
		cmatest_frame_look(frames->pfn, &run);
		run.count = min(run.count, frames->count);
		err = cmatest_looker_add(looker, &run, frames->room);
		if (err == -ENOSPC)
			break;
		if (err)
			return err;
		frames->pfn += run.count;
		frames->count -= run.count;
	}
	return cmatest_looker_flush(looker);
}

/* Whether frames are all of an area: 0 or an error. */
static int cmatest_frames_check(u32 area, u64 pfn, u64 count)
{
	unsigned long first, frames;
	int err;

	err = cmatest_area_frames(area, &first, &frames);
	if (err)
		return err;
	if (!count || pfn < first || pfn - first >= frames || count > frames - (pfn - first))
		return -EINVAL;
	return 0;
}

/* CMATEST_IOC_FRAMES: looks at page frames of an area. */
int cmatest_frames_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_frames *frames = &arg->frames;
	struct cmatest_looker looker = { };
	int err;

	if (frames->unused || !frames->room || frames->room > CMATEST_FRAMES_ROOM)
		return -EINVAL;
	err = cmatest_frames_check(frames->area, frames->pfn, frames->count);
	if (err)
		return err;
	looker.user = u64_to_user_ptr(frames->runs);
	if ((uintptr_t)looker.user != frames->runs)
		return -EFAULT;
	looker.run = kmalloc_array(CMATEST_FRAMES_CHUNK, sizeof(*looker.run), CMATEST_GFP);
	if (!looker.run)
		return -ENOBUFS;

	frames->found = (CMATEST_READS_TYPE ? CMATEST_FRAMES_HAS_TYPE : 0) |
			(CMATEST_COUNTS_LARGE ? CMATEST_FRAMES_HAS_LARGE : 0);
	err = cmatest_frames_look(frames, &looker);
	frames->made = looker.made;
	kfree(looker.run);
	return err;
}

/*
 * A reference on the locked folio of a frame that is page cache. Until it is
 * unlocked the folio stays in its mapping, and so the inode stays, too.
 */
static struct folio *cmatest_path_lock(unsigned long pfn, int *err)
{
	struct page *page = pfn_to_online_page(pfn);
	struct folio *folio;
	unsigned int tries;

	*err = -ENODATA;
	if (!page)
		return NULL;
	for (tries = 0; tries < CMATEST_PATH_TRIES; tries++) {
		struct cmatest_frame_run run = { };

		folio = page_folio(page);
		if (cmatest_frame_is_kernels(page, folio, &run))
			return NULL;
		folio = cmatest_folio_get(page, folio);
		if (folio && folio_trylock(folio)) {
			unsigned long mapping = cmatest_folio_mapping(folio);

			if (mapping && !(mapping & 3) && ((struct address_space *)mapping)->host)
				return folio;
			folio_unlock(folio);
			folio_put(folio);
			return NULL;
		}
		if (folio)
			folio_put(folio);
		if (signal_pending(current)) {
			*err = -ERESTARTSYS;
			return NULL;
		}
		usleep_range(100, 300);
	}
	*err = -EBUSY;
	return NULL;
}

/* Writes the path of a name, or none. */
static int cmatest_path_write(struct cmatest_path *path, struct dentry *dentry)
{
	void __user *user = u64_to_user_ptr(path->text);
	char *buffer, *text;
	int err = 0;

	buffer = kmalloc(PATH_MAX, CMATEST_GFP);
	if (!buffer)
		return -ENOBUFS;
	text = dentry_path_raw(dentry, buffer, PATH_MAX);
	if (!IS_ERR(text)) {
		path->found |= CMATEST_PATH_HAS_PATH;
		path->length = strlen(text);
		if (copy_to_user(user, text, min(path->room, path->length + 1)))
			err = -EFAULT;
	}
	kfree(buffer);
	return err;
}

/* CMATEST_IOC_PATH: names the file whose page a frame is. */
int cmatest_path_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_path *path = &arg->path;
	struct cmatest_frame_run run = { };
	struct dentry *dentry = NULL;
	struct super_block *sb;
	struct folio *folio;
	struct inode *inode;
	int err;

	if (path->room > PATH_MAX)
		return -EINVAL;
	if ((uintptr_t)u64_to_user_ptr(path->text) != path->text)
		return -EFAULT;
	err = cmatest_frames_check(path->area, path->pfn, 1);
	if (err)
		return err;
	folio = cmatest_path_lock(path->pfn, &err);
	if (!folio)
		return err;

	cmatest_folio_identify(folio, &run);
	inode = folio->mapping->host;
	sb = inode->i_sb;
	memset(path->fs, 0, sizeof(path->fs));
	strscpy((char *)path->fs, sb->s_type->name, sizeof(path->fs));
	/* A name in use when its file system goes is a fault: that has to stay. */
	if (atomic_inc_not_zero(&sb->s_active))
		dentry = d_find_alias(inode);
	else
		sb = NULL;
	folio_unlock(folio);
	folio_put(folio);

	path->inode = run.inode;
	path->device = run.device;
	path->found = 0;
	path->length = 0;
	if (dentry) {
		err = cmatest_path_write(path, dentry);
		dput(dentry);
	}
	if (sb)
		deactivate_super(sb);
	return dentry ? err : 0;
}
