// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills memory with a pattern, and reads the pattern back.
 *
 * Each word depends on its place in the block, so that two pages which are the
 * same memory, or a page which is another's, show up. The form of the words is
 * part of the interface: see struct cmatest_fill.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/freezer.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "cmatest.h"

static u64 cmatest_pattern_word(u64 index, u64 key)
{
	/* The factor is odd, so no two places in a block have the same word. */
	return ((index + 1) * 0x9e3779b97f4a7c15ULL) ^ key;
}

/**
 * cmatest_pattern_key() - make the key of a pattern
 * @seed: any number
 *
 * Return: the finalizer of SplitMix64, which makes distant keys of near seeds.
 */
u64 cmatest_pattern_key(u64 seed)
{
	seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ULL;
	seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebULL;
	return seed ^ (seed >> 31);
}

/* Works on words within one page; @index is the place of the first in the block. */
typedef void (*cmatest_words_fn)(u64 *word, u64 index, unsigned long count, u64 key,
				 struct cmatest_wrong *wrong);

static void cmatest_words_fill(u64 *word, u64 index, unsigned long count, u64 key,
			       struct cmatest_wrong *unused)
{
	unsigned long i;

	for (i = 0; i < count; i++)
		WRITE_ONCE(word[i], cmatest_pattern_word(index + i, key));
}

static void cmatest_words_check(u64 *word, u64 index, unsigned long count, u64 key,
				struct cmatest_wrong *wrong)
{
	unsigned long i;
	u64 wrote, read;

	for (i = 0; i < count; i++) {
		wrote = cmatest_pattern_word(index + i, key);
		read = READ_ONCE(word[i]);
		if (likely(read == wrote))
			continue;
		if (!wrong->words++) {
			wrong->first = (index + i) * sizeof(u64);
			wrong->wrote = wrote;
			wrong->read = read;
		}
	}
}

/*
 * A request ends at any signal, and unless a handler says otherwise it is made
 * again. Tasks being frozen, for suspend or by a cgroup, looks like a signal.
 */
static int cmatest_pause_request(void)
{
	cond_resched();
	return signal_pending(current) ? -ERESTARTSYS : 0;
}

/* A load cannot be made again: another task may be waiting for its end. */
static int __init cmatest_pause_load(void)
{
	cond_resched();
	try_to_freeze();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* Sets @length to what was done: all of it, or up to the end of a page. */
static int cmatest_walk(const struct cmatest_pages *pages, u64 offset, u64 *length, u64 key,
			cmatest_words_fn fn, struct cmatest_wrong *wrong, int (*pause)(void))
{
	unsigned long pfn = page_to_pfn(pages->first);
	u64 start = offset, end = offset + *length;
	int err = 0;

	while (offset < end && !err) {
		unsigned long index = offset >> PAGE_SHIFT;
		unsigned long within = offset_in_page(offset);
		unsigned long bytes = min_t(u64, PAGE_SIZE - within, end - offset);
		void *address;

		/* By pfn: struct pages need not be contiguous across sections. */
		address = kmap_local_page(pfn_to_page(pfn + index));
		fn(address + within, offset / sizeof(u64), bytes / sizeof(u64), key, wrong);
		kunmap_local(address);

		offset += bytes;
		err = offset < end ? pause() : 0;
	}
	*length = offset - start;
	return err;
}

/**
 * cmatest_pattern_fill() - write a pattern into a block
 * @pages: the block
 * @key: from cmatest_pattern_key()
 * @offset: first byte, a multiple of 8
 * @length: number of bytes, a multiple of 8, all within the block; set to those
 *	that were written, which are all or end with a page
 *
 * Return: 0, or -ERESTARTSYS if there is a signal.
 */
int cmatest_pattern_fill(const struct cmatest_pages *pages, u64 key, u64 offset, u64 *length)
{
	return cmatest_walk(pages, offset, length, key, cmatest_words_fill, NULL,
			    cmatest_pause_request);
}

/**
 * cmatest_pattern_check() - compare a block with its pattern
 * @pages: the block
 * @key: as it was filled
 * @offset: first byte, a multiple of 8
 * @length: number of bytes, a multiple of 8, all within the block
 * @wrong: set to the words that differ
 *
 * Return: 0, or -ERESTARTSYS if there is a signal.
 */
int cmatest_pattern_check(const struct cmatest_pages *pages, u64 key, u64 offset, u64 length,
			  struct cmatest_wrong *wrong)
{
	*wrong = (struct cmatest_wrong) { .first = CMATEST_NOWHERE };
	return cmatest_walk(pages, offset, &length, key, cmatest_words_check, wrong,
			    cmatest_pause_request);
}

/**
 * cmatest_pattern_test() - write and read back a whole block, twice
 * @pages: the block
 *
 * The second round writes the complement: every bit has been both 0 and 1, and
 * nothing that an earlier run left can pass for what was written.
 *
 * Return: 0, -EIO if a word differs (the log tells which), or -EINTR if this task
 * is being killed.
 */
int __init cmatest_pattern_test(const struct cmatest_pages *pages)
{
	static const u64 keys[] __initconst = { 0, ~0ULL };
	u64 length = (u64)pages->count << PAGE_SHIFT;
	struct cmatest_wrong wrong;
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		wrong = (struct cmatest_wrong) { };
		err = cmatest_walk(pages, 0, &length, keys[i], cmatest_words_fill, NULL,
				   cmatest_pause_load);
		if (!err)
			err = cmatest_walk(pages, 0, &length, keys[i], cmatest_words_check, &wrong,
					   cmatest_pause_load);
		if (err)
			return err;
		if (wrong.words) {
			pr_err("wrong data at byte %llu of the block (pfn 0x%lx) and in %llu words in all: wrote 0x%016llx, read 0x%016llx\n",
			       wrong.first,
			       page_to_pfn(pages->first) + (unsigned long)(wrong.first >> PAGE_SHIFT),
			       wrong.words, wrong.wrote, wrong.read);
			return -EIO;
		}
	}
	return 0;
}

/*
 * Memory from cma_alloc() may hold what another program left there, and
 * CMATEST_IOC_CHECK tells its caller what it read. So only those bytes may be
 * checked that were filled through the same handle. The record of them is a bit
 * for each page, and a bit for each word of the pages that were filled in part: at
 * most 1/64 of the block, whatever is filled in whatever order.
 */
#define CMATEST_PAGE_WORDS	(PAGE_SIZE / sizeof(u64))

/*
 * A range of bytes: words of a first page and of a last page that are covered in
 * part (none, where there is no such page), and the whole pages between them.
 */
struct cmatest_pieces {
	struct {
		unsigned long page;
		unsigned int word;
		unsigned int words;
	} part[2];
	unsigned long page;
	unsigned long pages;
};

static struct cmatest_pieces cmatest_cut(u64 offset, u64 length)
{
	u64 end = offset + length;
	unsigned long first = offset >> PAGE_SHIFT;
	unsigned long last = end >> PAGE_SHIFT;
	unsigned int from = offset_in_page(offset) / sizeof(u64);
	unsigned int to = offset_in_page(end) / sizeof(u64);
	struct cmatest_pieces pieces = { };

	if (first == last) {
		pieces.part[0].page = first;
		pieces.part[0].word = from;
		pieces.part[0].words = to - from;
		return pieces;
	}
	pieces.page = first;
	if (from) {
		pieces.part[0].page = first;
		pieces.part[0].word = from;
		pieces.part[0].words = CMATEST_PAGE_WORDS - from;
		pieces.page++;
	}
	pieces.pages = last - pieces.page;
	if (to) {
		pieces.part[1].page = last;
		pieces.part[1].words = to;
	}
	return pieces;
}

/* Nothing has been filled yet. */
void cmatest_filled_init(struct cmatest_filled *filled, unsigned long pages)
{
	mutex_init(&filled->lock);
	xa_init(&filled->parts);
	filled->pages = pages;
	filled->whole = NULL;
}

static int cmatest_filled_prepare_part(struct cmatest_filled *filled, unsigned long page)
{
	unsigned long *words;
	int err;

	if (test_bit(page, filled->whole) || xa_load(&filled->parts, page))
		return 0;
	words = bitmap_zalloc(CMATEST_PAGE_WORDS, CMATEST_GFP);
	if (!words)
		return -ENOBUFS;
	err = xa_err(xa_store(&filled->parts, page, words, CMATEST_GFP));
	if (err) {
		bitmap_free(words);
		return -ENOBUFS;
	}
	return 0;
}

/**
 * cmatest_filled_prepare() - allocate the record of a range, before it is filled
 * @filled: the record of the block
 * @offset: first byte
 * @length: number of bytes, all within the block
 *
 * Return: 0, or -ENOBUFS if there is no memory for the record.
 */
int cmatest_filled_prepare(struct cmatest_filled *filled, u64 offset, u64 length)
{
	struct cmatest_pieces pieces = cmatest_cut(offset, length);
	int i, err = 0;

	mutex_lock(&filled->lock);
	if (!filled->whole)
		filled->whole = kvcalloc(BITS_TO_LONGS(filled->pages), sizeof(long),
					 CMATEST_GFP);
	if (!filled->whole)
		err = -ENOBUFS;
	for (i = 0; i < 2 && !err; i++) {
		if (pieces.part[i].words)
			err = cmatest_filled_prepare_part(filled, pieces.part[i].page);
	}
	mutex_unlock(&filled->lock);
	return err;
}

static void cmatest_filled_drop_parts(struct cmatest_filled *filled, unsigned long page,
				      unsigned long pages)
{
	unsigned long *words;
	unsigned long index;

	xa_for_each_range(&filled->parts, index, words, page, page + pages - 1) {
		xa_erase(&filled->parts, index);
		bitmap_free(words);
	}
}

/**
 * cmatest_filled_add() - record a range that has been filled
 * @filled: the record of the block
 * @offset: first byte, as it was prepared
 * @length: number of bytes: as it was prepared, or fewer, up to the end of a page
 */
void cmatest_filled_add(struct cmatest_filled *filled, u64 offset, u64 length)
{
	struct cmatest_pieces pieces = cmatest_cut(offset, length);
	unsigned long *words;
	int i;

	mutex_lock(&filled->lock);
	for (i = 0; i < 2; i++) {
		if (!pieces.part[i].words || test_bit(pieces.part[i].page, filled->whole))
			continue;
		words = xa_load(&filled->parts, pieces.part[i].page);
		bitmap_set(words, pieces.part[i].word, pieces.part[i].words);
		if (bitmap_full(words, CMATEST_PAGE_WORDS)) {
			__set_bit(pieces.part[i].page, filled->whole);
			cmatest_filled_drop_parts(filled, pieces.part[i].page, 1);
		}
	}
	if (pieces.pages) {
		bitmap_set(filled->whole, pieces.page, pieces.pages);
		cmatest_filled_drop_parts(filled, pieces.page, pieces.pages);
	}
	mutex_unlock(&filled->lock);
}

static bool cmatest_filled_has_words(struct cmatest_filled *filled, unsigned long page,
				     unsigned long from, unsigned long words)
{
	const unsigned long *bits;

	if (test_bit(page, filled->whole))
		return true;
	bits = xa_load(&filled->parts, page);
	return bits && find_next_zero_bit(bits, from + words, from) == from + words;
}

/**
 * cmatest_filled_all() - tell whether all of a range has been filled
 * @filled: the record of the block
 * @offset: first byte
 * @length: number of bytes, all within the block
 */
bool cmatest_filled_all(struct cmatest_filled *filled, u64 offset, u64 length)
{
	struct cmatest_pieces pieces = cmatest_cut(offset, length);
	unsigned long end = pieces.page + pieces.pages;
	bool all;
	int i;

	mutex_lock(&filled->lock);
	all = filled->whole &&
	      (!pieces.pages || find_next_zero_bit(filled->whole, end, pieces.page) == end);
	for (i = 0; i < 2 && all; i++) {
		if (pieces.part[i].words)
			all = cmatest_filled_has_words(filled, pieces.part[i].page,
						       pieces.part[i].word, pieces.part[i].words);
	}
	mutex_unlock(&filled->lock);
	return all;
}

/* The block must have no users any more. */
void cmatest_filled_free(struct cmatest_filled *filled)
{
	unsigned long *words;
	unsigned long index;

	xa_for_each(&filled->parts, index, words)
		bitmap_free(words);
	xa_destroy(&filled->parts);
	kvfree(filled->whole);
	mutex_destroy(&filled->lock);
}
