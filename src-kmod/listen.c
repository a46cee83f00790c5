// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listens to tracepoints of the kernel.
 *
 * Tracepoints differ from kernel to kernel. A function that listens is taken only
 * where the kernel's headers have the very same arguments; a tracepoint that is not
 * there, or is another one, is done without.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "cmatest.h"

/* What register_trace_NAME() takes is a function with these arguments, after the data. */
#define CMATEST_TAKES(name, probe)						\
	__builtin_types_compatible_p(						\
		typeof(check_trace_callback_type_##name), void (typeof(&(probe))))

/* A function for the tracepoint of a name, or another one if it does not fit. */
#define CMATEST_IF_TAKEN(name, probe, otherwise)				\
	__builtin_choose_expr(CMATEST_TAKES(name, probe), (void *)(probe), otherwise)

#ifdef CONFIG_TRACEPOINTS
struct cmatest_listened {
	struct cmatest_trace *traces;
	size_t count;
};

static void cmatest_trace_find(struct tracepoint *point, void *data)
{
	struct cmatest_listened *listened = data;
	size_t i;

	for (i = 0; i < listened->count; i++) {
		if (!strcmp(point->name, listened->traces[i].name))
			listened->traces[i].point = point;
	}
}

/**
 * cmatest_listen() - have functions called by tracepoints
 * @traces: the tracepoints; those that this kernel does not have are left out, and
 *	so is one for which there is no memory
 * @count: their number
 *
 * Return: @found of those that are listened to.
 */
unsigned int cmatest_listen(struct cmatest_trace *traces, size_t count)
{
	struct cmatest_listened listened = { traces, count };
	unsigned int found = 0;
	size_t i;

	for_each_kernel_tracepoint(cmatest_trace_find, &listened);
	for (i = 0; i < count; i++) {
		struct cmatest_trace *trace = &traces[i];

		trace->probed = trace->point && trace->probe &&
				!tracepoint_probe_register(trace->point, trace->probe, NULL);
		if (trace->probed)
			found |= trace->found;
	}
	return found;
}

/**
 * cmatest_listen_no_more() - end what cmatest_listen() began
 * @traces: the same
 * @count: the same
 *
 * None of the functions runs any more afterwards: their code may be gone next.
 */
void cmatest_listen_no_more(struct cmatest_trace *traces, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (traces[i].probed)
			tracepoint_probe_unregister(traces[i].point, traces[i].probe, NULL);
		traces[i].probed = false;
	}
	tracepoint_synchronize_unregister();
}
#else
unsigned int cmatest_listen(struct cmatest_trace *traces, size_t count)
{
	return 0;
}

void cmatest_listen_no_more(struct cmatest_trace *traces, size_t count)
{
}
#endif
