/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/cmatest: the interface between the module and programs.
 *
 * The device makes single steps of a test and tells their results, which the
 * caller must judge. Opening the device takes CAP_SYS_ADMIN. An open file owns the
 * blocks that are allocated through it: they are released when its last descriptor
 * is closed, by exit or SIGKILL too.
 *
 * The layout is the same for callers of 32 and 64 bits: each structure is a
 * multiple of 8 bytes, each field lies on a multiple of its size, addresses are
 * __u64, and there is no implicit padding. Fields are marked (in), (out) or
 * (in, out). The value of an (out) field before the call does not matter.
 * "reserved" must be all zero, and so must flags that are not listed.
 *
 * Errors of every request:
 *
 * %ENOTTY	no such request: another number, direction or size of structure
 * %EFAULT	the structure cannot be read or written. The request is undone, so
 *		nothing is lost, except that a released block stays released.
 * %EINVAL	a reserved field or a flag is set that must be zero, or a value
 *		is out of the range that is documented for it
 * %ENOBUFS	the kernel has no memory for the module's own records; open(2) fails
 *		so, too. %ENOMEM is never that: it means that cma_alloc() gave nothing.
 * %EINTR	a signal ended a request that takes long. If the signal's handler has
 *		SA_RESTART, the request starts again by itself.
 *
 * Tasks that are frozen, for suspend or by a cgroup, stop within such a request,
 * too. The request starts again when they go on.
 *
 * Errors of single requests are described with them.
 */
#ifndef _UAPI_CMATEST_H
#define _UAPI_CMATEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Increases when an existing request changes. A new request is no such change. */
#define CMATEST_ABI_VERSION	2

#define CMATEST_AREA_NAME	64	/* bytes of an area's name, with its 0 */
#define CMATEST_ZONE_NAME	16	/* bytes of a zone's name, with its 0 */

/* Symbols of the kernel, in cmatest_info.bound and cmatest_info.linked. */
#define CMATEST_BOUND_AREA_BASE	0x01	/* dma_contiguous_default_area */
#define CMATEST_BOUND_ALLOC	0x02	/* cma_alloc, always there */
#define CMATEST_BOUND_RELEASE	0x04	/* cma_release, always there */
#define CMATEST_BOUND_FOR_EACH	0x08	/* cma_for_each_area */
#define CMATEST_BOUND_NAME	0x10	/* cma_get_name */
#define CMATEST_BOUND_BASE	0x20	/* cma_get_base */
#define CMATEST_BOUND_SIZE	0x40	/* cma_get_size */
#define CMATEST_BOUND_DEFAULT_AREA 0x80	/* dev_get_cma_area, only linked */

/**
 * struct cmatest_info - CMATEST_IOC_INFO: describe the module and the kernel
 * @version: (in, out) the CMATEST_ABI_VERSION of the caller, or 0 to ask for that
 *	of the module; that of the module
 * @page_size: (out) bytes
 * @pageblock: (out) order of a pageblock, 2^@pageblock pages; 0 if unknown
 * @bound: (out) CMATEST_BOUND_* of the symbols that the module has
 * @linked: (out) those of them that the kernel exports (from 7.1 on) and the
 *	module is linked to; the addresses of the others were passed, and proved
 * @areas: (out) number of areas for CMATEST_IOC_AREA
 * @default_area: (out) the index of the default one
 * @max_order: (out) the largest order that is passed on to the allocator
 * @max_handles: (out) number of blocks that one open file can have
 * @fault: (out) 0. A test that makes the allocator or this module misbehave on
 *	purpose can put a number here, so that no report is taken for a true one.
 * @max_count: (out) the largest count that is passed on to the allocator. No area
 *	has so many pages, so a request can be too large. The value changes with
 *	the machine's memory.
 * @max_pages: (out) pages that all open files can have together
 * @max_pairs: (out) pairs that one CMATEST_IOC_BATCH can make
 * @file_handles: (out) blocks of this open file, with those being allocated
 * @held_pages: (out) pages that all open files have now
 * @loaded_pages: (out) pages held since the module was loaded (alloc_count=)
 * @total_pages: (out) of all areas, CmaTotal of /proc/meminfo
 * @free_pages: (out) of all areas, CmaFree of /proc/meminfo. Pages in the lists
 *	of the CPUs do not count; an allocation that succeeds drains these first.
 * @flags: (in) 0
 * @reserved: (in) 0
 *
 * %EPROTONOSUPPORT	the module does not speak @version
 */
struct cmatest_info {
	__u32 version;
	__u32 page_size;
	__u32 pageblock;
	__u32 bound;
	__u32 linked;
	__u32 areas;
	__u32 default_area;
	__u32 max_order;
	__u32 max_handles;
	__u32 fault;
	__u64 max_count;
	__u64 max_pages;
	__u64 max_pairs;
	__u64 file_handles;
	__u64 held_pages;
	__u64 loaded_pages;
	__u64 total_pages;
	__u64 free_pages;
	__u32 flags;
	__u32 reserved[5];
};

/* cmatest_area.flags */
#define CMATEST_AREA_DEFAULT	0x01	/* the default area */
#define CMATEST_AREA_HAS_NAME	0x02	/* name is known */
#define CMATEST_AREA_HAS_BASE	0x04	/* base is known: the area is one range */
#define CMATEST_AREA_HAS_SIZE	0x08	/* size is known */
#define CMATEST_AREA_RANGES	0x10	/* may be several ranges: base is not known */
#define CMATEST_AREA_INACTIVE	0x20	/* reserved but not activated: no pages */

/**
 * struct cmatest_area - CMATEST_IOC_AREA: describe an area
 * @index: (in) 0 to cmatest_info.areas - 1. The areas, and so their indices,
 *	are the same from boot to shutdown.
 * @flags: (out) CMATEST_AREA_*
 * @base: (out) physical address of its first byte, 0 if unknown
 * @size: (out) bytes, 0 if unknown. With CMATEST_AREA_HAS_SIZE, 0 means that the
 *	kernel reserved the area but could not activate it.
 * @name: (out) as below /sys/kernel/mm/cma, where a '/' is a '!'; "" if unknown.
 *	The name is the kernel's own: some kernels name a nameless area "cma<n>"
 *	with a line feed, and two areas can have the same name.
 * @held_pages: (out) pages of this area that all open files have now, and for the
 *	default area also those held since the module was loaded
 * @reserved: (in) 0
 *
 * No function of the kernel tells how much of an area is free. With
 * CONFIG_CMA_SYSFS, /sys/kernel/mm/cma/NAME/available_pages does.
 *
 * %ENOENT	no area of this index
 */
struct cmatest_area {
	__u32 index;
	__u32 flags;
	__u64 base;
	__u64 size;
	__u8 name[CMATEST_AREA_NAME];
	__u64 held_pages;
	__u64 reserved;
};

/* cmatest_alloc.flags */
#define CMATEST_NO_WARN		0x01	/* the kernel does not log a failure */

/**
 * struct cmatest_alloc - CMATEST_IOC_ALLOC: allocate a block
 * @area: (in) index of the area
 * @order: (in) alignment, 2^order pages; up to cmatest_info.max_order
 * @count: (in) pages, 1 to cmatest_info.max_count
 * @flags: (in) CMATEST_NO_WARN or 0
 * @handle: (out) names the block in this open file; never 0. A handle that was
 *	released is not used again before 2^32 others.
 * @pfn: (out) page frame number of the first page
 * @ns: (out) nanoseconds that cma_alloc() took. Written for %ENOMEM too, with
 *	@handle and @pfn 0.
 * @reserved: (in) 0
 *
 * %ENOENT	no area of this index
 * %EMFILE	this open file has cmatest_info.max_handles blocks, with those being
 *		allocated
 * %ENOSPC	all open files would have more than cmatest_info.max_pages pages
 * %ENOMEM	cma_alloc() gave nothing: the area is too small, too full, too
 *		fragmented, or pages in it could not be moved. No other failure has
 *		this error.
 * %EINTR	it gave nothing because the caller is being killed
 */
struct cmatest_alloc {
	__u32 area;
	__u32 order;
	__u64 count;
	__u32 flags;
	__u32 handle;
	__u64 pfn;
	__u64 ns;
	__u64 reserved[2];
};

/**
 * struct cmatest_release - CMATEST_IOC_RELEASE: give a block back
 * @handle: (in) the block
 * @accepted: (out) the result of cma_release(): 1 if it took the pages. After 0
 *	they are lost until the next boot.
 * @ns: (out) nanoseconds that cma_release() took
 * @flags: (in) 0
 * @unused: (in) 0
 * @reserved: (in) 0
 *
 * The handle is invalid afterwards, whatever the result. The kernel does not check
 * whether pages are released twice, which corrupts its lists: the module does.
 *
 * %ENOENT	no such handle in this open file, or no longer
 * %EBUSY	another thread is filling, checking or looking at the block
 */
struct cmatest_release {
	__u32 handle;
	__u32 accepted;
	__u64 ns;
	__u32 flags;
	__u32 unused;
	__u64 reserved[2];
};

/* cmatest_block.flags */
#define CMATEST_BLOCK_HAS_INSIDE	0x01	/* inside is known */

/**
 * struct cmatest_block - CMATEST_IOC_BLOCK: look at each page of a block
 * @handle: (in) the block
 * @area: (out) index of its area
 * @order: (out) the alignment that was asked for
 * @flags: (out) CMATEST_BLOCK_*
 * @count: (out) pages
 * @pfn: (out) page frame number of the first page
 * @in_zone: (out) pages in the zone and on the node of the first one
 * @unshared: (out) pages whose reference count is 1, as cma_alloc() must leave
 *	them. A walk through physical memory can raise one for a moment.
 * @inside: (out) pages within the area's base and size, if both are known
 * @node: (out) NUMA node of the first page
 * @zone: (out) index of its zone
 * @zone_name: (out) name of its zone, as in /proc/zoneinfo
 * @reserved: (in) 0
 *
 * %ENOENT	no such handle in this open file
 * %EINTR	a signal came
 */
struct cmatest_block {
	__u32 handle;
	__u32 area;
	__u32 order;
	__u32 flags;
	__u64 count;
	__u64 pfn;
	__u64 in_zone;
	__u64 unshared;
	__u64 inside;
	__u32 node;
	__u32 zone;
	__u8 zone_name[CMATEST_ZONE_NAME];
	__u64 reserved[2];
};

/**
 * struct cmatest_fill - CMATEST_IOC_FILL: write a pattern into a block
 * @handle: (in) the block
 * @flags: (in) 0
 * @seed: (in) any number; blocks of different seeds differ in each word
 * @offset: (in) first byte to write, a multiple of 8
 * @length: (in) bytes to write, a multiple of 8, more than 0; @offset + @length
 *	must be within the block
 * @reserved: (in) 0
 *
 * A word is 8 bytes in the machine's byte order. The word at byte 8 * i of the
 * block is (i + 1) * 0x9e3779b97f4a7c15 ^ mix(seed), where mix is the finalizer
 * of SplitMix64, all modulo 2^64:
 *
 *	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9
 *	z = (z ^ z >> 27) * 0x94d049bb133111eb
 *	z = z ^ z >> 31
 *
 * No two words of a block are the same. A word depends on its place in the block
 * alone, so parts can be filled and checked apart.
 *
 * %ENOENT	no such handle in this open file
 * %EINTR	a signal came; a part of it may have been written
 */
struct cmatest_fill {
	__u32 handle;
	__u32 flags;
	__u64 seed;
	__u64 offset;
	__u64 length;
	__u64 reserved[2];
};

/* cmatest_check.first_bad if no word differs */
#define CMATEST_NOWHERE	0xffffffffffffffffULL

/**
 * struct cmatest_check - CMATEST_IOC_CHECK: compare a block with its pattern
 * @handle: (in) the block
 * @flags: (in) 0
 * @seed: (in) the seed with which it was filled
 * @offset: (in) first byte to check, a multiple of 8
 * @length: (in) bytes to check, a multiple of 8, more than 0; @offset + @length
 *	must be within the block
 * @bad_words: (out) number of words that differ
 * @first_bad: (out) byte offset in the block of the first of them, or
 *	CMATEST_NOWHERE
 * @wrote: (out) the right value of that word, or 0
 * @read: (out) its value, or 0
 * @reserved: (in) 0
 *
 * Wrong data is a result, not an error. All of the range must have been filled
 * through this handle, with any seeds: other bytes of a block may hold what
 * another program left there.
 *
 * %ENOENT	no such handle in this open file
 * %EINVAL	a part of the range was not filled
 * %EINTR	a signal came
 */
struct cmatest_check {
	__u32 handle;
	__u32 flags;
	__u64 seed;
	__u64 offset;
	__u64 length;
	__u64 bad_words;
	__u64 first_bad;
	__u64 wrote;
	__u64 read;
	__u64 reserved[2];
};

/* cmatest_times: nothing was allocated, so nothing was released */
#define CMATEST_NS_NONE		0xffffffff
/* cmatest_times: 4.29 s or longer */
#define CMATEST_NS_MAX		0xfffffffe

/**
 * struct cmatest_times - nanoseconds of one pair of a batch
 * @alloc_ns: duration of cma_alloc(), whether it succeeded or not; at most
 *	CMATEST_NS_MAX
 * @release_ns: duration of cma_release(), at most CMATEST_NS_MAX; or
 *	CMATEST_NS_NONE if the allocation failed
 */
struct cmatest_times {
	__u32 alloc_ns;
	__u32 release_ns;
};

/**
 * struct cmatest_batch - CMATEST_IOC_BATCH: allocate and release many times
 * @area: (in) index of the area
 * @order: (in) alignment of each block; up to cmatest_info.max_order
 * @count: (in) pages of each block, 1 to cmatest_info.max_count
 * @pairs: (in) number of blocks, 1 to cmatest_info.max_pairs
 * @times: (in) address of struct cmatest_times[@pairs]. Its memory should be
 *	present and locked (written to once, mlock(2)), so that no page fault
 *	comes between two pairs.
 * @flags: (in) 0
 * @unused: (in) 0
 * @done: (out) number of pairs that were made, and of times that were written
 * @failed: (out) those of them whose allocation failed
 * @refused: (out) those of them whose release cma_release() refused
 * @reserved: (in) 0
 *
 * A signal, or the freezing of tasks, ends the request between two pairs: it
 * succeeds with @done less than @pairs, or fails with %EINTR if @done is 0. The
 * kernel never logs a failure. Several threads can make this request at once, on
 * one file too. A block never outlives its pair, and takes no handle. @count pages
 * count against cmatest_info.max_pages.
 *
 * %ENOENT	no area of this index
 * %ENOSPC	all open files would have more than cmatest_info.max_pages pages
 * %EINTR	a signal came before the first pair
 * %EFAULT	@times cannot be written; the request ended up to 64 pairs later
 */
struct cmatest_batch {
	__u32 area;
	__u32 order;
	__u64 count;
	__u64 pairs;
	__u64 times;
	__u32 flags;
	__u32 unused;
	__u64 done;
	__u64 failed;
	__u64 refused;
	__u64 reserved[2];
};

/* cmatest_probe.kind */
#define CMATEST_PROBE_FOREIGN_PAGE	1	/* cma_release() of a page of the buddy's */
#define CMATEST_PROBE_NO_PAGES		2	/* cma_alloc() of 0 pages */

/**
 * struct cmatest_probe - CMATEST_IOC_PROBE: make a call that must be refused
 * @kind: (in) CMATEST_PROBE_*
 * @area: (in) index of the area that is asked
 * @refused: (out) 1 if the kernel refused the call, as it must
 * @flags: (in) 0
 * @pfn: (out) page frame number of the page that was offered, or of the one that
 *	was given for a request of no pages
 * @ns: (out) nanoseconds that the kernel took
 * @reserved: (in) 0
 *
 * The page is the module's own, and is freed before the request ends. %ENOBUFS
 * means that there was none.
 *
 * %ENOENT	no area of this index
 */
struct cmatest_probe {
	__u32 kind;
	__u32 area;
	__u32 refused;
	__u32 flags;
	__u64 pfn;
	__u64 ns;
	__u64 reserved[2];
};

/* cmatest_place.flags */
#define CMATEST_PLACE_IN_FILE	0x01	/* page cache of @fd, not memory */

/**
 * struct cmatest_place - CMATEST_IOC_PLACE: release a block into the caller's pages
 * @handle: (in) the block; invalid afterwards
 * @flags: (in) CMATEST_PLACE_IN_FILE or 0
 * @address: (in) address of private anonymous memory that can be written to, or
 *	an offset in the file; a multiple of the page size
 * @placed: (out) number of pages of the caller that were made from pages of the
 *	block
 * @fd: (in) a regular file that is open for writing, without O_APPEND and
 *	O_DIRECT; 0 for memory
 * @unused: (in) 0
 * @reserved: (in) 0
 *
 * The kernel lends the pages of an area to programs while no driver has them. This
 * request makes the pages of one block the caller's own, movable as those of any
 * program. Page n of the block becomes page n of the memory, all 0, if no page is
 * there yet; or the block's pages become the file's page cache from the offset on,
 * the last page first, where 0 is written. The kernel does not promise this: a page
 * that somebody else took at the same moment is left out, and a file system may
 * take larger pages, above all within the size that the file has already. Look in
 * /proc/self/pagemap for the pages that were placed. In a file @placed counts pages
 * that were written.
 *
 * The block is released whatever the result, except for %ENOENT and %EBUSY. A
 * signal, or an error of the file, ends the request, which succeeds if @placed is
 * not 0.
 *
 * %ENOENT	no such handle in this open file
 * %EBUSY	another thread is filling, checking or looking at the block
 * %EINVAL	not such memory or such a file, or not all of the block fits there
 * %EBADF	@fd is not open for writing
 * %EINTR	a signal came before the first page
 * %EIO		cma_release() refused a page, which is lost until the next boot
 * %EOPNOTSUPP	the area takes back no single pages, as one of huge pages; or this
 *		kernel has no CONFIG_DEVICE_MIGRATION, for memory
 *
 * and what write(2) says of the file, but %ENOBUFS where that says %ENOMEM.
 */
struct cmatest_place {
	__u32 handle;
	__u32 flags;
	__u64 address;
	__u64 placed;
	__s32 fd;
	__u32 unused;
	__u64 reserved[3];
};

/*
 * cmatest_histogram.bins: a time below 128 ns has a bin of its own; above, each
 * power of two has 64 bins of equal width, up to 2^42 ns (73 minutes). Longer
 * times are in the last bin.
 */
#define CMATEST_BINS		(128 + 35 * 64)

/**
 * struct cmatest_histogram - how often which time was taken
 * @count: number of times
 * @sum_ns: their sum
 * @min_ns: the smallest, ~0 if there is none
 * @max_ns: the largest, 0 if there is none
 * @bins: number of times in each bin
 */
struct cmatest_histogram {
	__u64 count;
	__u64 sum_ns;
	__u64 min_ns;
	__u64 max_ns;
	__u64 bins[CMATEST_BINS];
};

/**
 * struct cmatest_histograms - the times of one CMATEST_IOC_MEASURE
 * @alloc: of allocations that succeeded
 * @response: of the same, since their intended start; empty without an interval
 * @failure: of allocations that failed
 * @release: of releases
 */
struct cmatest_histograms {
	struct cmatest_histogram alloc;
	struct cmatest_histogram response;
	struct cmatest_histogram failure;
	struct cmatest_histogram release;
};

/* cmatest_measure.flags */
#define CMATEST_MEASURE_NO_CLOCK	0x01	/* take no time of a single call */

/* cmatest_measure.found */
#define CMATEST_MEASURE_HAS_RETRIES	0x01	/* retries and no_hole are known */
#define CMATEST_MEASURE_HAS_MIGRATED	0x02	/* migrated and unmigrated are known */
#define CMATEST_MEASURE_SLOW		0x04	/* one took longer: slow_* are of that one */

/**
 * struct cmatest_measure - CMATEST_IOC_MEASURE: count the times of many allocations
 * @area: (in) index of the area
 * @order: (in) alignment of each block; up to cmatest_info.max_order
 * @count: (in) pages of each block, 1 to cmatest_info.max_count
 * @requests: (in) how many allocations all threads make together; 0 for no limit
 * @duration_ns: (in) how long; 0 for no limit. One of the two must be set
 * @interval_ns: (in) from one intended start to the next, for each thread; 0 if an
 *	allocation follows at once. One that is late does not move the next
 * @stop_above_ns: (in) the first allocation that takes longer, whether it succeeds
 *	or not, ends the measurement for all threads; 0 for none
 * @hold: (in) blocks that each thread keeps: an allocation that would be one more
 *	is followed by the release of the oldest. 0 releases each at once
 * @threads: (in) how many threads make this request on this open file. They begin
 *	when the last of them has come, and end together
 * @flags: (in) CMATEST_MEASURE_NO_CLOCK or 0. With it, none of @duration_ns,
 *	@interval_ns and @stop_above_ns can be set, and @histograms is not used
 * @found: (out) CMATEST_MEASURE_HAS_RETRIES and the like
 * @histograms: (in) address of a struct cmatest_histograms, which gets those of
 *	this thread at the end
 * @done: (out) allocations of this thread
 * @failed: (out) those of them that failed
 * @no_hole: (out) those of the failed for which the kernel found no range to try
 * @refused: (out) releases that cma_release() refused
 * @elapsed_ns: (out) from the common start to the end of this thread
 * @switches: (out) how often the scheduler took the processor from this thread
 * @moves: (out) how often an allocation began on another processor than the last
 * @retries: (out) ranges that the kernel tried in vain, a page in them being in use
 * @migrated: (out) pages that the kernel moved away for these allocations
 * @unmigrated: (out) pages that could not be moved
 * @slow_ns: (out) how long the allocation above @stop_above_ns took, or 0
 * @slow_retries: (out) ranges that were tried in vain for it
 * @slow_migrated: (out) pages that were moved away for it
 * @slow_pfn: (out) page frame number of the last page that was in its way, or 0
 * @reserved: (in) 0
 *
 * The blocks that are left at the end are released, without being counted. A
 * signal, or that tasks are frozen, ends it for all threads between two
 * allocations: it succeeds with what there is, or fails with %EINTR if this
 * thread has made none. A thread that does not come leaves the others waiting until
 * a signal comes. One that comes while others still leave the measurement before
 * waits for these. The kernel never logs a failure. @count pages, times
 * @hold + 1, count against cmatest_info.max_pages for each thread.
 *
 * %ENOENT	no area of this index
 * %ENOSPC	all open files would have more than cmatest_info.max_pages pages
 * %ENOBUFS	there is no memory for the histograms or for the blocks kept
 * %EBUSY	threads that named another number of threads or of requests, or as many
 *		as they named, measure on this file
 * %EINTR	a signal came before the first allocation. With one thread, and as the
 *		others wait for the last one, the request starts again as others do
 * %EFAULT	@histograms cannot be written; this is found before the first allocation
 */
struct cmatest_measure {
	__u32 area;
	__u32 order;
	__u64 count;
	__u64 requests;
	__u64 duration_ns;
	__u64 interval_ns;
	__u64 stop_above_ns;
	__u32 hold;
	__u32 threads;
	__u32 flags;
	__u32 found;
	__u64 histograms;
	__u64 done;
	__u64 failed;
	__u64 no_hole;
	__u64 refused;
	__u64 elapsed_ns;
	__u64 switches;
	__u64 moves;
	__u64 retries;
	__u64 migrated;
	__u64 unmigrated;
	__u64 slow_ns;
	__u64 slow_retries;
	__u64 slow_migrated;
	__u64 slow_pfn;
	__u64 reserved[2];
};

/* cmatest_frame_run.kind */
#define CMATEST_FRAME_ABSENT	0	/* no memory, or it is offline */
#define CMATEST_FRAME_FREE	1	/* free, in a block of 2^order pages */
#define CMATEST_FRAME_LOOSE	2	/* no references: free in a list of a processor,
					 * on its way there, or the kernel's own */
#define CMATEST_FRAME_ANON	3	/* anonymous memory of processes */
#define CMATEST_FRAME_FILE	4	/* page cache, of a file or of a block device */
#define CMATEST_FRAME_SWAP	5	/* swap cache of shared memory */
#define CMATEST_FRAME_ORPHAN	6	/* was page cache; only references keep it */
#define CMATEST_FRAME_HUGETLB	7	/* a page of hugetlbfs */
#define CMATEST_FRAME_SLAB	8	/* objects of the kernel */
#define CMATEST_FRAME_TABLE	9	/* a page table */
#define CMATEST_FRAME_OFFLINE	10	/* logically offline, as in a balloon */
#define CMATEST_FRAME_OTHER	11	/* other use by the kernel or a driver: blocks of
					 * the area are among these */
#define CMATEST_FRAME_CHANGING	12	/* changed each time that it was looked at */

/* cmatest_frame_run.flags */
#define CMATEST_FRAME_LRU	0x0001	/* in a list of pages that can be reclaimed */
#define CMATEST_FRAME_UNEVICTABLE 0x0002	/* in the list of those that cannot */
#define CMATEST_FRAME_MLOCKED	0x0004	/* by mlock(2) or alike */
#define CMATEST_FRAME_DIRTY	0x0008	/* not written yet */
#define CMATEST_FRAME_WRITEBACK	0x0010	/* being written */
#define CMATEST_FRAME_LOCKED	0x0020	/* locked, for input or output for example */
#define CMATEST_FRAME_SWAPCACHE	0x0040	/* has a place in swap */
#define CMATEST_FRAME_SWAPBACKED 0x0080	/* would go to swap: anonymous or shared memory */
#define CMATEST_FRAME_KSM	0x0100	/* anonymous, merged with its like */
#define CMATEST_FRAME_PRIVATE	0x0200	/* its file system keeps data of its own for it */
#define CMATEST_FRAME_PINNED	0x0400	/* may be pinned for DMA */
#define CMATEST_FRAME_COUNTED	0x0800	/* maps and extra are known */
#define CMATEST_FRAME_CMA	0x1000	/* its pageblock is for CMA */
#define CMATEST_FRAME_ISOLATED	0x2000	/* its pageblock is being emptied */
#define CMATEST_FRAME_BLOCK	0x4000	/* of a block device itself: device is that one */
#define CMATEST_FRAME_MOVABLE	0x8000	/* of the kernel, and it can be moved */

/**
 * struct cmatest_frame_run - page frames that follow each other and are alike
 * @pfn: the first
 * @count: how many
 * @inode: number of the file's inode, for CMATEST_FRAME_FILE; or 0
 * @device: of its file system, as in stat(2)'s st_dev: minor & 0xff | major << 8 |
 *	(minor & ~0xff) << 12; or 0
 * @flags: CMATEST_FRAME_LRU and the like
 * @kind: CMATEST_FRAME_ABSENT and the like
 * @order: of the free block, or of the larger page that the frame is part of
 * @maps: how many page tables map it, or the larger page
 * @extra: references that neither page tables nor caches explain: pins, pages in
 *	use by read(2) or vmsplice(2), or on their way to a list of the kernel's.
 *	Those of the larger page, if it is part of one
 */
struct cmatest_frame_run {
	__u64 pfn;
	__u64 count;
	__u64 inode;
	__u32 device;
	__u32 flags;
	__u32 kind;
	__u32 order;
	__u32 maps;
	__u32 extra;
};

/* cmatest_frames.found */
#define CMATEST_FRAMES_HAS_TYPE		0x01	/* _CMA and _ISOLATED are known */
#define CMATEST_FRAMES_HAS_LARGE	0x02	/* larger pages can be _COUNTED */

/**
 * struct cmatest_frames - CMATEST_IOC_FRAMES: look at page frames of an area
 * @area: (in) index of the area
 * @flags: (in) 0
 * @pfn: (in, out) the first frame; afterwards the one to go on with
 * @count: (in, out) frames from there on; afterwards those that are left
 * @runs: (in) address of struct cmatest_frame_run[@room]
 * @room: (in) 1 to 65536
 * @made: (out) runs that were written
 * @found: (out) CMATEST_FRAMES_HAS_*: what this kernel lets the module see
 * @unused: (in) 0
 * @reserved: (in) 0
 *
 * Nothing stops while this looks: each frame is what it was at some moment of the
 * request. To look at a page of a process or file takes a reference for that
 * moment; pages of drivers and of the kernel are looked at without one. A signal
 * ends the request early.
 *
 * %ENOENT	no area of this index
 * %EINVAL	not all of the frames are in the area, or there are none
 * %EOPNOTSUPP	the base or size of the area is not known
 */
struct cmatest_frames {
	__u32 area;
	__u32 flags;
	__u64 pfn;
	__u64 count;
	__u64 runs;
	__u32 room;
	__u32 made;
	__u32 found;
	__u32 unused;
	__u64 reserved[2];
};

#define CMATEST_FS_NAME		32	/* bytes of a file system's name, with its 0 */

/* cmatest_path.found */
#define CMATEST_PATH_HAS_PATH	0x01	/* the path is known */

/**
 * struct cmatest_path - CMATEST_IOC_PATH: name the file whose page a frame is
 * @area: (in) index of the area
 * @flags: (in) 0
 * @pfn: (in) the frame
 * @inode: (out) as in struct cmatest_frame_run
 * @device: (out) as there
 * @found: (out) CMATEST_PATH_HAS_PATH or 0
 * @text: (in) address of @room bytes
 * @room: (in) up to 4096
 * @length: (out) bytes of the path, without its 0, which is written if there is room
 * @fs: (out) name of the kind of file system, as in /proc/filesystems
 * @reserved: (in) 0
 *
 * The path begins at the root of the file system, not where that is mounted. A
 * file without a name has none, as one that was deleted.
 *
 * %ENOENT	no area of this index
 * %EINVAL	the frame is not in the area
 * %EOPNOTSUPP	the base or size of the area is not known
 * %ENODATA	the frame is of no file, or no longer
 * %EBUSY	the page was locked for too long
 * %EINTR	a signal came meanwhile
 * %EFAULT	@text cannot be written
 */
struct cmatest_path {
	__u32 area;
	__u32 flags;
	__u64 pfn;
	__u64 inode;
	__u32 device;
	__u32 found;
	__u64 text;
	__u32 room;
	__u32 length;
	__u8 fs[CMATEST_FS_NAME];
	__u64 reserved[2];
};

#define CMATEST_COMM		16	/* bytes of a task's name, with its 0 */
#define CMATEST_NO_AREA		0xffffffff

/* cmatest_entry.found */
#define CMATEST_LEDGER_ON	0x01	/* it is kept: the kernel tells, and ledger= is not 0 */
#define CMATEST_LEDGER_HAS_BLOCK 0x02	/* there was a block at or after pfn */
#define CMATEST_LEDGER_OWN	0x04	/* it went through this device, or is held by
					 * the module: it has no stack */

/**
 * struct cmatest_entry - CMATEST_IOC_ENTRY: read an entry of the ledger
 * @pfn: (in, out) the first frame from which on a block is looked for; afterwards
 *	the first of the block, or of what is left of it
 * @count: (out) its frames
 * @area: (out) index of its area, or CMATEST_NO_AREA
 * @flags: (in) 0
 * @time_ns: (out) when it was allocated, since 1970, as exact as the kernel's tick
 * @pid: (out) the process that allocated it, as the machine's first PID namespace
 *	has it
 * @tid: (out) its thread
 * @comm: (out) the name that the thread had then
 * @text: (in) address of @room bytes
 * @room: (in) up to 4096
 * @length: (out) bytes of the stack's text, without its 0, which is written if
 *	there is room. A line for each function, the last called first, from the
 *	allocator on: "vb2_dc_alloc [videobuf2_dma_contig]". "?" is a function whose
 *	name the kernel no longer has
 * @found: (out) CMATEST_LEDGER_ON, _HAS_BLOCK and _OWN
 * @live: (out) blocks in the ledger
 * @most: (out) blocks that it has room for (ledger=)
 * @unused: (in) 0
 * @missed: (out) blocks that it had no room for, since the module was loaded
 * @loaded_ns: (out) when the ledger began, since 1970. What was allocated before is
 *	not in it
 * @reserved: (in) 0
 *
 * Blocks of all areas are kept, whoever allocates them, from the load of the module
 * on. A block that is released in part stays with what is left.
 *
 * %EFAULT	@text cannot be written
 */
struct cmatest_entry {
	__u64 pfn;
	__u64 count;
	__u32 area;
	__u32 flags;
	__u64 time_ns;
	__u32 pid;
	__u32 tid;
	__u8 comm[CMATEST_COMM];
	__u64 text;
	__u32 room;
	__u32 length;
	__u32 found;
	__u32 live;
	__u32 most;
	__u32 unused;
	__u64 missed;
	__u64 loaded_ns;
	__u64 reserved[2];
};

/* cmatest_witness.cause */
#define CMATEST_CAUSE_NONE	0	/* a block was allocated */
#define CMATEST_CAUSE_UNKNOWN	1	/* this kernel does not tell enough */
#define CMATEST_CAUSE_LARGER	2	/* the area has fewer pages */
#define CMATEST_CAUSE_NO_HOLE	3	/* no range of so many pages is without a block */
#define CMATEST_CAUSE_IN_USE	4	/* pages in each range tried could not be moved */
#define CMATEST_CAUSE_REFUSED	5	/* no range could be isolated: another allocation,
					 * or memory of the kernel, is in the way */
#define CMATEST_CAUSE_NO_MEMORY	6	/* no memory elsewhere to move pages to */

/* cmatest_witness.found: what this kernel tells, and the module was told */
#define CMATEST_WITNESS_HAS_ERROR	0x01	/* error is known (from 6.12 on) */
#define CMATEST_WITNESS_HAS_ATTEMPTS	0x02	/* attempts are */
#define CMATEST_WITNESS_HAS_MIGRATION	0x04	/* migrated, unmigrated, migrate_ns are */
#define CMATEST_WITNESS_HAS_IN_THE_WAY	0x08	/* in_the_way and refused are */

/**
 * struct cmatest_attempt - a range of pages that an allocation tried in vain
 * @pfn: its first frame
 * @in_the_way: the first frame that was in use at the end, or 0 if it did not come
 *	so far, as the range could not be isolated
 * @ns: how long it took
 * @migrate_ns: how much of that pages were moved for
 * @migrated: pages that were moved away
 * @unmigrated: pages that could not be moved, with each time that it was tried
 */
struct cmatest_attempt {
	__u64 pfn;
	__u64 in_the_way;
	__u64 ns;
	__u64 migrate_ns;
	__u32 migrated;
	__u32 unmigrated;
};

/**
 * struct cmatest_witness - CMATEST_IOC_WITNESS: allocate, and tell what was in the way
 * @area: (in) as in struct cmatest_alloc, to @ns
 * @order: (in)
 * @count: (in)
 * @flags: (in) CMATEST_NO_WARN or 0
 * @handle: (out)
 * @pfn: (out)
 * @ns: (out)
 * @attempts: (in) address of struct cmatest_attempt[@room], which gets the first
 *	ones that failed; with success, too
 * @room: (in) up to 4096
 * @made: (out) attempts that were written
 * @cause: (out) CMATEST_CAUSE_NONE and the like
 * @found: (out) CMATEST_WITNESS_HAS_ERROR and the like
 * @error: (out) the errno that the kernel itself has for it, or 0
 * @unused: (in) 0
 * @failed: (out) attempts that failed
 * @refused: (out) those of them whose range could not be isolated
 * @migrated: (out) pages that were moved away, with the last attempt
 * @unmigrated: (out) pages that could not be moved
 * @migrate_ns: (out) how long pages were moved
 * @last_pfn: (out) the last frame that was in the way, or 0
 * @reserved: (in) 0
 *
 * All errors of CMATEST_IOC_ALLOC, and the answer is written for %ENOMEM and for the
 * same reasons. The attempts are those of this call alone, whatever others allocate
 * meanwhile.
 *
 * %EFAULT	@attempts cannot be written; the block was released
 */
struct cmatest_witness {
	__u32 area;
	__u32 order;
	__u64 count;
	__u32 flags;
	__u32 handle;
	__u64 pfn;
	__u64 ns;
	__u64 attempts;
	__u32 room;
	__u32 made;
	__u32 cause;
	__u32 found;
	__u32 error;
	__u32 unused;
	__u64 failed;
	__u64 refused;
	__u64 migrated;
	__u64 unmigrated;
	__u64 migrate_ns;
	__u64 last_pfn;
	__u64 reserved[2];
};

/*
 * On x86, ARM and RISC-V these are 0xc000d200 | size << 16 | number. The sizes in
 * bytes, in this order: 128, 104, 56, 40, 96, 48, 80, 80, 48, 56,
 * 200, 64, 96, 120, 136.
 */
#define CMATEST_IOC_MAGIC	0xd2
#define CMATEST_IOC_INFO	_IOWR(CMATEST_IOC_MAGIC, 0, struct cmatest_info)
#define CMATEST_IOC_AREA	_IOWR(CMATEST_IOC_MAGIC, 1, struct cmatest_area)
#define CMATEST_IOC_ALLOC	_IOWR(CMATEST_IOC_MAGIC, 2, struct cmatest_alloc)
#define CMATEST_IOC_RELEASE	_IOWR(CMATEST_IOC_MAGIC, 3, struct cmatest_release)
#define CMATEST_IOC_BLOCK	_IOWR(CMATEST_IOC_MAGIC, 4, struct cmatest_block)
#define CMATEST_IOC_FILL	_IOWR(CMATEST_IOC_MAGIC, 5, struct cmatest_fill)
#define CMATEST_IOC_CHECK	_IOWR(CMATEST_IOC_MAGIC, 6, struct cmatest_check)
#define CMATEST_IOC_BATCH	_IOWR(CMATEST_IOC_MAGIC, 7, struct cmatest_batch)
#define CMATEST_IOC_PROBE	_IOWR(CMATEST_IOC_MAGIC, 8, struct cmatest_probe)
#define CMATEST_IOC_PLACE	_IOWR(CMATEST_IOC_MAGIC, 9, struct cmatest_place)
#define CMATEST_IOC_MEASURE	_IOWR(CMATEST_IOC_MAGIC, 10, struct cmatest_measure)
#define CMATEST_IOC_FRAMES	_IOWR(CMATEST_IOC_MAGIC, 11, struct cmatest_frames)
#define CMATEST_IOC_PATH	_IOWR(CMATEST_IOC_MAGIC, 12, struct cmatest_path)
#define CMATEST_IOC_ENTRY	_IOWR(CMATEST_IOC_MAGIC, 13, struct cmatest_entry)
#define CMATEST_IOC_WITNESS	_IOWR(CMATEST_IOC_MAGIC, 14, struct cmatest_witness)

#endif
