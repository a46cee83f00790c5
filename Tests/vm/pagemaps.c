// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `cma-test map` is measured against: the least that any program must do that wants to know who has
 * the pages of a CMA area, and the processes that have them.
 *
 * usage: pagemaps PFN PAGES            reads /proc/kpageflags of so many frames, and all pagemaps, once
 *        pagemaps crowd N PAGES SPARSE N processes with so many pages of memory each, and one with a
 *                                      mapping of SPARSE TiB that is nearly empty; says "ready", and stays
 *        pagemaps time OUT COMMAND...  runs it with its output in that file, and prints its milliseconds
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A mapping of this or more is one that nobody has filled: it isn't read at all. */
#define SPARSE (UINT64_C(1) << 40)
#define PRESENT (UINT64_C(1) << 63)
#define FRAME ((UINT64_C(1) << 55) - 1)

static uint64_t entries[1 << 16];
static uint64_t first, pages, page;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* entries_of: reads so many entries of 8 bytes from this one on; how many there were. */
static size_t entries_of(int file, uint64_t from, uint64_t count)
{
	size_t most = sizeof(entries) / sizeof(*entries);
	ssize_t got = pread(file, entries, 8 * (count < most ? count : most), 8 * from);

	return got > 0 ? got / 8 : 0;
}

/* flags: how many frames of the area are used in any way. */
static uint64_t flags(void)
{
	int file = open("/proc/kpageflags", O_RDONLY);
	uint64_t used = 0, done = 0;
	size_t got;

	if (file < 0)
		err(1, "/proc/kpageflags");
	for (; done < pages; done += got) {
		got = entries_of(file, first + done, pages - done);
		if (!got)
			errx(1, "/proc/kpageflags ends at frame %" PRIu64, first + done);
		for (size_t i = 0; i < got; i++)
			used += entries[i] != 0;
	}
	close(file);
	return used;
}

/* mapped_in: how many pages of this range of addresses are in the area. */
static uint64_t mapped_in(int pagemap, uint64_t from, uint64_t end)
{
	uint64_t mapped = 0;
	size_t got;

	for (from /= page, end /= page; from < end; from += got) {
		got = entries_of(pagemap, from, end - from);
		if (!got)
			break;
		for (size_t i = 0; i < got; i++)
			mapped += (entries[i] & PRESENT) && (entries[i] & FRAME) - first < pages;
	}
	return mapped;
}

static uint64_t mapped_by(const char *process)
{
	char path[64], line[4352];
	uint64_t from, end, mapped = 0;
	FILE *maps;
	int pagemap;

	snprintf(path, sizeof(path), "/proc/%.20s/maps", process);
	maps = fopen(path, "r");
	if (!maps)
		return 0;
	snprintf(path, sizeof(path), "/proc/%.20s/pagemap", process);
	pagemap = open(path, O_RDONLY);
	while (pagemap >= 0 && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &end) == 2 && end - from < SPARSE)
			mapped += mapped_in(pagemap, from, end);
	fclose(maps);
	if (pagemap >= 0)
		close(pagemap);
	return mapped;
}

static void read_all(void)
{
	uint64_t mapped = 0, used = flags();
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	if (!processes)
		err(1, "/proc");
	while ((entry = readdir(processes)))
		if (isdigit((unsigned char)*entry->d_name))
			mapped += mapped_by(entry->d_name);
	printf("%" PRIu64 " %" PRIu64 "\n", used, mapped);
}

/* memory: of so many bytes, a page touched at each step. */
static void memory(uint64_t bytes, uint64_t step)
{
	volatile char *place = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				    -1, 0);

	if (place == MAP_FAILED)
		err(1, "mmap");
	/* Of small pages there is most to read. */
	madvise((void *)place, bytes, MADV_NOHUGEPAGE);
	for (uint64_t at = 0; at < bytes; at += step)
		place[at] = 1;
}

static void crowd(long processes, uint64_t each, uint64_t sparse)
{
	int ready[2];
	char byte = 0;

	if (pipe(ready))
		err(1, "pipe");
	for (long i = 0; i < processes; i++)
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			memory(each * page, page);
			if (write(ready[1], &byte, 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
	for (long i = 0; i < processes; i++)
		if (read(ready[0], &byte, 1) != 1)
			err(1, "read");
	if (sparse)
		memory(sparse << 40, UINT64_C(1) << 36);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

static void timed(const char *out, char **command)
{
	double start = now();
	int status, file;
	pid_t child = fork();

	if (child < 0)
		err(1, "fork");
	if (!child) {
		file = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		dup2(file, 1);
		execv(command[0], command);
		_exit(127);
	}
	if (waitpid(child, &status, 0) < 0)
		err(1, "waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		errx(1, "%s failed", command[0]);
	printf("%.2f\n", now() - start);
}

int main(int argc, char **argv)
{
	page = sysconf(_SC_PAGESIZE);
	if (argc == 5 && !strcmp(argv[1], "crowd"))
		crowd(atol(argv[2]), strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
	if (argc > 3 && !strcmp(argv[1], "time")) {
		timed(argv[2], argv + 3);
		return 0;
	}
	if (argc != 3)
		errx(2, "usage: see the source");
	first = strtoull(argv[1], NULL, 0);
	pages = strtoull(argv[2], NULL, 0);
	read_all();
}
