// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which bytes of a block were filled.
 *
 * Memory that cma_alloc() gives can hold what another program left there, and
 * CMATEST_IOC_CHECK tells its caller what it read: so only what the same handle
 * filled may be checked. That is a bit for each page, and a bit for each word of
 * those pages that were filled in part: at most 1/64 of the block, whatever is
 * filled in whatever order.
 */
#include "cmatest.h"

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>

#define PAGE_WORDS	(PAGE_SIZE / sizeof(u64))

/*
 * A range as the words of its first page and of its last one, which are not the
 * same, and whole pages between them. Without a first or last page that is
 * covered in part these have no words.
 */
struct pieces {
	struct {
		unsigned long page;
		unsigned int word;
		unsigned int words;
	} part[2];
	unsigned long page;
	unsigned long pages;
};

static struct pieces cut(u64 offset, u64 length)
{
	u64 end = offset + length;
	unsigned long first = offset >> PAGE_SHIFT;
	unsigned long last = end >> PAGE_SHIFT;
	unsigned int from = offset_in_page(offset) / sizeof(u64);
	unsigned int to = offset_in_page(end) / sizeof(u64);
	struct pieces pieces = { };

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
		pieces.part[0].words = PAGE_WORDS - from;
		pieces.page++;
	}
	pieces.pages = last - pieces.page;
	if (to) {
		pieces.part[1].page = last;
		pieces.part[1].words = to;
	}
	return pieces;
}

/**
 * cmatest_filled_init() - nothing was filled yet
 * @filled: what to set up
 * @pages: of the block
 */
void cmatest_filled_init(struct cmatest_filled *filled, unsigned long pages)
{
	mutex_init(&filled->lock);
	xa_init(&filled->parts);
	filled->pages = pages;
	filled->whole = NULL;
}

static int prepare_part(struct cmatest_filled *filled, unsigned long page)
{
	unsigned long *words;
	int err;

	if (test_bit(page, filled->whole) || xa_load(&filled->parts, page))
		return 0;
	words = bitmap_zalloc(PAGE_WORDS, CMATEST_GFP);
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
 * cmatest_filled_prepare() - do what can fail, before a range is filled
 * @filled: of the block
 * @offset: first byte
 * @length: bytes; all within the block
 *
 * Return: 0, or -ENOBUFS if there is no memory for it.
 */
int cmatest_filled_prepare(struct cmatest_filled *filled, u64 offset, u64 length)
{
	struct pieces pieces = cut(offset, length);
	int i, err = 0;

	mutex_lock(&filled->lock);
	if (!filled->whole)
		filled->whole = kvcalloc(BITS_TO_LONGS(filled->pages), sizeof(long),
					 CMATEST_GFP);
	if (!filled->whole)
		err = -ENOBUFS;
	for (i = 0; i < 2 && !err; i++) {
		if (pieces.part[i].words)
			err = prepare_part(filled, pieces.part[i].page);
	}
	mutex_unlock(&filled->lock);
	return err;
}

static void drop_parts(struct cmatest_filled *filled, unsigned long page, unsigned long pages)
{
	unsigned long *words;
	unsigned long index;

	xa_for_each_range(&filled->parts, index, words, page, page + pages - 1) {
		xa_erase(&filled->parts, index);
		bitmap_free(words);
	}
}

/**
 * cmatest_filled_add() - remember what was filled
 * @filled: of the block
 * @offset: first byte, as it was prepared
 * @length: bytes; all that was prepared, or what of it ends with a page
 */
void cmatest_filled_add(struct cmatest_filled *filled, u64 offset, u64 length)
{
	struct pieces pieces = cut(offset, length);
	unsigned long *words;
	int i;

	mutex_lock(&filled->lock);
	for (i = 0; i < 2; i++) {
		if (!pieces.part[i].words || test_bit(pieces.part[i].page, filled->whole))
			continue;
		words = xa_load(&filled->parts, pieces.part[i].page);
		bitmap_set(words, pieces.part[i].word, pieces.part[i].words);
		if (bitmap_full(words, PAGE_WORDS)) {
			__set_bit(pieces.part[i].page, filled->whole);
			drop_parts(filled, pieces.part[i].page, 1);
		}
	}
	if (pieces.pages) {
		bitmap_set(filled->whole, pieces.page, pieces.pages);
		drop_parts(filled, pieces.page, pieces.pages);
	}
	mutex_unlock(&filled->lock);
}

static bool has_words(struct cmatest_filled *filled, unsigned long page,
		      unsigned long from, unsigned long words)
{
	const unsigned long *bits;

	if (test_bit(page, filled->whole))
		return true;
	bits = xa_load(&filled->parts, page);
	return bits && find_next_zero_bit(bits, from + words, from) == from + words;
}

/**
 * cmatest_filled_all() - was all of a range filled
 * @filled: of the block
 * @offset: first byte
 * @length: bytes; all within the block
 *
 * Return: whether it was.
 */
bool cmatest_filled_all(struct cmatest_filled *filled, u64 offset, u64 length)
{
	struct pieces pieces = cut(offset, length);
	unsigned long end = pieces.page + pieces.pages;
	bool all;
	int i;

	mutex_lock(&filled->lock);
	all = filled->whole &&
	      (!pieces.pages || find_next_zero_bit(filled->whole, end, pieces.page) == end);
	for (i = 0; i < 2 && all; i++) {
		if (pieces.part[i].words)
			all = has_words(filled, pieces.part[i].page, pieces.part[i].word,
					pieces.part[i].words);
	}
	mutex_unlock(&filled->lock);
	return all;
}

/**
 * cmatest_filled_free() - forget all of it
 * @filled: of a block that nobody uses any more
 */
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
