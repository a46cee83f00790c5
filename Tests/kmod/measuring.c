// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What CMATEST_IOC_MEASURE does: a part of engine.c, which includes this file.
 */
#include <sys/mount.h>
#include <sys/uio.h>
#include <time.h>

#define HOW_TO_TRACE "/sys/kernel/tracing/"

/* One allocation of one page. */
static struct cmatest_measure one_request(struct cmatest_histograms *histograms)
{
	return (struct cmatest_measure) {
		.area = start.default_area, .count = 1, .requests = 1, .threads = 1,
		.histograms = (uintptr_t)histograms
	};
}

/* The smallest time of a bin; that of the next bin is one more than the largest. */
static __u64 bin_from(size_t bin)
{
	if (bin < 128)
		return bin;
	return (64 + (__u64)(bin - 128) % 64) << (1 + (bin - 128) / 64);
}

/* Whether the bins, the count, the sum and the ends can be of the same times. */
static bool is_consistent(const struct cmatest_histogram *h)
{
	__u64 count = 0, low = 0, high = 0;
	size_t bin, first = CMATEST_BINS, last = 0;

	for (bin = 0; bin < CMATEST_BINS; bin++) {
		if (!h->bins[bin])
			continue;
		first = first < bin ? first : bin;
		last = bin;
		count += h->bins[bin];
		low += h->bins[bin] * bin_from(bin);
		high += h->bins[bin] * (bin_from(bin + 1) - 1);
	}
	if (!h->count)
		return !count && !h->sum_ns && h->min_ns == UINT64_MAX && !h->max_ns;
	return count == h->count && low <= h->sum_ns && h->sum_ns <= high &&
	       h->min_ns >= bin_from(first) && h->min_ns < bin_from(first + 1) &&
	       h->max_ns >= bin_from(last) && h->max_ns < bin_from(last + 1);
}

static bool are_consistent(const struct cmatest_histograms *h)
{
	return is_consistent(&h->alloc) && is_consistent(&h->response) &&
	       is_consistent(&h->failure) && is_consistent(&h->release);
}

/* How many times are surely longer. */
static __u64 longer(const struct cmatest_histogram *h, __u64 ns)
{
	__u64 count = 0;
	size_t bin;

	for (bin = 0; bin < CMATEST_BINS; bin++)
		count += bin_from(bin) > ns ? h->bins[bin] : 0;
	return count;
}

/* Whether the kernel has the tracepoint. A function is listed where variables are not. */
static bool has_tracepoint(const char *name)
{
	char line[512], wanted[64];
	FILE *file = fopen("/proc/kallsyms", "r");
	bool found = false;

	snprintf(wanted, sizeof(wanted), " __traceiter_%s\n", name);
	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, wanted);
	if (file)
		fclose(file);
	return found;
}

static struct cmatest_histograms measured;

static void test_measure_counts(void)
{
	const __u64 requests[] = { 1, 2, 7, 100 };
	__u32 found = (has_tracepoint("cma_alloc_busy_retry") ? CMATEST_MEASURE_HAS_RETRIES : 0) |
		      (has_tracepoint("mm_migrate_pages") ? CMATEST_MEASURE_HAS_MIGRATED : 0);
	struct cmatest_measure m;
	size_t i;

	for (i = 0; i < COUNT(requests); i++) {
		m = one_request(&measured);
		m.requests = requests[i];
		memset(&measured, 0x55, sizeof(measured));
		NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
		NEED(m.done == requests[i] && !m.failed && !m.refused && !m.no_hole);
		NEED(measured.alloc.count == m.done && measured.release.count == m.done);
		NEED(!measured.failure.count && !measured.response.count);
		NEED(are_consistent(&measured));
		NEED(m.elapsed_ns >= measured.alloc.sum_ns + measured.release.sum_ns);
		NEED(m.found == found && !m.slow_ns && !m.slow_pfn);
	}
	check(true, "MEASURE: as many times as allocations; found is 0x%x", found);

	m = one_request(&measured);
	m.count = start.total_pages + 1;
	m.requests = 1000;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done == 1000 && m.failed == 1000 && measured.failure.count == 1000);
	NEED(!measured.alloc.count && !measured.release.count && are_consistent(&measured));
	NEED(!m.retries && !m.migrated);
	NEED(m.no_hole == (found & CMATEST_MEASURE_HAS_RETRIES ? 1000 : 0));
	check(true, "MEASURE: no range is tried for what is larger than the area");

	m = one_request(NULL);
	m.histograms = 1;
	m.requests = 50;
	m.flags = CMATEST_MEASURE_NO_CLOCK;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done == 50 && !m.failed && !m.found && m.elapsed_ns);
	check(true, "MEASURE: without a clock no histogram is written");
	settled("after those");
}

static int by_value(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return (x > y) - (x < y);
}

/* A histogram of one time has the time itself: in its sum. */
static void test_measure_quantiles(void)
{
	enum { TIMES = 400 };
	static __u64 raw[TIMES], bins[CMATEST_BINS];
	struct cmatest_measure m;
	const struct cmatest_histogram *h;
	__u64 from, to, seen;
	size_t i, bin, rank;

	for (i = 0; i < TIMES; i++) {
		m = one_request(&measured);
		/* Of those that fail at once, and of those that take long. */
		m.count = i % 4 ? start.total_pages + 1 : 1;
		NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done == 1);
		h = i % 4 ? &measured.failure : &measured.alloc;
		NEED(h->count == 1 && is_consistent(h) && h->sum_ns == h->min_ns && h->sum_ns == h->max_ns);
		raw[i] = h->sum_ns;
		for (bin = 0; bin < CMATEST_BINS; bin++)
			bins[bin] += h->bins[bin];
	}
	qsort(raw, TIMES, sizeof(*raw), by_value);
	for (rank = 0, bin = 0, seen = 0; rank < TIMES; rank++) {
		while (seen + bins[bin] <= rank)
			seen += bins[bin++];
		from = bin_from(bin);
		to = bin_from(bin + 1) - 1;
		/* The middle of the bin stands for the time. */
		NEED(raw[rank] >= from && raw[rank] <= to);
		NEED(128 * llabs((long long)(from + (to - from) / 2) - (long long)raw[rank]) <=
		     (long long)raw[rank] + 128);
	}
	check(true, "MEASURE: every quantile is within 1/128 of that of %d raw times, %llu to %llu ns",
	      TIMES, raw[0], raw[TIMES - 1]);
}

static void test_measure_errors(void)
{
	static const struct {
		size_t at;
		__u64 value;
		int err;
	} wrong_values[] = {
#define WRONG(field, value, err) { offsetof(struct cmatest_measure, field), value, err }
		WRONG(count, 0, EINVAL), WRONG(count, UINT64_MAX, EINVAL),
		WRONG(requests, 0, EINVAL), WRONG(requests, 1ULL << 63, EINVAL),
		WRONG(duration_ns, 1ULL << 63, EINVAL), WRONG(duration_ns, UINT64_MAX, EINVAL),
		WRONG(interval_ns, 3600000000001ULL, EINVAL), WRONG(interval_ns, UINT64_MAX, EINVAL),
		WRONG(histograms, 0, EFAULT), WRONG(histograms, UINT64_MAX - 7, EFAULT),
		WRONG(histograms, 1ULL << 63, EFAULT),
	};
	struct cmatest_measure m;
	__u64 times[3] = { 0 };
	size_t i;

	for (i = 0; i < COUNT(wrong_values); i++) {
		m = one_request(&measured);
		*(__u64 *)((char *)&m + wrong_values[i].at) = wrong_values[i].value;
		if (ask(fd, CMATEST_IOC_MEASURE, &m) != wrong_values[i].err)
			NEED(!check(false, "MEASURE: row %zu", i));
	}
#define REFUSED(field, value, err)						\
	do {									\
		m = one_request(&measured);					\
		m.field = (value);						\
		NEED(ask(fd, CMATEST_IOC_MEASURE, &m) == (err));		\
	} while (0)
	REFUSED(area, start.areas, ENOENT);
	REFUSED(area, UINT32_MAX, ENOENT);
	REFUSED(order, start.max_order + 1, EINVAL);
	REFUSED(order, UINT32_MAX, EINVAL);
	REFUSED(threads, 0, EINVAL);
	REFUSED(threads, 1025, EINVAL);
	REFUSED(threads, UINT32_MAX, EINVAL);
	REFUSED(hold, 65537, EINVAL);
	REFUSED(hold, UINT32_MAX, EINVAL);
	REFUSED(flags, 2, EINVAL);
	for (i = 0; i < COUNT(times); i++) {
		memset(times, 0, sizeof(times));
		times[i] = 1000;
		m = one_request(&measured);
		m.flags = CMATEST_MEASURE_NO_CLOCK;
		m.duration_ns = times[0];
		m.interval_ns = times[1];
		m.stop_above_ns = times[2];
		NEED(ask(fd, CMATEST_IOC_MEASURE, &m) == EINVAL);
	}
	check(true, "MEASURE: each field that is out of its range, and a time without a clock");
	settled("after those");
}

static void test_measure_ring(void)
{
	struct cmatest_measure m = one_request(&measured);
	__u64 held = 0, before = info().free_pages, now = before;
	int status, i;
	pid_t pid;

	m.count = 4;
	m.hold = 8;
	m.requests = 50;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done == 50 && !m.failed && !m.refused && measured.release.count == 42);
	m.requests = 5;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done == 5 && !measured.release.count && are_consistent(&measured));
	check(true, "MEASURE: the oldest block is released when the ring is full, the last are not counted");
	settled("after those");

	/* Blocks are there meanwhile, and none is after SIGKILL. */
	pid = fork();
	if (!pid) {
		m.requests = 0;
		m.duration_ns = 60000000000ULL;
		m.hold = 63;
		m.count = 32;
		_exit(ask(fd, CMATEST_IOC_MEASURE, &m));
	}
	for (i = 0; i < 500 && (held != 2048 || now + 1500 > before); i++) {
		usleep(20000);
		held = info().held_pages;
		now = info().free_pages;
	}
	check(held == 2048 && now + 1500 <= before && area_of(start.default_area).held_pages == 2048,
	      "MEASURE: a ring of 63 blocks of 32 counts %llu pages, and takes %llu of those free",
	      held, before - now);
	kill(pid, SIGKILL);
	NEED(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	settled("after SIGKILL");
}

static void test_measure_interval(void)
{
	struct cmatest_measure m = one_request(&measured);

	m.requests = 25;
	m.interval_ns = 40000000;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done == 25 && m.elapsed_ns >= 24 * m.interval_ns);
	NEED(measured.response.count == 25 && are_consistent(&measured));
	NEED(measured.response.sum_ns >= measured.alloc.sum_ns);
	check(m.elapsed_ns < 100 * m.interval_ns, "MEASURE: 25 starts, 40 ms from each other, take %llu ms",
	      m.elapsed_ns / 1000000);

	/* One starts at 0 and one at 40 ms; a third would start when the time is over. */
	m.requests = 0;
	m.duration_ns = 80000000;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	check(m.done >= 1 && m.done <= 2, "MEASURE: none starts after the end (%llu)", m.done);
}

static void test_measure_signal(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_value = { .tv_usec = 150000 } };
	struct cmatest_measure m = one_request(&measured);

	sigaction(SIGALRM, &action, NULL);
	m.requests = 0;
	m.duration_ns = 60000000000ULL;
	m.hold = 4;
	setitimer(ITIMER_REAL, &soon, NULL);
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done && m.elapsed_ns < 20000000000ULL && measured.alloc.count + m.failed == m.done);
	/* Between two starts, too. */
	m.interval_ns = 50000000000ULL;
	setitimer(ITIMER_REAL, &soon, NULL);
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done == 1 && m.elapsed_ns < 20000000000ULL);
	/* One who waits for others. */
	m.threads = 2;
	setitimer(ITIMER_REAL, &soon, NULL);
	NEED(ask(fd, CMATEST_IOC_MEASURE, &m) == EINTR);
	check(true, "MEASURE: a signal ends it within an allocation, between two, and before the first");
	settled("after those");
}

struct member {
	pthread_t thread;
	struct cmatest_measure measure;
	struct cmatest_histograms histograms;
	int rounds, err;
};

/* As many measurements as it has rounds, with nothing that keeps the threads together. */
static void *be_member(void *arg)
{
	struct member *member = arg;
	struct cmatest_measure asked = member->measure;

	asked.histograms = (uintptr_t)&member->histograms;
	while (!member->err && member->rounds--) {
		member->measure = asked;
		member->err = ask(fd, CMATEST_IOC_MEASURE, &member->measure);
	}
	return NULL;
}

#define TEAM 4
static struct member team[TEAM];

static void start_team(unsigned int threads, int rounds_each, struct cmatest_measure asked)
{
	unsigned int i;

	asked.threads = threads;
	for (i = 0; i < threads; i++) {
		memset(&team[i], 0, sizeof(team[i]));
		team[i].measure = asked;
		team[i].rounds = rounds_each;
		if (pthread_create(&team[i].thread, NULL, be_member, &team[i]))
			abort();
	}
}

/* The allocations of all, or 0 if one of them failed. */
static __u64 end_team(unsigned int threads)
{
	bool right = true;
	__u64 done = 0;
	unsigned int i;

	for (i = 0; i < threads; i++) {
		pthread_join(team[i].thread, NULL);
		right = right && !team[i].err && !team[i].measure.refused &&
			are_consistent(&team[i].histograms) &&
			team[i].histograms.alloc.count + team[i].histograms.failure.count ==
				team[i].measure.done;
		done += team[i].measure.done;
	}
	return right ? done : 0;
}

static void test_measure_team(void)
{
	struct cmatest_measure m = one_request(&measured);
	__u64 least = UINT64_MAX, most = 0, done;
	unsigned int i, slow = 0;
	int err = 0, status;
	pid_t pid;

	m.requests = 53;
	m.hold = 2;
	start_team(TEAM, 5, m);
	done = end_team(TEAM);
	check(done == 53, "MEASURE: %d threads make 53 allocations, 5 times after each other (%llu)", TEAM, done);

	m.requests = 0;
	m.duration_ns = 300000000;
	start_team(TEAM, 1, m);
	done = end_team(TEAM);
	for (i = 0; i < TEAM; i++) {
		least = least < team[i].measure.elapsed_ns ? least : team[i].measure.elapsed_ns;
		most = most > team[i].measure.elapsed_ns ? most : team[i].measure.elapsed_ns;
	}
	check(done && least >= 250000000 && most < 5000000000ULL,
	      "MEASURE: the team ends together (%llu to %llu ms)", least / 1000000, most / 1000000);

	m.duration_ns = 60000000000ULL;
	m.stop_above_ns = 1;
	start_team(TEAM, 1, m);
	done = end_team(TEAM);
	for (i = 0; i < TEAM; i++) {
		bool is = team[i].measure.found & CMATEST_MEASURE_SLOW;

		slow += is;
		NEED(is == (team[i].measure.slow_ns != 0));
		NEED(team[i].measure.done <= 1);
	}
	check(done && slow == 1, "MEASURE: the first that takes too long ends it for all (%u of %llu)",
	      slow, done);
	m.stop_above_ns = UINT64_MAX;
	m.duration_ns = 0;
	m.requests = 10;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done == 10 && !m.slow_ns);

	/* Two wait for a third. */
	m = one_request(&measured);
	m.requests = 30;
	start_team(2, 1, m);
	pthread_join(team[0].thread, NULL);
	pthread_join(team[1].thread, NULL);
	pid = fork();
	if (!pid) {
		m.threads = 2;
		_exit(ask(fd, CMATEST_IOC_MEASURE, &m));
	}
	for (i = 0; i < 500 && err != EBUSY; i++) {
		usleep(10000);
		m.threads = 1;
		err = ask(fd, CMATEST_IOC_MEASURE, &m);
	}
	NEED(err == EBUSY);
	m.threads = 3;
	NEED(ask(fd, CMATEST_IOC_MEASURE, &m) == EBUSY);
	m.threads = 2;
	m.requests = 31;
	NEED(ask(fd, CMATEST_IOC_MEASURE, &m) == EBUSY);
	check(true, "MEASURE: a thread that names another team is refused");
	kill(pid, SIGKILL);
	NEED(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	m.requests = 30;
	start_team(2, 1, m);
	check(end_team(2) == 30, "MEASURE: one that is killed while it waits is none of the team");

	/* A team that has begun takes nobody, and ends for all when one of it is killed. */
	m.requests = 0;
	m.duration_ns = 60000000000ULL;
	m.hold = 16;
	pid = fork();
	if (!pid) {
		m.threads = 2;
		_exit(ask(fd, CMATEST_IOC_MEASURE, &m));
	}
	memset(&team[0], 0, sizeof(team[0]));
	team[0].measure = m;
	team[0].measure.threads = 2;
	team[0].rounds = 1;
	NEED(!pthread_create(&team[0].thread, NULL, be_member, &team[0]));
	usleep(300000);
	m.threads = 2;
	NEED(ask(fd, CMATEST_IOC_MEASURE, &m) == EBUSY);
	kill(pid, SIGKILL);
	NEED(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	check(end_team(1) > 0 && team[0].measure.elapsed_ns < 30000000000ULL,
	      "MEASURE: a team that has begun takes nobody, and ends when one of it is killed");
	settled("after those");
}

static bool put_text(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	bool right = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

	if (file >= 0)
		close(file);
	return right;
}

/* What the kernel's own trace has of this task: retries, pages moved, pages not moved, the last in the way. */
static void read_trace(__u64 counted[4])
{
	FILE *file = fopen(HOW_TO_TRACE "trace", "r");
	unsigned long moved, left, from, end, fin;
	const char *at;
	char line[1024];

	memset(counted, 0, 4 * sizeof(*counted));
	while (file && fgets(line, sizeof(line), file)) {
		if (strstr(line, " cma_alloc_busy_retry: "))
			counted[0]++;
		at = strstr(line, " mm_migrate_pages: ");
		if (at && strstr(at, "contig_range") &&
		    sscanf(at, " mm_migrate_pages: nr_succeeded=%lu nr_failed=%lu", &moved, &left) == 2) {
			counted[1] += moved;
			counted[2] += left;
		}
		at = strstr(line, " test_pages_isolated: ");
		if (at && strstr(at, "ret=fail") &&
		    sscanf(at, " test_pages_isolated: start_pfn=0x%lx end_pfn=0x%lx fin_pfn=0x%lx",
			   &from, &end, &fin) == 3)
			counted[3] = fin;
	}
	if (file)
		fclose(file);
}

/* Movable pages lie where a block will, and one of them is pinned: both are counted as the kernel's trace does. */
static void test_measure_events(void)
{
	static const char *const events[] = {
		"cma/cma_alloc_busy_retry", "migrate/mm_migrate_pages", "page_isolation/test_pages_isolated"
	};
	struct cmatest_place place;
	struct cmatest_measure m;
	char path[128], filter[64];
	__u64 pfn = 0, counted[4];
	bool traces;
	struct iovec page;
	char *memory;
	int pipes[2], round;
	size_t i;

	traces = !mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL) || errno == EBUSY;
	snprintf(filter, sizeof(filter), "common_pid==%d", getpid());
	for (i = 0; traces && i < COUNT(events); i++) {
		snprintf(path, sizeof(path), HOW_TO_TRACE "events/%s/filter", events[i]);
		traces = put_text(path, filter);
		snprintf(path, sizeof(path), HOW_TO_TRACE "events/%s/enable", events[i]);
		traces = traces && put_text(path, "1");
	}
	if (!traces || !has_tracepoint("cma_alloc_busy_retry")) {
		printf("skip - MEASURE against the kernel's trace: this kernel has none\n");
		return;
	}
	if (!places_in_memory()) {
		puts("skip - MEASURE against the kernel's trace: this kernel has no CONFIG_DEVICE_MIGRATION");
		return;
	}
	NEED(!pipe2(pipes, O_CLOEXEC));
	for (round = 0; round < 2; round++) {
		memory = map_pages(PLACED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		NEED(memory != MAP_FAILED);
		place = (struct cmatest_place) {
			.handle = alloc(fd, PLACED, 0, &pfn), .address = (uintptr_t)memory
		};
		NEED(place.handle && !ask(fd, CMATEST_IOC_PLACE, &place));
		NEED(place.placed > PLACED / 2);
		memset(memory, 7, PLACED * (size_t)sysconf(_SC_PAGESIZE));
		if (round) {
			page = (struct iovec) { memory + 40 * sysconf(_SC_PAGESIZE), sysconf(_SC_PAGESIZE) };
			NEED(vmsplice(pipes[1], &page, 1, 0) == (ssize_t)page.iov_len);
		}
		m = one_request(&measured);
		m.count = PLACED;
		m.requests = 5;
		/* Ends at the first that takes a nanosecond, which is the one with the pages. */
		m.stop_above_ns = 1;
		close(open(HOW_TO_TRACE "trace", O_WRONLY | O_TRUNC | O_CLOEXEC));
		NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done == 1 && m.found & CMATEST_MEASURE_SLOW);
		read_trace(counted);
		check(m.retries == counted[0] && m.migrated == counted[1] && m.unmigrated == counted[2] &&
		      m.slow_pfn == counted[3] && m.slow_retries == m.retries && m.slow_migrated == m.migrated,
		      "MEASURE: %llu retries, %llu pages moved, %llu not, 0x%llx last in the way; the trace has %llu, %llu, %llu, 0x%llx",
		      m.retries, m.migrated, m.unmigrated, m.slow_pfn, counted[0], counted[1],
		      counted[2], counted[3]);
		if (round)
			check(m.retries > 0 && m.slow_pfn == pfn + 40,
			      "MEASURE: the page that is pinned is the one in the way (0x%llx)", pfn + 40);
		else
			check(m.migrated >= PLACED / 2 && !m.failed, "MEASURE: movable pages are moved away");
		munmap(memory, PLACED * (size_t)sysconf(_SC_PAGESIZE));
	}
	close(pipes[0]);
	close(pipes[1]);
	for (i = 0; i < COUNT(events); i++) {
		snprintf(path, sizeof(path), HOW_TO_TRACE "events/%s/enable", events[i]);
		NEED(put_text(path, "0"));
	}
	umount("/sys/kernel/tracing");
	settled("after those");
}

static void test_measure_freeze(void)
{
	struct cmatest_measure m = one_request(&measured);
	char text[32];
	int round, status;
	pid_t pid;

	m.requests = 0;
	m.duration_ns = 600000000000ULL;
	m.hold = 3;
	pid = fork();
	if (!pid) {
		/* It ends with what there is, or starts again by itself. */
		while (!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done && are_consistent(&measured))
			;
		_exit(errno ? errno : 1);
	}
	snprintf(text, sizeof(text), "%d", pid);
	NEED(put(GROUP "/cgroup.procs", text));
	for (round = 0; round < 10; round++) {
		usleep(1000 + 11000 * round);
		NEED(put(GROUP "/cgroup.freeze", "1") && is_frozen(true));
		NEED(put(GROUP "/cgroup.freeze", "0") && is_frozen(false));
		NEED(waitpid(pid, &status, WNOHANG) == 0);
	}
	kill(pid, SIGKILL);
	NEED(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	check(true, "MEASURE is frozen %d times, and ends or goes on", round);
	settled("after that");
}

static void test_measure_no_memory(void)
{
	struct cmatest_measure m = one_request(&measured);
	int status, err;
	char text[32];
	pid_t pid;

	pid = fork();
	if (!pid) {
		int limit = open(GROUP "/memory.max", O_WRONLY | O_CLOEXEC);

		snprintf(text, sizeof(text), "%d", getpid());
		if (!put(GROUP "/cgroup.procs", text) || write(limit, "1M", 2) != 2)
			_exit(100);
		m.hold = 65536;
		err = ask(fd, CMATEST_IOC_MEASURE, &m);
		if (write(limit, "max", 3) != 3)
			_exit(102);
		_exit(err);
	}
	NEED(waitpid(pid, &status, 0) == pid);
	check(WIFEXITED(status) && WEXITSTATUS(status) == ENOBUFS,
	      "MEASURE: no memory for 65536 blocks that are kept: ENOBUFS (status 0x%x)", status);
	settled("after that");
}

static void test_measure_limits(__u64 pages)
{
	struct cmatest_measure m = one_request(&measured);

	m.count = pages + 1;
	NEED(ask(fd, CMATEST_IOC_MEASURE, &m) == ENOSPC);
	m.count = 1;
	m.hold = pages;
	NEED(ask(fd, CMATEST_IOC_MEASURE, &m) == ENOSPC);
	m.count = start.max_count;
	m.hold = 65536;
	NEED(ask(fd, CMATEST_IOC_MEASURE, &m) == ENOSPC);
	m.count = 1;
	m.hold = pages - 1;
	m.requests = 3;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done == 3);
	check(true, "MEASURE: the blocks that are kept, and one more, count against max_pages");
	settled("after those");
}

/* The delays that fault/fault.c makes. */
static void test_measure_delay(void)
{
	struct cmatest_measure m = one_request(&measured);

	/* Those that fail take microseconds, on any machine. */
	m.count = start.total_pages + 1;
	m.requests = 2000;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.failed == 2000);
	check(longer(&measured.failure, 4900000) >= 20 && longer(&measured.failure, 4900000) < 60,
	      "delay: %llu of 2000 take 5 ms or longer", longer(&measured.failure, 4900000));
}

static void test_measure_stall(void)
{
	struct cmatest_measure m = one_request(&measured);

	m.requests = 120;
	m.interval_ns = 40000000;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done == 120);
	/* 2 s are 50 starts; each of them is 40 ms less late than the one before, or less. */
	check(longer(&measured.alloc, 1000000000) == 1 && longer(&measured.response, 1000000000) >= 25 &&
	      longer(&measured.response, 200000000) >= 40,
	      "stall: 1 s or longer were %llu allocations, and %llu since their intended start (200 ms: %llu)",
	      longer(&measured.alloc, 1000000000), longer(&measured.response, 1000000000),
	      longer(&measured.response, 200000000));
}

/* The clock and the histograms against neither, by turns. */
static void measure_overhead(__u64 pages, __u64 requests, int pairs)
{
	int i, clocked;

	printf("# pair pages requests without-clock-ns with-clock-ns ratio\n");
	for (i = 0; i < pairs; i++) {
		__u64 ns[2];

		for (clocked = 0; clocked < 2; clocked++) {
			bool timed = clocked ^ (i & 1);
			struct cmatest_measure m = one_request(&measured);
			/* A file of its own: without a clock no probe is there. */
			int file = open_device();

			m.count = pages;
			m.requests = requests;
			m.flags = timed ? 0 : CMATEST_MEASURE_NO_CLOCK;
			NEED(!ask(file, CMATEST_IOC_MEASURE, &m) && m.done == requests);
			ns[timed] = m.elapsed_ns;
			close(file);
		}
		printf("%d %llu %llu %llu %llu %.4f\n", i, pages, requests, ns[0], ns[1],
		       (double)ns[1] / ns[0]);
		fflush(stdout);
	}
}
