// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills memory and reads it back.
 *
 * Each word depends on its place, so that two pages that are the same memory,
 * or a page that is another's, show up. The form of the words is part of the
 * interface: see struct cmatest_fill.
 */
#include "cmatest.h"
#include "fault.h"

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/freezer.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

static u64 pattern_word(u64 index, u64 key)
{
	/* The factor is odd, so no two places in a block have the same word. */
	return ((index + 1) * 0x9e3779b97f4a7c15ULL) ^ key;
}

/**
 * cmatest_pattern_key() - what a seed does to the words
 * @seed: any number
 *
 * Return: the finalizer of SplitMix64, so that seeds that are near each other
 * have words that are not.
 */
u64 cmatest_pattern_key(u64 seed)
{
	seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ULL;
	seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebULL;
	return seed ^ (seed >> 31);
}

/* A page's words, from one to another of it; index is the first one's place. */
typedef void (*words_fn)(u64 *word, u64 index, unsigned long count, u64 key,
			 struct cmatest_wrong *wrong);

static void fill_words(u64 *word, u64 index, unsigned long count, u64 key,
		       struct cmatest_wrong *unused)
{
	unsigned long i;

	for (i = 0; i < count; i++)
		WRITE_ONCE(word[i], pattern_word(index + i, key));
}

static void check_words(u64 *word, u64 index, unsigned long count, u64 key,
			struct cmatest_wrong *wrong)
{
	unsigned long i;
	u64 wrote, read;

	for (i = 0; i < count; i++) {
		wrote = pattern_word(index + i, key);
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
 * A request ends at any signal, and when tasks are frozen for suspend or by a
 * cgroup, which looks like one: unless a handler says otherwise it starts anew.
 */
static int pause_request(void)
{
	cond_resched();
	return signal_pending(current) ? -ERESTARTSYS : 0;
}

/* A load cannot start anew: another task may be waiting for how it ends. */
static int __init pause_load(void)
{
	cond_resched();
	try_to_freeze();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* @length becomes what was walked, all of it or up to the end of a page. */
static int walk(const struct cmatest_pages *pages, u64 offset, u64 *length, u64 key,
		words_fn fn, struct cmatest_wrong *wrong, int (*pause)(void))
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
		address = kmap_local_page(cmatest_fault_page(pfn_to_page(pfn + index), index));
		fn(address + within, offset / sizeof(u64), bytes / sizeof(u64), key, wrong);
		kunmap_local(address);

		offset += bytes;
		err = offset < end ? pause() : 0;
	}
	*length = offset - start;
	return err;
}

/**
 * cmatest_pattern_fill() - write a pattern
 * @pages: where to; what was there is lost
 * @key: from cmatest_pattern_key()
 * @offset: first byte, a multiple of 8
 * @length: bytes, a multiple of 8; all within @pages. Becomes what was written,
 *	which is all of it or ends with a page.
 *
 * Return: 0, or -ERESTARTSYS if there is a signal.
 */
int cmatest_pattern_fill(const struct cmatest_pages *pages, u64 key, u64 offset, u64 *length)
{
	return walk(pages, offset, length, key, fill_words, NULL, pause_request);
}

/**
 * cmatest_pattern_check() - compare memory with its pattern
 * @pages: where
 * @key: as it was filled
 * @offset: first byte, a multiple of 8
 * @length: bytes, a multiple of 8; all within @pages
 * @wrong: gets what is not right
 *
 * Return: 0, or -ERESTARTSYS if there is a signal.
 */
int cmatest_pattern_check(const struct cmatest_pages *pages, u64 key, u64 offset, u64 length,
			  struct cmatest_wrong *wrong)
{
	*wrong = (struct cmatest_wrong) { .first = CMATEST_NOWHERE };
	return walk(pages, offset, &length, key, check_words, wrong, pause_request);
}

/**
 * cmatest_pattern_test() - write and read back a whole block, twice
 * @pages: the block; what was in it is lost
 *
 * The second round writes the complement, so that every bit was both 0 and 1
 * and nothing left over from an earlier run can pass for what was just written.
 *
 * Return: 0, -EIO if a word was not what had been written (the log says which),
 * or -EINTR if this task is to die.
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
		err = walk(pages, 0, &length, keys[i], fill_words, NULL, pause_load);
		if (!err)
			err = walk(pages, 0, &length, keys[i], check_words, &wrong, pause_load);
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
