/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Swift's Glibc module leaves out, since the C library declares it for _GNU_SOURCE alone; and
 * the arguments of this process.
 */
#ifndef CMA_TEST_CLINUX_H
#define CMA_TEST_CLINUX_H

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

/* vmsplice(2) of one piece of memory; its pages stay pinned until the pipe is read or closed. */
ssize_t cma_test_vmsplice(int pipe, const void *bytes, size_t count);

/* How many processors this process may run on; -1 and errno. */
int cma_test_cpu_count(void);

/* Binds the calling thread to the nth of these processors, from 0; -1 and errno. */
int cma_test_bind_to_cpu(int n);

/*
 * Lets cma_test_interrupt() end a system call of the calling thread, whatever signals its parent
 * has blocked.
 */
void cma_test_let_interrupt(void);

/* Ends the system call that a thread is in, with EINTR. One that is not in any goes on. */
void cma_test_interrupt(pthread_t thread);

/* Waits for the end of a thread; ETIMEDOUT if there is none within so many nanoseconds. */
int cma_test_join_within(pthread_t thread, unsigned long long nanoseconds);

/*
 * Has the calling thread's memory come from a node first, where that has some; from the node of its
 * processor again where it is negative. -1 and errno.
 */
int cma_test_prefer_node(int node);

/* Has the kernel send this process a signal when the thread that started it ends; -1 and errno. */
int cma_test_end_with_parent(int signal);

/* Makes this process the parent of what its children leave behind; -1 and errno. */
int cma_test_adopt_orphans(void);

/*
 * Opens a file that has no name and is gone with its last descriptor, for reading and writing; -1 and
 * errno.
 */
int cma_test_unnamed_file(const char *folder);

/* Begins to write a part of a file to its disk, without waiting for that; -1 and errno. */
int cma_test_start_writeback(int file, off_t offset, off_t count);

/*
 * Starts a process that writes a word into each page of memory of its own, keeps that for a time, and ends;
 * it is killed when this thread ends. Its number; -1 and errno.
 */
pid_t cma_test_fork_toucher(size_t bytes, size_t page, unsigned int microseconds);

/* A range of addresses, as the kernel's struct page_region has it. */
struct cma_test_region {
	unsigned long long start;
	unsigned long long end;
	unsigned long long categories;
};

/*
 * Finds the ranges of a process that have pages in memory, from its /proc/PID/pagemap: how many were
 * written, with the address to go on from in walked; -1 and errno, which is ENOTTY before Linux 6.7.
 */
long cma_test_present_regions(int pagemap, unsigned long long start, unsigned long long end,
			      struct cma_test_region *regions, size_t room,
			      unsigned long long *walked);

/*
 * argv[n] of main; NULL from argc on. Swift's own main keeps it to itself: CommandLine reads it from
 * /proc/self, and has nothing in a chroot where /proc is not mounted.
 */
const char *cma_test_argument(int n);

#endif
