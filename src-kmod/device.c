// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens and closes /dev/cmatest, and dispatches its requests.
 *
 * No lock is held while a request runs, so as many run at once as there are
 * callers. A request that changes what its caller owns is undone if the answer
 * cannot be written, and its result is hidden until then.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "cmatest.h"

/* The sizes are part of the interface. */
static_assert(sizeof(struct cmatest_info) == 128);
static_assert(sizeof(struct cmatest_area) == 104);
static_assert(sizeof(struct cmatest_alloc) == 56);
static_assert(sizeof(struct cmatest_release) == 40);
static_assert(sizeof(struct cmatest_block) == 96);
static_assert(sizeof(struct cmatest_fill) == 48);
static_assert(sizeof(struct cmatest_check) == 80);
static_assert(sizeof(struct cmatest_batch) == 80);
static_assert(sizeof(struct cmatest_probe) == 48);
static_assert(sizeof(struct cmatest_place) == 56);
static_assert(sizeof(struct cmatest_measure) == 200);
static_assert(sizeof(struct cmatest_frames) == 64);
static_assert(sizeof(struct cmatest_frame_run) == 48);
static_assert(sizeof(struct cmatest_path) == 96);
static_assert(sizeof(struct cmatest_entry) == 120);
static_assert(sizeof(struct cmatest_witness) == 136);
static_assert(sizeof(struct cmatest_attempt) == 40);
/* Its first fields are those of an allocation. */
static_assert(offsetof(struct cmatest_witness, handle) == offsetof(struct cmatest_alloc, handle));
static_assert(offsetof(struct cmatest_witness, ns) == offsetof(struct cmatest_alloc, ns));
static_assert(sizeof(struct cmatest_times) == 8);

#ifdef CONFIG_HUGETLB_PAGE_SIZE_VARIABLE
/* Then pageblock_order is a variable, and not exported. */
#define CMATEST_PAGEBLOCK_ORDER	0
#else
#define CMATEST_PAGEBLOCK_ORDER	pageblock_order
#endif

static unsigned long cmatest_loaded_pages __ro_after_init;

static int cmatest_info_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	u32 version = arg->info.version;

	if (version && version != CMATEST_ABI_VERSION)
		return -EPROTONOSUPPORT;

	arg->info = (struct cmatest_info) {
		.version = CMATEST_ABI_VERSION,
		.page_size = PAGE_SIZE,
		.pageblock = CMATEST_PAGEBLOCK_ORDER,
		.bound = cmatest_bound,
		.linked = cmatest_linked,
		.areas = cmatest_areas,
		.default_area = cmatest_default_area,
		.max_order = cmatest_cma_max_order(),
		.max_handles = cmatest_max_handles,
		.max_count = cmatest_cma_max_count(),
		.max_pages = cmatest_max_pages,
		.max_pairs = CMATEST_MAX_PAIRS,
		.file_handles = atomic_read(&file->count),
		.held_pages = atomic_long_read(&cmatest_charged),
		.loaded_pages = cmatest_loaded_pages,
		.total_pages = cmatest_cma_reserved(),
		.free_pages = cmatest_cma_free(),
	};
	return 0;
}

static int cmatest_area_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	return cmatest_area_describe(arg->area.index, &arg->area);
}

/**
 * struct cmatest_request - a request of the device
 * @cmd: its number, with direction and size
 * @reserved: offset of the reserved field, which is the last one
 * @flags_at: offset of the flags
 * @flags: flags that may be set; all, where the field is only an answer
 * @partial: an errno with which the answer is written nevertheless, or 0
 * @run: makes the request; the argument ends where its size says
 * @settle: after a successful @run, told whether the caller has the answer
 */
struct cmatest_request {
	unsigned int cmd;
	u16 reserved;
	u16 flags_at;
	u32 flags;
	int partial;
	int (*run)(struct cmatest_file *file, union cmatest_arg *arg);
	void (*settle)(struct cmatest_file *file, union cmatest_arg *arg, bool answered);
};

#define CMATEST_REQUEST(NAME, type, allowed, function, ...)			\
	[_IOC_NR(CMATEST_IOC_##NAME)] = {					\
		.cmd = CMATEST_IOC_##NAME,					\
		.reserved = offsetof(struct cmatest_##type, reserved),		\
		.flags_at = offsetof(struct cmatest_##type, flags),		\
		.flags = (allowed),						\
		.run = (function),						\
		__VA_ARGS__							\
	}

static const struct cmatest_request cmatest_requests[] = {
	CMATEST_REQUEST(INFO, info, 0, cmatest_info_run),
	CMATEST_REQUEST(AREA, area, U32_MAX, cmatest_area_run),
	CMATEST_REQUEST(ALLOC, alloc, CMATEST_NO_WARN, cmatest_handle_alloc,
			.settle = cmatest_handle_settle, .partial = -ENOMEM),
	CMATEST_REQUEST(RELEASE, release, 0, cmatest_handle_release),
	CMATEST_REQUEST(BLOCK, block, U32_MAX, cmatest_handle_look),
	CMATEST_REQUEST(FILL, fill, 0, cmatest_handle_fill),
	CMATEST_REQUEST(CHECK, check, 0, cmatest_handle_check),
	CMATEST_REQUEST(BATCH, batch, 0, cmatest_batch_run),
	CMATEST_REQUEST(PROBE, probe, 0, cmatest_probe_run),
	CMATEST_REQUEST(PLACE, place, CMATEST_PLACE_IN_FILE, cmatest_place_run),
	CMATEST_REQUEST(MEASURE, measure, CMATEST_MEASURE_NO_CLOCK, cmatest_measure_run),
	CMATEST_REQUEST(FRAMES, frames, 0, cmatest_frames_run),
	CMATEST_REQUEST(PATH, path, 0, cmatest_path_run),
	CMATEST_REQUEST(ENTRY, entry, 0, cmatest_entry_run),
	CMATEST_REQUEST(WITNESS, witness, CMATEST_NO_WARN, cmatest_witness_run,
			.settle = cmatest_handle_settle, .partial = -ENOMEM),
};

static const struct cmatest_request *cmatest_request_find(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (nr >= ARRAY_SIZE(cmatest_requests))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(cmatest_requests));
	return cmatest_requests[nr].cmd == cmd ? &cmatest_requests[nr] : NULL;
}

static long cmatest_ioctl(struct file *filp, unsigned int cmd, unsigned long address)
{
	const struct cmatest_request *request = cmatest_request_find(cmd);
	struct cmatest_file *file = filp->private_data;
	void __user *user = (void __user *)address;
	size_t size = _IOC_SIZE(cmd);
	struct task_struct **slot;
	union cmatest_arg arg;
	bool answered;
	int err;

	if (!request)
		return -ENOTTY;
	if (copy_from_user(&arg, user, size))
		return -EFAULT;
	if (memchr_inv((u8 *)&arg + request->reserved, 0, size - request->reserved))
		return -EINVAL;
	if (*(u32 *)((u8 *)&arg + request->flags_at) & ~request->flags)
		return -EINVAL;

	slot = cmatest_own_begin();
	err = request->run(file, &arg);
	cmatest_own_end(slot);
	if (err && err != request->partial)
		return err;

	answered = !copy_to_user(user, &arg, size);
	if (!err && request->settle)
		request->settle(file, &arg, answered);
	return answered ? err : -EFAULT;
}

static int cmatest_open(struct inode *inode, struct file *filp)
{
	struct cmatest_file *file;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;

	file = kzalloc(sizeof(*file), CMATEST_GFP);
	if (!file)
		return -ENOBUFS;
	xa_init_flags(&file->handles, XA_FLAGS_ALLOC1);
	mutex_init(&file->team.lock);
	init_waitqueue_head(&file->team.wait);
	filp->private_data = file;
	return nonseekable_open(inode, filp);
}

/* No request is running any more: that would have kept the file open. */
static int cmatest_release(struct inode *inode, struct file *filp)
{
	struct cmatest_file *file = filp->private_data;

	cmatest_probes_unuse(&file->uses_probes);
	cmatest_witness_unuse(&file->uses_witness);
	cmatest_handles_release(file);
	kfree(file);
	return 0;
}

static const struct file_operations cmatest_fops = {
	.owner = THIS_MODULE,
	.open = cmatest_open,
	.release = cmatest_release,
	.unlocked_ioctl = cmatest_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice cmatest_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &cmatest_fops,
	.mode = 0600,
};

/**
 * cmatest_device_add() - make /dev/cmatest
 * @loaded_pages: number of pages that are held while the module is loaded
 *
 * Return: 0 or what misc_register() returned.
 */
int __init cmatest_device_add(unsigned long loaded_pages)
{
	int err;

	cmatest_loaded_pages = loaded_pages;
	err = misc_register(&cmatest_misc);
	if (err)
		pr_err("/dev/" KBUILD_MODNAME " cannot be made: error %d\n", err);
	return err;
}

/* No file is open when the module is removed, so no block is left. */
void __exit cmatest_device_remove(void)
{
	misc_deregister(&cmatest_misc);
}
