// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listens to tracepoints of the kernel.
 *
 * Tracepoints differ from kernel to kernel. Each function that listens has a
 * prototype, and is taken only where the kernel's headers have the same one; a
 * tracepoint that is not there, or is another one, is done without.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "cmatest.h"

/*
 * The probe, or NULL if the tracepoint has another prototype than the one given,
 * with which the probe was declared.
 */
#define CMATEST_PROBE_IF(event, probe, ...)						\
	(__builtin_types_compatible_p(typeof(check_trace_callback_type_##event),	\
				      void (void (*)(void *, ##__VA_ARGS__)) ) ?	\
	 (void *)(probe) : NULL)

#ifdef CONFIG_TRACEPOINTS
static void __init cmatest_trace_match(struct tracepoint *point, void *data)
{
	struct cmatest_trace *trace;

	for (trace = data; trace->name; trace++) {
		if (!strcmp(point->name, trace->name))
			trace->point = point;
	}
}

/**
 * cmatest_traces_add() - listen to tracepoints
 * @traces: these, up to one without a name. Those that this kernel does not have as
 *	they are declared are left out, and so is one for which there is no memory
 */
void __init cmatest_traces_add(struct cmatest_trace *traces)
{
	struct cmatest_trace *trace;

	for_each_kernel_tracepoint(cmatest_trace_match, traces);
	for (trace = traces; trace->name; trace++) {
		if (trace->point && trace->probe &&
		    !tracepoint_probe_register(trace->point, trace->probe, NULL))
			trace->on = true;
	}
}

/**
 * cmatest_traces_remove() - end that
 * @traces: what cmatest_traces_add() has had
 *
 * No probe runs afterwards.
 */
void cmatest_traces_remove(struct cmatest_trace *traces)
{
	struct cmatest_trace *trace;

	for (trace = traces; trace->name; trace++) {
		if (trace->on)
			tracepoint_probe_unregister(trace->point, trace->probe, NULL);
		trace->on = false;
	}
	tracepoint_synchronize_unregister();
}
#else
void __init cmatest_traces_add(struct cmatest_trace *traces)
{
}

void cmatest_traces_remove(struct cmatest_trace *traces)
{
}
#endif
