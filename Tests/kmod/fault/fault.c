// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes the allocator, or cmatest, misbehave: to prove that the tests notice.
 *
 * "fault=NAME" at load chooses one fault. It is made by kretprobes, which change
 * the arguments and the result of functions: those of the kernel, for the calls
 * that come from cmatest alone, or those of cmatest that answer a request. So no
 * source of cmatest knows of this module. It is loaded after cmatest and must be
 * removed before it.
 *
 * The machine takes no harm: pages that a fault keeps are released at unload.
 *
 * At function entry a probe may run as an exception that could have come anywhere:
 * nothing there may allocate, sleep or wait for a lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cma.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <linux/xarray.h>

#include "../../../src-kmod/cmatest.h"
#include "fault.h"

static char *fault = "none";
module_param(fault, charp, 0400);
MODULE_PARM_DESC(fault, "fault to make, one of Tests/kmod/fault/fault.h (default none)");

/**
 * struct fault_call - a call of a function that is probed
 * @argument: its first arguments, as the caller passed them
 */
struct fault_call {
	unsigned long argument[3];
};

/**
 * struct fault_hook - what happens to a function
 * @symbol: the function
 * @before: may change the arguments, or NULL
 * @after: may change the result and what pointers lead to, or NULL
 */
struct fault_hook {
	const char *symbol;
	void (*before)(const struct fault_call *call, struct pt_regs *regs);
	void (*after)(const struct fault_call *call, struct pt_regs *regs);
};

struct fault_probe {
	struct kretprobe kretprobe;
	const struct fault_hook *hook;
};

/* Where the kernel does not export it, the probe of it tells the address. */
extern typeof(cma_release) cma_release __weak;
static bool (*fault_exported_release)(struct cma *cma, const struct page *pages,
				      unsigned long count) = cma_release;
static bool (*fault_release)(struct cma *cma, const struct page *pages, unsigned long count);

static unsigned int fault_number;
static struct module *fault_cmatest;

/* Pages to release at unload, and for each its area, or NULL for the buddy's. */
static LLIST_HEAD(fault_kept);

#ifdef CONFIG_X86_64
static unsigned long fault_caller(struct pt_regs *regs)
{
	return *(unsigned long *)regs->sp;
}

static void fault_set_argument(struct pt_regs *regs, unsigned int n, unsigned long value)
{
	unsigned long *const registers[] = { &regs->di, &regs->si, &regs->dx };

	*registers[n] = value;
}
#elif defined(CONFIG_ARM64)
static unsigned long fault_caller(struct pt_regs *regs)
{
	return regs->regs[30];
}

static void fault_set_argument(struct pt_regs *regs, unsigned int n, unsigned long value)
{
	regs->regs[n] = value;
}
#else
#error "this architecture's registers are not known here"
#endif

static bool fault_returned_true(struct pt_regs *regs)
{
	/* The other bits of a bool's register are undefined. */
	return regs_return_value(regs) & 0xff;
}

/*
 * A page that is kept belongs to this module alone, which uses two of its fields:
 * lru, whose first word is never odd here, as that of a tail page would be, and
 * private.
 */
static void fault_keep(struct page *page, struct cma *cma)
{
	set_page_private(page, (unsigned long)cma);
	llist_add((struct llist_node *)&page->lru, &fault_kept);
}

static void fault_release_kept(void)
{
	struct llist_node *node = llist_del_all(&fault_kept);

	while (node) {
		struct page *page = container_of((struct list_head *)node, struct page, lru);
		struct cma *cma = (struct cma *)page_private(page);

		node = node->next;
		INIT_LIST_HEAD(&page->lru);
		set_page_private(page, 0);
		if (!cma)
			__free_page(page);
		else if (!fault_release(cma, page, 1))
			pr_err("a page that was kept is lost until the next boot\n");
	}
}

/* cma_release(cma, pages, count) */

static void fault_one_page_less(const struct fault_call *call, struct pt_regs *regs)
{
	if (call->argument[2])
		fault_set_argument(regs, 2, call->argument[2] - 1);
}

static void fault_keep_last(const struct fault_call *call, struct pt_regs *regs)
{
	struct page *first = (struct page *)call->argument[1];

	if (call->argument[2] && fault_returned_true(regs))
		fault_keep(first + call->argument[2] - 1, (struct cma *)call->argument[0]);
}

static void fault_accept(const struct fault_call *call, struct pt_regs *regs)
{
	if (fault_returned_true(regs))
		return;
	/* The caller takes it for freed. */
	fault_keep((struct page *)call->argument[1], NULL);
	regs_set_return_value(regs, true);
}

static void fault_refuse(const struct fault_call *call, struct pt_regs *regs)
{
	regs_set_return_value(regs, false);
}

/* cma_alloc(cma, count, order, no_warn), and the release of what it gave */

static const char fault_is_late[] = "a block that starts one page late";

static void fault_one_page_more(const struct fault_call *call, struct pt_regs *regs)
{
	if (call->argument[1])
		fault_set_argument(regs, 1, call->argument[1] + 1);
}

static void fault_start_late(const struct fault_call *call, struct pt_regs *regs)
{
	struct page *first = (struct page *)regs_return_value(regs);

	if (!first || !call->argument[1])
		return;
	first++;
	set_page_private(first, (unsigned long)fault_is_late);
	regs_set_return_value(regs, (unsigned long)first);
}

static void fault_release_early(const struct fault_call *call, struct pt_regs *regs)
{
	struct page *first = (struct page *)call->argument[1];

	if (page_private(first) != (unsigned long)fault_is_late)
		return;
	set_page_private(first, 0);
	fault_set_argument(regs, 1, (unsigned long)(first - 1));
	fault_set_argument(regs, 2, call->argument[2] + 1);
}

static void fault_give_for_nothing(const struct fault_call *call, struct pt_regs *regs)
{
	if (!call->argument[1])
		fault_set_argument(regs, 1, 1);
}

static void fault_take_for_nothing(const struct fault_call *call, struct pt_regs *regs)
{
	if (!call->argument[2])
		fault_set_argument(regs, 2, 1);
}

/* Requests of cmatest: run(file, arg) */

static int fault_error(struct pt_regs *regs)
{
	return regs_return_value(regs);
}

static union cmatest_arg *fault_arg(const struct fault_call *call)
{
	return (union cmatest_arg *)call->argument[1];
}

/*
 * Calls a function with the memory of a block, under the lock that keeps the block
 * there. Nobody else has the lock where the tests look for the fault; elsewhere the
 * fault is left out.
 */
static void fault_on_block(const struct fault_call *call, u32 id, u64 offset,
			   void (*function)(u8 *memory, u64 offset))
{
	struct cmatest_file *file = (struct cmatest_file *)call->argument[0];
	struct cmatest_handle *handle;

	if (!xa_trylock(&file->handles))
		return;
	handle = xa_load(&file->handles, id);
	if (handle && handle->live)
		function(page_address(handle->pages.first), offset);
	xa_unlock(&file->handles);
}

static u8 fault_shared[PAGE_SIZE];
static bool fault_shared_is_set;

static void fault_show_shared(u8 *memory, u64 offset)
{
	if (fault_shared_is_set && offset < PAGE_SIZE)
		memcpy(memory, fault_shared, PAGE_SIZE);
}

static void fault_set_shared(u8 *memory, u64 offset)
{
	if (offset >= PAGE_SIZE)
		return;
	memcpy(fault_shared, memory, PAGE_SIZE);
	fault_shared_is_set = true;
}

static void fault_flip_bit(u8 *memory, u64 offset)
{
	memory[offset] ^= 0x10;
}

static void fault_share_before_fill(const struct fault_call *call, struct pt_regs *regs)
{
	const struct cmatest_fill *fill = &fault_arg(call)->fill;

	fault_on_block(call, fill->handle, fill->offset, fault_show_shared);
}

static void fault_share_after_fill(const struct fault_call *call, struct pt_regs *regs)
{
	const struct cmatest_fill *fill = &fault_arg(call)->fill;

	if (!fault_error(regs))
		fault_on_block(call, fill->handle, fill->offset, fault_set_shared);
}

static void fault_share_before_check(const struct fault_call *call, struct pt_regs *regs)
{
	const struct cmatest_check *check = &fault_arg(call)->check;

	fault_on_block(call, check->handle, check->offset, fault_show_shared);
}

static void fault_corrupt(const struct fault_call *call, struct pt_regs *regs)
{
	const struct cmatest_fill *fill = &fault_arg(call)->fill;

	if (!fault_error(regs))
		fault_on_block(call, fill->handle, fill->offset + fill->length / 2,
			       fault_flip_bit);
}

static void fault_keep_counts(struct cmatest_info *info)
{
	static struct cmatest_info first;

	if (!first.version)
		first = *info;
	info->held_pages = first.held_pages;
	info->free_pages = first.free_pages;
	info->file_handles = first.file_handles;
}

static void fault_info(const struct fault_call *call, struct pt_regs *regs)
{
	struct cmatest_info *info = &fault_arg(call)->info;

	if (fault_error(regs))
		return;
	/* So that every report tells which fault was made. */
	info->fault = fault_number;
	if (fault_number == CMATEST_FAULT_STALE_ACCOUNTING)
		fault_keep_counts(info);
}

static void fault_pass_zero(const struct fault_call *call, struct pt_regs *regs)
{
	if (fault_error(regs) == -EINVAL && !fault_arg(call)->alloc.count)
		regs_set_return_value(regs, -ENOMEM);
}

static void fault_alloc_same_place(const struct fault_call *call, struct pt_regs *regs)
{
	static u64 last;
	struct cmatest_alloc *alloc = &fault_arg(call)->alloc;
	u64 before;

	if (fault_error(regs))
		return;
	before = xchg(&last, alloc->pfn);
	if (before)
		alloc->pfn = before;
}

static void fault_release_again(const struct fault_call *call, struct pt_regs *regs)
{
	struct cmatest_release *release = &fault_arg(call)->release;

	if (fault_error(regs) != -ENOENT)
		return;
	release->accepted = 1;
	release->ns = 0;
	regs_set_return_value(regs, 0);
}

static void fault_look(const struct fault_call *call, struct pt_regs *regs)
{
	struct cmatest_block *block = &fault_arg(call)->block;

	if (fault_error(regs))
		return;
	switch (fault_number) {
	case CMATEST_FAULT_SHARED:
		block->unshared--;
		break;
	case CMATEST_FAULT_OTHER_ZONE:
		block->in_zone--;
		break;
	case CMATEST_FAULT_OUTSIDE:
		block->inside--;
		break;
	case CMATEST_FAULT_OTHER_COUNT:
		block->count++;
		break;
	case CMATEST_FAULT_OTHER_FRAME:
		block->pfn++;
		break;
	}
}

/* The task whose batch has had no refusal yet. */
static struct task_struct *fault_batching;

static void fault_begin_batch(const struct fault_call *call, struct pt_regs *regs)
{
	cmpxchg(&fault_batching, NULL, current);
}

static void fault_end_batch(const struct fault_call *call, struct pt_regs *regs)
{
	cmpxchg(&fault_batching, current, NULL);
}

static void fault_refuse_in_batch(const struct fault_call *call, struct pt_regs *regs)
{
	if (cmpxchg(&fault_batching, current, NULL) == current)
		regs_set_return_value(regs, false);
}

static atomic_t fault_allocs;

/* By the clock: what mdelay() counts, an emulated processor may do in a third of the time. */
static void fault_wait(u64 ns)
{
	u64 end = ktime_get_mono_fast_ns() + ns;

	while (ktime_get_mono_fast_ns() < end)
		cpu_relax();
}

static void fault_delay(const struct fault_call *call, struct pt_regs *regs)
{
	if (atomic_inc_return(&fault_allocs) % 100 == 0)
		fault_wait(5 * NSEC_PER_MSEC);
}

static void fault_stall(const struct fault_call *call, struct pt_regs *regs)
{
	if (atomic_inc_return(&fault_allocs) == 20)
		fault_wait(2 * NSEC_PER_SEC);
}

static void fault_write_nothing(const struct fault_call *call, struct pt_regs *regs)
{
	regs_set_return_value(regs, -ENOMEM);
}

#define FAULT_CMA_ALLOC		"cma_alloc"
#define FAULT_CMA_RELEASE	"cma_release"
#define FAULT_INFO		"cmatest:cmatest_info_run"
#define FAULT_ALLOC		"cmatest:cmatest_handle_alloc"
#define FAULT_RELEASE		"cmatest:cmatest_handle_release"
#define FAULT_LOOK		"cmatest:cmatest_handle_look"
#define FAULT_FILL		"cmatest:cmatest_handle_fill"
#define FAULT_CHECK		"cmatest:cmatest_handle_check"
#define FAULT_BATCH		"cmatest:cmatest_batch_run"
#define FAULT_WRITE		"kernel_write"

#define FAULT_HOOKS		4

static const struct {
	const char *name;
	struct fault_hook hook[FAULT_HOOKS];
} faults[] = {
	/* Probes that change nothing. */
	[CMATEST_FAULT_NONE] = { "none", {
		{ FAULT_CMA_ALLOC }, { FAULT_CMA_RELEASE }, { FAULT_FILL }, { FAULT_LOOK } } },
	[CMATEST_FAULT_LEAK] = { "leak", {
		{ FAULT_CMA_RELEASE, fault_one_page_less, fault_keep_last } } },
	[CMATEST_FAULT_MISALIGN] = { "misalign", {
		{ FAULT_CMA_ALLOC, fault_one_page_more, fault_start_late },
		{ FAULT_CMA_RELEASE, fault_release_early } } },
	[CMATEST_FAULT_OVERLAP] = { "overlap", {
		{ FAULT_FILL, fault_share_before_fill, fault_share_after_fill },
		{ FAULT_CHECK, fault_share_before_check } } },
	[CMATEST_FAULT_WRONG_RELEASE] = { "wrong-release", {
		{ FAULT_CMA_RELEASE, NULL, fault_accept } } },
	[CMATEST_FAULT_CORRUPT] = { "corrupt", {
		{ FAULT_FILL, NULL, fault_corrupt } } },
	[CMATEST_FAULT_STALE_ACCOUNTING] = { "stale-accounting" },
	[CMATEST_FAULT_REFUSED_RELEASE] = { "refused-release", {
		{ FAULT_CMA_RELEASE, NULL, fault_refuse } } },
	[CMATEST_FAULT_RELEASED_TWICE] = { "released-twice", {
		{ FAULT_RELEASE, NULL, fault_release_again } } },
	[CMATEST_FAULT_SHARED] = { "shared", { { FAULT_LOOK, NULL, fault_look } } },
	[CMATEST_FAULT_OTHER_ZONE] = { "other-zone", { { FAULT_LOOK, NULL, fault_look } } },
	[CMATEST_FAULT_OUTSIDE] = { "outside", { { FAULT_LOOK, NULL, fault_look } } },
	[CMATEST_FAULT_OTHER_COUNT] = { "other-count", { { FAULT_LOOK, NULL, fault_look } } },
	[CMATEST_FAULT_OTHER_FRAME] = { "other-frame", { { FAULT_LOOK, NULL, fault_look } } },
	[CMATEST_FAULT_SAME_PLACE] = { "same-place", {
		{ FAULT_ALLOC, NULL, fault_alloc_same_place } } },
	[CMATEST_FAULT_ZERO_PAGES] = { "zero-pages", {
		{ FAULT_CMA_ALLOC, fault_give_for_nothing },
		{ FAULT_CMA_RELEASE, fault_take_for_nothing } } },
	[CMATEST_FAULT_PASSED_ZERO] = { "passed-zero", {
		{ FAULT_ALLOC, NULL, fault_pass_zero } } },
	[CMATEST_FAULT_REFUSED_BATCH] = { "refused-batch", {
		{ FAULT_BATCH, fault_begin_batch, fault_end_batch },
		{ FAULT_CMA_RELEASE, NULL, fault_refuse_in_batch } } },
	[CMATEST_FAULT_DELAY] = { "delay", {
		{ FAULT_CMA_ALLOC, fault_delay } } },
	[CMATEST_FAULT_STALL] = { "stall", {
		{ FAULT_CMA_ALLOC, fault_stall } } },
	[CMATEST_FAULT_NO_PAGE_CACHE] = { "no-page-cache", {
		{ FAULT_WRITE, NULL, fault_write_nothing } } },
};

/*
 * For every fault. No other hook may be for that function: of two probes the second
 * would find the first one's trampoline where the caller's address was.
 */
static const struct fault_hook fault_info_hook = { FAULT_INFO, NULL, fault_info };

static struct fault_probe fault_probes[1 + FAULT_HOOKS];
static unsigned int fault_probe_count;

static int fault_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct fault_probe *probe =
		container_of(get_kretprobe(ri), struct fault_probe, kretprobe);
	struct fault_call *call = (struct fault_call *)ri->data;
	unsigned int i;

	/* Requests are called from cmatest, too. */
	if (!within_module(fault_caller(regs), fault_cmatest))
		return 1;
	for (i = 0; i < ARRAY_SIZE(call->argument); i++)
		call->argument[i] = regs_get_kernel_argument(regs, i);
	if (probe->hook->before)
		probe->hook->before(call, regs);
	return 0;
}
NOKPROBE_SYMBOL(fault_enter);

static int fault_leave(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct fault_probe *probe =
		container_of(get_kretprobe(ri), struct fault_probe, kretprobe);

	if (probe->hook->after)
		probe->hook->after((const struct fault_call *)ri->data, regs);
	return 0;
}
NOKPROBE_SYMBOL(fault_leave);

static void fault_unprobe(void)
{
	while (fault_probe_count)
		unregister_kretprobe(&fault_probes[--fault_probe_count].kretprobe);
}

static int fault_probe(const struct fault_hook *hook)
{
	struct fault_probe *probe = &fault_probes[fault_probe_count];
	int err;

	probe->hook = hook;
	probe->kretprobe.kp.symbol_name = hook->symbol;
	probe->kretprobe.entry_handler = fault_enter;
	probe->kretprobe.handler = fault_leave;
	probe->kretprobe.data_size = sizeof(struct fault_call);
	/* Calls at the same time. */
	probe->kretprobe.maxactive = 64;
	err = register_kretprobe(&probe->kretprobe);
	if (err) {
		pr_err("%s cannot be probed: error %d\n", hook->symbol, err);
		return err;
	}
	fault_probe_count++;
	if (!strcmp(hook->symbol, FAULT_CMA_RELEASE) && !fault_release)
		fault_release = (void *)probe->kretprobe.kp.addr;
	return 0;
}

static int fault_find_cmatest(void)
{
	struct file *file = filp_open("/dev/cmatest", O_RDWR, 0);

	if (IS_ERR(file)) {
		pr_err("/dev/cmatest cannot be opened, error %ld: load cmatest first\n",
		       PTR_ERR(file));
		return PTR_ERR(file);
	}
	fault_cmatest = file->f_op->owner;
	__module_get(fault_cmatest);
	filp_close(file, NULL);
	return 0;
}

static int __init fault_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (!strcmp(faults[i].name, fault))
			break;
	}
	if (i == ARRAY_SIZE(faults)) {
		pr_err("fault: there is none that is called %s\n", fault);
		return -EINVAL;
	}
	fault_number = i;
	fault_release = READ_ONCE(fault_exported_release);

	err = fault_find_cmatest();
	if (err)
		return err;
	err = fault_probe(&fault_info_hook);
	for (i = 0; i < FAULT_HOOKS && faults[fault_number].hook[i].symbol && !err; i++)
		err = fault_probe(&faults[fault_number].hook[i]);
	if (err) {
		fault_unprobe();
		fault_release_kept();
		module_put(fault_cmatest);
	}
	return err;
}

static void __exit fault_exit(void)
{
	fault_unprobe();
	fault_release_kept();
	module_put(fault_cmatest);
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Faults of the Contiguous Memory Allocator, for the tests of cmatest to find");
MODULE_LICENSE("GPL");
