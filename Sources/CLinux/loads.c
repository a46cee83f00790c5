/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

int cma_test_end_with_parent(int signal)
{
	return prctl(PR_SET_PDEATHSIG, signal);
}

int cma_test_adopt_orphans(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

int cma_test_unnamed_file(const char *folder)
{
	int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char *name;
	int err;

	/* Some file systems have no such files, and answer so. Then it has a name for a moment. */
	if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return file;
	if (asprintf(&name, "%s/cma-test.XXXXXX", folder) < 0) {
		errno = ENOMEM;
		return -1;
	}
	file = mkostemp(name, O_CLOEXEC);
	err = errno;
	if (file >= 0)
		unlink(name);
	free(name);
	errno = err;
	return file;
}

int cma_test_start_writeback(int file, off_t offset, off_t count)
{
	return sync_file_range(file, offset, count, SYNC_FILE_RANGE_WRITE);
}

pid_t cma_test_fork_toucher(size_t bytes, size_t page, unsigned int microseconds)
{
	struct timespec time = { microseconds / 1000000, microseconds % 1000000 * 1000L };
	const pid_t parent = getpid();
	const pid_t child = fork();
	volatile char *memory;
	sigset_t none;
	size_t at;

	/* From here on only calls that are safe after fork(2), for Swift's runtime is as it was there. */
	if (child)
		return child;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		_exit(1);
	madvise((void *)memory, bytes, MADV_NOHUGEPAGE);
	for (at = 0; at < bytes; at += page)
		memory[at] = 1;
	nanosleep(&time, NULL);
	_exit(0);
}
