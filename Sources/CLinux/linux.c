/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* As many as a kernel of Debian is built for; cpu_set_t has room for 1024 alone. */
#define MOST_CPUS 8192

ssize_t cma_test_vmsplice(int pipe, const void *bytes, size_t count)
{
	struct iovec piece = { .iov_base = (void *)bytes, .iov_len = count };

	return vmsplice(pipe, &piece, 1, 0);
}

static int allowed_cpus(cpu_set_t **cpus, size_t *size)
{
	int err;

	*size = CPU_ALLOC_SIZE(MOST_CPUS);
	*cpus = CPU_ALLOC(MOST_CPUS);
	if (!*cpus) {
		errno = ENOMEM;
		return -1;
	}
	CPU_ZERO_S(*size, *cpus);
	if (sched_getaffinity(0, *size, *cpus) >= 0)
		return 0;
	err = errno;
	CPU_FREE(*cpus);
	errno = err;
	return -1;
}

int cma_test_cpu_count(void)
{
	cpu_set_t *cpus;
	size_t size;
	int count;

	if (allowed_cpus(&cpus, &size))
		return -1;
	count = CPU_COUNT_S(size, cpus);
	CPU_FREE(cpus);
	return count;
}

int cma_test_bind_to_cpu(int n)
{
	cpu_set_t *cpus;
	size_t size;
	int cpu, result = -1;

	if (allowed_cpus(&cpus, &size))
		return -1;
	errno = EINVAL;
	for (cpu = 0; cpu < MOST_CPUS; cpu++) {
		if (!CPU_ISSET_S(cpu, size, cpus) || n-- > 0)
			continue;
		CPU_ZERO_S(size, cpus);
		CPU_SET_S(cpu, size, cpus);
		result = sched_setaffinity(0, size, cpus);
		break;
	}
	CPU_FREE(cpus);
	return result;
}

/* No program sends this one by chance. */
static int interrupting_signal(void)
{
	return SIGRTMIN + 7;
}

static void do_nothing(int signal)
{
	(void)signal;
}

void cma_test_let_interrupt(void)
{
	/* Without SA_RESTART, or the call would begin anew. */
	struct sigaction action = { .sa_handler = do_nothing };
	sigset_t signals;

	sigaction(interrupting_signal(), &action, NULL);
	sigemptyset(&signals);
	sigaddset(&signals, interrupting_signal());
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

void cma_test_interrupt(pthread_t thread)
{
	pthread_kill(thread, interrupting_signal());
}

int cma_test_join_within(pthread_t thread, unsigned long long nanoseconds)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += nanoseconds / 1000000000;
	end.tv_nsec += nanoseconds % 1000000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_nsec -= 1000000000;
		end.tv_sec++;
	}
	return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &end);
}

int cma_test_prefer_node(int node)
{
	/* As many as a kernel of Debian is built for. */
	unsigned long nodes[1024 / (8 * sizeof(long))] = { 0 };
	const int bits = 8 * sizeof(*nodes);

	if (node < 0)
		return syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0UL);
	if (node >= 1024) {
		errno = EINVAL;
		return -1;
	}
	nodes[node / bits] = 1UL << node % bits;
	/* The kernel counts one bit less. */
	return syscall(SYS_set_mempolicy, MPOL_PREFERRED, nodes, 1024UL + 1);
}

static int argument_count;
static char **arguments;

/* The GNU C library hands each constructor what it hands main. (csu/libc-start.c) */
__attribute__((constructor)) static void keep_arguments(int argc, char **argv)
{
	argument_count = argc;
	arguments = argv;
}

const char *cma_test_argument(int n)
{
	return n >= 0 && n < argument_count ? arguments[n] : NULL;
}
