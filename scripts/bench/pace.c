// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Times whole processes against each other, in turn, so that a machine whose
 * speed drifts drifts for all of them: A B C A B C ...
 *
 * usage: pace ROUNDS NAME COMMAND [NAME COMMAND]...
 *
 * Each COMMAND is for "sh -c exec". The first is what the others are divided by,
 * round by round. Prints a row a command, TAB between: name, median wall clock
 * in ms, least, most, median ratio, median CPU time in ms, largest peak memory
 * in KiB, exit code. An exit code that changes between rounds is an error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct run {
	double wall, cpu, ratio;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static double ms(struct timeval t)
{
	return t.tv_sec * 1e3 + t.tv_usec / 1e3;
}

static int time_one(const char *command, struct run *run, long *peak)
{
	char *text, *argv[] = { "sh", "-c", NULL, NULL };
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	double start;
	int error, status;
	pid_t pid;

	if (asprintf(&text, "exec %s", command) < 0)
		abort();
	argv[2] = text;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	start = now();
	error = posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ);
	if (error) {
		fprintf(stderr, "pace: start %s: %s\n", command, strerror(error));
		exit(1);
	}
	while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	run->wall = now() - start;
	run->cpu = ms(usage.ru_utime) + ms(usage.ru_stime);
	if (usage.ru_maxrss > *peak)
		*peak = usage.ru_maxrss;
	posix_spawn_file_actions_destroy(&actions);
	free(text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts the values; an odd count has a middle. */
static double median(double *values, int count)
{
	qsort(values, count, sizeof(*values), ascending);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0, commands = (argc - 2) / 2, i, r;
	struct run (*runs)[commands];
	int codes[commands];
	long peaks[commands];

	if (rounds < 1 || argc < 4 || argc % 2) {
		fprintf(stderr, "usage: pace ROUNDS NAME COMMAND [NAME COMMAND]...\n");
		return 64;
	}
	runs = calloc(rounds + 1, sizeof(*runs));
	if (!runs)
		abort();
	memset(peaks, 0, sizeof(peaks));
	/* Round 0 warms the caches and does not count. */
	for (r = 0; r <= rounds; r++) {
		for (i = 0; i < commands; i++) {
			int code = time_one(argv[3 + 2 * i], &runs[r][i], &peaks[i]);

			if (r && code != codes[i]) {
				fprintf(stderr, "pace: %s: exit code %d, then %d\n",
					argv[2 + 2 * i], codes[i], code);
				return 1;
			}
			codes[i] = code;
			runs[r][i].ratio = runs[r][i].wall / runs[r][0].wall;
		}
	}
	for (i = 0; i < commands; i++) {
		double wall[rounds], cpu[rounds], ratio[rounds];

		for (r = 0; r < rounds; r++) {
			wall[r] = runs[r + 1][i].wall;
			cpu[r] = runs[r + 1][i].cpu;
			ratio[r] = runs[r + 1][i].ratio;
		}
		printf("%s\t%.1f\t", argv[2 + 2 * i], median(wall, rounds));
		printf("%.1f\t%.1f\t", wall[0], wall[rounds - 1]);
		printf("%.3f\t%.1f\t", median(ratio, rounds), median(cpu, rounds));
		printf("%ld\t%d\n", peaks[i], codes[i]);
	}
	free(runs);
	return 0;
}
