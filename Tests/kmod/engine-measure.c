/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What engine.c tests of CMATEST_IOC_MEASURE; that file includes this one.
 */

static struct cmatest_histograms measured;

static struct cmatest_measure measure_of(__u64 count, __u64 requests)
{
	return (struct cmatest_measure) {
		.area = start.default_area, .count = count, .requests = requests, .threads = 1,
		.histograms = (uintptr_t)&measured
	};
}

/* The least time that a bin stands for; of the bin after the last, what is more than an hour. */
static __u64 bin_start(unsigned int bin)
{
	unsigned int shift = bin < 128 ? 0 : bin / 64 - 1;

	return bin < 128 ? bin : (__u64)(bin - shift * 64) << shift;
}

/* Whether count, sum, bounds and bins of a histogram tell the same. */
static bool agrees(const struct cmatest_histogram *h, __u64 count)
{
	unsigned int bin, first = CMATEST_BINS, last = 0;
	__u64 all = 0, least = 0, most = 0;

	for (bin = 0; bin < CMATEST_BINS; bin++) {
		if (!h->bins[bin])
			continue;
		if (first == CMATEST_BINS)
			first = bin;
		last = bin;
		all += h->bins[bin];
		least += h->bins[bin] * bin_start(bin);
		most += h->bins[bin] * (bin_start(bin + 1) - 1);
	}
	if (h->count != count || all != count)
		return false;
	if (!count)
		return !h->sum_ns && !h->max_ns && h->min_ns == UINT64_MAX;
	return h->min_ns >= bin_start(first) && h->min_ns < bin_start(first + 1) &&
	       h->max_ns >= bin_start(last) && h->max_ns < bin_start(last + 1) &&
	       h->sum_ns >= least && h->sum_ns <= most;
}

/* 1/128 of a time at most is between the middle of its bin and any end of that. */
static bool bins_are_narrow(void)
{
	unsigned int bin;

	for (bin = 128; bin < CMATEST_BINS - 1; bin++) {
		if ((bin_start(bin + 1) - bin_start(bin)) * 64 > bin_start(bin))
			return false;
	}
	return bin_start(CMATEST_BINS) > 3600000000000ULL;
}

static void test_measure(void)
{
	__u64 requests[] = { 1, 2, 63, 200 };
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	struct cmatest_measure m;
	size_t i;

	NEED(bins_are_narrow());
	for (i = 0; i < COUNT(requests); i++) {
		memset(&measured, 0xa5, sizeof(measured));
		m = measure_of(1 + i, requests[i]);
		NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
		NEED(m.done == requests[i] && !m.failed && !m.refused && m.elapsed_ns);
		NEED(agrees(&measured.alloc, m.done) && agrees(&measured.release, m.done));
		NEED(agrees(&measured.failure, 0) && agrees(&measured.response, 0));
		NEED(measured.alloc.sum_ns + measured.release.sum_ns <= m.elapsed_ns);
		NEED(!m.slow_ns && !(m.found & CMATEST_MEASURE_SLOW));
	}
	check(true, "MEASURE: each allocation and release has a place in a histogram");

	/* One time alone is known exactly: it must be in the bin that is for it. */
	for (i = 0; i < 200; i++) {
		m = measure_of(1, 1);
		NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && agrees(&measured.alloc, 1));
		NEED(measured.alloc.min_ns == measured.alloc.max_ns);
		NEED(measured.alloc.sum_ns == measured.alloc.max_ns);
	}
	check(true, "MEASURE: a time is in the bin that is for it");

	m = measure_of(start.total_pages + 1, 500);
	NEED(log >= 0 && lseek(log, 0, SEEK_END) >= 0);
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done == 500 && m.failed == 500 && agrees(&measured.failure, 500));
	NEED(agrees(&measured.alloc, 0) && agrees(&measured.release, 0));
	NEED(m.no_hole == (m.found & CMATEST_MEASURE_HAS_RETRIES ? 500 : 0) && !m.retries);
	NEED(!logged(log, "alloc failed"));
	close(log);
	check(true, "MEASURE: failures are counted apart, and no word in the log");

	m = measure_of(4, 30);
	m.hold = 7;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done == 30 && agrees(&measured.alloc, 30) && agrees(&measured.release, 23));
	m = measure_of(4, 5);
	m.hold = 65536;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && agrees(&measured.release, 0));
	check(true, "MEASURE: a ring releases the oldest block, and in the end all without counting");
	settled("after those");
}

static void test_measure_time(void)
{
	struct cmatest_measure m = measure_of(1, 0);

	m.duration_ns = 200000000;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done > 0 && m.elapsed_ns >= m.duration_ns && m.elapsed_ns < 30 * m.duration_ns);
	m = measure_of(1, 20);
	m.interval_ns = 10000000;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done == 20 && m.elapsed_ns >= 19 * m.interval_ns);
	NEED(agrees(&measured.response, 20) && measured.response.sum_ns >= measured.alloc.sum_ns);
	check(true, "MEASURE: a time and an interval are kept, and starts that are late count");

	memset(&measured, 0xa5, sizeof(measured));
	m = measure_of(1, 50);
	m.flags = CMATEST_MEASURE_NO_CLOCK;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done == 50 && m.elapsed_ns && !m.found && measured.alloc.count == 0xa5a5a5a5a5a5a5a5);
	m.histograms = 0;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done == 50);
	check(true, "MEASURE: without a clock nothing but the whole is timed");

	m = measure_of(1, 1000);
	m.stop_above_ns = 1;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done == 1 && m.found & CMATEST_MEASURE_SLOW && m.slow_ns == measured.alloc.max_ns);
	m.stop_above_ns = 3600000000000ULL;
	m.requests = 20;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done == 20 && !m.slow_ns && !(m.found & CMATEST_MEASURE_SLOW));
	check(true, "MEASURE: the first allocation that takes too long ends all");
	settled("after those");
}

static void test_measure_errors(void)
{
#define WRONG(error, change)							\
	({									\
		struct cmatest_measure m = measure_of(1, 1);			\
										\
		change;								\
		NEED(ask(fd, CMATEST_IOC_MEASURE, &m) == (error));		\
	})
	WRONG(ENOENT, m.area = start.areas);
	WRONG(EINVAL, m.count = 0);
	WRONG(EINVAL, m.count = start.max_count + 1);
	WRONG(EINVAL, m.order = start.max_order + 1);
	WRONG(EINVAL, m.requests = 0);
	WRONG(EINVAL, m.requests = 1ULL << 63);
	WRONG(EINVAL, m.duration_ns = 1ULL << 63);
	WRONG(EINVAL, m.interval_ns = 3600000000001ULL);
	WRONG(EINVAL, m.hold = 65537);
	WRONG(EINVAL, m.threads = 0);
	WRONG(EINVAL, m.threads = 1025);
	WRONG(EINVAL, (m.flags = CMATEST_MEASURE_NO_CLOCK, m.duration_ns = 1));
	WRONG(EINVAL, (m.flags = CMATEST_MEASURE_NO_CLOCK, m.interval_ns = 1));
	WRONG(EINVAL, (m.flags = CMATEST_MEASURE_NO_CLOCK, m.stop_above_ns = 1));
	WRONG(EFAULT, m.histograms = 0);
	WRONG(EFAULT, m.histograms = 8);
	WRONG(EFAULT, m.histograms = 1ULL << 63);
#undef WRONG
	check(true, "MEASURE: what is wrong is refused");
	settled("after those");
}

static void *measurer(void *arg)
{
	struct cmatest_measure *m = arg;
	static __thread struct cmatest_histograms own;
	int err;

	m->histograms = (uintptr_t)&own;
	err = ask(fd, CMATEST_IOC_MEASURE, m);
	if (!err && (!agrees(&own.alloc, m->done - m->failed) || !agrees(&own.failure, m->failed)))
		err = -1;
	return (void *)(intptr_t)err;
}

static void test_measure_team(void)
{
	enum { TEAM = 4 };
	struct cmatest_measure m[TEAM], other;
	pthread_t thread[TEAM];
	bool is_shared = false;
	__u64 done, most;
	void *err;
	int i, round;

	for (round = 0; round < 5; round++) {
		done = 0;
		most = 0;
		for (i = 0; i < TEAM; i++) {
			m[i] = measure_of(2, 100);
			m[i].threads = TEAM;
			m[i].hold = round;
			if (i == TEAM - 1) {
				/* Until the last has come, nobody else can begin. */
				usleep(20000);
				other = measure_of(1, 1);
				NEED(ask(fd, CMATEST_IOC_MEASURE, &other) == EBUSY);
			}
			NEED(!pthread_create(&thread[i], NULL, measurer, &m[i]));
		}
		for (i = 0; i < TEAM; i++) {
			NEED(!pthread_join(thread[i], &err) && !err);
			done += m[i].done;
			most = m[i].done > most ? m[i].done : most;
		}
		NEED(done == 100);
		is_shared = is_shared || most < 100;
	}
	/* One that is on its way first can once draw them all. */
	check(is_shared, "MEASURE: a team begins together, and shares its requests");

	for (i = 0; i < TEAM; i++) {
		m[i] = measure_of(2, 0);
		m[i].duration_ns = 3600000000000ULL;
		m[i].threads = TEAM;
		/* One of them alone has a reason to end. */
		m[i].stop_above_ns = i == 2 ? 1 : 0;
		NEED(!pthread_create(&thread[i], NULL, measurer, &m[i]));
	}
	for (i = 0; i < TEAM; i++) {
		NEED(!pthread_join(thread[i], &err) && !err);
		NEED(!(m[i].found & CMATEST_MEASURE_SLOW) == (i != 2));
	}
	check(true, "MEASURE: who must end ends the team");
	settled("after those");
}

static void test_measure_signals(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_value = { .tv_usec = 100000 } };
	struct cmatest_measure m = measure_of(1, 1ULL << 62);
	int round, status;
	pid_t pid;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m));
	NEED(m.done > 0 && agrees(&measured.alloc, m.done));
	m = measure_of(1, 100);
	m.interval_ns = 3000000000ULL;
	setitimer(ITIMER_REAL, &soon, NULL);
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done == 1);
	check(true, "MEASURE: a signal ends it, between two starts as well");

	m = measure_of(1, 1);
	m.threads = 2;
	setitimer(ITIMER_REAL, &soon, NULL);
	NEED(ask(fd, CMATEST_IOC_MEASURE, &m) == EINTR);
	m = measure_of(1, 3);
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done == 3);
	check(true, "MEASURE: who waits in vain for a team can go, and leaves none behind");

	for (round = 0; round < 6; round++) {
		pid = fork();
		NEED(pid >= 0);
		if (!pid) {
			m = measure_of(16, 1ULL << 62);
			m.hold = 20;
			if (round % 2)
				m.interval_ns = 1000000000;
			ask(round % 3 ? fd : open_device(), CMATEST_IOC_MEASURE, &m);
			_exit(1);
		}
		usleep(100000);
		NEED(info().held_pages == 16 * 21);
		kill(pid, SIGKILL);
		NEED(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	}
	check(true, "MEASURE: who is killed leaves no block");
	settled("after those");
}

/* What is in the way is counted: memory that moves, and a page that is pinned and cannot. */
static void test_measure_seen(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *memory = map_pages(PLACED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct cmatest_place p = { .address = (uintptr_t)memory };
	struct cmatest_measure m = measure_of(PLACED, 1);
	struct iovec piece;
	int ends[2], i;
	__u64 pfn;

	NEED(memory != MAP_FAILED);
	p.handle = alloc(fd, PLACED, 0, &pfn);
	NEED(p.handle && !fill(fd, p.handle, 3, 0, PLACED * (__u64)page));
	NEED(!ask(fd, CMATEST_IOC_PLACE, &p) && p.placed > PLACED / 2);
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done == 1 && !m.failed);
	if (!(m.found & CMATEST_MEASURE_HAS_MIGRATED)) {
		printf("skip - MEASURE: what is in the way is counted: this kernel does not tell\n");
		munmap(memory, PLACED * page);
		return;
	}
	NEED(m.migrated >= p.placed && m.migrated < p.placed + PLACED);
	check(true, "MEASURE: %llu pages were placed, and %llu moved away", p.placed, m.migrated);

	p.handle = alloc(fd, PLACED, 0, &pfn);
	munmap(memory, PLACED * page);
	memory = map_pages(PLACED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	NEED(memory != MAP_FAILED);
	p.address = (uintptr_t)memory;
	NEED(p.handle && !fill(fd, p.handle, 3, 0, PLACED * (__u64)page));
	NEED(!ask(fd, CMATEST_IOC_PLACE, &p) && !pipe(ends));
	for (i = 0; i < PLACED && pages_between(memory + i * page, 1, pfn, pfn + PLACED) != 1; i++)
		;
	NEED(i < PLACED);
	piece = (struct iovec) { .iov_base = memory + i * page, .iov_len = page };
	NEED(vmsplice(ends[1], &piece, 1, 0) == page);
	m = measure_of(PLACED, 1);
	m.stop_above_ns = 1;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done == 1);
	NEED(m.found & CMATEST_MEASURE_HAS_RETRIES && m.retries > 0 && m.slow_retries == m.retries);
	NEED(m.slow_pfn >= pfn && m.slow_pfn < pfn + PLACED && !m.no_hole);
	NEED(pages_between(memory + i * page, 1, m.slow_pfn, m.slow_pfn + 1) == 1);
	close(ends[0]);
	close(ends[1]);
	munmap(memory, PLACED * page);
	check(true, "MEASURE: a pinned page costs %llu retries, and is named", m.retries);
	settled("after those");
}

/* Frozen, it ends as for a signal, and whoever made the request learns of no more than that. */
static void test_measure_freeze(void)
{
	char text[32];
	int round, status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		struct cmatest_measure m;

		do {
			m = measure_of(3, 1000000);
			m.hold = 5;
		} while (!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done && !m.refused);
		_exit(errno ? errno : 1);
	}
	snprintf(text, sizeof(text), "%d", pid);
	NEED(put(GROUP "/cgroup.procs", text));
	for (round = 0; round < 10; round++) {
		usleep(1000 + 7000 * round);
		NEED(put(GROUP "/cgroup.freeze", "1") && is_frozen(true));
		NEED(put(GROUP "/cgroup.freeze", "0") && is_frozen(false));
		NEED(waitpid(pid, &status, WNOHANG) == 0);
	}
	kill(pid, SIGKILL);
	NEED(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	check(true, "MEASURE is frozen %d times, and goes on", round);
	settled("after that");
}

/* The share of times that are at least so long. */
static double share_from(const struct cmatest_histogram *h, __u64 ns)
{
	__u64 found = 0;
	unsigned int bin;

	for (bin = 0; bin < CMATEST_BINS; bin++)
		found += bin_start(bin) >= ns ? h->bins[bin] : 0;
	return (double)found / h->count;
}

/* One call in a hundred takes 5 ms longer; one takes 2 s, and delays those after it. */
static void test_measure_delays(const char *name)
{
	struct cmatest_measure m = measure_of(1, 2000);
	__u64 plain;

	if (!strcmp(name, "slow-calls")) {
		/* Of requests that fail at once, since a pair itself can take as long under emulation. */
		m.count = start.total_pages + 1;
		NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done == 2000);
		check(share_from(&measured.failure, 4900000) >= 0.0095 &&
		      share_from(&measured.failure, 4900000) < 0.05,
		      "slow-calls: %.2f %% of the times are above 4.9 ms",
		      100 * share_from(&measured.failure, 4900000));
		return;
	}
	m = measure_of(1, 300);
	m.interval_ns = 10000000;
	NEED(!ask(fd, CMATEST_IOC_MEASURE, &m) && m.done == 300);
	plain = share_from(&measured.alloc, 500000000) * m.done + 0.5;
	/* The machine itself can stand still, too. */
	check(plain >= 1 && plain <= 3 && share_from(&measured.response, 500000000) > 0.3,
	      "stall: %llu of 300 allocations took 0.5 s or more, and %.0f %% were so late",
	      plain, 100 * share_from(&measured.response, 500000000));
}
