// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists the areas, and finds the default one.
 *
 * The kernel makes areas while it boots and never afterwards, so they are listed
 * once, at load.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/cma.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/of.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "cmatest.h"

#if defined(MAX_CMA_AREAS) && MAX_CMA_AREAS > 0
#define CMATEST_MAX_AREAS	MAX_CMA_AREAS
#else
#define CMATEST_MAX_AREAS	1
#endif

unsigned int cmatest_areas __ro_after_init;
unsigned int cmatest_default_area __ro_after_init;

static struct cma *cmatest_area_list[CMATEST_MAX_AREAS] __ro_after_init;

/* Of each area, the pages that the module has or asks for. */
static atomic_long_t cmatest_area_charged[CMATEST_MAX_AREAS];

static int __init cmatest_area_add(struct cma *cma, void *unused)
{
	if (cmatest_areas == ARRAY_SIZE(cmatest_area_list))
		return -ENOSPC;
	cmatest_area_list[cmatest_areas++] = cma;
	return 0;
}

static struct cma * __init cmatest_area_by_name(const char *name)
{
	unsigned int i;

	for (i = 0; i < cmatest_areas; i++) {
		struct cma *cma = cmatest_area_list[i];

		/* The kernel cuts longer names. */
		if (!strncmp(cmatest_cma_name(cma), name, CMATEST_AREA_NAME - 1))
			return cma;
	}
	return NULL;
}

/*
 * The area that a device tree marks as the default one has the full name of its
 * node (rmem_cma_setup() in kernel/dma/contiguous.c).
 */
static struct cma * __init cmatest_area_by_device_tree(void)
{
	struct device_node *parent, *child;
	struct cma *cma = NULL;

	parent = of_find_node_by_path("/reserved-memory");
	if (!parent)
		return NULL;
	for_each_child_of_node(parent, child) {
		if (of_property_read_bool(child, "linux,cma-default"))
			cma = cmatest_area_by_name(kbasename(child->full_name));
		if (cma) {
			of_node_put(child);
			break;
		}
	}
	of_node_put(parent);
	return cma;
}

/*
 * Without dma_contiguous_default_area the default area is found by its name. The
 * kernel reserves one of its own, with the name "reserved", only if the device
 * tree brought none or the command line has cma=, and then that of the tree is
 * not set up (dma_contiguous_reserve_area(), 5.10 to 7.3).
 */
static int __init cmatest_area_find_default(unsigned long area_base, struct cma **cma)
{
	bool can_ask = cmatest_bound & CMATEST_BOUND_DEFAULT_AREA;

	if (!area_base && can_ask) {
		*cma = cmatest_cma_default();
		return 0;
	}
	if (!area_base) {
		*cma = cmatest_area_by_device_tree();
		if (!*cma)
			*cma = cmatest_area_by_name("reserved");
		return 0;
	}
	/* The name has been proved, so only memory that is not there can fail. */
	if (copy_from_kernel_nofault(cma, (void *)area_base, sizeof(*cma))) {
		pr_err("area_base: dma_contiguous_default_area cannot be read\n");
		return -EINVAL;
	}
	if (can_ask && *cma != cmatest_cma_default()) {
		pr_err("area_base: found another area than dev_get_cma_area() has: leave it out\n");
		return -EINVAL;
	}
	return 0;
}

/**
 * cmatest_areas_find() - list the areas
 * @area_base: the proved address of dma_contiguous_default_area; 0 to ask the
 *	kernel for the default area or, if that cannot be, to find it by its name
 *
 * Return: 0, -ENODEV if there is no default area, or -EINVAL.
 */
int __init cmatest_areas_find(unsigned long area_base)
{
	struct cma *cma;
	unsigned int i;
	int err;

	err = cmatest_cma_for_each(cmatest_area_add, NULL);
	if (err && err != -EOPNOTSUPP)
		pr_warn("there are more areas than the %zu that this kernel was built for: the rest is left out\n",
			ARRAY_SIZE(cmatest_area_list));

	err = cmatest_area_find_default(area_base, &cma);
	if (err)
		return err;
	if (!cma) {
		pr_err("area_base: this kernel reserved no default area: boot with cma=SIZE (see \"cma-test reserve\")\n");
		return -ENODEV;
	}

	for (i = 0; i < cmatest_areas; i++) {
		if (cmatest_area_list[i] == cma)
			break;
	}
	/* Not listed where the module does not have cma_for_each_area(). */
	if (i == cmatest_areas && cmatest_area_add(cma, NULL))
		cmatest_area_list[--i] = cma;
	cmatest_default_area = i;
	return 0;
}

/* NULL for an index that is of no area. */
struct cma *cmatest_area_get(u32 index)
{
	if (index >= cmatest_areas)
		return NULL;
	return cmatest_area_list[array_index_nospec(index, cmatest_areas)];
}

/**
 * cmatest_area_is_inactive() - tell whether the kernel reserved an area in vain
 * @index: any number
 *
 * Where cma_activate_area() cannot give the reserved memory to the area, it
 * leaves an area without pages. That one keeps its name, gives nothing and takes
 * nothing back, as both are checked against its size.
 *
 * Return: true if the area has no pages, false otherwise and if that is unknown.
 */
bool cmatest_area_is_inactive(u32 index)
{
	struct cma *cma = cmatest_area_get(index);

	if (!cma)
		return false;
	if (cmatest_bound & CMATEST_BOUND_SIZE)
		return !cmatest_cma_size(cma);
	return !cmatest_cma_reserved();
}

/**
 * cmatest_area_charge() - count pages that the module has or asks for
 * @index: of an area that exists
 * @count: number of pages; negative when the module no longer has them
 */
void cmatest_area_charge(u32 index, long count)
{
	index = array_index_nospec(index, CMATEST_MAX_AREAS);
	atomic_long_add(count, &cmatest_area_charged[index]);
}

/*
 * cma_get_base() warns of an area of several ranges, and no function tells how
 * many there are. cma_declare_contiguous_multi() (from 6.15 on) makes such areas,
 * and its one caller, mm/hugetlb_cma.c, names them "hugetlb" and the number of
 * the node. So neither these are asked for their base, on older kernels too, nor
 * areas without a name. The default area is never one of them.
 */
static bool cmatest_area_may_have_ranges(u32 index, const char *name)
{
	return index != cmatest_default_area && (!name || strstarts(name, "hugetlb"));
}

/**
 * cmatest_area_frames() - tell which page frames an area has
 * @index: any number
 * @first: set to the first one
 * @count: set to their number
 *
 * Return: 0; -ENOENT if there is no such area; -EOPNOTSUPP if its base or size is
 * not known, as it may have several ranges.
 */
int cmatest_area_frames(u32 index, unsigned long *first, unsigned long *count)
{
	struct cma *cma = cmatest_area_get(index);

	if (!cma)
		return -ENOENT;
	if (!(cmatest_bound & CMATEST_BOUND_BASE) || !(cmatest_bound & CMATEST_BOUND_SIZE) ||
	    cmatest_area_may_have_ranges(index, cmatest_cma_name(cma)))
		return -EOPNOTSUPP;
	*first = PHYS_PFN(cmatest_cma_base(cma));
	*count = PHYS_PFN(cmatest_cma_size(cma));
	return 0;
}

/**
 * cmatest_area_describe() - collect what the kernel tells of an area
 * @index: any number
 * @area: set to that
 *
 * Return: 0, or -ENOENT if there is no such area.
 */
int cmatest_area_describe(u32 index, struct cmatest_area *area)
{
	struct cma *cma = cmatest_area_get(index);
	const char *name;

	if (!cma)
		return -ENOENT;

	memset(area, 0, sizeof(*area));
	area->index = index;
	if (index == cmatest_default_area)
		area->flags |= CMATEST_AREA_DEFAULT;
	if (cmatest_area_is_inactive(index))
		area->flags |= CMATEST_AREA_INACTIVE;

	name = cmatest_cma_name(cma);
	if (name) {
		area->flags |= CMATEST_AREA_HAS_NAME;
		snprintf((char *)area->name, sizeof(area->name), "%s", name);
	}

	if (cmatest_bound & CMATEST_BOUND_SIZE) {
		area->flags |= CMATEST_AREA_HAS_SIZE;
		area->size = cmatest_cma_size(cma);
	}

	if (cmatest_area_may_have_ranges(index, name)) {
		area->flags |= CMATEST_AREA_RANGES;
	} else if (cmatest_bound & CMATEST_BOUND_BASE) {
		area->flags |= CMATEST_AREA_HAS_BASE;
		area->base = cmatest_cma_base(cma);
	}

	index = array_index_nospec(index, CMATEST_MAX_AREAS);
	area->held_pages = atomic_long_read(&cmatest_area_charged[index]);
	return 0;
}
