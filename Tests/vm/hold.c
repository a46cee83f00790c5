// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plays what is in the way of an allocation: has pages of the default area, or of
 * the one whose index is in $HOLD_AREA, in the way that it is told, until it is killed.
 * Its name is $HOLD_NAME, if there is one.
 *
 * Run by holders.sh in a virtual machine in which most of the free memory is the
 * area's, with the module loaded. Linked statically: there is nothing else.
 *
 * usage: hold memory PAGES [plain|locked|huge|pipe|orphan|fixed]
 *        hold memory PAGES leader            in a pipe, of a process whose first thread has ended
 *        hold memory PAGES together          in a pipe, mapped by five processes
 *        hold memory PAGES merged            in a pipe, all of them one page of KSM
 *        hold file PATH PAGES [pipe|dirty]   of a file, which it makes if there is none
 *        hold file PATH PAGES deleted        in a pipe, of a file without a name
 *        hold file PATH PAGES fixed          says so where the kernel refuses it
 *        hold file PATH PAGES read DEVICE    while the device takes its time
 *        hold read DEVICE PAGES [exit]       while the device takes its time
 *        hold blocks PAGES COUNT [second]    of /dev/cmatest, all or each second one
 *        hold busy PAGES                     a block of these, nearly all of the time
 *        hold storm FOLDER                   writes small files, synchronizes each
 *        hold many PROCESSES PAGES           so many, with memory of so many pages each
 *        hold churn                          processes with memory that end at once
 *        hold where DEVICE                   prints how many pages of it are there
 *        hold room                           prints the longest range without a block
 *        hold size                           prints the pages of the area
 *        hold witness PAGES [FRAME...]       asks, and says what was in the way: one
 *                                            of these frames
 *        hold as UID COMMAND...              runs it as another user
 *        hold older COMMAND...               runs it as on a kernel without PAGEMAP_SCAN
 *        hold terminal COLUMNS COMMAND...    runs it on a terminal, and copies what it prints
 *
 * As soon as it has them, it prints its PID, how many it has, and their frames.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/aio_abi.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmatest.h"

#define DEVICE "/dev/cmatest"
/* As many as a pipe has room for. */
#define MOST 16
#define KPF_KSM 21
#define KPF_THP 22
/* PAGEMAP_SCAN of <linux/fs.h>, which the C library need not have yet. */
#define SCAN _IOC(_IOC_READ | _IOC_WRITE, 'f', 16, 96)

static int fd;
static size_t page;
static struct cmatest_info info;
static uint32_t area_index;
static uint64_t first, frames;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	int error = errno;
	va_list list;

	va_start(list, format);
	fputs("hold: ", stderr);
	vfprintf(stderr, format, list);
	fprintf(stderr, " (errno %d: %s)\n", error, strerror(error));
	exit(2);
}

static int ask(unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? errno : 0;
}

static void open_area(void)
{
	struct cmatest_area area = { 0 };

	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	info.version = CMATEST_ABI_VERSION;
	if (fd < 0 || ask(CMATEST_IOC_INFO, &info))
		die("%s", DEVICE);
	area_index = getenv("HOLD_AREA") ? strtoul(getenv("HOLD_AREA"), NULL, 0) : info.default_area;
	area.index = area_index;
	if (ask(CMATEST_IOC_AREA, &area) || !area.base || !area.size)
		die("the area %u", area_index);
	first = area.base / page;
	frames = area.size / page;
}

static bool is_inside(uint64_t pfn)
{
	return pfn >= first && pfn < first + frames;
}

/* The frame of a page of ours; 0 if there is none. */
static uint64_t frame_of(const volatile void *address)
{
	static int map = -1;
	uint64_t entry = 0;

	if (map < 0)
		map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pread(map, &entry, 8, (uintptr_t)address / page * 8) != 8)
		die("/proc/self/pagemap");
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

static struct cmatest_frame_run runs[65536];

/* look: the runs of these frames */
static int look(uint64_t pfn, uint64_t count)
{
	struct cmatest_frames f = {
		.area = area_index, .pfn = pfn, .count = count,
		.runs = (uintptr_t)runs, .room = sizeof(runs) / sizeof(*runs),
	};

	if (ask(CMATEST_IOC_FRAMES, &f) || f.count)
		die("FRAMES");
	return f.made;
}

/* What is held: so many, with the pages' addresses, if they have any. */
static char *held[1 << 20];
static size_t count;

/* tell: says that all is held, and where. */
static void tell(void)
{
	size_t i;

	printf("%d %zu", getpid(), count);
	for (i = 0; i < count && i < MOST; i++)
		printf(" %llu", (unsigned long long)frame_of(held[i]));
	putchar('\n');
	fflush(stdout);
}

static void __attribute__((noreturn)) stay(void)
{
	for (;;)
		pause();
}

/* hold_inside: finds so many of these pages in the area; false if there are fewer. */
static bool hold_inside(char *memory, size_t pages, size_t wanted)
{
	size_t i;

	for (i = 0; i < pages && count < wanted; i++) {
		*(volatile char *)(memory + i * page);
		if (is_inside(frame_of(memory + i * page)))
			held[count++] = memory + i * page;
	}
	return count == wanted;
}

/* find_memory: has so many pages of memory in the area. */
static void find_memory(size_t wanted)
{
	/* What is given back is what comes next, so nothing is before there are enough. */
	const size_t most = (256 << 20) / page;
	char *memory = mmap(NULL, most * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i, kept = 0;

	if (memory == MAP_FAILED)
		die("no memory");
	madvise(memory, most * page, MADV_NOHUGEPAGE);
	for (i = 0; i < most && count < wanted; i++) {
		memory[i * page] = i + 1;
		hold_inside(memory + i * page, 1, wanted);
	}
	if (count < wanted)
		die("of memory, %zu of %zu pages came from the area", count, wanted);
	while (i--) {
		if (kept < count && held[count - 1 - kept] == memory + i * page)
			kept++;
		else
			munmap(memory + i * page, page);
	}
}

static bool has_flag(uint64_t pfn, int flag)
{
	int file = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	uint64_t flags = 0;

	if (file < 0 || pread(file, &flags, 8, pfn * 8) != 8)
		die("/proc/kpageflags");
	close(file);
	return flags >> flag & 1;
}

/* find_huge: has so many pages of memory in the area that are parts of huge pages. */
static void find_huge(size_t wanted)
{
	size_t size = 2 << 20, tries = 64;

	while (count < wanted && tries--) {
		char *memory = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		size_t before = count;

		if (memory == MAP_FAILED)
			die("no memory");
		memory = (char *)(((uintptr_t)memory + size - 1) / size * size);
		if (madvise(memory, size, MADV_HUGEPAGE))
			die("MADV_HUGEPAGE");
		memory[0] = 1;
		if (!has_flag(frame_of(memory), KPF_THP))
			continue;
		hold_inside(memory, size / page, wanted);
		if (count == before)
			continue;
	}
	if (count < wanted)
		die("%zu of %zu pages are huge and in the area", count, wanted);
}

/* into_pipe: has a pipe refer to the pages. */
static void into_pipe(int pipes[2])
{
	struct iovec vectors[MOST];
	size_t i;

	if (count > MOST || pipe2(pipes, O_CLOEXEC))
		die("no pipe for %zu pages", count);
	for (i = 0; i < count; i++)
		vectors[i] = (struct iovec) { .iov_base = held[i], .iov_len = page };
	if (vmsplice(pipes[1], vectors, count, 0) != (ssize_t)(count * page))
		die("vmsplice");
}

/* The process that has mapped the pages ends; one that has the pipe alone stays. */
static void orphan(void)
{
	uint64_t frame = frame_of(held[0]);
	int pipes[2];
	pid_t parent = getpid();

	into_pipe(pipes);
	/* A child would have it mapped, too, but for this. */
	if (count != 1 || madvise(held[0], page, MADV_DONTFORK))
		die("MADV_DONTFORK");
	if (fork())
		_exit(0);
	while (getppid() == parent)
		usleep(1000);
	printf("%d 1 %llu\n", getpid(), (unsigned long long)frame);
	fflush(stdout);
	stay();
}

/* The first thread ends, and leaves the memory to another. */
static void *last_thread(void *unused)
{
	(void)unused;
	stay();
}

static void __attribute__((noreturn)) end_leader(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, last_thread, NULL))
		die("no thread");
	tell();
	pthread_exit(NULL);
}

/* Four more processes map the same pages. */
static void share_with_children(void)
{
	int i;

	for (i = 0; i < 4; i++) {
		switch (fork()) {
		case -1:
			die("fork");
		case 0:
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			stay();
		}
	}
}

/* KSM has to run: all pages become one, which is one of them. */
static void merge(void)
{
	int tries = 600;
	size_t i;

	for (i = 0; i < count; i++) {
		memset(held[i], 0x5a, page);
		if (madvise(held[i], page, MADV_MERGEABLE))
			die("MADV_MERGEABLE");
	}
	for (i = 0; i < count; i++) {
		while (!has_flag(frame_of(held[i]), KPF_KSM)) {
			if (!tries--)
				die("page %zu of %zu was not merged", i, count);
			usleep(50000);
		}
	}
	if (!is_inside(frame_of(held[0])))
		die("the merged page is not in the area");
	count = 1;
}

/* io_uring takes them for long, for which they have to leave the area. */
static void fix(bool may_be_refused)
{
	struct io_uring_params params = { 0 };
	struct iovec vectors[MOST];
	int ring = syscall(SYS_io_uring_setup, 4, &params);
	size_t i;

	if (ring < 0 || count > MOST)
		die("io_uring_setup");
	for (i = 0; i < count; i++)
		vectors[i] = (struct iovec) { .iov_base = held[i], .iov_len = page };
	if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, vectors, count)) {
		if (!may_be_refused || (errno != EOPNOTSUPP && errno != EFAULT))
			die("IORING_REGISTER_BUFFERS");
		tell();
		printf("refused: errno %d\n", errno);
		fflush(stdout);
		stay();
	}
	for (i = 0; i < count; i++) {
		if (is_inside(frame_of(held[i])))
			die("page %zu of %zu is still in the area", i, count);
	}
}

/* find_file: has so many pages of a file in the area; writes to them, if they are to be dirty. */
static void find_file(const char *path, size_t wanted, bool dirty)
{
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat status;
	char *memory;
	size_t i;

	if (file < 0 || fstat(file, &status))
		die("%s", path);
	if (!status.st_size && (ftruncate(file, 32 << 20) || fstat(file, &status)))
		die("%s", path);
	memory = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		die("%s", path);
	hold_inside(memory, status.st_size / page, wanted);
	if (count < wanted)
		die("%zu of %zu pages of %s came from the area", count, wanted, path);
	for (i = 0; dirty && i < count; i++)
		held[i][0] = 'd';
}

/* where: how many pages of a block device are in the area. */
static uint64_t where(const char *path)
{
	uint64_t pages = 0;
	struct stat status;
	uint32_t number;
	int i;

	if (stat(path, &status))
		die("%s", path);
	number = (minor(status.st_rdev) & 0xff) | major(status.st_rdev) << 8 |
		 (minor(status.st_rdev) & ~0xffU) << 12;
	for (i = look(first, frames); i--;) {
		if (runs[i].flags & CMATEST_FRAME_BLOCK && runs[i].device == number)
			pages += runs[i].count;
	}
	return pages;
}

/* Reads a device into the pages, which takes as long as the device likes. */
static int device;

static void *reader(void *unused)
{
	struct iovec vectors[MOST];
	size_t i;

	(void)unused;
	for (i = 0; i < count; i++)
		vectors[i] = (struct iovec) { .iov_base = held[i], .iov_len = page };
	preadv(device, vectors, count, 0);
	die("the device was too fast");
}

/* For a process that is gone but for its memory, which waits for the device. */
static void submit(void)
{
	static struct iocb blocks[MOST];
	struct iocb *list[MOST];
	aio_context_t context = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		blocks[i] = (struct iocb) {
			.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = device,
			.aio_buf = (uintptr_t)held[i], .aio_nbytes = page, .aio_offset = i * page,
		};
		list[i] = &blocks[i];
	}
	if (syscall(SYS_io_setup, MOST, &context) ||
	    syscall(SYS_io_submit, context, count, list) != (long)count)
		die("io_submit");
}

static void slow_read(const char *path, bool end)
{
	uint64_t frame = frame_of(held[0]);
	pthread_t thread;
	int tries = 1000;

	device = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (device < 0)
		die("%s", path);
	if (end)
		submit();
	else if (pthread_create(&thread, NULL, reader, NULL))
		die("no thread");
	do {
		if (!tries--)
			die("the page is not pinned");
		usleep(1000);
		look(frame, 1);
	} while (!(runs[0].flags & CMATEST_FRAME_PINNED) && !runs[0].extra);
	if (end) {
		tell();
		_exit(0);
	}
}

static void hold_blocks(uint64_t pages, size_t blocks, bool second)
{
	static uint32_t handles[65536];
	size_t i;

	for (count = 0; count < blocks && count < sizeof(handles) / sizeof(*handles); count++) {
		struct cmatest_alloc a = {
			.area = area_index, .count = pages, .flags = CMATEST_NO_WARN,
		};

		if (ask(CMATEST_IOC_ALLOC, &a))
			break;
		handles[count] = a.handle;
	}
	for (i = 0; second && i < count; i += 2) {
		struct cmatest_release r = { .handle = handles[i] };

		if (ask(CMATEST_IOC_RELEASE, &r))
			die("RELEASE");
	}
	printf("%d %zu\n", getpid(), second ? count / 2 : count);
	fflush(stdout);
	stay();
}

static void busy(uint64_t pages)
{
	struct cmatest_alloc a = { .area = area_index, .count = pages, .flags = CMATEST_NO_WARN };
	struct cmatest_release r = { 0 };

	printf("%d 1\n", getpid());
	fflush(stdout);
	for (;;) {
		if (ask(CMATEST_IOC_ALLOC, &a))
			continue;
		usleep(2000);
		r.handle = a.handle;
		if (ask(CMATEST_IOC_RELEASE, &r))
			die("RELEASE");
	}
}

static void storm(const char *folder)
{
	static char block[1 << 16];
	int file;

	if (chdir(folder))
		die("%s", folder);
	for (;;) {
		if (mkdir("folder", 0700))
			die("%s", folder);
		file = open("folder/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (file < 0 || write(file, block, sizeof(block)) != sizeof(block) || fsync(file))
			die("%s", folder);
		close(file);
		if (unlink("folder/file") || rmdir("folder"))
			die("%s", folder);
		if (count++ == 3) {
			printf("%d %zu\n", getpid(), count);
			fflush(stdout);
		}
	}
}

/* Each process has a page of the area, and is gone before anybody can name it. */
static void __attribute__((noreturn)) churn(void)
{
	char *memory = mmap(NULL, 64 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (memory == MAP_FAILED)
		die("no memory");
	signal(SIGCHLD, SIG_IGN);
	printf("%d 1\n", getpid());
	fflush(stdout);
	for (;;) {
		switch (fork()) {
		case -1:
			usleep(1000);
			continue;
		case 0:
			for (i = 0; i < 64; i++)
				memory[i * page] = 1;
			usleep(2000);
			_exit(0);
		}
		usleep(1000);
	}
}

static void many(size_t processes, size_t pages)
{
	size_t i, j;

	signal(SIGCHLD, SIG_IGN);
	for (i = 0; i < processes; i++) {
		int told[2];
		char byte;

		if (pipe(told))
			die("no pipe");
		switch (fork()) {
		case -1:
			die("fork");
		case 0: {
			char *memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			if (memory == MAP_FAILED)
				die("no memory");
			for (j = 0; j < pages; j++)
				memory[j * page] = 1;
			close(told[0]);
			close(told[1]);
			stay();
		}
		}
		close(told[1]);
		(void)!read(told[0], &byte, 1);
		close(told[0]);
	}
	printf("%d %zu\n", getpid(), processes);
	fflush(stdout);
	stay();
}

/* Some drivers have blocks from the boot on. */
static uint64_t room_now(void)
{
	uint64_t begin = first, best = 0, at;
	int made = look(first, frames), i;

	for (i = 0; i <= made; i++) {
		if (i < made && runs[i].kind != CMATEST_FRAME_OTHER)
			continue;
		at = i < made ? runs[i].pfn : first + frames;
		if (at - begin > best)
			best = at - begin;
		if (i < made)
			begin = runs[i].pfn + runs[i].count;
	}
	return best;
}

/* A page that is just read or on its way to somebody looks like one of a block. */
static uint64_t room(void)
{
	uint64_t best = 0, now;
	int i;

	for (i = 0; i < 5; i++) {
		now = room_now();
		if (now > best)
			best = now;
		usleep(5000);
	}
	return best;
}

static int witness(uint64_t pages, char **wanted)
{
	static struct cmatest_attempt attempts[4096];
	struct cmatest_witness w = {
		.area = area_index, .count = pages, .flags = CMATEST_NO_WARN,
		.attempts = (uintptr_t)attempts, .room = 4096,
	};
	int error = ask(CMATEST_IOC_WITNESS, &w);
	struct cmatest_path name = { .area = area_index };
	char text[4096] = "";
	bool found = false;

	printf("error %d cause %u, %llu ranges, %llu refused, %llu moved, %llu not, %.3f s",
	       error, w.cause, w.failed, w.refused, w.migrated, w.unmigrated, w.ns / 1e9);
	if (w.last_pfn) {
		for (; *wanted; wanted++)
			found |= strtoull(*wanted, NULL, 0) == w.last_pfn;
		look(w.last_pfn, 1);
		name.pfn = w.last_pfn;
		name.text = (uintptr_t)text;
		name.room = sizeof(text);
		ask(CMATEST_IOC_PATH, &name);
		printf("; frame %llu%s kind %u flags 0x%x order %u maps %u extra %u inode %llu device 0x%x '%s' %s",
		       w.last_pfn, found ? ", as it must," : "", runs[0].kind, runs[0].flags, runs[0].order,
		       runs[0].maps, runs[0].extra, runs[0].inode, runs[0].device, text, name.fs);
	}
	putchar('\n');
	return error || w.cause ? 1 : 0;
}

static void __attribute__((noreturn)) run(char **command)
{
	execvp(command[0], command);
	die("%s", command[0]);
}

static void __attribute__((noreturn)) run_as(uid_t user, char **command)
{
	if (setgroups(0, NULL) || setresgid(user, user, user) || setresuid(user, user, user))
		die("no other user");
	run(command);
}

/* The kernel does not know the request, as before 6.7. */
static void __attribute__((noreturn)) run_older(char **command)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SCAN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(*filter), .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("no filter");
	run(command);
}

/* on_terminal: returns the exit status of the command, or 128 and its signal. */
static int on_terminal(unsigned short columns, char **command)
{
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	char text[4096];
	ssize_t length;
	int terminal, status;
	pid_t child = forkpty(&terminal, NULL, NULL, &size);

	if (child < 0)
		die("no terminal");
	if (!child)
		run(command);
	while ((length = read(terminal, text, sizeof(text))) > 0) {
		if (fwrite(text, 1, length, stdout) != (size_t)length)
			die("write");
	}
	if (waitpid(child, &status, 0) != child)
		die("no child");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const char *how = argc > 3 ? argv[!strcmp(what, "file") && argc > 4 ? 4 : argc - 1] : "";
	int pipes[2];

	page = sysconf(_SC_PAGESIZE);
	if (!strcmp(what, "many") && argc == 4)
		many(strtoul(argv[2], NULL, 0), strtoul(argv[3], NULL, 0));
	if (!strcmp(what, "storm") && argc == 3)
		storm(argv[2]);
	if (!strcmp(what, "churn") && argc == 2)
		churn();
	if (!strcmp(what, "as") && argc >= 4)
		run_as(strtoul(argv[2], NULL, 0), argv + 3);
	if (!strcmp(what, "older") && argc >= 3)
		run_older(argv + 2);
	if (!strcmp(what, "terminal") && argc >= 4)
		return on_terminal(strtoul(argv[2], NULL, 0), argv + 3);
	if (getenv("HOLD_NAME"))
		prctl(PR_SET_NAME, getenv("HOLD_NAME"));
	open_area();
	if (!strcmp(what, "memory") && (argc == 3 || argc == 4)) {
		size_t pages = strtoul(argv[2], NULL, 0), i;

		if (!strcmp(how, "huge"))
			find_huge(pages);
		else
			find_memory(pages);
		if (!strcmp(how, "locked")) {
			for (i = 0; i < count; i++) {
				if (mlock(held[i], page))
					die("mlock");
			}
		} else if (!strcmp(how, "pipe")) {
			into_pipe(pipes);
		} else if (!strcmp(how, "orphan")) {
			close(fd);
			orphan();
		} else if (!strcmp(how, "fixed")) {
			fix(false);
		} else if (!strcmp(how, "leader")) {
			close(fd);
			into_pipe(pipes);
			end_leader();
		} else if (!strcmp(how, "together")) {
			close(fd);
			into_pipe(pipes);
			share_with_children();
		} else if (!strcmp(how, "merged")) {
			merge();
			into_pipe(pipes);
		}
	} else if (!strcmp(what, "file") && argc >= 4 && argc <= 6) {
		find_file(argv[2], strtoul(argv[3], NULL, 0), !strcmp(how, "dirty"));
		if (!strcmp(how, "pipe") || !strcmp(how, "deleted"))
			into_pipe(pipes);
		if (!strcmp(how, "deleted") && unlink(argv[2]))
			die("%s", argv[2]);
		if (!strcmp(how, "fixed"))
			fix(true);
		if (!strcmp(how, "read") && argc == 6)
			slow_read(argv[5], false);
	} else if (!strcmp(what, "read") && (argc == 4 || argc == 5)) {
		find_memory(strtoul(argv[3], NULL, 0));
		slow_read(argv[2], !strcmp(how, "exit"));
	} else if (!strcmp(what, "blocks") && (argc == 4 || argc == 5)) {
		hold_blocks(strtoull(argv[2], NULL, 0), strtoul(argv[3], NULL, 0), !strcmp(how, "second"));
	} else if (!strcmp(what, "busy") && argc == 3) {
		busy(strtoull(argv[2], NULL, 0));
	} else if (!strcmp(what, "where") && argc == 3) {
		printf("%llu\n", (unsigned long long)where(argv[2]));
		return 0;
	} else if (!strcmp(what, "room") && argc == 2) {
		printf("%llu\n", (unsigned long long)room());
		return 0;
	} else if (!strcmp(what, "size") && argc == 2) {
		printf("%llu\n", (unsigned long long)frames);
		return 0;
	} else if (!strcmp(what, "witness") && argc >= 3) {
		return witness(strtoull(argv[2], NULL, 0), argv + 3);
	} else {
		fprintf(stderr, "hold: see the usage at the top of hold.c\n");
		return 2;
	}
	/* What only holds memory has no business with the device. */
	close(fd);
	tell();
	stay();
}
