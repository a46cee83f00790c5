// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which areas there are, and which is the default one.
 *
 * The kernel makes areas while it boots and never afterwards, so they are
 * listed once, at load.
 */
#include "cmatest.h"

#include <linux/atomic.h>
#include <linux/cma.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/of.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#if defined(MAX_CMA_AREAS) && MAX_CMA_AREAS > 0
#define AREAS MAX_CMA_AREAS
#else
#define AREAS 1
#endif

static struct cma *areas[AREAS];
static unsigned int area_count;
static unsigned int default_index;

/* Of each area, pages that open files have, or ask for. */
static atomic_long_t area_charged[AREAS];

static int add_area(struct cma *cma, void *unused)
{
	if (area_count == ARRAY_SIZE(areas))
		return -ENOSPC;
	areas[area_count++] = cma;
	return 0;
}

static bool is_named(struct cma *cma, const char *name)
{
	/* The kernel cuts longer names. */
	return !strncmp(cmatest_cma_name(cma), name, CMATEST_AREA_NAME - 1);
}

static struct cma *find_named(const char *name)
{
	unsigned int i;

	for (i = 0; i < area_count; i++) {
		if (is_named(areas[i], name))
			return areas[i];
	}
	return NULL;
}

/*
 * The area that a device tree marks as the default one has the full name of its
 * node (rmem_cma_setup() in kernel/dma/contiguous.c).
 */
static struct cma *find_in_device_tree(void)
{
	struct device_node *parent, *child;
	struct cma *cma = NULL;

	parent = of_find_node_by_path("/reserved-memory");
	if (!parent)
		return NULL;
	for_each_child_of_node(parent, child) {
		if (of_property_read_bool(child, "linux,cma-default"))
			cma = find_named(kbasename(child->full_name));
		if (cma) {
			of_node_put(child);
			break;
		}
	}
	of_node_put(parent);
	return cma;
}

/*
 * Without dma_contiguous_default_area, where the kernel lists no variables. The
 * kernel reserves its own default area only if the device tree brought none or
 * the command line has cma=, and then the tree's is not set up; it calls its
 * own one "reserved" (dma_contiguous_reserve_area(), 5.10 to 7.3).
 */
static struct cma *find_default(void)
{
	struct cma *cma = find_in_device_tree();

	return cma ? cma : find_named("reserved");
}

/**
 * cmatest_areas_find() - list the areas
 * @area_base: the proved address of dma_contiguous_default_area; 0 to find the
 *	default area by its name
 *
 * Return: 0, -ENODEV if there is no default area, or -EINVAL.
 */
int cmatest_areas_find(unsigned long area_base)
{
	struct cma *cma;
	int err;

	err = cmatest_cma_for_each(add_area, NULL);
	if (err && err != -EOPNOTSUPP)
		pr_warn("there are more areas than the %zu that this kernel was built for: the rest is left out\n",
			ARRAY_SIZE(areas));

	if (area_base) {
		/* The name is proved, so only memory that is not there can fail. */
		if (copy_from_kernel_nofault(&cma, (void *)area_base, sizeof(cma))) {
			pr_err("area_base: dma_contiguous_default_area cannot be read\n");
			return -EINVAL;
		}
	} else {
		cma = find_default();
	}
	if (!cma) {
		pr_err("area_base: this kernel reserved no default area: boot with cma=SIZE (see \"cma-test reserve\")\n");
		return -ENODEV;
	}

	for (default_index = 0; default_index < area_count; default_index++) {
		if (areas[default_index] == cma)
			return 0;
	}
	/* Not listed, because the module does not have cma_for_each_area. */
	if (add_area(cma, NULL))
		areas[--default_index] = cma;
	return 0;
}

/**
 * cmatest_area_count() - how many areas there are
 *
 * Return: that.
 */
unsigned int cmatest_area_count(void)
{
	return area_count;
}

/**
 * cmatest_area_default() - which area is the default one
 *
 * Return: its index.
 */
unsigned int cmatest_area_default(void)
{
	return default_index;
}

/**
 * cmatest_area_get() - an area by its index
 * @index: any number
 *
 * Return: the area, or NULL if there is none.
 */
struct cma *cmatest_area_get(u32 index)
{
	if (index >= area_count)
		return NULL;
	return areas[array_index_nospec(index, area_count)];
}

/**
 * cmatest_area_charge() - count pages for an area
 * @index: of an area that there is
 * @count: pages that an open file has or asks for; negative when it no longer
 *	does
 */
void cmatest_area_charge(u32 index, long count)
{
	atomic_long_add(count, &area_charged[array_index_nospec(index, AREAS)]);
}

/*
 * cma_get_base() warns for an area of several ranges, and no function tells how
 * many there are. cma_declare_contiguous_multi() (6.15 and later) makes them,
 * and its one caller, mm/hugetlb_cma.c, gives the names "hugetlb" and the
 * node's number. So these are not asked for their base, on older kernels
 * neither, and nor is what has no name; the default area never is one of them.
 */
static bool may_have_ranges(unsigned int index, const char *name)
{
	return index != default_index && (!name || strstarts(name, "hugetlb"));
}

/**
 * cmatest_area_describe() - what the kernel tells of an area
 * @index: any number
 * @area: gets it
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
	if (index == default_index)
		area->flags |= CMATEST_AREA_DEFAULT;

	name = cmatest_cma_name(cma);
	if (name) {
		area->flags |= CMATEST_AREA_HAS_NAME;
		snprintf((char *)area->name, sizeof(area->name), "%s", name);
	}

	if (cmatest_cma_bound() & CMATEST_BOUND_SIZE) {
		area->flags |= CMATEST_AREA_HAS_SIZE;
		area->size = cmatest_cma_size(cma);
	}

	if (may_have_ranges(index, name)) {
		area->flags |= CMATEST_AREA_RANGES;
	} else if (cmatest_cma_bound() & CMATEST_BOUND_BASE) {
		area->flags |= CMATEST_AREA_HAS_BASE;
		area->base = cmatest_cma_base(cma);
	}

	area->held_pages = atomic_long_read(&area_charged[array_index_nospec(index, AREAS)]);
	/* What is held since load is always of the default area. */
	if (index == default_index)
		area->held_pages += cmatest_hold_count();
	return 0;
}
