// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What /dev/cmatest does with right requests and with each wrong one.
 *
 * Run by engine.sh in a virtual machine, with the module loaded as the mode
 * says. Linked statically, so that it runs in an initramfs with nothing else.
 *
 * usage: engine full|areas [COUNT]|bare|linked|limits PAGES HANDLES|loaded PAGES|none
 *        engine inactive|no-memory|freeze|balloon
 *        engine hammer FILE    works until there is that file
 *        engine kexec KERNEL INITRD COMMAND-LINE    boots that, with blocks held
 *        engine fault NAME
 *        engine overhead PAGES REQUESTS PAIRS    the clock and the histograms against neither
 *        engine fuzz SEED REQUESTS [NUMBERS]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src-kmod/uapi/cmatest.h"
#include "fault/fault.h"

#ifndef RB_KEXEC
#define RB_KEXEC 0x45584543
#endif
#ifndef SYS_kexec_file_load
#define SYS_kexec_file_load -1
#endif

#define DEVICE "/dev/cmatest"
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static unsigned int checks, failed;
static int fd;
static struct cmatest_info start;

/* One line for a check, with the reason if it failed. */
static bool check(bool right, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	printf(right ? "ok - " : "not ok - ");
	vprintf(format, list);
	if (!right)
		printf(" (errno %d: %s)", errno, strerror(errno));
	putchar('\n');
	fflush(stdout);
	va_end(list);
	checks++;
	failed += !right;
	return right;
}

/* A condition of a check that has several: the first that fails is named. */
#define NEED(condition)								\
	do {									\
		if (!(condition)) {						\
			check(false, "%s: line %d: %s", __func__, __LINE__, #condition); \
			return;							\
		}								\
	} while (0)

/* ask: the errno of a request, 0 if it succeeded */
static int ask(int file, unsigned long request, void *arg)
{
	errno = 0;
	return ioctl(file, request, arg) ? errno : 0;
}

static int open_device(void)
{
	int file = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (file < 0) {
		perror(DEVICE);
		exit(2);
	}
	return file;
}

static struct cmatest_info info(void)
{
	struct cmatest_info info = { .version = CMATEST_ABI_VERSION };

	if (ask(fd, CMATEST_IOC_INFO, &info)) {
		perror("INFO");
		exit(2);
	}
	return info;
}

/* alloc: the handle of a block in the default area, 0 if there was none */
static __u32 alloc(int file, __u64 count, __u32 order, __u64 *pfn)
{
	struct cmatest_alloc alloc = {
		.area = start.default_area, .count = count, .order = order, .flags = CMATEST_NO_WARN
	};

	if (ask(file, CMATEST_IOC_ALLOC, &alloc))
		return 0;
	if (pfn)
		*pfn = alloc.pfn;
	return alloc.handle;
}

static int release(int file, __u32 handle)
{
	struct cmatest_release release = { .handle = handle, .accepted = 7 };
	int err = ask(file, CMATEST_IOC_RELEASE, &release);

	return err ? err : release.accepted == 1 && release.ns ? 0 : EIO;
}

static int fill(int file, __u32 handle, __u64 seed, __u64 offset, __u64 length)
{
	struct cmatest_fill fill = {
		.handle = handle, .seed = seed, .offset = offset, .length = length
	};

	return ask(file, CMATEST_IOC_FILL, &fill);
}

/* Whether pages can be placed in memory: not without CONFIG_DEVICE_MIGRATION, as on arm64 6.1. */
static bool places_in_memory(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct cmatest_place place = {
		.handle = alloc(fd, 1, 0, NULL), .address = (uintptr_t)memory
	};
	int err = ask(fd, CMATEST_IOC_PLACE, &place);

	munmap(memory, page);
	return err != EOPNOTSUPP;
}

/* compare: -1 if data is wrong */
static int compare(int file, __u32 handle, __u64 seed, __u64 offset, __u64 length)
{
	struct cmatest_check check = {
		.handle = handle, .seed = seed, .offset = offset, .length = length
	};
	int err = ask(file, CMATEST_IOC_CHECK, &check);

	return err ? err : check.bad_words || check.first_bad != CMATEST_NOWHERE ? -1 : 0;
}

/* Nothing is held by anybody; what others' exits release comes a moment later. */
static void settled(const char *after)
{
	struct cmatest_info now = info();
	int i;

	for (i = 0; now.held_pages && i < 200; i++) {
		usleep(20000);
		now = info();
	}
	check(!now.held_pages && !now.file_handles, "%s: %llu pages and %llu handles are left",
	      after, now.held_pages, now.file_handles);
}

static void test_info(void)
{
	struct cmatest_info i = { 0 };

	NEED(!ask(fd, CMATEST_IOC_INFO, &i));
	NEED(i.version == CMATEST_ABI_VERSION);
	NEED(i.page_size == (__u32)sysconf(_SC_PAGESIZE));
	NEED(i.pageblock > 0 && i.pageblock < 20);
	NEED(i.areas >= 1 && i.default_area < i.areas);
	NEED(i.max_count > i.total_pages && i.total_pages >= i.free_pages);
	NEED(1ULL << i.max_order <= i.max_count && 2ULL << i.max_order > i.max_count);
	NEED((i.bound & 6) == 6 && !i.held_pages && !i.file_handles);
	NEED(!(i.linked & ~i.bound));
	NEED((i.bound & CMATEST_BOUND_DEFAULT_AREA) == (i.linked & CMATEST_BOUND_DEFAULT_AREA));
	NEED(i.fault == CMATEST_FAULT_NONE);
	i.version = CMATEST_ABI_VERSION + 1;
	NEED(ask(fd, CMATEST_IOC_INFO, &i) == EPROTONOSUPPORT);
	i.version = UINT32_MAX;
	NEED(ask(fd, CMATEST_IOC_INFO, &i) == EPROTONOSUPPORT);
	check(true, "INFO: versions, sizes and limits");
}

static struct cmatest_area area_of(__u32 index)
{
	struct cmatest_area area = { .index = index };

	if (ask(fd, CMATEST_IOC_AREA, &area))
		memset(&area, 0xff, sizeof(area));
	return area;
}

static void test_areas(void)
{
	const __u32 all = CMATEST_AREA_HAS_NAME | CMATEST_AREA_HAS_BASE | CMATEST_AREA_HAS_SIZE;
	struct cmatest_area area;
	__u64 bytes = 0;
	__u32 i;

	for (i = 0; i < start.areas; i++) {
		area = area_of(i);
		NEED(area.index == i);
		printf("# area %u: '%s' flags 0x%x base 0x%llx size 0x%llx\n",
		       i, area.name, area.flags, area.base, area.size);
		NEED(!(area.flags & CMATEST_AREA_DEFAULT) == (i != start.default_area));
		NEED(memchr(area.name, 0, sizeof(area.name)));
		NEED(!(area.flags & CMATEST_AREA_RANGES) == !!(area.flags & CMATEST_AREA_HAS_BASE));
		bytes += area.size;
	}
	area = area_of(start.default_area);
	NEED((area.flags & all) == all);
	NEED(area.name[0] && area.base && area.size);
	NEED(!(area.base % start.page_size) && !(area.size % start.page_size));
	NEED(bytes == start.total_pages * start.page_size);

	area = (struct cmatest_area) { .index = start.areas };
	NEED(ask(fd, CMATEST_IOC_AREA, &area) == ENOENT);
	area.index = UINT32_MAX;
	NEED(ask(fd, CMATEST_IOC_AREA, &area) == ENOENT);
	check(true, "AREA: name, base and size of each; ENOENT beyond");
}

/* A block of each area, within it where that is known. */
static void test_every_area(void)
{
	struct cmatest_alloc a;
	struct cmatest_block block;
	struct cmatest_probe p;
	__u64 held[64] = { 0 };
	__u32 i, k, known;

	NEED(start.areas <= COUNT(held));
	for (i = 0; i < start.areas; i++)
		held[i] = area_of(i).held_pages;
	for (i = 0; i < start.areas; i++) {
		a = (struct cmatest_alloc) { .area = i, .count = 1, .flags = CMATEST_NO_WARN };
		NEED(!ask(fd, CMATEST_IOC_ALLOC, &a));
		for (k = 0; k < start.areas; k++)
			NEED(area_of(k).held_pages == held[k] + (k == i));
		block = (struct cmatest_block) { .handle = a.handle };
		NEED(!ask(fd, CMATEST_IOC_BLOCK, &block));
		known = !!(area_of(i).flags & CMATEST_AREA_HAS_BASE);
		NEED(block.area == i && block.inside == known);
		NEED(!release(fd, a.handle));
		p = (struct cmatest_probe) { .kind = CMATEST_PROBE_FOREIGN_PAGE, .area = i };
		NEED(!ask(fd, CMATEST_IOC_PROBE, &p));
		NEED(p.refused == 1);
		NEED(area_of(i).held_pages == held[i]);
	}
	check(true, "a block from each of %u areas, counted for its own area only", start.areas);
	settled("after those");
}

static void test_bare(void)
{
	struct cmatest_block block = { 0 };
	struct cmatest_area area = area_of(0);
	__u32 has_name = start.linked & CMATEST_BOUND_NAME ? CMATEST_AREA_HAS_NAME : 0;

	NEED(start.bound == (7 | start.linked) && start.areas == 1 && start.default_area == 0);
	NEED(area.flags == (CMATEST_AREA_DEFAULT | has_name) && !area.base && !area.size);
	NEED(!area.name[0] == !has_name);
	block.handle = alloc(fd, 8, 3, NULL);
	NEED(block.handle && !ask(fd, CMATEST_IOC_BLOCK, &block));
	NEED(block.flags == 0 && block.inside == 0 && block.in_zone == 8);
	NEED(!release(fd, block.handle));
	check(true, "without the optional functions: what needs them is unknown, the rest works");
}

/* Loaded without any address, as from 7.1 on it can be. */
static void test_linked(void)
{
	const __u32 needed = CMATEST_BOUND_ALLOC | CMATEST_BOUND_RELEASE | CMATEST_BOUND_DEFAULT_AREA;
	struct cmatest_area area = area_of(start.default_area);

	NEED(start.bound == start.linked && (start.linked & needed) == needed);
	NEED(start.areas == 1 && area.flags == (CMATEST_AREA_DEFAULT | CMATEST_AREA_HAS_NAME));
	NEED(area.name[0]);
	check(true, "without an address: linked to 0x%x, the default area is '%s'", start.linked,
	      area.name);
}

static const struct {
	const char *name;
	unsigned long request;
	size_t size, reserved, flags;
	__u32 allowed;
} requests[] = {
#define ROW(NAME, type, allowed)						\
	{ #NAME, CMATEST_IOC_##NAME, sizeof(struct cmatest_##type),		\
	  offsetof(struct cmatest_##type, reserved), offsetof(struct cmatest_##type, flags), allowed }
	ROW(INFO, info, 0),
	ROW(AREA, area, UINT32_MAX),
	ROW(ALLOC, alloc, CMATEST_NO_WARN),
	ROW(RELEASE, release, 0),
	ROW(BLOCK, block, UINT32_MAX),
	ROW(FILL, fill, 0),
	ROW(CHECK, check, 0),
	ROW(BATCH, batch, 0),
	ROW(PROBE, probe, 0),
	ROW(PLACE, place, CMATEST_PLACE_IN_FILE),
	ROW(MEASURE, measure, CMATEST_MEASURE_NO_CLOCK),
	ROW(FRAMES, frames, 0),
	ROW(PATH, path, 0),
	ROW(ENTRY, entry, 0),
	ROW(WITNESS, witness, CMATEST_NO_WARN),
};

static struct cmatest_measure one_request(struct cmatest_histograms *histograms);
static struct cmatest_histograms measured_once;
static struct cmatest_frame_run seen[4];

/* The first frame of the default area; 0 where it is not known. */
static __u64 first_frame(void)
{
	static __u64 frame = UINT64_MAX;

	if (frame == UINT64_MAX)
		frame = area_of(start.default_area).base / start.page_size;
	return frame;
}

/* A right argument for each request, with a live block. */
static void right(size_t row, void *arg, __u32 handle, struct cmatest_times *times)
{
	__u32 area = start.default_area;

	memset(arg, 0, requests[row].size);
	switch (requests[row].request) {
	case CMATEST_IOC_AREA:
		((struct cmatest_area *)arg)->index = area;
		break;
	case CMATEST_IOC_ALLOC:
		*(struct cmatest_alloc *)arg = (struct cmatest_alloc) { .area = area, .count = 1 };
		break;
	case CMATEST_IOC_RELEASE:
	case CMATEST_IOC_BLOCK:
	case CMATEST_IOC_PLACE:
		*(__u32 *)arg = handle;
		break;
	case CMATEST_IOC_FILL:
	case CMATEST_IOC_CHECK:
		*(struct cmatest_fill *)arg = (struct cmatest_fill) { .handle = handle, .length = 8 };
		break;
	case CMATEST_IOC_BATCH:
		*(struct cmatest_batch *)arg = (struct cmatest_batch) {
			.area = area, .count = 1, .pairs = 1, .times = (uintptr_t)times
		};
		break;
	case CMATEST_IOC_PROBE:
		*(struct cmatest_probe *)arg = (struct cmatest_probe) {
			.kind = CMATEST_PROBE_FOREIGN_PAGE, .area = area
		};
		break;
	case CMATEST_IOC_MEASURE:
		*(struct cmatest_measure *)arg = one_request(&measured_once);
		break;
	case CMATEST_IOC_FRAMES:
		*(struct cmatest_frames *)arg = (struct cmatest_frames) {
			.area = area, .pfn = first_frame(), .count = 1, .runs = (uintptr_t)seen,
			.room = COUNT(seen)
		};
		break;
	case CMATEST_IOC_PATH:
		*(struct cmatest_path *)arg = (struct cmatest_path) {
			.area = area, .pfn = first_frame()
		};
		break;
	case CMATEST_IOC_WITNESS:
		*(struct cmatest_witness *)arg = (struct cmatest_witness) { .area = area, .count = 1 };
		break;
	}
}

static void test_numbers(void)
{
	char arg[4096] = { 0 };
	size_t i;

	for (i = 0; i < COUNT(requests); i++) {
		unsigned int nr = _IOC_NR(requests[i].request), size = requests[i].size;

		NEED(_IOC_SIZE(requests[i].request) == size);
		NEED(ask(fd, _IOC(_IOC_READ | _IOC_WRITE, CMATEST_IOC_MAGIC, nr, size - 8), arg) == ENOTTY);
		NEED(ask(fd, _IOC(_IOC_READ | _IOC_WRITE, CMATEST_IOC_MAGIC, nr, size + 8), arg) == ENOTTY);
		NEED(ask(fd, _IOC(_IOC_READ | _IOC_WRITE, CMATEST_IOC_MAGIC, nr, 0), arg) == ENOTTY);
		NEED(ask(fd, _IOC(_IOC_WRITE, CMATEST_IOC_MAGIC, nr, size), arg) == ENOTTY);
		NEED(ask(fd, _IOC(_IOC_NONE, CMATEST_IOC_MAGIC, nr, size), arg) == ENOTTY);
		NEED(ask(fd, _IOWR('T', nr, char[40]), arg) == ENOTTY);
	}
	for (i = COUNT(requests); i < 256; i++)
		NEED(ask(fd, _IOC(_IOC_READ | _IOC_WRITE, CMATEST_IOC_MAGIC, i, 48), arg) == ENOTTY);
	NEED(ask(fd, 0, NULL) == ENOTTY && ask(fd, ~0UL, NULL) == ENOTTY);
	check(true, "other numbers, sizes and directions: ENOTTY");
}

static void test_reserved(void)
{
	__u32 handle = alloc(fd, 1, 0, NULL);
	struct cmatest_times times;
	unsigned char arg[256];
	size_t i, at;
	int bit;

	NEED(handle);
	for (i = 0; i < COUNT(requests); i++) {
		for (at = requests[i].reserved; at < requests[i].size; at++) {
			right(i, arg, handle, &times);
			arg[at] = 0x80;
			NEED(ask(fd, requests[i].request, arg) == EINVAL);
		}
		for (bit = 0; bit < 32; bit++) {
			if (requests[i].allowed & 1U << bit)
				continue;
			right(i, arg, handle, &times);
			*(__u32 *)(arg + requests[i].flags) |= 1U << bit;
			NEED(ask(fd, requests[i].request, arg) == EINVAL);
		}
	}
	right(3, arg, handle, &times);
	((struct cmatest_release *)arg)->unused = 1;
	NEED(ask(fd, CMATEST_IOC_RELEASE, arg) == EINVAL);
	right(7, arg, handle, &times);
	((struct cmatest_batch *)arg)->unused = 1;
	NEED(ask(fd, CMATEST_IOC_BATCH, arg) == EINVAL);
	right(9, arg, handle, &times);
	((struct cmatest_place *)arg)->unused = 1;
	NEED(ask(fd, CMATEST_IOC_PLACE, arg) == EINVAL);
	right(11, arg, handle, &times);
	((struct cmatest_frames *)arg)->unused = 1;
	NEED(ask(fd, CMATEST_IOC_FRAMES, arg) == EINVAL);
	right(13, arg, handle, &times);
	((struct cmatest_entry *)arg)->unused = 1;
	NEED(ask(fd, CMATEST_IOC_ENTRY, arg) == EINVAL);
	right(14, arg, handle, &times);
	((struct cmatest_witness *)arg)->unused = 1;
	NEED(ask(fd, CMATEST_IOC_WITNESS, arg) == EINVAL);
	NEED(!release(fd, handle));
	check(true, "each reserved byte and unknown flag: EINVAL");
	settled("after those");
}

static void test_pointers(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct cmatest_times times;
	__u32 handle;
	size_t i, j;

	NEED(memory != MAP_FAILED);
	NEED(map != MAP_FAILED && !munmap(map + page, page));
	for (i = 0; i < COUNT(requests); i++) {
		void *bad[] = {
			NULL, (void *)1, map + page, map + page - requests[i].size + 1,
			(void *)(UINTPTR_MAX - 7), (void *)(UINTPTR_MAX / 2 + 1), (void *)UINTPTR_MAX
		};

		for (j = 0; j < COUNT(bad); j++)
			NEED(ask(fd, requests[i].request, bad[j]) == EFAULT);
	}
	check(true, "arguments that cannot be read: EFAULT");

	/* Readable, so that the request runs, but the answer cannot be written. */
	for (i = 0; i < COUNT(requests); i++) {
		bool ends = requests[i].request == CMATEST_IOC_RELEASE ||
			    requests[i].request == CMATEST_IOC_PLACE;

		/* These say first that the kernel does not tell, or that the page is of no file. */
		if (requests[i].request == CMATEST_IOC_PATH ||
		    (requests[i].request == CMATEST_IOC_FRAMES && !first_frame()) ||
		    (requests[i].request == CMATEST_IOC_PLACE && !places_in_memory()))
			continue;
		handle = alloc(fd, 2, 0, NULL);
		NEED(handle && !fill(fd, handle, 0, 0, 8));
		right(i, map, handle, &times);
		if (requests[i].request == CMATEST_IOC_PLACE)
			((struct cmatest_place *)map)->address = (uintptr_t)memory;
		NEED(!mprotect(map, page, PROT_READ));
		NEED(ask(fd, requests[i].request, map) == EFAULT);
		NEED(!mprotect(map, page, PROT_READ | PROT_WRITE));
		NEED(info().file_handles == !ends);
		NEED(release(fd, handle) == (ends ? ENOENT : 0));
	}
	munmap(map, page);
	munmap(memory, 2 * page);
	check(true, "arguments that cannot be written: EFAULT");
	settled("after those");
}

static void test_alloc(void)
{
	static const __u64 counts[] = { 1, 2, 3, 15, 16, 17, 255, 256, 257, 511, 512, 1000 };
	struct cmatest_area area = area_of(start.default_area);
	struct cmatest_block block;
	__u64 pfn;
	__u32 handle, order;
	size_t i;

	for (i = 0; i < COUNT(counts); i++) {
		for (order = 0; order <= 9; order += 3) {
			handle = alloc(fd, counts[i], order, &pfn);
			NEED(handle);
			NEED(!(pfn & ((1ULL << order) - 1)));
			NEED(info().held_pages == counts[i] && info().file_handles == 1);
			block = (struct cmatest_block) { .handle = handle, .flags = 0x1234 };
			NEED(!ask(fd, CMATEST_IOC_BLOCK, &block));
			NEED(block.count == counts[i] && block.pfn == pfn && block.order == order);
			NEED(block.area == start.default_area && block.zone_name[0]);
			NEED(block.in_zone == counts[i] && block.unshared == counts[i]);
			NEED(block.flags == CMATEST_BLOCK_HAS_INSIDE && block.inside == counts[i]);
			NEED(pfn * start.page_size >= area.base);
			NEED((pfn + counts[i]) * start.page_size <= area.base + area.size);
			NEED(!release(fd, handle));
		}
	}
	printf("# zone %u '%s' on node %u\n", block.zone, block.zone_name, block.node);
	check(true, "ALLOC, BLOCK, RELEASE: counts and orders");
}

static void test_alloc_errors(void)
{
	const struct cmatest_alloc one = { .area = start.default_area, .count = 1, .flags = CMATEST_NO_WARN };
	__u64 counts[] = { 0, start.max_count + 1, 1ULL << 32, 1ULL << 52, INT64_MAX, UINT64_MAX };
	__u32 orders[] = { start.max_order + 1, 51, 52, 63, 64, INT32_MAX, UINT32_MAX };
	struct cmatest_alloc a;
	size_t i;

	for (i = 0; i < COUNT(counts); i++) {
		if (i == 2 && start.max_count >= counts[i])
			continue;
		a = one;
		a.count = counts[i];
		NEED(ask(fd, CMATEST_IOC_ALLOC, &a) == EINVAL);
	}
	for (i = 0; i < COUNT(orders); i++) {
		a = one;
		a.order = orders[i];
		NEED(ask(fd, CMATEST_IOC_ALLOC, &a) == EINVAL);
	}
	a = one;
	a.area = start.areas;
	NEED(ask(fd, CMATEST_IOC_ALLOC, &a) == ENOENT);
	a.area = UINT32_MAX;
	NEED(ask(fd, CMATEST_IOC_ALLOC, &a) == ENOENT);
	check(true, "ALLOC of 0, of too many, of too large an order, in no area");

	for (i = 0; i < 2; i++) {
		a = one;
		a.count = i ? start.max_count : start.total_pages + 1;
		a.handle = 5;
		a.pfn = 5;
		a.ns = 0;
		NEED(ask(fd, CMATEST_IOC_ALLOC, &a) == ENOMEM);
		NEED(a.ns > 0 && a.handle == 0 && a.pfn == 0);
	}
	a = one;
	a.order = start.max_order;
	i = ask(fd, CMATEST_IOC_ALLOC, &a);
	NEED(i == ENOMEM || (i == 0 && !release(fd, a.handle)));
	check(true, "ALLOC beyond the area: ENOMEM, and its time");
	settled("after those");
}

/* logged: whether the kernel has logged TEXT since the descriptor was made */
static bool logged(int log, const char *text)
{
	char line[4096];
	ssize_t got;
	bool found = false;

	while ((got = read(log, line, sizeof(line) - 1)) > 0 || (got < 0 && errno == EPIPE)) {
		if (got < 0)
			continue;
		line[got] = 0;
		if (strstr(line, text))
			found = true;
	}
	return found;
}

static void test_no_warn(void)
{
	struct cmatest_alloc a = { .area = start.default_area, .count = start.total_pages };
	__u32 handle = alloc(fd, 1, 0, NULL);
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	NEED(handle && log >= 0);
	lseek(log, 0, SEEK_END);
	a.flags = CMATEST_NO_WARN;
	NEED(ask(fd, CMATEST_IOC_ALLOC, &a) == ENOMEM);
	NEED(!logged(log, "alloc failed"));
	a.flags = 0;
	NEED(ask(fd, CMATEST_IOC_ALLOC, &a) == ENOMEM);
	NEED(logged(log, "alloc failed"));
	close(log);
	NEED(!release(fd, handle));
	check(true, "CMATEST_NO_WARN decides whether the kernel logs a failure");
}

static void test_release(void)
{
	__u32 a = alloc(fd, 1, 0, NULL), b = alloc(fd, 1, 0, NULL);
	int other = open_device();

	NEED(a && b && a != b);
	NEED(release(other, a) == ENOENT);
	NEED(release(fd, 0) == ENOENT && release(fd, UINT32_MAX) == ENOENT);
	NEED(!release(fd, a));
	NEED(release(fd, a) == ENOENT);
	NEED(alloc(fd, 1, 0, NULL) != a);
	NEED(fill(fd, a, 1, 0, 8) == ENOENT && compare(fd, a, 1, 0, 8) == ENOENT);
	NEED(!release(fd, b));
	close(other);
	close(fd);
	fd = open_device();
	check(true, "RELEASE twice, of no handle, of another file's: ENOENT");
	settled("after close with a block");
}

/* The words as cmatest.h describes them. */
static __u64 word(__u64 seed, __u64 index)
{
	__u64 z = seed;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	z = z ^ z >> 31;
	return ((index + 1) * 0x9e3779b97f4a7c15ULL) ^ z;
}

static void test_pattern(void)
{
	__u64 size = 19ULL * start.page_size;
	__u32 handle = alloc(fd, 19, 0, NULL);
	struct cmatest_check c = { .handle = handle, .seed = 8, .length = size };
	struct { __u64 offset, length; } bad[] = {
		{ 0, 0 }, { 0, 4 }, { 4, 8 }, { 1, 7 }, { 0, size + 8 }, { size, 8 }, { size - 8, 16 },
		{ size + 8, 8 }, { UINT64_MAX - 7, 8 }, { 8, UINT64_MAX - 7 },
		{ UINT64_MAX - 7, 16 }, { 0, UINT64_MAX - 7 },
	};
	size_t i;

	NEED(handle);
	NEED(!fill(fd, handle, 7, 0, size) && !compare(fd, handle, 7, 0, size));
	NEED(!ask(fd, CMATEST_IOC_CHECK, &c));
	NEED(c.bad_words == size / 8 && c.first_bad == 0);
	NEED(c.wrote == word(8, 0) && c.read == word(7, 0));

	/* One word, at the end of a page, of another seed. */
	NEED(!fill(fd, handle, 8, 3ULL * start.page_size - 8, 8));
	c.seed = 7;
	NEED(!ask(fd, CMATEST_IOC_CHECK, &c));
	NEED(c.bad_words == 1 && c.first_bad == 3ULL * start.page_size - 8);
	NEED(c.wrote == word(7, c.first_bad / 8) && c.read == word(8, c.first_bad / 8));
	NEED(!compare(fd, handle, 7, 0, c.first_bad));
	NEED(!compare(fd, handle, 7, c.first_bad + 8, size - c.first_bad - 8));
	NEED(!compare(fd, handle, 8, c.first_bad, 8));

	for (i = 0; i < COUNT(bad); i++) {
		NEED(fill(fd, handle, 1, bad[i].offset, bad[i].length) == EINVAL);
		NEED(compare(fd, handle, 1, bad[i].offset, bad[i].length) == EINVAL);
	}
	NEED(!release(fd, handle));
	check(true, "FILL and CHECK: whole, in parts, the first bad word; bad ranges: EINVAL");
}

/*
 * What was not filled cannot be checked, to the word: random ranges of a block,
 * against a list of its words.
 */
static void test_filled(void)
{
	enum { PAGES = 5, FILLS = 1500 };
	__u64 words = PAGES * start.page_size / 8, page = start.page_size / 8, from, count, i;
	bool *is_filled = calloc(words, sizeof(*is_filled)), all;
	__u32 handle = alloc(fd, PAGES, 0, NULL), other = alloc(fd, PAGES, 0, NULL);
	unsigned int state = 1;
	int round, refused = 0, read = 0;

	NEED(handle && other && is_filled);
	NEED(compare(fd, handle, 1, 0, words * 8) == EINVAL);
	for (i = 0; i < words; i += 97)
		NEED(compare(fd, handle, 1, i * 8, 8) == EINVAL);
	NEED(!fill(fd, other, 1, 0, words * 8));
	NEED(compare(fd, handle, 1, 0, 8) == EINVAL && !compare(fd, other, 1, 0, words * 8));

	for (round = 0; round < FILLS; round++) {
		/* Now and then anew, or soon there is nothing left to refuse. */
		if (round % 100 == 99) {
			NEED(!release(fd, handle));
			NEED((handle = alloc(fd, PAGES, 0, NULL)));
			memset(is_filled, 0, words * sizeof(*is_filled));
		}
		from = rand_r(&state) % words;
		count = 1 + rand_r(&state) % (round % 64 ? 9 : words);
		if (round % 16 == 0) {
			from -= from % page;
			count = page * (1 + rand_r(&state) % 2);
		} else if (round % 16 == 1) {
			/* Around the border of two pages. */
			from = page * (1 + rand_r(&state) % (PAGES - 1)) - 1 - rand_r(&state) % 3;
		}
		if (count > words - from)
			count = words - from;
		NEED(!fill(fd, handle, 1, from * 8, count * 8));
		for (i = from; i < from + count; i++)
			is_filled[i] = true;
		NEED(!compare(fd, handle, 1, from * 8, count * 8));

		/* What was filled and a word before or behind; and any range. */
		if (from)
			NEED(compare(fd, handle, 1, (from - 1) * 8, count * 8 + 8) ==
			     (is_filled[from - 1] ? 0 : EINVAL));
		if (from + count < words)
			NEED(compare(fd, handle, 1, from * 8, count * 8 + 8) ==
			     (is_filled[from + count] ? 0 : EINVAL));
		from = rand_r(&state) % words;
		count = 1 + rand_r(&state) % (round % 2 ? 12 : words - from);
		if (count > words - from)
			count = words - from;
		for (i = from, all = true; i < from + count; i++)
			all &= is_filled[i];
		NEED(compare(fd, handle, 1, from * 8, count * 8) == (all ? 0 : EINVAL));
		read += all;
		refused += !all;
	}
	NEED(read > 50 && refused > 50);
	NEED(!release(fd, handle) && !release(fd, other));
	free(is_filled);
	check(true, "CHECK of what was not filled: EINVAL, to the word (%d of %d ranges)", refused,
	      read + refused);
}

static void test_many(void)
{
	enum { MANY = 200 };
	__u32 handle[MANY];
	__u64 count;
	int i;

	for (i = 0; i < MANY; i++) {
		count = 1 + i % 37;
		handle[i] = alloc(fd, count, 0, NULL);
		NEED(handle[i]);
		NEED(!fill(fd, handle[i], i, 0, count * start.page_size));
	}
	for (i = 0; i < MANY; i++)
		NEED(!compare(fd, handle[i], i, 0, (1 + i % 37) * (__u64)start.page_size));
	/* Out of order. */
	for (i = 0; i < MANY; i++)
		NEED(!release(fd, handle[i * 7 % MANY]));
	check(true, "%d live blocks keep their patterns", MANY);
	settled("after those");
}

static void test_probe(void)
{
	struct cmatest_probe p = { .kind = CMATEST_PROBE_FOREIGN_PAGE, .area = start.default_area };

	NEED(!ask(fd, CMATEST_IOC_PROBE, &p));
	NEED(p.refused == 1 && p.pfn);
	p = (struct cmatest_probe) { .kind = CMATEST_PROBE_NO_PAGES, .area = start.default_area };
	NEED(!ask(fd, CMATEST_IOC_PROBE, &p));
	NEED(p.refused == 1 && !p.pfn);
	p.kind = 0;
	NEED(ask(fd, CMATEST_IOC_PROBE, &p) == EINVAL);
	p.kind = 3;
	NEED(ask(fd, CMATEST_IOC_PROBE, &p) == EINVAL);
	p.kind = 1;
	p.area = start.areas;
	NEED(ask(fd, CMATEST_IOC_PROBE, &p) == ENOENT);
	check(true, "PROBE: a foreign page and an empty request are refused");
}

#define PLACED 300

/* How many of the pages lie between two frames; -1 where that cannot be read. */
static int pages_between(const void *memory, size_t count, __u64 first, __u64 end)
{
	long page = sysconf(_SC_PAGESIZE);
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), found = 0;
	__u64 entry;
	size_t i;

	for (i = 0; i < count; i++) {
		if (pread(map, &entry, 8, ((uintptr_t)memory / page + i) * 8) != 8) {
			close(map);
			return -1;
		}
		entry = entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
		found += entry >= first && entry < end;
	}
	close(map);
	return found;
}

static bool is_all(const char *bytes, char byte, size_t size)
{
	return bytes[0] == byte && !memcmp(bytes, bytes + 1, size - 1);
}

static void *map_pages(size_t count, int protection, int flags, int file)
{
	size_t size = count * sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, size, protection, flags, file, 0);

	if (memory != MAP_FAILED)
		madvise(memory, size, MADV_NOHUGEPAGE);
	return memory;
}

/* Taking the area must move what was placed there, and leave its bytes. */
static bool moves_away(const void *memory, __u64 pfn)
{
	__u32 handle;
	__u64 again;
	int i;

	for (i = 0; i < 50; i++) {
		handle = alloc(fd, PLACED, 0, &again);
		if (handle && again == pfn)
			break;
		if (handle)
			release(fd, handle);
		usleep(20000);
	}
	return handle && again == pfn && !pages_between(memory, PLACED, pfn, pfn + PLACED) &&
	       !fill(fd, handle, 5, 0, PLACED * (__u64)start.page_size) && !release(fd, handle);
}

static void test_place_in_memory(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *memory = map_pages(PLACED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct cmatest_place p = { .address = (uintptr_t)memory };
	int inside;
	__u64 pfn;

	if (!places_in_memory()) {
		puts("skip - PLACE: memory: this kernel has no CONFIG_DEVICE_MIGRATION to place it with");
		return;
	}
	NEED(memory != MAP_FAILED);
	memset(memory + 7 * page, 'x', page);
	p.handle = alloc(fd, PLACED, 0, &pfn);
	NEED(p.handle && !fill(fd, p.handle, 3, 0, PLACED * (__u64)page));
	NEED(!ask(fd, CMATEST_IOC_PLACE, &p));
	inside = pages_between(memory, PLACED, pfn, pfn + PLACED);
	printf("# %llu of %d pages were placed in memory, and %d lie there\n", p.placed, PLACED, inside);
	NEED(p.placed >= PLACED * 3 / 4 && p.placed < PLACED && inside == (int)p.placed);
	NEED(release(fd, p.handle) == ENOENT && !info().held_pages && !info().file_handles);
	NEED(is_all(memory, 0, 7 * page) && is_all(memory + 8 * page, 0, (PLACED - 8) * page));
	NEED(is_all(memory + 7 * page, 'x', page));
	memset(memory, 'y', PLACED * page);
	NEED(pages_between(memory, PLACED, pfn, pfn + PLACED) == inside);
	NEED(moves_away(memory, pfn) && is_all(memory, 'y', PLACED * page));
	munmap(memory, PLACED * page);
	check(true, "PLACE: pages become memory that is all 0, can be moved, and leaves what is there");
	settled("after that");
}

static void test_place_in_file(void)
{
	long page = sysconf(_SC_PAGESIZE);
	int file = syscall(SYS_memfd_create, "place", 0), inside, i;
	struct cmatest_place p = { .flags = CMATEST_PLACE_IN_FILE, .fd = file, .address = 5 * page };
	volatile char *memory;
	__u64 pfn;

	NEED(file >= 0 && !ftruncate(file, 5 * page));
	p.handle = alloc(fd, PLACED, 0, &pfn);
	NEED(p.handle && !fill(fd, p.handle, 3, 0, PLACED * (__u64)page));
	NEED(!ask(fd, CMATEST_IOC_PLACE, &p) && p.placed == PLACED);
	NEED(release(fd, p.handle) == ENOENT && !info().held_pages && !info().file_handles);
	memory = map_pages(PLACED + 5, PROT_READ | PROT_WRITE, MAP_SHARED, file);
	NEED(memory != MAP_FAILED);
	NEED(is_all((char *)memory, 0, (PLACED + 5) * page));
	inside = pages_between((char *)memory + 5 * page, PLACED, pfn, pfn + PLACED);
	printf("# %d of %d pages were placed in a file\n", inside, PLACED);
	NEED(inside >= PLACED * 3 / 4);
	for (i = 0; i < (PLACED + 5) * page; i++)
		memory[i] = 'z';
	NEED(pages_between((char *)memory + 5 * page, PLACED, pfn, pfn + PLACED) == inside);
	NEED(moves_away((char *)memory + 5 * page, pfn));
	NEED(is_all((char *)memory, 'z', (PLACED + 5) * page));
	munmap((void *)memory, (PLACED + 5) * page);
	close(file);
	check(true, "PLACE: pages become page cache of a file, and can be moved");
	settled("after that");
}

static void test_place_errors(void)
{
	long page = sysconf(_SC_PAGESIZE);
	int file = syscall(SYS_memfd_create, "place", 0);
	int reading = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char *memory = map_pages(4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	char *fixed = map_pages(4, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	char *shared = map_pages(4, PROT_READ | PROT_WRITE, MAP_SHARED, file);
	const __u32 in_file = CMATEST_PLACE_IN_FILE;
	const struct {
		struct cmatest_place place;
		int err;
	} wrong[] = {
		{ { .address = 0 }, EINVAL },
		{ { .address = (uintptr_t)memory + 8 }, EINVAL },
		{ { .address = (uintptr_t)memory + page }, EINVAL },
		{ { .address = (uintptr_t)fixed }, EINVAL },
		{ { .address = (uintptr_t)shared }, EINVAL },
		{ { .address = -4ULL * page }, EINVAL },
		{ { .address = -(__u64)page }, EINVAL },
		{ { .address = 1ULL << 63 }, EINVAL },
		{ { .flags = in_file, .fd = -1 }, EBADF },
		{ { .flags = in_file, .fd = 1 << 20 }, EBADF },
		{ { .flags = in_file, .fd = reading }, EBADF },
		{ { .flags = in_file, .fd = null }, EINVAL },
		{ { .flags = in_file, .fd = fd }, EINVAL },
		{ { .flags = in_file, .fd = file, .address = 1 }, EINVAL },
		{ { .flags = in_file, .fd = file, .address = 1ULL << 63 }, EINVAL },
		{ { .flags = in_file, .fd = file, .address = -4ULL * page }, EINVAL },
	};
	const bool in_memory = places_in_memory();
	struct cmatest_place p;
	size_t i;

	NEED(file >= 0 && reading >= 0 && null >= 0);
	NEED(memory != MAP_FAILED && fixed != MAP_FAILED && shared != MAP_FAILED);
	for (i = 0; i < COUNT(wrong); i++) {
		p = wrong[i].place;
		p.handle = alloc(fd, 4, 0, NULL);
		NEED(p.handle);
		if (ask(fd, CMATEST_IOC_PLACE, &p) !=
		    (p.flags == in_file || in_memory ? wrong[i].err : EOPNOTSUPP)) {
			check(false, "PLACE: wrong argument %zu", i);
			return;
		}
		NEED(release(fd, p.handle) == ENOENT && !info().held_pages);
	}
	NEED(!fcntl(file, F_SETFL, O_APPEND));
	p = (struct cmatest_place) { .flags = in_file, .fd = file, .handle = alloc(fd, 4, 0, NULL) };
	NEED(ask(fd, CMATEST_IOC_PLACE, &p) == EINVAL);
	p = (struct cmatest_place) { .handle = 12345678, .address = (uintptr_t)memory };
	NEED(ask(fd, CMATEST_IOC_PLACE, &p) == ENOENT);
	munmap(memory, 4 * page);
	munmap(fixed, 4 * page);
	munmap(shared, 4 * page);
	close(file);
	close(reading);
	close(null);
	check(true, "PLACE: other memory and other files are refused, and the block is released");
	settled("after those");
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void test_batch(void)
{
	enum { PAIRS = 1000 };
	struct cmatest_times *times = calloc(PAIRS + 1, sizeof(*times));
	const struct cmatest_batch right = {
		.area = start.default_area, .count = 1, .pairs = PAIRS,
		.times = (uintptr_t)times
	};
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_value = { .tv_usec = 100000 } };
	__u64 pairs[] = { 1, 63, 64, 65, 128, PAIRS };
	__u64 none[] = { 0, start.max_pairs + 1, UINT64_MAX };
	__u64 nowhere[] = { 0, 8, UINT64_MAX - 63, 1ULL << 63, 1ULL << 40 };
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	struct cmatest_batch b;
	size_t i, j;

	for (i = 0; i < COUNT(pairs); i++) {
		memset(times, 0, (PAIRS + 1) * sizeof(*times));
		b = right;
		b.pairs = pairs[i];
		NEED(!ask(fd, CMATEST_IOC_BATCH, &b));
		NEED(b.done == pairs[i] && !b.failed && !b.refused);
		for (j = 0; j < pairs[i]; j++)
			NEED(times[j].alloc_ns && times[j].release_ns && times[j].release_ns < CMATEST_NS_MAX);
		NEED(!times[j].alloc_ns && !times[j].release_ns);
	}
	b = right;
	b.count = start.total_pages + 1;
	b.pairs = 70;
	NEED(log >= 0 && lseek(log, 0, SEEK_END) >= 0);
	NEED(!ask(fd, CMATEST_IOC_BATCH, &b));
	NEED(b.done == 70 && b.failed == 70);
	NEED(!logged(log, "alloc failed"));
	close(log);
	for (j = 0; j < 70; j++)
		NEED(times[j].release_ns == CMATEST_NS_NONE);
	check(true, "BATCH: as many times as pairs, failures too, and no word in the log");

	for (i = 0; i < COUNT(none); i++) {
		b = right;
		b.pairs = none[i];
		NEED(ask(fd, CMATEST_IOC_BATCH, &b) == EINVAL);
	}
	for (i = 0; i < COUNT(nowhere); i++) {
		b = right;
		b.times = nowhere[i];
		NEED(ask(fd, CMATEST_IOC_BATCH, &b) == EFAULT);
	}
	b = right;
	b.count = 0;
	NEED(ask(fd, CMATEST_IOC_BATCH, &b) == EINVAL);
	b = right;
	b.order = 64;
	NEED(ask(fd, CMATEST_IOC_BATCH, &b) == EINVAL);
	b = right;
	b.area = start.areas;
	NEED(ask(fd, CMATEST_IOC_BATCH, &b) == ENOENT);
	check(true, "BATCH: what is wrong is refused");

	b = right;
	b.pairs = 10000000;
	times = mmap(NULL, b.pairs * sizeof(*times), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	NEED(times != MAP_FAILED);
	b.times = (uintptr_t)times;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	NEED(!ask(fd, CMATEST_IOC_BATCH, &b));
	NEED(b.done > 0 && b.done < b.pairs);
	NEED(times[b.done - 1].alloc_ns && !times[b.done].alloc_ns);
	munmap(times, b.pairs * sizeof(*times));
	check(true, "BATCH: a signal ends it after %llu pairs", b.done);
	settled("after those");
}

/* interrupted: whether one of the requests that REQUEST makes ends with EINTR */
#define INTERRUPTED(request)							\
	({									\
		int tries, err = 0;						\
										\
		for (tries = 0; tries < 200 && err != EINTR; tries++) {		\
			struct itimerval soon = {				\
				.it_value = { .tv_usec = 200 + 50 * tries }	\
			};							\
										\
			setitimer(ITIMER_REAL, &soon, NULL);			\
			err = (request);					\
			setitimer(ITIMER_REAL, &(struct itimerval) { 0 }, NULL); \
			if (err && err != EINTR)				\
				break;						\
		}								\
		err == EINTR;							\
	})

/* A signal that is handled ends what takes long, and what it leaves is consistent. */
static void test_signals(void)
{
	__u64 pages = start.free_pages / 2, size = pages * start.page_size;
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { .it_value = { .tv_usec = 500 }, .it_interval = { .tv_usec = 0 } };
	struct cmatest_block block;
	__u32 handle = alloc(fd, pages, 0, NULL);
	int i;

	NEED(handle);
	sigaction(SIGALRM, &action, NULL);
	NEED(INTERRUPTED(fill(fd, handle, 5, 0, size)));
	/* The end of it was not written, as each try ended before. */
	i = compare(fd, handle, 5, size - 8, 8);
	NEED(i == EINVAL || i == 0);
	NEED(!fill(fd, handle, 5, 0, size) && !compare(fd, handle, 5, 0, size));
	NEED(INTERRUPTED(compare(fd, handle, 5, 0, size)));
	block = (struct cmatest_block) { .handle = handle };
	NEED(INTERRUPTED(ask(fd, CMATEST_IOC_BLOCK, &block)));

	/* With SA_RESTART they start anew, and nobody sees the signal. */
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	for (i = 0; i < 20; i++) {
		setitimer(ITIMER_REAL, &often, NULL);
		NEED(!fill(fd, handle, i, 0, size));
		setitimer(ITIMER_REAL, &often, NULL);
		NEED(!compare(fd, handle, i, 0, size));
		block = (struct cmatest_block) { .handle = handle };
		setitimer(ITIMER_REAL, &often, NULL);
		NEED(!ask(fd, CMATEST_IOC_BLOCK, &block));
		NEED(block.in_zone == pages);
	}
	NEED(!release(fd, handle));
	check(true, "FILL, CHECK and BLOCK end at a signal, or start anew with SA_RESTART");
	settled("after those");
}

static atomic_bool stop;
static atomic_int wrong;
static __u32 contested;

static void *worker(void *arg)
{
	unsigned int state = (uintptr_t)arg;
	__u64 count, seed;
	__u32 handle;
	int i;

	for (i = 0; i < 150; i++) {
		count = 1 + rand_r(&state) % 64;
		seed = rand_r(&state);
		handle = alloc(fd, count, rand_r(&state) % 5, NULL);
		/* Pages that others' requests isolate make one fail now and then. */
		if (!handle) {
			wrong += errno != ENOMEM;
			continue;
		}
		wrong += fill(fd, handle, seed, 0, count * start.page_size) != 0;
		wrong += compare(fd, handle, seed, 0, count * start.page_size) != 0;
		wrong += release(fd, handle) != 0;
	}
	return NULL;
}

static void *batcher(void *arg)
{
	struct cmatest_times times[300];
	struct cmatest_batch b = {
		.area = start.default_area, .count = 4, .pairs = COUNT(times),
		.times = (uintptr_t)times
	};

	(void)arg;
	wrong += ask(fd, CMATEST_IOC_BATCH, &b) != 0 || b.done != COUNT(times) || b.refused;
	return NULL;
}

static void test_threads(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), n = cpus * 3, i;
	pthread_t thread[n];
	cpu_set_t one;

	wrong = 0;
	for (i = 0; i < n; i++) {
		NEED(!pthread_create(&thread[i], NULL, i < cpus ? batcher : worker, (void *)(i + 1)));
		CPU_ZERO(&one);
		CPU_SET(i % cpus, &one);
		pthread_setaffinity_np(thread[i], sizeof(one), &one);
	}
	for (i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	check(!wrong, "%ld threads on %ld CPUs, one file: %d wrong", n, cpus, (int)wrong);
	settled("after those");
}

static void *looker(void *arg)
{
	__u64 size = 256ULL * start.page_size;
	int err;

	(void)arg;
	while (!stop) {
		err = fill(fd, contested, 3, 0, size);
		wrong += err && err != ENOENT;
		/* Another block than the one that was filled is one with nothing to check. */
		err = compare(fd, contested, 3, 0, size);
		wrong += err > 0 && err != ENOENT && err != EINVAL;
	}
	return NULL;
}

static void *releaser(void *arg)
{
	int err;

	while (!stop) {
		err = release(fd, contested);
		if (!err)
			++*(int *)arg;
		else if (err == EBUSY)
			++((int *)arg)[1];
		else
			wrong += err != ENOENT;
	}
	return NULL;
}

/* Blocks that are released while others fill and check them. */
static void test_contest(void)
{
	int released[2][2] = { { 0 } }, allocated = 0;
	pthread_t thread[4];
	size_t i;

	wrong = 0;
	stop = false;
	for (i = 0; i < 4; i++)
		NEED(!pthread_create(&thread[i], NULL, i < 2 ? looker : releaser,
				     i < 2 ? NULL : released[i - 2]));
	for (i = 0; i < 150; i++) {
		__u32 handle = alloc(fd, 256, 0, NULL);

		if (handle)
			allocated++;
		*(volatile __u32 *)&contested = handle;
		usleep(1000);
	}
	usleep(100000);
	stop = true;
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	printf("# %d blocks, %d released, busy %d times\n", allocated,
	       released[0][0] + released[1][0], released[0][1] + released[1][1]);
	check(!wrong && released[0][0] + released[1][0] <= allocated,
	      "blocks released while they are filled and checked: %d wrong", (int)wrong);
	close(fd);
	fd = open_device();
	settled("after that");
}

static void test_kill(void)
{
	struct cmatest_times times[2];
	int round, status;
	pid_t pid;

	for (round = 0; round < 12; round++) {
		pid = fork();
		NEED(pid >= 0);
		if (!pid) {
			int file = open_device();

			for (;;) {
				if (round % 3 == 0) {
					alloc(file, 1 + round, 0, NULL);
				} else if (round % 3 == 1) {
					__u32 handle = alloc(file, 512, 0, NULL);

					fill(file, handle, 1, 0, 512ULL * start.page_size);
				} else {
					struct cmatest_batch b = {
						.area = start.default_area, .count = 300,
						.pairs = 1 << 20,
						.times = (uintptr_t)times
					};

					/* Times for 2 only: EFAULT now and then. */
					b.pairs = round == 2 ? 2 : b.pairs;
					ask(file, CMATEST_IOC_BATCH, &b);
				}
			}
		}
		usleep(20000 + round * 7000);
		kill(pid, SIGKILL);
		NEED(waitpid(pid, &status, 0) == pid);
		NEED(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	check(true, "%d owners killed in mid-flight", round);
	settled("after those");
}

/* A descriptor that a child has, too, keeps the blocks. */
static void test_shared(void)
{
	int file = open_device(), status, ends[2];
	char byte;
	pid_t pid;

	NEED(alloc(file, 10, 0, NULL) && !pipe(ends));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) != 0);
	}
	close(file);
	NEED(info().held_pages == 10);
	close(ends[0]);
	close(ends[1]);
	NEED(waitpid(pid, &status, 0) == pid && status == 0);
	check(true, "the last descriptor of a file decides");
	settled("after it was closed");
}

static int exhaust(__u64 count)
{
	int blocks = 0;

	while (alloc(fd, count, 0, NULL))
		blocks++;
	return errno == ENOMEM ? blocks : -1;
}

static void test_exhaust(void)
{
	int first, second, round;

	for (round = 0; round < 3; round++) {
		first = exhaust(64);
		NEED(first > 0 && info().held_pages == 64ULL * first);
		close(fd);
		fd = open_device();
	}
	second = exhaust(64);
	close(fd);
	fd = open_device();
	check(second >= first - 2, "exhaustion gives %d blocks of 64 pages, then %d", first, second);
	settled("after close");
}

static void drop_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		_exit(9);
	data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &header, data))
		_exit(9);
}

static int open_as(void (*become)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		become();
		_exit(open(DEVICE, O_RDWR) < 0 ? errno : 0);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void become_user(void)
{
	if (setgid(1000) || setuid(1000))
		_exit(9);
}

static void test_open(void)
{
	char byte = 0;

	NEED(open_as(become_user) == EACCES);
	NEED(open_as(drop_admin) == EPERM);
	NEED(read(fd, &byte, 1) < 0 && errno == EINVAL);
	NEED(write(fd, &byte, 1) < 0 && errno == EINVAL);
	NEED(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENODEV);
	check(true, "open: EACCES for others, EPERM without CAP_SYS_ADMIN");
}

static void test_unload(void)
{
	NEED(syscall(SYS_delete_module, "cmatest", O_NONBLOCK) == -1);
	NEED(errno == EWOULDBLOCK || errno == EBUSY);
	check(true, "rmmod while a file is open is refused");
}

static void test_limits(__u64 pages, __u32 handles)
{
	struct cmatest_times times;
	struct cmatest_batch b = {
		.area = start.default_area, .count = pages + 1, .pairs = 1, .times = (uintptr_t)&times
	};
	__u32 handle = 0, i;
	int other;

	NEED(start.max_pages == pages && start.max_handles == handles);
	NEED(!alloc(fd, pages + 1, 0, NULL) && errno == ENOSPC);
	NEED(ask(fd, CMATEST_IOC_BATCH, &b) == ENOSPC);
	handle = alloc(fd, pages, 0, NULL);
	NEED(handle);
	NEED(!alloc(fd, 1, 0, NULL) && errno == ENOSPC);
	other = open_device();
	NEED(!alloc(other, 1, 0, NULL) && errno == ENOSPC);
	NEED(!release(fd, handle));
	NEED((handle = alloc(other, pages, 0, NULL)) && !release(other, handle));
	check(true, "more than max_pages: ENOSPC, for all files together");

	for (i = 0; i < handles; i++)
		NEED((handle = alloc(fd, 1, 0, NULL)));
	NEED(!alloc(fd, 1, 0, NULL) && errno == EMFILE);
	NEED(alloc(other, 1, 0, NULL));
	NEED(!release(fd, handle) && alloc(fd, 1, 0, NULL));
	close(other);
	close(fd);
	fd = open_device();
	check(true, "more than max_handles: EMFILE, for each file alone");
	settled("after close");
}

static atomic_int attempts[2], successes;

static void *intruder(void *arg)
{
	__u32 handle;

	while (!stop) {
		handle = alloc(fd, 1, 0, NULL);
		wrong += !handle && errno != EMFILE;
		successes += !!handle;
		wrong += handle && release(fd, handle);
		++*(atomic_int *)arg;
	}
	return NULL;
}

/* With all blocks but one taken, nobody is refused the last one because another was just refused. */
static void test_limit_race(__u32 handles)
{
	pthread_t thread[2];
	int refused = 0, before, seen[2];
	__u32 handle = 0, i;

	for (i = 0; i < handles; i++)
		NEED((handle = alloc(fd, 1, 0, NULL)));
	wrong = 0;
	stop = false;
	for (i = 0; i < 2; i++)
		NEED(!pthread_create(&thread[i], NULL, intruder, &attempts[i]));
	for (i = 0; i < 20; i++) {
		NEED(info().file_handles <= handles);
		before = successes;
		NEED(!release(fd, handle));
		handle = alloc(fd, 1, 0, NULL);
		while (!handle) {
			NEED(errno == EMFILE);
			/* Then an intruder had it: both have now finished what they were at. */
			seen[0] = attempts[0];
			seen[1] = attempts[1];
			while (attempts[0] < seen[0] + 2 || attempts[1] < seen[1] + 2)
				usleep(100);
			NEED(successes > before);
			refused++;
			handle = alloc(fd, 1, 0, NULL);
		}
	}
	stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	close(fd);
	fd = open_device();
	check(!wrong, "max_handles holds when threads race: %d times one of %d intruders had the last",
	      refused, (int)successes);
	settled("after close");
}

static void test_loaded(__u64 pages)
{
	check(start.loaded_pages == pages && !start.held_pages,
	      "%llu pages are held from load to unload", start.loaded_pages);
}

/*
 * The machine has less memory than its area has pages. Someone else must hold a
 * block: the allocator would otherwise move all of the balloon out of the area,
 * which leaves the kernel no memory for itself.
 */
static void test_balloon(void)
{
	struct cmatest_area area = area_of(start.default_area);
	const __u64 whole = area.size / start.page_size;
	struct cmatest_alloc a;
	struct cmatest_times times;
	struct cmatest_batch b = {
		.area = start.default_area, .count = whole, .pairs = 1, .times = (uintptr_t)&times
	};
	struct sysinfo machine;
	__u64 memory, counts[2];
	__u32 handle;
	size_t i;
	int err;

	NEED(!sysinfo(&machine));
	memory = (__u64)machine.totalram * machine.mem_unit / start.page_size;
	check((area.flags & CMATEST_AREA_HAS_SIZE) && memory < whole,
	      "the machine has %llu pages, its area %llu", memory, whole);
	check(start.max_count == start.total_pages + 1 && start.max_count > whole,
	      "requests of up to %llu pages are passed on", start.max_count);

	counts[0] = whole;
	counts[1] = start.max_count;
	for (i = 0; i < COUNT(counts); i++) {
		a = (struct cmatest_alloc) {
			.area = start.default_area, .count = counts[i], .flags = CMATEST_NO_WARN
		};
		err = ask(fd, CMATEST_IOC_ALLOC, &a);
		check((err == ENOMEM && a.ns > 0 && !a.handle) || (!err && !release(fd, a.handle)),
		      "ALLOC of %llu pages is passed on and gives %s", counts[i],
		      err ? "nothing: ENOMEM" : "a block");
	}
	a.count = start.max_count + 1;
	check(ask(fd, CMATEST_IOC_ALLOC, &a) == EINVAL, "ALLOC of %llu pages: EINVAL", a.count);

	err = ask(fd, CMATEST_IOC_BATCH, &b);
	check(!err && b.done == 1, "BATCH of the whole area is passed on");
	b.count = start.max_count + 1;
	check(ask(fd, CMATEST_IOC_BATCH, &b) == EINVAL, "BATCH of more than that: EINVAL");

	handle = alloc(fd, 256, 0, NULL);
	check(handle && !fill(fd, handle, 1, 0, 256 * start.page_size) &&
	      !compare(fd, handle, 1, 0, 256 * start.page_size) && !release(fd, handle),
	      "256 pages can be had, filled and read back");
	settled("after those");
}

/* Each fault shows where the matching test of a suite looks. */
static void test_fault(const char *name)
{
	__u64 size = 16ULL * start.page_size, pfn;
	struct cmatest_probe p = { .kind = CMATEST_PROBE_FOREIGN_PAGE, .area = start.default_area };
	int first, second, err;
	__u32 a, b;

	if (!strcmp(name, "leak")) {
		NEED(start.fault == CMATEST_FAULT_LEAK);
		first = exhaust(16);
		close(fd);
		fd = open_device();
		second = exhaust(16);
		check(second < first / 2, "leak: %d blocks of 16, then %d", first, second);
	} else if (!strcmp(name, "misalign")) {
		NEED(start.fault == CMATEST_FAULT_MISALIGN);
		a = alloc(fd, 16, 4, &pfn);
		check(a && pfn % 16 == 1 && !fill(fd, a, 1, 0, size) && !release(fd, a),
		      "misalign: pfn 0x%llx for order 4", pfn);
	} else if (!strcmp(name, "overlap")) {
		NEED(start.fault == CMATEST_FAULT_OVERLAP);
		a = alloc(fd, 16, 0, NULL);
		b = alloc(fd, 16, 0, NULL);
		NEED(a && b && !fill(fd, a, 1, 0, size) && !fill(fd, b, 2, 0, size));
		err = compare(fd, a, 1, 0, size);
		check(err == -1 && !compare(fd, b, 2, 0, size), "overlap: the second block is in the first");
	} else if (!strcmp(name, "wrong-release")) {
		NEED(start.fault == CMATEST_FAULT_WRONG_RELEASE);
		NEED(!ask(fd, CMATEST_IOC_PROBE, &p));
		check(!p.refused, "wrong-release: a foreign page is accepted");
	} else if (!strcmp(name, "corrupt")) {
		NEED(start.fault == CMATEST_FAULT_CORRUPT);
		a = alloc(fd, 16, 0, NULL);
		NEED(a && !fill(fd, a, 1, 0, size));
		check(compare(fd, a, 1, 0, size) == -1 && !compare(fd, a, 1, 0, size / 2),
		      "corrupt: a word in the middle is wrong");
	} else if (!strcmp(name, "stale-accounting")) {
		NEED(start.fault == CMATEST_FAULT_STALE_ACCOUNTING);
		a = alloc(fd, 2048, 0, NULL);
		NEED(a);
		check(!info().held_pages && info().free_pages == start.free_pages && !release(fd, a),
		      "stale-accounting: the counts stand still");
	} else if (!strcmp(name, "no-page-cache")) {
		struct cmatest_place place = {
			.flags = CMATEST_PLACE_IN_FILE, .fd = syscall(SYS_memfd_create, "place", 0),
			.handle = alloc(fd, 16, 0, NULL)
		};

		NEED(start.fault == CMATEST_FAULT_NO_PAGE_CACHE && place.handle && place.fd >= 0);
		err = ask(fd, CMATEST_IOC_PLACE, &place);
		check(err == ENOBUFS, "no-page-cache: no memory for a file's pages is ENOBUFS (errno %d)", err);
		close(place.fd);
		settled("after that");
	} else {
		check(false, "no fault is called %s", name);
	}
}

/* An area that the kernel could not activate gives nothing and takes nothing. */
static void test_inactive(void)
{
	const __u64 counts[] = { 1, 2, 512, 100000, start.max_count };
	struct cmatest_area area = area_of(start.default_area);
	struct cmatest_probe p;
	struct cmatest_times times[3];
	struct cmatest_batch b = {
		.area = start.default_area, .count = 1, .pairs = 3, .times = (uintptr_t)times
	};
	int i, inside = 0;
	__u64 pfn;

	NEED(area.flags & CMATEST_AREA_INACTIVE && !area.size);
	NEED(start.max_count > start.total_pages);
	for (i = 0; i < (int)COUNT(counts); i++) {
		NEED(!alloc(fd, counts[i], 0, NULL) && errno == ENOMEM);
		NEED(!alloc(fd, counts[i], 9, NULL) && errno == ENOMEM);
	}
	NEED(!ask(fd, CMATEST_IOC_BATCH, &b) && b.done == 3 && b.failed == 3);
	p = (struct cmatest_probe) { .kind = CMATEST_PROBE_NO_PAGES, .area = start.default_area };
	NEED(!ask(fd, CMATEST_IOC_PROBE, &p) && p.refused);
	/* The kernel's own pages lie where the area was to be. */
	for (i = 0; i < 20000; i++) {
		p.kind = CMATEST_PROBE_FOREIGN_PAGE;
		NEED(!ask(fd, CMATEST_IOC_PROBE, &p) && p.refused);
		pfn = p.pfn * start.page_size;
		inside += area.base && pfn >= area.base && pfn < area.base + (600ULL << 20);
	}
	check(true, "an area that was not activated gives and takes nothing (%d pages from its place)",
	      inside);
	settled("after that");
}

static bool put(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	bool done = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

	close(file);
	return done;
}

#define GROUP "/sys/fs/cgroup/engine"

/* Where the kernel has no memory for the module's notes, that is not ENOMEM. */
static void test_no_memory(void)
{
	char text[32];
	int blocks = 0, partial = 0, err = 0, status;
	__u32 handle, first = 0;
	pid_t pid;

	pid = fork();
	if (!pid) {
		int limit = open(GROUP "/memory.max", O_WRONLY | O_CLOEXEC);

		snprintf(text, sizeof(text), "%d", getpid());
		if (!put(GROUP "/cgroup.procs", text) || write(limit, "512K", 4) != 4)
			_exit(100);
		while ((handle = alloc(fd, 1, 0, NULL))) {
			first = first ? first : handle;
			blocks++;
			/* Each block with notes of its own: its handle, and which words were filled. */
			err = fill(fd, handle, 1, 8, 8);
			if (err)
				break;
			partial++;
		}
		err = err ? err : errno;
		/* First of all: what this process itself does next may need a page, too. */
		if (write(limit, "max", 3) != 3)
			_exit(102);
		printf("# errno %d after %d blocks\n", err, blocks);
		fflush(stdout);
		/* All is as before: what is there can be used. */
		if (err == ENOBUFS && first && partial > 1)
			err = compare(fd, first, 1, 8, 8) ? 101 : ENOBUFS;
		_exit(err);
	}
	NEED(waitpid(pid, &status, 0) == pid);
	check(WIFEXITED(status) && WEXITSTATUS(status) == ENOBUFS,
	      "no memory for the module's notes: ENOBUFS (status 0x%x)", status);
	close(fd);
	fd = open_device();
	settled("after that");
}

/* is_frozen: waits up to 5 s until the group is, or is not */
static bool is_frozen(bool frozen)
{
	char text[128];
	ssize_t got;
	int i, file;

	for (i = 0; i < 500; i++) {
		file = open(GROUP "/cgroup.events", O_RDONLY | O_CLOEXEC);
		got = read(file, text, sizeof(text) - 1);
		close(file);
		if (got <= 0)
			return false;
		text[got] = 0;
		if (strstr(text, frozen ? "frozen 1" : "frozen 0"))
			return true;
		usleep(10000);
	}
	return false;
}

/* Whoever is in a request freezes there, and does not learn of it. */
static void test_freeze(void)
{
	__u64 pages = start.free_pages / 2, size = pages * start.page_size;
	struct cmatest_block block = { .handle = alloc(fd, pages, 0, NULL) };
	char text[32];
	int round, status;
	pid_t pid;

	NEED(block.handle);
	pid = fork();
	if (!pid) {
		while (!fill(fd, block.handle, 9, 0, size) && !compare(fd, block.handle, 9, 0, size) &&
		       !ask(fd, CMATEST_IOC_BLOCK, &block))
			;
		_exit(errno ? errno : 1);
	}
	snprintf(text, sizeof(text), "%d", pid);
	NEED(put(GROUP "/cgroup.procs", text));
	for (round = 0; round < 20; round++) {
		usleep(1000 + 7000 * round);
		NEED(put(GROUP "/cgroup.freeze", "1") && is_frozen(true));
		NEED(put(GROUP "/cgroup.freeze", "0") && is_frozen(false));
		NEED(waitpid(pid, &status, WNOHANG) == 0);
	}
	kill(pid, SIGKILL);
	NEED(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	NEED(!release(fd, block.handle));
	check(true, "FILL, CHECK and BLOCK are frozen %d times, and go on", round);
	settled("after that");
}

static const char *hammer_end;
static atomic_int rounds;

static void *hammer_blocks(void *arg)
{
	while (access(hammer_end, F_OK)) {
		worker(arg);
		rounds++;
	}
	return NULL;
}

static void *hammer_batches(void *arg)
{
	struct cmatest_times times[64];
	struct cmatest_batch b;

	(void)arg;
	while (access(hammer_end, F_OK)) {
		b = (struct cmatest_batch) {
			.area = start.default_area, .count = 4, .pairs = COUNT(times),
			.times = (uintptr_t)times
		};
		/* Fewer where it was frozen; it starts anew where there was none. */
		wrong += ask(fd, CMATEST_IOC_BATCH, &b) != 0 || !b.done || b.refused;
		rounds++;
	}
	return NULL;
}

static void *hammer_measurements(void *arg)
{
	struct cmatest_measure m;

	(void)arg;
	while (access(hammer_end, F_OK)) {
		m = one_request(&measured_once);
		m.count = 4;
		m.hold = 3;
		m.requests = 64;
		wrong += ask(fd, CMATEST_IOC_MEASURE, &m) != 0 || !m.done || m.refused;
		rounds++;
	}
	return NULL;
}

/* Blocks are held, and others come and go, while something happens to the machine. */
static void test_hammer(void)
{
	enum { HELD = 40 };
	__u64 size = 37ULL * start.page_size;
	void *(*const work[])(void *) = {
		hammer_blocks, hammer_batches, hammer_blocks, hammer_batches, hammer_measurements
	};
	pthread_t thread[COUNT(work)];
	__u32 held[HELD];
	int i;

	for (i = 0; i < HELD; i++)
		NEED((held[i] = alloc(fd, 37, 0, NULL)) && !fill(fd, held[i], i, 0, size));
	printf("# begun\n");
	fflush(stdout);
	for (i = 0; i < (int)COUNT(work); i++)
		NEED(!pthread_create(&thread[i], NULL, work[i], (void *)(uintptr_t)(i + 1)));
	for (i = 0; i < (int)COUNT(work); i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < HELD; i++)
		NEED(!compare(fd, held[i], i, 0, size) && !release(fd, held[i]));
	check(!wrong && rounds >= 5, "%d rounds of 5 threads, %d wrong; %d held blocks kept their patterns",
	      (int)rounds, (int)wrong, HELD);
	settled("after those");
}

/* kexec: returns only where that cannot be done */
static void kexec(const char *kernel, const char *initrd, const char *line)
{
	int image = open(kernel, O_RDONLY | O_CLOEXEC), disk = open(initrd, O_RDONLY | O_CLOEXEC);

	NEED(alloc(fd, start.free_pages / 2, 0, NULL));
	NEED(image >= 0 && disk >= 0);
	NEED(!syscall(SYS_kexec_file_load, image, disk, strlen(line) + 1, line, 0UL));
	reboot(RB_KEXEC);
	check(false, "kexec");
}

static __u64 mix(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/*
 * Random requests. Each is made of the seed and of its number alone, so that any
 * of them can be left out and the others stay what they are: that is how a
 * sequence that fails is made short (shrink.sh). Number n is made by thread n % 4.
 */
#define FUZZERS 4

static struct {
	__u64 seed;
	long requests;
	/* All, or those whose numbers are in here. */
	struct { long first, last; } kept[4096];
	size_t kept_count;
} fuzz;

/* parse_kept: "0-99,120,130-140"; false where it is not that */
static bool parse_kept(const char *text)
{
	char *end = (char *)text;

	for (fuzz.kept_count = 0; fuzz.kept_count < COUNT(fuzz.kept); fuzz.kept_count++) {
		long first = strtol(end, &end, 10), last = first;

		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		fuzz.kept[fuzz.kept_count].first = first;
		fuzz.kept[fuzz.kept_count].last = last;
		if (!*end) {
			fuzz.kept_count++;
			return true;
		}
		if (*end++ != ',')
			return false;
	}
	return false;
}

/* is_kept: asked with numbers that rise; @at is the range to look at first */
static bool is_kept(long number, size_t *at)
{
	if (!fuzz.kept_count)
		return true;
	while (*at < fuzz.kept_count && fuzz.kept[*at].last < number)
		++*at;
	return *at < fuzz.kept_count && fuzz.kept[*at].first <= number;
}

static void fuzz_wrong(long number, const char *what, const char *why)
{
	printf("# request %ld: %s: %s\n", number, what, why);
	fflush(stdout);
	wrong++;
}

/* A file of a fuzzer, or the one of all, and the newest of its handles. */
struct fuzz_target {
	int file;
	_Atomic __u32 newest;
};

static void fuzz_request(long number, struct fuzz_target *own, struct fuzz_target *shared)
{
	static const __u64 values[] = {
		0, 1, 2, 3, 7, 8, 16, 63, 64, 512, 4096, 1 << 14, 1 << 20, INT32_MAX, UINT32_MAX,
		1ULL << 52, INT64_MAX, UINT64_MAX, UINT64_MAX - 7
	};
	static const int known[] = {
		0, ENOTTY, EFAULT, EINVAL, ENOENT, EBUSY, ENOMEM, ENOSPC, EMFILE, EPROTONOSUPPORT,
		ENOBUFS, EBADF, ENODATA, EOPNOTSUPP
	};
	__u64 state = fuzz.seed * 0xd1342543de82ef95ULL + number, memory[32] = { 0 };
	struct fuzz_target *target = mix(&state) % 4 ? own : shared;
	struct cmatest_times times[64];
	size_t row = mix(&state) % COUNT(requests), word, i;
	unsigned long request = requests[row].request;
	void *argument = memory;
	bool is_right = true;
	__u32 handle;
	int err;

	/* One of the newest handles: older ones are mostly gone. */
	right(row, memory, target->newest - mix(&state) % 8, times);
	/* Logging every failure would be most of the work. */
	if (requests[row].allowed == CMATEST_NO_WARN && mix(&state) % 64)
		*(__u32 *)((char *)memory + requests[row].flags) = CMATEST_NO_WARN;
	if (requests[row].request == CMATEST_IOC_ALLOC)
		((struct cmatest_alloc *)memory)->count = 1 + mix(&state) % (mix(&state) % 16 ? 16 : 1024);
	if (requests[row].request == CMATEST_IOC_WITNESS)
		((struct cmatest_witness *)memory)->count = 1 + mix(&state) % 16;
	if (requests[row].request == CMATEST_IOC_FRAMES)
		((struct cmatest_frames *)memory)->count = 1 + mix(&state) % 4096;
	if (requests[row].request == CMATEST_IOC_BATCH)
		((struct cmatest_batch *)memory)->pairs = 1 + mix(&state) % (mix(&state) % 64 ? 2 : 64);
	if (requests[row].request == CMATEST_IOC_MEASURE) {
		((struct cmatest_measure *)memory)->requests = 1 + mix(&state) % 3;
		((struct cmatest_measure *)memory)->hold = mix(&state) % 3;
	}
	while (mix(&state) % 3 == 0) {
		word = mix(&state) % (requests[row].size / 8);
		/* It is alone, does not last, and writes to its own histograms alone. */
		if (requests[row].request == CMATEST_IOC_MEASURE &&
		    ((word >= 2 && word <= 4) || word == 6 || word == 8))
			continue;
		/* These may write to their own arrays alone. */
		if (requests[row].request == CMATEST_IOC_BATCH && (word == 2 || word == 3))
			continue;
		if (requests[row].request == CMATEST_IOC_FRAMES && (word == 3 || word == 4))
			continue;
		if (requests[row].request == CMATEST_IOC_PATH && (word == 4 || word == 5))
			continue;
		if (requests[row].request == CMATEST_IOC_ENTRY && (word == 7 || word == 8))
			continue;
		if (requests[row].request == CMATEST_IOC_WITNESS && (word == 5 || word == 6))
			continue;
		if (requests[row].allowed == CMATEST_NO_WARN && word == requests[row].flags / 8 &&
		    mix(&state) % 8)
			continue;
		memory[word] = values[mix(&state) % COUNT(values)];
		if (mix(&state) % 2)
			memory[word] |= values[mix(&state) % COUNT(values)] << 32;
	}
	if (mix(&state) % 64 == 0) {
		request ^= 1UL << mix(&state) % 32;
		is_right = false;
	}
	if (mix(&state) % 128 == 0) {
		argument = (void *)(uintptr_t)values[mix(&state) % COUNT(values)];
		is_right = false;
	}
	err = ask(target->file, request, argument);
	for (i = 0; i < COUNT(known) && known[i] != err; i++)
		;
	if (i == COUNT(known))
		fuzz_wrong(number, requests[row].name, strerror(err));
	if (err || !is_right)
		return;

	/* What the kernel said must be right too. */
	switch (requests[row].request) {
	case CMATEST_IOC_ALLOC:
		handle = ((struct cmatest_alloc *)memory)->handle;
		target->newest = handle;
		/* Give back what was got, or the area is full after a while. */
		if (mix(&state) % 4 && release(target->file, handle) == EIO)
			fuzz_wrong(number, "ALLOC", "cma_release() refused what it gave");
		break;
	case CMATEST_IOC_WITNESS:
		handle = ((struct cmatest_witness *)memory)->handle;
		target->newest = handle;
		if (release(target->file, handle) == EIO)
			fuzz_wrong(number, "WITNESS", "cma_release() refused what it gave");
		break;
	case CMATEST_IOC_RELEASE:
		if (!((struct cmatest_release *)memory)->accepted)
			fuzz_wrong(number, "RELEASE", "cma_release() refused it");
		break;
	case CMATEST_IOC_BATCH:
		if (((struct cmatest_batch *)memory)->refused)
			fuzz_wrong(number, "BATCH", "cma_release() refused some");
		break;
	case CMATEST_IOC_MEASURE:
		if (((struct cmatest_measure *)memory)->refused)
			fuzz_wrong(number, "MEASURE", "cma_release() refused some");
		break;
	case CMATEST_IOC_PROBE:
		if (!((struct cmatest_probe *)memory)->refused)
			fuzz_wrong(number, "PROBE", "it was not refused");
		break;
	}
}

static struct fuzz_target fuzz_shared;

static void *fuzzer(void *arg)
{
	struct fuzz_target own = { .file = open_device() };
	long number, block, opened = 0;
	size_t range = 0;

	for (number = (uintptr_t)arg; number < fuzz.requests; number += FUZZERS) {
		/* All of a file's blocks go when it is closed: do that as well. */
		block = number / (1000 * FUZZERS);
		if (block != opened) {
			close(own.file);
			own.file = open_device();
			own.newest = 0;
			opened = block;
		}
		if (is_kept(number, &range))
			fuzz_request(number, &own, &fuzz_shared);
	}
	close(own.file);
	return NULL;
}

static void test_fuzz(void)
{
	pthread_t thread[FUZZERS];
	uintptr_t i;

	wrong = 0;
	fuzz_shared.file = fd;
	for (i = 0; i < FUZZERS; i++)
		NEED(!pthread_create(&thread[i], NULL, fuzzer, (void *)i));
	for (i = 0; i < FUZZERS; i++)
		pthread_join(thread[i], NULL);
	check(!wrong, "%ld random requests, seed %llu: %d wrong answers", fuzz.requests, fuzz.seed,
	      (int)wrong);
	close(fd);
	fd = open_device();
	settled("after those");
}

#include "measuring.c"

static void (*const full[])(void) = {
	test_open, test_info, test_areas, test_numbers, test_reserved, test_pointers, test_alloc,
	test_alloc_errors, test_no_warn, test_release, test_pattern, test_filled, test_many, test_probe,
	test_place_in_memory, test_place_in_file, test_place_errors, test_batch, test_signals,
	test_threads, test_contest, test_kill, test_shared, test_exhaust, test_unload,
	test_measure_counts, test_measure_quantiles, test_measure_errors, test_measure_ring,
	test_measure_interval, test_measure_signal, test_measure_team, test_measure_events,
};

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(mode, "none")) {
		check(open(DEVICE, O_RDWR) < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV),
		      "no " DEVICE);
		goto end;
	}
	fd = open_device();
	start = info();
	if (!strcmp(mode, "full")) {
		for (i = 0; i < COUNT(full); i++)
			full[i]();
	} else if (!strcmp(mode, "areas")) {
		if (argc > 2)
			check(start.areas == strtoul(argv[2], NULL, 0), "%u areas", start.areas);
		test_areas();
		test_every_area();
	} else if (!strcmp(mode, "bare")) {
		test_bare();
	} else if (!strcmp(mode, "linked")) {
		test_info();
		test_linked();
		test_every_area();
	} else if (!strcmp(mode, "inactive")) {
		test_inactive();
	} else if (!strcmp(mode, "no-memory")) {
		test_no_memory();
		test_measure_no_memory();
	} else if (!strcmp(mode, "freeze")) {
		test_freeze();
		test_measure_freeze();
	} else if (!strcmp(mode, "balloon")) {
		test_balloon();
	} else if (!strcmp(mode, "hammer") && argc == 3) {
		hammer_end = argv[2];
		test_hammer();
	} else if (!strcmp(mode, "kexec") && argc == 5) {
		kexec(argv[2], argv[3], argv[4]);
	} else if (!strcmp(mode, "limits") && argc == 4) {
		test_limits(strtoull(argv[2], NULL, 0), strtoul(argv[3], NULL, 0));
		test_limit_race(strtoul(argv[3], NULL, 0));
		test_measure_limits(strtoull(argv[2], NULL, 0));
	} else if (!strcmp(mode, "loaded") && argc == 3) {
		test_loaded(strtoull(argv[2], NULL, 0));
	} else if (!strcmp(mode, "overhead") && argc == 5) {
		measure_overhead(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0), atoi(argv[4]));
	} else if (!strcmp(mode, "fault") && argc == 3 && !strcmp(argv[2], "delay")) {
		test_measure_delay();
	} else if (!strcmp(mode, "fault") && argc == 3 && !strcmp(argv[2], "stall")) {
		test_measure_stall();
	} else if (!strcmp(mode, "fault") && argc == 3) {
		test_fault(argv[2]);
	} else if (!strcmp(mode, "fuzz") && (argc == 4 || (argc == 5 && parse_kept(argv[4])))) {
		fuzz.seed = strtoull(argv[2], NULL, 0);
		fuzz.requests = strtol(argv[3], NULL, 0);
		test_fuzz();
	} else {
		fprintf(stderr, "engine: see the usage at the top of engine.c\n");
		return 2;
	}
end:
	printf("%u checks of engine %s, %u failed\n", checks, mode, failed);
	return failed != 0;
}
