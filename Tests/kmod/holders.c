// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What /dev/cmatest tells of page frames, of who holds blocks, and of what was in
 * the way of an allocation.
 *
 * Run by engine.sh in a virtual machine, with the module loaded as the mode says.
 * Linked statically, so that it runs in an initramfs with nothing else.
 *
 * usage: holders full       with the addresses of all symbols, and no block held
 *        holders no-ledger  with ledger=0
 *        holders held PAGES with a block of these from the load on
 *        holders other PAGES  with ledger=, and cmahogg.ko with a block of these
 *        holders small      with ledger=8
 *        holders time PAGES with either: allocates blocks of these, prints the times
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "../../src-kmod/uapi/cmatest.h"

#define DEVICE "/dev/cmatest"
#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define PLACED 64

static unsigned int checks, failed;
static int fd;
static long page;
static struct cmatest_info start;
static __u64 first, frames;
/* The kernel's release, 1002 for 10.2. */
static unsigned int kernel;

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

#define NEED(condition)								\
	do {									\
		if (!(condition)) {						\
			check(false, "%s: line %d: %s", __func__, __LINE__, #condition); \
			return;							\
		}								\
	} while (0)

static int ask(unsigned long request, void *arg)
{
	errno = 0;
	return ioctl(fd, request, arg) ? errno : 0;
}

static __u32 alloc(__u64 count, __u64 *pfn)
{
	struct cmatest_alloc a = {
		.area = start.default_area, .count = count, .flags = CMATEST_NO_WARN
	};

	if (ask(CMATEST_IOC_ALLOC, &a))
		return 0;
	*pfn = a.pfn;
	return a.handle;
}

static int release(__u32 handle)
{
	struct cmatest_release r = { .handle = handle };

	return ask(CMATEST_IOC_RELEASE, &r);
}

static struct cmatest_frame_run runs[65536];

/* look: the runs of these frames, or -1 */
static int look(__u64 pfn, __u64 count)
{
	struct cmatest_frames f = {
		.area = start.default_area, .pfn = pfn, .count = count,
		.runs = (uintptr_t)runs, .room = COUNT(runs),
	};

	return ask(CMATEST_IOC_FRAMES, &f) || f.count ? -1 : (int)f.made;
}

static struct cmatest_frame_run frame(__u64 pfn)
{
	return look(pfn, 1) == 1 ? runs[0] : (struct cmatest_frame_run) { .kind = 99 };
}

static void show(const char *what, const struct cmatest_frame_run *run)
{
	printf("# %s: kind %u flags 0x%x order %u maps %u extra %u device 0x%x inode %llu, %llu frames\n",
	       what, run->kind, run->flags, run->order, run->maps, run->extra, run->device,
	       run->inode, run->count);
}

/* The frame of a page of ours; 0 if there is none. */
static __u64 frame_of(const volatile void *address)
{
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	__u64 entry = 0;

	if (pread(map, &entry, 8, (uintptr_t)address / page * 8) != 8)
		entry = 0;
	close(map);
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

static bool is_inside(__u64 pfn)
{
	return pfn >= first && pfn < first + frames;
}

/* The first of our pages that lies in the area. */
static char *inside_of(char *memory, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++) {
		if (is_inside(frame_of(memory + i * page)))
			return memory + i * page;
	}
	return NULL;
}

static char *map(size_t pages, int flags, int file)
{
	char *memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, flags, file, 0);

	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, pages * page, MADV_NOHUGEPAGE);
	return memory;
}

/* Memory of a file whose pages are mostly those of a block that is released. */
static char *placed_in_file(size_t pages)
{
	int file = syscall(SYS_memfd_create, "placed", 0);
	struct cmatest_place p = { .flags = CMATEST_PLACE_IN_FILE, .fd = file };
	char *memory = NULL;
	__u64 pfn;

	p.handle = alloc(pages, &pfn);
	if (p.handle && !ask(CMATEST_IOC_PLACE, &p) && p.placed)
		memory = map(pages, MAP_SHARED, file);
	close(file);
	return memory;
}

/* The same of memory alone, or NULL. Kernels without CONFIG_DEVICE_MIGRATION have none. */
static char *placed_in_memory(size_t pages)
{
	char *memory = map(pages, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct cmatest_place p = { .address = (uintptr_t)memory };
	__u64 pfn;

	if (!memory)
		return NULL;
	p.handle = alloc(pages, &pfn);
	if (p.handle && !ask(CMATEST_IOC_PLACE, &p) && p.placed)
		return memory;
	munmap(memory, pages * page);
	return NULL;
}

static char *placed_memory(size_t pages)
{
	char *memory = placed_in_memory(pages);

	return memory ? memory : placed_in_file(pages);
}

static void test_frames_wrong(void)
{
	struct cmatest_frames right = {
		.area = start.default_area, .pfn = first, .count = 1,
		.runs = (uintptr_t)runs, .room = 1,
	}, f;

#define WRONG(field, value, error)						\
	do {									\
		f = right;							\
		f.field = (value);						\
		NEED(ask(CMATEST_IOC_FRAMES, &f) == (error));			\
	} while (0)
	f = right;
	NEED(!ask(CMATEST_IOC_FRAMES, &f) && f.made == 1 && !f.count && f.pfn == first + 1);
	WRONG(area, start.areas, ENOENT);
	WRONG(area, UINT32_MAX, ENOENT);
	WRONG(pfn, first - 1, EINVAL);
	WRONG(pfn, first + frames, EINVAL);
	WRONG(pfn, 0, EINVAL);
	WRONG(pfn, UINT64_MAX, EINVAL);
	WRONG(count, 0, EINVAL);
	WRONG(count, frames + 1, EINVAL);
	WRONG(count, UINT64_MAX, EINVAL);
	WRONG(count, UINT64_MAX - first + 1, EINVAL);
	WRONG(room, 0, EINVAL);
	WRONG(room, 65537, EINVAL);
	WRONG(unused, 1, EINVAL);
	WRONG(flags, 1, EINVAL);
	WRONG(runs, 8, EFAULT);
	WRONG(runs, UINT64_MAX - 7, EFAULT);
#undef WRONG
	check(true, "FRAMES: frames beyond the area, no room and bad addresses are refused");
}

/* All frames, each once, in small pieces and in one. */
static void test_frames_all(void)
{
	struct cmatest_frames f = {
		.area = start.default_area, .pfn = first, .count = frames,
		.runs = (uintptr_t)runs, .room = 3,
	};
	__u64 next = first, known = 0, cma = 0, kinds[13] = { 0 };
	unsigned int i, requests = 0;

	while (f.count) {
		NEED(!ask(CMATEST_IOC_FRAMES, &f));
		NEED(f.made && f.made <= f.room && ++requests < 1000000);
		for (i = 0; i < f.made; i++) {
			NEED(runs[i].pfn == next && runs[i].count && runs[i].kind < COUNT(kinds));
			next += runs[i].count;
			kinds[runs[i].kind] += runs[i].count;
			known += runs[i].kind != CMATEST_FRAME_CHANGING ? runs[i].count : 0;
			cma += runs[i].flags & CMATEST_FRAME_CMA ? runs[i].count : 0;
		}
		NEED(f.pfn == next && f.count == first + frames - next);
	}
	NEED(next == first + frames);
	for (i = 0; i < COUNT(kinds); i++) {
		if (kinds[i])
			printf("# kind %u: %llu frames\n", i, kinds[i]);
	}
	NEED(known * 100 >= frames * 99);
	NEED(f.found & CMATEST_FRAMES_HAS_TYPE && cma == frames);
	NEED(!(f.found & CMATEST_FRAMES_HAS_LARGE) == (kernel < 612));
	NEED(look(first, frames) > 0);
	check(true, "FRAMES: each of %llu frames is told once, and is of CMA", frames);
}

static void test_frames_block(void)
{
	struct cmatest_frame_run run;
	__u32 handle;
	__u64 pfn;
	int made, i;

	handle = alloc(100, &pfn);
	NEED(handle);
	made = look(pfn, 100);
	NEED(made >= 1);
	show("a block", &runs[0]);
	for (i = 0; i < made; i++)
		NEED(runs[i].kind == CMATEST_FRAME_OTHER);
	NEED(!release(handle));
	run = frame(pfn);
	show("then", &run);
	NEED(run.kind != CMATEST_FRAME_OTHER);
	check(true, "FRAMES: a block is of a driver, and no longer when it is released");
}

static void test_frames_anon(void)
{
	char *memory = placed_in_memory(PLACED), *one;
	struct cmatest_frame_run run;
	struct iovec vector;
	int pipes[2];
	__u64 pfn;

	if (!memory && errno == EOPNOTSUPP) {
		puts("skip - FRAMES: memory: this kernel has no CONFIG_DEVICE_MIGRATION to place it with");
		return;
	}
	NEED(memory);
	one = inside_of(memory, PLACED);
	NEED(one);
	memset(one, 'x', page);
	pfn = frame_of(one);
	run = frame(pfn);
	show("memory", &run);
	NEED(run.kind == CMATEST_FRAME_ANON && run.order == 0 && run.flags & CMATEST_FRAME_COUNTED);
	NEED(run.maps == 1 && run.flags & CMATEST_FRAME_SWAPBACKED);
	NEED(!(run.flags & (CMATEST_FRAME_PINNED | CMATEST_FRAME_MLOCKED)));
	NEED(!run.device && !run.inode);
	/* It may be on its way to the list of pages that can be reclaimed. */
	NEED(run.extra <= !(run.flags & CMATEST_FRAME_LRU));

	NEED(!mlock(one, page));
	run = frame(frame_of(one));
	show("with mlock", &run);
	NEED(run.kind == CMATEST_FRAME_ANON && run.flags & CMATEST_FRAME_MLOCKED);
	NEED(!munlock(one, page));

	NEED(!pipe(pipes));
	vector = (struct iovec) { .iov_base = one, .iov_len = page };
	NEED(vmsplice(pipes[1], &vector, 1, 0) == page);
	run = frame(frame_of(one));
	show("in a pipe", &run);
	NEED(run.kind == CMATEST_FRAME_ANON && run.extra >= 1);
	close(pipes[0]);
	close(pipes[1]);
	munmap(memory, PLACED * page);
	check(true, "FRAMES: memory, locked memory, and what a pipe refers to");
}

static void test_frames_file(void)
{
	char text[4096], small[4];
	int file = -1;
	struct cmatest_place p = { .flags = CMATEST_PLACE_IN_FILE };
	struct cmatest_path name = { .area = start.default_area };
	struct cmatest_frame_run run;
	struct stat status;
	char *memory, *one;
	__u64 pfn;

	mkdir("/holders", 0700);
	NEED(!mount("none", "/holders", "tmpfs", 0, ""));
	NEED(!mkdir("/holders/some folder", 0700));
	file = open("/holders/some folder/file", O_RDWR | O_CREAT, 0600);
	NEED(file >= 0 && !fstat(file, &status));
	p.handle = alloc(PLACED, &pfn);
	p.fd = file;
	NEED(p.handle && !ask(CMATEST_IOC_PLACE, &p) && p.placed);
	memory = mmap(NULL, PLACED * page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	NEED(memory != MAP_FAILED);
	NEED(memory[0] == 0 && memory[(PLACED - 1) * page] == 0);
	{
		volatile char sum = 0;
		int i;

		for (i = 0; i < PLACED; i++)
			sum += memory[i * page];
	}
	one = inside_of(memory, PLACED);
	NEED(one);
	pfn = frame_of(one);
	run = frame(pfn);
	show("a file", &run);
	NEED(run.kind == CMATEST_FRAME_FILE && run.inode == status.st_ino && run.maps >= 1);
	NEED(run.device == ((minor(status.st_dev) & 0xff) | major(status.st_dev) << 8 |
			    (minor(status.st_dev) & ~0xffU) << 12));

	name.pfn = pfn;
	name.text = (uintptr_t)text;
	name.room = sizeof(text);
	NEED(!ask(CMATEST_IOC_PATH, &name));
	printf("# its path: '%s' of %s\n", text, name.fs);
	NEED(name.found & CMATEST_PATH_HAS_PATH && !strcmp(text, "/some folder/file"));
	NEED(name.length == strlen(text) && !strcmp((char *)name.fs, "tmpfs"));
	NEED(name.inode == run.inode && name.device == run.device);
	name.room = sizeof(small);
	name.text = (uintptr_t)small;
	NEED(!ask(CMATEST_IOC_PATH, &name) && !memcmp(small, "/som", 4) && name.length == strlen(text));
	name.text = 8;
	NEED(ask(CMATEST_IOC_PATH, &name) == EFAULT);
	name.room = 0;
	NEED(!ask(CMATEST_IOC_PATH, &name));
	name.room = 4097;
	NEED(ask(CMATEST_IOC_PATH, &name) == EINVAL);
	name.room = 0;
	name.pfn = first - 1;
	NEED(ask(CMATEST_IOC_PATH, &name) == EINVAL);
	name.pfn = pfn;
	name.area = start.areas;
	NEED(ask(CMATEST_IOC_PATH, &name) == ENOENT);
	name.area = start.default_area;

	unlink("/holders/some folder/file");
	name.pfn = frame_of(one);
	NEED(!ask(CMATEST_IOC_PATH, &name) && !(name.found & CMATEST_PATH_HAS_PATH) && !name.length);
	munmap(memory, PLACED * page);
	close(file);
	NEED(!umount("/holders"));
	name.pfn = pfn;
	NEED(ask(CMATEST_IOC_PATH, &name) == ENODATA);
	check(true, "FRAMES, PATH: page cache of a file, and its name while it has one");
}

static int entry(struct cmatest_entry *e, __u64 pfn, char *text, size_t room)
{
	*e = (struct cmatest_entry) { .pfn = pfn, .text = (uintptr_t)text, .room = room };
	return ask(CMATEST_IOC_ENTRY, e);
}

/* Whether there is an address in the text. */
static bool has_address(const char *text)
{
	return strstr(text, "0x") || strstr(text, "ffff");
}

static void test_ledger(void)
{
	static char text[4096];
	struct cmatest_entry e;
	struct timespec now;
	__u32 handle[3];
	__u64 pfn[3], from, before;
	int i;

	NEED(!entry(&e, 0, text, sizeof(text)));
	NEED(e.found & CMATEST_LEDGER_ON && e.most == 4096 && !e.missed);
	before = e.live;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	from = now.tv_sec * 1000000000ULL + now.tv_nsec;
	NEED(e.loaded_ns && e.loaded_ns <= from);
	for (i = 0; i < 3; i++) {
		handle[i] = alloc(7 + i, &pfn[i]);
		NEED(handle[i]);
	}
	for (i = 0; i < 3; i++) {
		NEED(!entry(&e, pfn[i] + 6, text, sizeof(text)));
		NEED(e.found & CMATEST_LEDGER_HAS_BLOCK && e.pfn == pfn[i] && e.count == 7U + i);
		NEED(e.area == start.default_area && e.pid == (__u32)getpid());
		NEED(e.tid == (__u32)syscall(SYS_gettid) && !strncmp((char *)e.comm, "holders", 7));
		NEED(e.time_ns >= from && e.time_ns < from + 600000000000ULL);
		NEED(e.live == before + 3);
	}
	/* The call is known, so no stack is taken. */
	NEED(e.found & CMATEST_LEDGER_OWN && !e.length && !text[0]);
	NEED(entry(&e, pfn[0], (char *)8, 5) == EFAULT);
	NEED(entry(&e, pfn[0], text, 4097) == EINVAL);
	NEED(!entry(&e, UINT64_MAX, text, 5) && !(e.found & CMATEST_LEDGER_HAS_BLOCK));
	NEED(!release(handle[1]));
	NEED(!entry(&e, pfn[1], text, 5) && e.live == before + 2);
	NEED(!(e.found & CMATEST_LEDGER_HAS_BLOCK) || e.pfn != pfn[1]);
	NEED(!release(handle[0]) && !release(handle[2]));
	NEED(!entry(&e, 0, text, 5) && e.live == before);
	check(true, "ENTRY: who has a block, and since when");
}

/* A block that is released page by page is out of the ledger at the end. */
static void test_ledger_pieces(void)
{
	struct cmatest_entry e;
	char *memory;
	__u32 before;

	NEED(!entry(&e, 0, NULL, 0));
	before = e.live;
	memory = placed_memory(PLACED);
	NEED(memory);
	NEED(!entry(&e, 0, NULL, 0) && e.live == before && !e.missed);
	munmap(memory, PLACED * page);
	check(true, "ENTRY: a block that is released in pieces is gone");
}

static void test_no_ledger(void)
{
	struct cmatest_entry e;
	__u64 pfn;
	__u32 handle = alloc(1, &pfn);

	NEED(handle && !entry(&e, 0, NULL, 0));
	NEED(!e.found && !e.live && !e.most && !e.missed && !e.count && !e.loaded_ns);
	NEED(!release(handle));
	check(true, "ENTRY: nothing with ledger=0");
}

static void test_held(unsigned long pages)
{
	static char text[4096];
	struct cmatest_entry e;

	NEED(!entry(&e, first, text, sizeof(text)));
	NEED(e.found & CMATEST_LEDGER_HAS_BLOCK && e.count == pages && e.live == 1);
	NEED(!strncmp((char *)e.comm, "insmod", 6));
	NEED(e.found & CMATEST_LEDGER_OWN && !e.length);
	check(true, "ENTRY: the block that the module holds is insmod's");
}

/* Another module has a block, as a driver would: its name is in the stack. */
static void test_other(unsigned long pages)
{
	static char text[4096];
	struct cmatest_entry e = { 0 };
	__u64 pfn = first;
	char small[5];
	int i;

	do {
		NEED(!entry(&e, pfn, text, sizeof(text)) && e.found & CMATEST_LEDGER_HAS_BLOCK);
		pfn = e.pfn + e.count;
	} while (e.found & CMATEST_LEDGER_OWN);
	NEED(e.count == pages && !strncmp((char *)e.comm, "insmod", 6) && e.area == start.default_area);
	printf("# its stack:\n");
	for (i = 0; text[i]; i++) {
		if (!i || text[i - 1] == '\n')
			printf("#   ");
		putchar(text[i]);
	}
	NEED(e.length == strlen(text) && !has_address(text));
	NEED(!strncmp(text, "cma_alloc", 9) || !strncmp(text, "__cma_alloc", 11));
	NEED(strstr(text, " [cmahogg]\n"));
	/* A function of a load is gone from memory by now, and so is its name. */
	NEED(strstr(text, "\n?\n") && strstr(text, "\ndo_one_initcall\n"));
	NEED(!entry(&e, e.pfn, small, sizeof(small)) && e.length > sizeof(small));
	NEED(!memcmp(small, text, sizeof(small)));
	NEED(entry(&e, e.pfn, (char *)8, 5) == EFAULT);
	check(true, "ENTRY: another module's block, by which call, and no address");
}

static void test_small(void)
{
	struct cmatest_entry e;
	__u32 handle[12];
	__u64 pfn;
	unsigned int i;

	for (i = 0; i < COUNT(handle); i++) {
		handle[i] = alloc(1, &pfn);
		NEED(handle[i]);
	}
	NEED(!entry(&e, 0, NULL, 0) && e.most == 8 && e.live == 8 && e.missed == 4);
	for (i = 0; i < COUNT(handle); i++)
		NEED(!release(handle[i]));
	NEED(!entry(&e, 0, NULL, 0) && !e.live && e.missed == 4);
	check(true, "ENTRY: blocks beyond the room are counted, and are no fault");
}

static struct cmatest_attempt attempts[4096];

static struct cmatest_witness witness(__u64 count, __u32 order, int *err)
{
	struct cmatest_witness w = {
		.area = start.default_area, .count = count, .order = order,
		.flags = CMATEST_NO_WARN, .attempts = (uintptr_t)attempts, .room = COUNT(attempts),
	};

	*err = ask(CMATEST_IOC_WITNESS, &w);
	printf("# %llu pages: errno %d cause %u found 0x%x error %u, %llu ranges (%llu refused), %llu migrated, %llu not, %llu of %llu ns, last 0x%llx\n",
	       count, *err, w.cause, w.found, w.error, w.failed, w.refused, w.migrated,
	       w.unmigrated, w.migrate_ns, w.ns, w.last_pfn);
	return w;
}

static void test_witness(void)
{
	const __u32 all = CMATEST_WITNESS_HAS_ATTEMPTS | CMATEST_WITNESS_HAS_MIGRATION |
			  CMATEST_WITNESS_HAS_IN_THE_WAY;
	struct cmatest_witness w;
	struct cmatest_block b;
	int err;

	w = witness(16, 0, &err);
	NEED(!err && w.handle && w.pfn && w.ns && w.cause == CMATEST_CAUSE_NONE);
	NEED((w.found & all) == all && !(w.found & CMATEST_WITNESS_HAS_ERROR) == (kernel < 612));
	b = (struct cmatest_block) { .handle = w.handle };
	NEED(!ask(CMATEST_IOC_BLOCK, &b) && b.pfn == w.pfn && b.count == 16);
	NEED(!release(w.handle));

	w = witness(frames + 1, 0, &err);
	NEED(err == ENOMEM && !w.handle && w.cause == CMATEST_CAUSE_LARGER && !w.failed);
	/* Kernels before 7.3 do not tell the end of a request that they refuse at once. */
	NEED(!(w.found & CMATEST_WITNESS_HAS_ERROR) || w.error == ENOMEM || w.error == EBUSY);

	w = (struct cmatest_witness) { .area = start.areas, .count = 1 };
	NEED(ask(CMATEST_IOC_WITNESS, &w) == ENOENT);
	w = (struct cmatest_witness) { .area = start.default_area };
	NEED(ask(CMATEST_IOC_WITNESS, &w) == EINVAL);
	w.count = 1;
	w.room = 4097;
	NEED(ask(CMATEST_IOC_WITNESS, &w) == EINVAL);
	w.room = 0;
	w.unused = 1;
	NEED(ask(CMATEST_IOC_WITNESS, &w) == EINVAL);
	w.unused = 0;
	w.flags = 2;
	NEED(ask(CMATEST_IOC_WITNESS, &w) == EINVAL);
	w.flags = CMATEST_NO_WARN;
	NEED(!ask(CMATEST_IOC_WITNESS, &w) && !release(w.handle));
	check(true, "WITNESS: a block, and a request that is larger than the area");
}

/* Each second one of many blocks is held: nothing is left but holes. */
static void test_witness_hole(void)
{
	enum { PIECES = 4096 };
	static __u32 handle[PIECES];
	struct cmatest_witness w;
	__u64 size = frames / 16, pfn;
	int count = 0, err, i;

	while (count < PIECES && (handle[count] = alloc(size, &pfn)))
		count++;
	NEED(count >= 4);
	for (i = 0; i < count; i += 2)
		NEED(!release(handle[i]));
	w = witness(size * 3, 0, &err);
	for (i = 1; i < count; i += 2)
		NEED(!release(handle[i]));
	NEED(err == ENOMEM && w.cause == CMATEST_CAUSE_NO_HOLE && !w.failed && !w.made);
	check(true, "WITNESS: no hole where each second block is held");
}

/*
 * The longest range without a block, as a request that has to take this frame in; 0
 * if that is not in it. Some drivers have blocks from the boot on.
 */
static __u64 request_with(__u64 pfn)
{
	__u64 begin = first, best = 0, at = first;
	int made = look(first, frames), i;

	for (i = 0; i <= made; i++) {
		if (i < made && runs[i].kind != CMATEST_FRAME_OTHER) {
			at = runs[i].pfn + runs[i].count;
			continue;
		}
		if (at - begin > best && pfn >= begin && pfn < at)
			best = at - begin - (pfn - begin < 2 ? pfn - begin : 2);
		if (i < made)
			at = begin = runs[i].pfn + runs[i].count;
	}
	return best;
}

/* A page that a pipe refers to cannot move: each range with it fails, and names it. */
static void test_witness_pinned(void)
{
	char *memory = placed_memory(PLACED), *one;
	struct cmatest_frame_run run;
	struct cmatest_witness w;
	struct iovec vector;
	int pipes[2], err;
	unsigned int i;
	__u64 pfn;

	NEED(memory);
	memset(memory, 'p', PLACED * page);
	one = inside_of(memory, PLACED);
	NEED(one && !pipe(pipes));
	vector = (struct iovec) { .iov_base = one, .iov_len = page };
	NEED(vmsplice(pipes[1], &vector, 1, 0) == page);
	pfn = frame_of(one);
	NEED(is_inside(pfn));

	w = witness(request_with(pfn), 0, &err);
	NEED(err == ENOMEM && w.cause == CMATEST_CAUSE_IN_USE && w.failed >= 1 && w.made == w.failed);
	NEED(frame_of(one) == pfn);
	for (i = 0; i < w.made; i++) {
		printf("#   range 0x%llx: 0x%llx in the way, %u moved, %u not, %llu of %llu ns\n",
		       attempts[i].pfn, attempts[i].in_the_way, attempts[i].migrated,
		       attempts[i].unmigrated, attempts[i].migrate_ns, attempts[i].ns);
		NEED(attempts[i].pfn >= first && attempts[i].ns && attempts[i].migrate_ns <= attempts[i].ns);
	}
	/* Others may have something pinned before it, but here nobody does. */
	NEED(w.last_pfn == pfn && attempts[w.made - 1].in_the_way == pfn);
	NEED(w.ns && w.migrate_ns && w.migrate_ns <= w.ns);
	run = frame(w.last_pfn);
	show("in the way", &run);
	NEED(run.kind == CMATEST_FRAME_ANON || run.kind == CMATEST_FRAME_FILE);
	NEED(run.extra >= 1);

	close(pipes[0]);
	close(pipes[1]);
	munmap(memory, PLACED * page);
	check(true, "WITNESS: names the page that a pipe holds, in each of %llu ranges", w.failed);
}

static void test_witness_answer(void)
{
	struct cmatest_witness w = {
		.area = start.default_area, .flags = CMATEST_NO_WARN, .attempts = 8, .room = 4,
	};
	struct cmatest_info now;
	char *memory = placed_memory(PLACED), *one;
	struct iovec vector;
	int pipes[2], err, i;

	NEED(memory);
	memset(memory, 'p', PLACED * page);
	one = inside_of(memory, PLACED);
	NEED(one && !pipe(pipes));
	vector = (struct iovec) { .iov_base = one, .iov_len = page };
	NEED(vmsplice(pipes[1], &vector, 1, 0) == page);
	w.count = request_with(frame_of(one));
	NEED(w.count && ask(CMATEST_IOC_WITNESS, &w) == EFAULT);
	/* More ranges than there is room for are counted. */
	w.attempts = (uintptr_t)attempts;
	w.room = 1;
	NEED(ask(CMATEST_IOC_WITNESS, &w) == ENOMEM && w.made == 1 && w.failed >= 1);
	w.room = 0;
	NEED(ask(CMATEST_IOC_WITNESS, &w) == ENOMEM && !w.made && w.failed >= 1);
	/* The page is in the way of one page, too; then the next is given, and taken back. */
	w.room = 4;
	w.attempts = 8;
	w.count = 1;
	for (i = 0; i < 3; i++) {
		err = ask(CMATEST_IOC_WITNESS, &w);
		NEED(err == EFAULT || (!err && !w.failed && !release(w.handle)));
	}
	close(pipes[0]);
	close(pipes[1]);
	munmap(memory, PLACED * page);
	now = (struct cmatest_info) { .version = CMATEST_ABI_VERSION };
	NEED(!ask(CMATEST_IOC_INFO, &now) && !now.held_pages && !now.file_handles);
	check(true, "WITNESS: an answer that cannot be written leaves nothing behind");
}

/* Four threads allocate, place and release, while others look at everything. */
static atomic_bool over;
static atomic_uint wrong, looks, blocks;

static void *worker(void *arg)
{
	unsigned int number = (uintptr_t)arg;
	__u32 handle;
	__u64 pfn;

	while (!over) {
		if (number % 2) {
			char *memory = placed_memory(16);

			if (memory)
				munmap(memory, 16 * page);
			continue;
		}
		handle = alloc(1 + blocks % 200, &pfn);
		blocks++;
		if (handle && release(handle))
			wrong++;
	}
	return NULL;
}

static void *looker(void *arg)
{
	struct cmatest_frame_run *some = malloc(512 * sizeof(*some));
	struct cmatest_path name = { .area = start.default_area };
	unsigned int seed = (uintptr_t)arg;
	struct cmatest_entry e;
	char text[256];

	while (!over) {
		struct cmatest_frames f = {
			.area = start.default_area, .runs = (uintptr_t)some, .room = 512,
		};
		f.pfn = first + rand_r(&seed) % frames;
		f.count = 1 + rand_r(&seed) % (first + frames - f.pfn);
		if (ask(CMATEST_IOC_FRAMES, &f) || !f.made)
			wrong++;
		name.pfn = first + rand_r(&seed) % frames;
		name.text = (uintptr_t)text;
		name.room = sizeof(text);
		switch (ask(CMATEST_IOC_PATH, &name)) {
		case 0: case ENODATA: case EBUSY:
			break;
		default:
			wrong++;
		}
		e = (struct cmatest_entry) { 0 };
		do {
			e.flags = 0;
			e.text = (uintptr_t)text;
			e.room = sizeof(text);
			if (ask(CMATEST_IOC_ENTRY, &e))
				wrong++;
			if (e.length && has_address(text))
				wrong++;
			e.pfn += e.count;
		} while (e.found & CMATEST_LEDGER_HAS_BLOCK);
		looks++;
	}
	free(some);
	return NULL;
}

static void test_together(void)
{
	pthread_t thread[6];
	struct cmatest_entry e;
	uintptr_t i;

	for (i = 0; i < COUNT(thread); i++)
		NEED(!pthread_create(&thread[i], NULL, i < 4 ? worker : looker, (void *)i));
	sleep(8);
	over = true;
	for (i = 0; i < COUNT(thread); i++)
		pthread_join(thread[i], NULL);
	NEED(!entry(&e, 0, NULL, 0));
	printf("# %u looks while %u blocks came and went; %u are left in the ledger\n", looks, blocks, e.live);
	NEED(!wrong && looks && blocks && !e.live);
	check(true, "FRAMES, PATH, ENTRY: while four threads allocate, place and release");
}

static int by_size(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return x < y ? -1 : x > y;
}

static void time_it(__u64 pages)
{
	enum { PAIRS = 400 };
	static struct cmatest_times times[PAIRS];
	static __u32 a[PAIRS], r[PAIRS];
	struct cmatest_batch b = {
		.area = start.default_area, .count = pages, .pairs = PAIRS, .times = (uintptr_t)times,
	};
	int i;

	memset(times, 1, sizeof(times));
	if (ask(CMATEST_IOC_BATCH, &b) || b.done != PAIRS || b.failed) {
		check(false, "BATCH");
		return;
	}
	for (i = 0; i < PAIRS; i++) {
		a[i] = times[i].alloc_ns;
		r[i] = times[i].release_ns;
	}
	qsort(a, PAIRS, sizeof(*a), by_size);
	qsort(r, PAIRS, sizeof(*r), by_size);
	printf("# p10 and p50 of %d: allocation %u %u ns, release %u %u ns\n", PAIRS,
	       a[PAIRS / 10], a[PAIRS / 2], r[PAIRS / 10], r[PAIRS / 2]);
}

static void (*const full[])(void) = {
	test_frames_wrong, test_frames_all, test_frames_block, test_frames_anon, test_frames_file,
	test_ledger, test_ledger_pieces, test_witness, test_witness_hole, test_witness_pinned,
	test_witness_answer, test_together,
};

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	struct cmatest_area area;
	struct utsname name;
	unsigned int major_number = 0, minor_number = 0;
	size_t i;

	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	start.version = CMATEST_ABI_VERSION;
	if (fd < 0 || ask(CMATEST_IOC_INFO, &start)) {
		perror(DEVICE);
		return 2;
	}
	area = (struct cmatest_area) { .index = start.default_area };
	if (ask(CMATEST_IOC_AREA, &area)) {
		perror("AREA");
		return 2;
	}
	page = sysconf(_SC_PAGESIZE);
	first = area.base / page;
	frames = area.size / page;
	uname(&name);
	sscanf(name.release, "%u.%u", &major_number, &minor_number);
	kernel = major_number * 100 + minor_number;
	if (!strcmp(mode, "full")) {
		for (i = 0; i < COUNT(full); i++)
			full[i]();
	} else if (!strcmp(mode, "no-ledger")) {
		test_no_ledger();
		test_witness();
	} else if (!strcmp(mode, "held") && argc == 3) {
		test_held(strtoul(argv[2], NULL, 0));
	} else if (!strcmp(mode, "other") && argc == 3) {
		test_other(strtoul(argv[2], NULL, 0));
	} else if (!strcmp(mode, "small")) {
		test_small();
	} else if (!strcmp(mode, "time") && argc == 3) {
		time_it(strtoul(argv[2], NULL, 0));
	} else {
		fprintf(stderr, "holders: see the usage at the top of holders.c\n");
		return 2;
	}
	printf("%u checks of holders %s, %u failed\n", checks, mode, failed);
	return failed != 0;
}
