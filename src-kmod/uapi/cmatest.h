/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/cmatest: what crosses between the module and who drives it.
 *
 * The device does single steps of a test and says what happened; what is right
 * is for the caller to judge. Opening it takes CAP_SYS_ADMIN. An open file owns
 * what is allocated through it: when the last descriptor of it is closed, be it
 * by exit or SIGKILL, all of that is released.
 *
 * The same for callers of 32 and 64 bits: each structure is a multiple of 8
 * bytes, each field lies on a multiple of its size, addresses are __u64, and
 * there is no implicit padding. Fields are marked (in), (out) or (in, out);
 * what an (out) field holds before the call does not matter. "reserved" must be
 * all zero, and so must flags that are not listed.
 *
 * Errors of every request:
 *
 * %ENOTTY	no such request: another number, direction or size of structure
 * %EFAULT	the structure cannot be read or written. What was done is undone,
 *		so nothing is lost, except that a released block stays released.
 * %EINVAL	a reserved field or a flag is set that must be zero, or a value
 *		is out of the range that is documented for it
 * %ENOBUFS	the kernel has no memory for what the module itself must note.
 *		%ENOMEM is never that: it means that cma_alloc() gave nothing.
 * %EINTR	a signal ended a request that takes long. The request starts anew by
 *		itself if the signal's handler has SA_RESTART.
 *
 * Tasks that are frozen, for suspend or by a cgroup, stop within such a request,
 * too, and it starts anew when they go on.
 *
 * Those of some requests are with them.
 */
#ifndef _UAPI_CMATEST_H
#define _UAPI_CMATEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Goes up when an existing request changes. A new one is no change. */
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

/* Faults that a module built with CMATEST_FAULTS=1 can show, cmatest_info.fault. */
#define CMATEST_FAULT_NONE		0
#define CMATEST_FAULT_LEAK		1	/* RELEASE keeps the block's last page */
#define CMATEST_FAULT_MISALIGN		2	/* blocks start one page late */
#define CMATEST_FAULT_OVERLAP		3	/* all blocks share their first page */
#define CMATEST_FAULT_WRONG_RELEASE	4	/* a foreign page seems accepted */
#define CMATEST_FAULT_CORRUPT		5	/* FILL flips a bit in the middle */
#define CMATEST_FAULT_STALE_ACCOUNTING	6	/* the page counts of INFO stand still */
#define CMATEST_FAULT_REFUSED_RELEASE	7	/* RELEASE says that cma_release() refused */
#define CMATEST_FAULT_RELEASED_TWICE	8	/* RELEASE accepts a handle that is gone */
#define CMATEST_FAULT_SHARED		9	/* BLOCK has one unshared page less */
#define CMATEST_FAULT_OTHER_ZONE	10	/* BLOCK has one page less in the zone */
#define CMATEST_FAULT_OUTSIDE		11	/* BLOCK has one page less inside */
#define CMATEST_FAULT_OTHER_COUNT	12	/* BLOCK has one page more */
#define CMATEST_FAULT_OTHER_FRAME	13	/* BLOCK starts one page late */
#define CMATEST_FAULT_SAME_PLACE	14	/* ALLOC says where the block before is */
#define CMATEST_FAULT_ZERO_PAGES	15	/* a block of no pages seems given */
#define CMATEST_FAULT_PASSED_ZERO	16	/* ALLOC of no pages seems passed on */
#define CMATEST_FAULT_REFUSED_BATCH	17	/* BATCH says that one release was refused */

/**
 * struct cmatest_info - CMATEST_IOC_INFO: what this module and kernel are
 * @version: (in, out) the CMATEST_ABI_VERSION that the caller was built with, or
 *	0 to only learn; the module's
 * @page_size: (out) bytes
 * @pageblock: (out) order of a pageblock, 2^this pages; 0 if it is not known
 * @bound: (out) CMATEST_BOUND_* of the symbols that the module has
 * @linked: (out) those of them that the kernel exports (from 7.1 on) and the
 *	module is linked to; the address of each other one was passed, and proved
 * @areas: (out) how many areas there are for CMATEST_IOC_AREA
 * @default_area: (out) the index of the default one
 * @max_order: (out) the largest order that is passed on to the allocator
 * @max_handles: (out) blocks that one open file can have
 * @fault: (out) CMATEST_FAULT_* that the module was told to show; in packages
 *	always CMATEST_FAULT_NONE
 * @max_count: (out) the largest count that is passed on to the allocator. It is
 *	more than any area has, so that requests can be too large. It can change,
 *	as the machine's memory does.
 * @max_pages: (out) pages that all open files can have together
 * @max_pairs: (out) of one CMATEST_IOC_BATCH
 * @file_handles: (out) blocks of this open file, and those being asked for
 * @held_pages: (out) pages that all open files have now
 * @loaded_pages: (out) pages held since the module was loaded (alloc_count=)
 * @total_pages: (out) of all areas, CmaTotal of /proc/meminfo
 * @free_pages: (out) of all areas, CmaFree. Pages in the lists of the CPUs do
 *	not count there; an allocation that succeeds drains these first.
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
#define CMATEST_AREA_HAS_BASE	0x04	/* base is known, the area is one range */
#define CMATEST_AREA_HAS_SIZE	0x08	/* size is known */
#define CMATEST_AREA_RANGES	0x10	/* may be several ranges, so it has no base */
#define CMATEST_AREA_INACTIVE	0x20	/* reserved, not activated: it has no pages */

/**
 * struct cmatest_area - CMATEST_IOC_AREA: what the kernel tells of an area
 * @index: (in) 0 to cmatest_info.areas - 1. The areas, and so their indices,
 *	are the same from boot to shutdown.
 * @flags: (out) CMATEST_AREA_*
 * @base: (out) physical address of its first byte, 0 if it is not known
 * @size: (out) bytes, 0 if it is not known. 0 of a size that is known: the
 *	kernel reserved the area, but could not activate it.
 * @name: (out) as below /sys/kernel/mm/cma, where a '/' is a '!'; "" if it is not
 *	known. Just as the kernel has it: some give a nameless area the name
 *	"cma<n>" and a line feed, and two areas can have the same.
 * @held_pages: (out) pages of this area that all open files have now, and those
 *	held since the module was loaded if it is the default area
 * @reserved: (in) 0
 *
 * No kernel has a function that tells how much of an area is free: that is in
 * /sys/kernel/mm/cma/NAME/available_pages where CONFIG_CMA_SYSFS is on.
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
 * @handle: (out) names the block in this open file; never 0. One that was
 *	released does not come back before 2^32 others.
 * @pfn: (out) page frame number of the first page
 * @ns: (out) nanoseconds that cma_alloc() took. Also written for %ENOMEM, with
 *	@handle and @pfn 0.
 * @reserved: (in) 0
 *
 * %ENOENT	no area of this index
 * %EMFILE	this open file has cmatest_info.max_handles blocks, with those that
 *		are being asked for at this moment
 * %ENOSPC	all open files would have more than cmatest_info.max_pages pages
 * %ENOMEM	cma_alloc() gave nothing: the area is too small, too full, too
 *		fragmented, or pages in it could not be moved. For nothing else.
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
 * @accepted: (out) what cma_release() said: 1 if it took the pages. After a 0
 *	they are lost until the next boot.
 * @ns: (out) nanoseconds that cma_release() took
 * @flags: (in) 0
 * @unused: (in) 0
 * @reserved: (in) 0
 *
 * The handle is gone whatever cma_release() said. No kernel checks whether
 * pages are released twice, it corrupts its lists: so the module refuses that.
 *
 * %ENOENT	no such handle in this open file: never was, or was released
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
 * @order: (out) as it was asked for
 * @flags: (out) CMATEST_BLOCK_*
 * @count: (out) pages
 * @pfn: (out) page frame number of the first page
 * @in_zone: (out) pages in the zone and on the node of the first one
 * @unshared: (out) pages whose reference count is 1, as cma_alloc() must leave
 *	them. Something that walks physical memory can raise one for a moment.
 * @inside: (out) pages within the area's base and size, if these are known
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
 * Within a block no word is there twice. What is written depends on the place
 * in the block alone, so parts can be filled and checked apart.
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

/* cmatest_check.first_bad of memory in which all is right */
#define CMATEST_NOWHERE	0xffffffffffffffffULL

/**
 * struct cmatest_check - CMATEST_IOC_CHECK: compare a block with its pattern
 * @handle: (in) the block
 * @flags: (in) 0
 * @seed: (in) as it was filled
 * @offset: (in) first byte to check, a multiple of 8
 * @length: (in) bytes to check, a multiple of 8, more than 0; @offset + @length
 *	must be within the block
 * @bad_words: (out) how many words differ, 0 if all is right
 * @first_bad: (out) byte offset in the block of the first of them, or
 *	CMATEST_NOWHERE
 * @wrote: (out) what that word must be, or 0
 * @read: (out) what it is, or 0
 * @reserved: (in) 0
 *
 * Wrong data is a result, not an error. All of the range must have been filled
 * through this handle, with whatever seeds: what else is in a block is what other
 * programs left there.
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

/* cmatest_times: could not be allocated, so there was nothing to release */
#define CMATEST_NS_NONE		0xffffffff
/* cmatest_times: that long or longer (4.29 s) */
#define CMATEST_NS_MAX		0xfffffffe

/**
 * struct cmatest_times - nanoseconds of one pair of a batch
 * @alloc_ns: what cma_alloc() took, if it succeeded or not; at most
 *	CMATEST_NS_MAX
 * @release_ns: what cma_release() took, at most CMATEST_NS_MAX; or
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
 * @pairs: (in) how often, 1 to cmatest_info.max_pairs
 * @times: (in) address of struct cmatest_times[@pairs]. Its memory should be
 *	there and stay (written to once, mlock(2)), so that no page fault comes
 *	between two pairs.
 * @flags: (in) 0
 * @unused: (in) 0
 * @done: (out) pairs that were made, and times that were written
 * @failed: (out) those of them whose allocation failed
 * @refused: (out) those of them whose release cma_release() refused
 * @reserved: (in) 0
 *
 * A signal, or that tasks are frozen, ends it between two pairs: it succeeds with
 * @done less than @pairs, or fails with %EINTR if that is 0. The kernel never logs
 * a failure. Several threads can do this at once, on one file too. A block never
 * outlives its pair, and none takes a handle. @count pages count against
 * cmatest_info.max_pages.
 *
 * %ENOENT	no area of this index
 * %ENOSPC	all open files would have more than cmatest_info.max_pages pages
 * %EINTR	a signal came before the first pair
 * %EFAULT	@times cannot be written; it ended at the next pair or 63 later
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
 * struct cmatest_probe - CMATEST_IOC_PROBE: what must be refused, is it?
 * @kind: (in) CMATEST_PROBE_*
 * @area: (in) index of the area that is asked
 * @refused: (out) 1 if the kernel refused it, as it must
 * @flags: (in) 0
 * @pfn: (out) of the page that was offered, or that was given for nothing
 * @ns: (out) nanoseconds that the kernel took
 * @reserved: (in) 0
 *
 * All in one call, with a page of the module's own: nothing is left over. If
 * there is none, that is %ENOBUFS.
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
 * @handle: (in) the block; it is gone afterwards
 * @flags: (in) CMATEST_PLACE_IN_FILE or 0
 * @address: (in) of private anonymous memory that can be written to, or an
 *	offset in the file; a multiple of the page size
 * @placed: (out) pages of the caller that were made from pages of the block
 * @fd: (in) a regular file that is open for writing, without O_APPEND and
 *	O_DIRECT; 0 for memory
 * @unused: (in) 0
 * @reserved: (in) 0
 *
 * A driver's block is released to be lent: this makes the pages of one block
 * the caller's own, movable as those of any program. Page n of the block becomes
 * page n of the memory if none is there, all 0; or the block's pages become the
 * file's page cache from the offset on, the last one first, where 0 is written.
 * The kernel does not promise that: a page that somebody else took in the same
 * moment is left out, and a file system may take larger ones, most of all within
 * the size that the file has already. So /proc/self/pagemap tells what came to
 * be where. In a file @placed counts pages that were written.
 *
 * The block is released in any case, but for %ENOENT and %EBUSY. A signal, or an
 * error of the file, ends it: it succeeds if @placed is not 0.
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
 * and what write(2) says of the file.
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
 * On x86, ARM and RISC-V these are 0xc000d200 | size << 16 | number. The sizes in
 * bytes, in this order: 128, 104, 56, 40, 96, 48, 80, 80, 48, 56.
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

#endif
