// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/cmatest: open, close and the table of its requests.
 *
 * No lock is held while a request runs, so as many run at once as there are
 * callers. A request that changes what its caller owns is undone if the answer
 * cannot be written, and nothing can see its result before.
 */
#include "cmatest.h"
#include "fault.h"

#include <linux/build_bug.h>
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
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/uaccess.h>

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
static_assert(sizeof(struct cmatest_times) == 8);

static unsigned int pageblock_order_or_0(void)
{
#ifdef CONFIG_HUGETLB_PAGE_SIZE_VARIABLE
	/* A variable then, and not exported. */
	return 0;
#else
	return pageblock_order;
#endif
}

static int info(struct cmatest_file *file, union cmatest_arg *arg)
{
	u32 version = arg->info.version;

	if (version && version != CMATEST_ABI_VERSION)
		return -EPROTONOSUPPORT;

	arg->info = (struct cmatest_info) {
		.version = CMATEST_ABI_VERSION,
		.page_size = PAGE_SIZE,
		.pageblock = pageblock_order_or_0(),
		.bound = cmatest_cma_bound(),
		.linked = cmatest_cma_linked(),
		.areas = cmatest_area_count(),
		.default_area = cmatest_area_default(),
		.max_order = cmatest_cma_max_order(),
		.max_handles = cmatest_max_handles(),
		.max_count = cmatest_cma_max_count(),
		.max_pages = cmatest_max_pages(),
		.max_pairs = CMATEST_MAX_PAIRS,
		.file_handles = atomic_read(&file->count),
		.held_pages = cmatest_charged(),
		.loaded_pages = cmatest_hold_count(),
		.total_pages = cmatest_cma_reserved(),
		.free_pages = cmatest_cma_free(),
		.fault = cmatest_fault_kind(),
	};
	return 0;
}

static int area(struct cmatest_file *file, union cmatest_arg *arg)
{
	return cmatest_area_describe(arg->area.index, &arg->area);
}

/**
 * struct request - a request of the device
 * @cmd: its number, with direction and size
 * @reserved: where the reserved field starts; it goes to the end
 * @flags_at: where the flags are
 * @flags: those that may be set; a field that is only answered may have all
 * @partial: an errno with which the structure is written nevertheless, or 0
 * @run: does it; what is behind the argument's size is not there
 * @settle: if @run succeeded, told whether the caller has got the answer
 */
struct request {
	unsigned int cmd;
	u16 reserved;
	u16 flags_at;
	u32 flags;
	int partial;
	int (*run)(struct cmatest_file *file, union cmatest_arg *arg);
	void (*settle)(struct cmatest_file *file, union cmatest_arg *arg, bool answered);
};

#define REQUEST(NAME, type, allowed, function, ...)				\
	[_IOC_NR(CMATEST_IOC_##NAME)] = {					\
		.cmd = CMATEST_IOC_##NAME,					\
		.reserved = offsetof(struct cmatest_##type, reserved),		\
		.flags_at = offsetof(struct cmatest_##type, flags),		\
		.flags = (allowed),						\
		.run = (function),						\
		__VA_ARGS__							\
	}

static const struct request requests[] = {
	REQUEST(INFO, info, 0, info),
	REQUEST(AREA, area, U32_MAX, area),
	REQUEST(ALLOC, alloc, CMATEST_NO_WARN, cmatest_handle_alloc,
		.settle = cmatest_handle_settle, .partial = -ENOMEM),
	REQUEST(RELEASE, release, 0, cmatest_handle_release),
	REQUEST(BLOCK, block, U32_MAX, cmatest_handle_look),
	REQUEST(FILL, fill, 0, cmatest_handle_fill),
	REQUEST(CHECK, check, 0, cmatest_handle_check),
	REQUEST(BATCH, batch, 0, cmatest_batch_run),
	REQUEST(PROBE, probe, 0, cmatest_probe_run),
	REQUEST(PLACE, place, CMATEST_PLACE_IN_FILE, cmatest_place_run),
};

static const struct request *find_request(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (nr >= ARRAY_SIZE(requests))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(requests));
	return requests[nr].cmd == cmd ? &requests[nr] : NULL;
}

static long cmatest_ioctl(struct file *filp, unsigned int cmd, unsigned long address)
{
	const struct request *request = find_request(cmd);
	struct cmatest_file *file = filp->private_data;
	void __user *user = (void __user *)address;
	size_t size = _IOC_SIZE(cmd);
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

	err = request->run(file, &arg);
	err = cmatest_fault_answer(cmd, err, &arg);
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

	file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	if (!file)
		return -ENOMEM;
	xa_init_flags(&file->handles, XA_FLAGS_ALLOC1);
	filp->private_data = file;
	return nonseekable_open(inode, filp);
}

/* Nobody is in a request any more: that had kept the file open. */
static int cmatest_release(struct inode *inode, struct file *filp)
{
	struct cmatest_file *file = filp->private_data;

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
 *
 * Return: 0 or what misc_register() says.
 */
int __init cmatest_device_add(void)
{
	int err = misc_register(&cmatest_misc);

	if (err)
		pr_err("/dev/" KBUILD_MODNAME " cannot be made: error %d\n", err);
	return err;
}

/**
 * cmatest_device_remove() - take it away again
 *
 * The module goes only when no file is open, so nobody owns a block.
 */
void __exit cmatest_device_remove(void)
{
	misc_deregister(&cmatest_misc);
}
