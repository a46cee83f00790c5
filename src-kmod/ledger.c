// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps a ledger of the blocks of all areas: who allocated them, when, and by which
 * call.
 *
 * The kernel tells of each allocation and release after the fact. Nothing is
 * allocated for that: the entries are there from the load on, in a tree by their
 * first frame, and blocks beyond their number are only counted. Another program may
 * release the first pages of a block, or pages from its middle, alone.
 *
 * Of blocks that go through this module the call is known, so the stack is not
 * looked through: that is most of what an entry costs.
 *
 * A release is told after the pages are free, so the next owner may be told of
 * before: whatever a new block covers is not another's any more.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <trace/events/cma.h>

#include "cmatest.h"

#define CMATEST_LEDGER_MOST	1048576U
#define CMATEST_LEDGER_TEXT	4096U
#define CMATEST_LEDGER_DEPTH	16
#define CMATEST_OWN_TASKS	256
#define CMATEST_OWN_TRIES	4
/* Functions that may come before the allocator's own: what calls the probe. */
#define CMATEST_LEDGER_BEFORE	5

/**
 * struct cmatest_ledger_block - a block in the ledger
 * @node: in the tree, by @pfn
 * @free: in the list of entries without a block
 * @pfn: the first frame
 * @count: its frames
 * @name: the kernel's name of the area, to know it by its address
 * @time_ns: when it was allocated, since 1970
 * @pid: the process
 * @tid: the thread
 * @comm: its name
 * @own: whether it went through this module
 * @depth: functions in @stack
 * @stack: the call, the last called function first
 */
struct cmatest_ledger_block {
	union {
		struct rb_node node;
		struct list_head free;
	};
	unsigned long pfn;
	unsigned long count;
	const char *name;
	u64 time_ns;
	pid_t pid;
	pid_t tid;
	char comm[TASK_COMM_LEN];
	bool own;
	unsigned int depth;
	unsigned long stack[CMATEST_LEDGER_DEPTH];
};

/* The probes may run with preemption off, and on a kernel for real time, too. */
static DEFINE_RAW_SPINLOCK(cmatest_ledger_lock);
static struct rb_root cmatest_ledger = RB_ROOT;
static LIST_HEAD(cmatest_ledger_free);
static struct cmatest_ledger_block *cmatest_ledger_blocks;
static unsigned int cmatest_ledger_most;
static unsigned int cmatest_ledger_live;
static u64 cmatest_ledger_missed;
static u64 cmatest_ledger_began_ns;

/*
 * The tasks that are in this module, each in one of the slots that its address
 * chooses. One for which there was none is taken for somebody else's.
 */
static struct task_struct *cmatest_own_tasks[CMATEST_OWN_TASKS];

static struct task_struct **cmatest_own_slot(unsigned int try)
{
	return &cmatest_own_tasks[(hash_ptr(current, 16) + try) % CMATEST_OWN_TASKS];
}

/**
 * cmatest_own_begin() - tell that what this task allocates is the module's
 *
 * Return: what cmatest_own_end() is to get.
 */
struct task_struct **cmatest_own_begin(void)
{
	unsigned int try;

	for (try = 0; try < CMATEST_OWN_TRIES; try++) {
		struct task_struct **slot = cmatest_own_slot(try);

		if (!READ_ONCE(*slot) && !cmpxchg(slot, NULL, current))
			return slot;
	}
	return NULL;
}

void cmatest_own_end(struct task_struct **slot)
{
	if (slot)
		WRITE_ONCE(*slot, NULL);
}

static bool cmatest_own(void)
{
	unsigned int try;

	for (try = 0; try < CMATEST_OWN_TRIES; try++) {
		if (READ_ONCE(*cmatest_own_slot(try)) == current)
			return true;
	}
	return false;
}

static struct cmatest_ledger_block *cmatest_ledger_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct cmatest_ledger_block, node);
}

/* The first block that ends after a frame, or NULL. */
static struct cmatest_ledger_block *cmatest_ledger_find(unsigned long pfn)
{
	struct rb_node *node = cmatest_ledger.rb_node;
	struct cmatest_ledger_block *found = NULL, *block;

	while (node) {
		block = cmatest_ledger_of(node);
		if (pfn < block->pfn + block->count) {
			found = block;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

static void cmatest_ledger_insert(struct cmatest_ledger_block *block)
{
	struct rb_node **link = &cmatest_ledger.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (block->pfn < cmatest_ledger_of(parent)->pfn)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&block->node, parent, link);
	rb_insert_color(&block->node, &cmatest_ledger);
}

/* NULL if there is none; then the block is missed. */
static struct cmatest_ledger_block *cmatest_ledger_take(void)
{
	struct cmatest_ledger_block *block;

	block = list_first_entry_or_null(&cmatest_ledger_free, struct cmatest_ledger_block, free);
	if (!block) {
		cmatest_ledger_missed++;
		return NULL;
	}
	list_del(&block->free);
	cmatest_ledger_live++;
	return block;
}

static void cmatest_ledger_drop(struct cmatest_ledger_block *block)
{
	rb_erase(&block->node, &cmatest_ledger);
	list_add(&block->free, &cmatest_ledger_free);
	cmatest_ledger_live--;
}

/* Takes frames out of all blocks that have some of them. */
static void cmatest_ledger_cut(unsigned long pfn, unsigned long count)
{
	unsigned long end = pfn + count, block_end;
	struct cmatest_ledger_block *block, *rest;

	while ((block = cmatest_ledger_find(pfn)) && block->pfn < end) {
		block_end = block->pfn + block->count;
		if (block->pfn < pfn) {
			block->count = pfn - block->pfn;
			if (block_end <= end)
				continue;
			rest = cmatest_ledger_take();
			if (rest) {
				*rest = *block;
				rest->pfn = end;
				rest->count = block_end - end;
				cmatest_ledger_insert(rest);
			}
		} else if (block_end <= end) {
			cmatest_ledger_drop(block);
		} else {
			/* Its place among the others stays the same. */
			block->pfn = end;
			block->count = block_end - end;
		}
	}
}

static void cmatest_ledger_add(const char *name, unsigned long pfn, unsigned long count)
{
	unsigned long stack[CMATEST_LEDGER_DEPTH], flags;
	struct cmatest_ledger_block *block;
	bool own = cmatest_own();
	unsigned int depth = 0;
	u64 now;

	if (!own)
		depth = stack_trace_save(stack, ARRAY_SIZE(stack), 1);
	/* The time of the last tick is exact enough to tell since when, and costs next to nothing. */
	now = ktime_get_coarse_real_ns();

	raw_spin_lock_irqsave(&cmatest_ledger_lock, flags);
	cmatest_ledger_cut(pfn, count);
	block = cmatest_ledger_take();
	if (block) {
		block->pfn = pfn;
		block->count = count;
		block->name = name;
		block->time_ns = now;
		block->pid = current->tgid;
		block->tid = current->pid;
		memcpy(block->comm, current->comm, sizeof(block->comm));
		block->comm[sizeof(block->comm) - 1] = 0;
		block->own = own;
		block->depth = depth;
		memcpy(block->stack, stack, depth * sizeof(*stack));
		cmatest_ledger_insert(block);
	}
	raw_spin_unlock_irqrestore(&cmatest_ledger_lock, flags);
}

static void cmatest_ledger_allocated(void *data, const char *name, unsigned long pfn,
				     const struct page *page, unsigned long count,
				     unsigned int align, int error)
{
	if (page)
		cmatest_ledger_add(name, pfn, count);
}

/* Before 6.12. */
static void cmatest_ledger_allocated_before(void *data, const char *name, unsigned long pfn,
					    const struct page *page, unsigned long count,
					    unsigned int align)
{
	if (page)
		cmatest_ledger_add(name, pfn, count);
}

static void cmatest_ledger_released(void *data, const char *name, unsigned long pfn,
				    const struct page *page, unsigned long count)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&cmatest_ledger_lock, flags);
	cmatest_ledger_cut(pfn, count);
	raw_spin_unlock_irqrestore(&cmatest_ledger_lock, flags);
}

static struct cmatest_trace cmatest_ledger_traces[] = {
	{ "cma_alloc_finish",
	  CMATEST_IF_TAKEN(cma_alloc_finish, cmatest_ledger_allocated,
	  CMATEST_IF_TAKEN(cma_alloc_finish, cmatest_ledger_allocated_before, NULL)) },
	{ "cma_release", CMATEST_IF_TAKEN(cma_release, cmatest_ledger_released, NULL) },
};

/**
 * cmatest_ledger_start() - keep the ledger from now on
 * @most: blocks that there is room for; 0 keeps none
 *
 * A ledger that cannot be kept is no reason not to load.
 */
void __init cmatest_ledger_start(unsigned int most)
{
	unsigned int i;

	if (!most)
		return;
	most = min(most, CMATEST_LEDGER_MOST);
	/* Not charged to whoever loads: it outlives that process. */
	cmatest_ledger_blocks = kvcalloc(most, sizeof(*cmatest_ledger_blocks),
					 CMATEST_GFP & ~__GFP_ACCOUNT);
	if (!cmatest_ledger_blocks) {
		pr_warn("ledger: no memory for %u blocks: it is not kept\n", most);
		return;
	}
	for (i = most; i-- > 0;)
		list_add(&cmatest_ledger_blocks[i].free, &cmatest_ledger_free);
	cmatest_ledger_most = most;
	cmatest_ledger_began_ns = ktime_get_coarse_real_ns();
	cmatest_listen(cmatest_ledger_traces, ARRAY_SIZE(cmatest_ledger_traces));
}

/* No request runs any more. */
void cmatest_ledger_stop(void)
{
	if (!cmatest_ledger_blocks)
		return;
	cmatest_listen_no_more(cmatest_ledger_traces, ARRAY_SIZE(cmatest_ledger_traces));
	kvfree(cmatest_ledger_blocks);
}

/*
 * Appends a function's name. What the kernel has no name for it calls by its
 * address, which nobody may see.
 */
static size_t cmatest_ledger_function(char *text, size_t size, unsigned long address)
{
	char symbol[KSYM_SYMBOL_LEN], *offset, *module;

	/* The return address may be that of the next function, after a call that is its last. */
	sprint_symbol(symbol, address - 1);
	offset = strstr(symbol, "+0x");
	if (strstarts(symbol, "0x") || !offset)
		return scnprintf(text, size, "?\n");
	module = strchr(offset, ' ');
	*offset = 0;
	return scnprintf(text, size, "%s%s\n", symbol, module ? module : "");
}

static size_t cmatest_ledger_text(char *text, const struct cmatest_ledger_block *block)
{
	size_t length = 0, line;
	unsigned int i;
	bool allocator = false;

	text[0] = 0;
	for (i = 0; i < block->depth; i++) {
		line = length;
		length += cmatest_ledger_function(text + length, CMATEST_LEDGER_TEXT - length,
						  block->stack[i]);
		/* What the compiler made of the calls of a probe differs. */
		if (!allocator && i < CMATEST_LEDGER_BEFORE &&
		    (strstarts(text + line, "cma_alloc") ||
		     strstarts(text + line, "__cma_alloc"))) {
			allocator = true;
			memmove(text, text + line, length - line + 1);
			length -= line;
		}
	}
	return length;
}

static u32 cmatest_ledger_area(const char *name)
{
	u32 i;

	for (i = 0; i < cmatest_areas; i++) {
		if (cmatest_cma_name(cmatest_area_get(i)) == name)
			return i;
	}
	return CMATEST_NO_AREA;
}

/* CMATEST_IOC_ENTRY: reads an entry of the ledger. */
int cmatest_entry_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_entry *entry = &arg->entry;
	void __user *user = u64_to_user_ptr(entry->text);
	struct cmatest_ledger_block *found, block = { };
	unsigned long flags;
	char *text;
	int err = 0;

	if (entry->room > CMATEST_LEDGER_TEXT || entry->unused)
		return -EINVAL;
	if ((uintptr_t)user != entry->text)
		return -EFAULT;

	raw_spin_lock_irqsave(&cmatest_ledger_lock, flags);
	found = entry->pfn > ULONG_MAX ? NULL : cmatest_ledger_find(entry->pfn);
	if (found)
		block = *found;
	entry->live = cmatest_ledger_live;
	entry->missed = cmatest_ledger_missed;
	raw_spin_unlock_irqrestore(&cmatest_ledger_lock, flags);

	entry->most = cmatest_ledger_most;
	entry->loaded_ns = cmatest_ledger_began_ns;
	entry->found = 0;
	if (cmatest_ledger_traces[0].probed && cmatest_ledger_traces[1].probed)
		entry->found |= CMATEST_LEDGER_ON;
	entry->count = 0;
	entry->length = 0;
	if (!found)
		return 0;

	entry->found |= CMATEST_LEDGER_HAS_BLOCK;
	if (block.own)
		entry->found |= CMATEST_LEDGER_OWN;
	entry->pfn = block.pfn;
	entry->count = block.count;
	entry->area = cmatest_ledger_area(block.name);
	entry->time_ns = block.time_ns;
	entry->pid = block.pid;
	entry->tid = block.tid;
	memcpy(entry->comm, block.comm, sizeof(entry->comm));
	text = kmalloc(CMATEST_LEDGER_TEXT, CMATEST_GFP);
	if (!text)
		return -ENOBUFS;
	entry->length = cmatest_ledger_text(text, &block);
	if (copy_to_user(user, text, min(entry->room, entry->length + 1)))
		err = -EFAULT;
	kfree(text);
	return err;
}
